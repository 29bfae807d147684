"""The break-even arithmetic: cases worked by hand, and what must hold for any offer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.features.catalogue.break_even import (
    Meter,
    TokenMix,
    after_price_cut,
    break_even,
    discount_needed,
    mix_of,
    token_prices,
)

SOME = st.floats(0.01, 1000)
SHARE = st.floats(0, 1)


def test_by_hand():
    # A unit serves 1,000 weighted tokens a minute = 60,000 an hour. A request: 100 fresh, 100 cached at 0.1, 10 output
    # at 5 = 160 weighted, so 375 requests an hour. On demand: 100 x 2 + 100 x 0.2 + 10 x 10 = 320 USD a million:
    # 375 x 320e-6 = 0.12 USD an hour. A unit at 0.09 USD an hour breaks even when busy 75% of the time.
    meter = Meter(1000, 0.09, cached_input_weight=0.1, output_weight=5)
    u = break_even([meter], TokenMix(100, 100, 0, 10), token_prices(2, 0.2, None, 10))
    assert u == pytest.approx(0.75, rel=1e-12)


def test_two_meters_by_hand():
    # Input meter: 1,000 tokens a minute for 0.06 an hour; output meter: 100 for 0.06. A request of 1,000 in, 100 out
    # needs 1/60 unit-hour of each: 0.002 USD. On demand: 1,000 x 1 + 100 x 10 = 2,000 per million = 0.002 USD. u* = 1.
    meters = [Meter(1000, 0.06, output_weight=0), Meter(100, 0.06, 0, 0, 0, 1)]
    assert break_even(meters, TokenMix(1000, 0, 0, 100), token_prices(1, None, None, 10)) == pytest.approx(
        1.0, rel=1e-12
    )


def test_lower_cache_rate_outside_makes_reserving_better():
    meter, prices = Meter(1000, 0.09), token_prices(2, 0.2, None, 10)
    same = break_even([meter], TokenMix(100, 100, 0, 10), prices)
    worse_outside = break_even([meter], TokenMix(100, 100, 0, 10), prices, TokenMix(200, 0, 0, 10))
    assert worse_outside < same


def test_nothing_to_compare():
    assert break_even([Meter(1000, 0.1)], TokenMix(0), token_prices(1, None, None, 1)) is None
    assert break_even([Meter(1000, 0.1)], TokenMix(10), token_prices(0, None, None, 0)) is None


@given(SOME, SOME, st.floats(0.1, 50), SHARE)
def test_u_star_is_where_reserved_and_on_demand_cost_the_same(price, tpm, ratio, hit):
    mix, prices = mix_of(ratio, hit), token_prices(2, 0.2, 2.5, 10)
    meter = Meter(tpm, price, cached_input_weight=0.1, output_weight=5)
    u = break_even([meter], mix, prices)
    requests_at_full_use = 1 / meter.units_for(mix)
    assert u * requests_at_full_use * prices.cost(mix) == pytest.approx(price, rel=1e-9)


@given(SOME, st.floats(0.01, 1))
def test_discount_needed_brings_the_offer_to_break_even(u, utilisation):
    left = u * (1 - discount_needed(u, utilisation))
    assert left <= utilisation * (1 + 1e-12) or left == pytest.approx(utilisation)
    assert (discount_needed(u, utilisation) == 0) == (u <= utilisation)


@given(SOME, st.floats(0, 0.99), st.floats(0, 12), st.floats(1, 12))
def test_price_cut_raises_u_star_less_the_later_it_comes(u, cut, after, term):
    assert u * (1 - 1e-12) <= after_price_cut(u, cut, after, term) <= u / (1 - cut) * (1 + 1e-12)
    assert after_price_cut(u, cut, term, term) == pytest.approx(u)
    # Halved half-way: the tokens are worth 3/4 of today's over the term.
    assert after_price_cut(0.6, 0.5, 6, 12) == pytest.approx(0.8)
