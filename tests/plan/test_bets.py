"""A commitment longer than the history is a bet: what it would lose if demand fell, by hand."""

import pytest

from planner.plan.expiries import bets_of, calendar_of
from planner.plan.orders import order_lines
from planner.plan.pool_months import order_values, pool_months
from planner.plan.reading import Reading
from planner.solver.solve import solve
from tests import builders


def test_a_term_longer_than_the_history_states_what_a_fall_of_demand_would_cost() -> None:
    # 10 requests an hour: 10 units at 1 USD an hour, or 3 USD each on demand; one month of 744 hours
    case = builders.case(builders.tables())
    reading = Reading(case, solve(case))
    lines, months = order_lines(case, reading.plan), pool_months(reading)
    assert bets_of(lines, months, 5.0) == ()  # 744 hours are 4.4 weeks
    (bet,) = bets_of(lines, months, 4.0)
    assert bet.at_stake_usd == 0.0  # 7 of 10 units still serve what would cost 21 USD an hour
    assert "is a bet: 4 weeks on 4 weeks of history. It would still lose nothing if demand falls 30%" in str(bet)
    dear = builders.case(builders.tables(offers=[{"offer": "a", "pool": "west-m", "usd_per_unit_hour": 2.5}]))
    reading = Reading(dear, solve(dear))
    (bet,) = bets_of(order_lines(dear, reading.plan), pool_months(reading), 2.0)
    # 10 units cost 25 USD an hour; 7 requests would cost 21 on demand
    assert bet.at_stake_usd == pytest.approx((25 - 21) * 744)


def test_without_an_on_demand_price_no_loss_and_no_saving_is_made_up() -> None:
    case = builders.case(builders.tables(on_demand=[]))
    reading = Reading(case, solve(case))
    lines, months = order_lines(case, reading.plan), pool_months(reading)
    (bet,) = bets_of(lines, months, 2.0)
    assert bet.at_stake_usd is None
    assert "not known: there is no on-demand price to compare with. It costs $7,440 over its term." in str(bet)
    assert [value.priced for value in order_values(lines, months)] == [False]
    (expiry,) = calendar_of(case, reading.plan, months=months).expiries
    assert not expiry.priced


def test_a_pool_of_which_some_models_have_no_on_demand_price_is_not_taken_to_save_their_part() -> None:
    # w is sold on demand at 3 USD a request, v nowhere: what its half of the 20 units saves is not known
    rows = builders.tables(
        models=[{"model": "m"}, {"model": "n"}],
        workloads=[{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in ("w", "v")],
        mix=[{"workload": "w", "model": "m"}, {"workload": "v", "model": "n"}],
        demand=[row for w in ("w", "v") for row in builders.profile("west", w, 10.0)],
        throughput=[{"pool": "west-m", "model": m, "tokens_per_minute_per_unit": 1} for m in ("m", "n")],
    )
    case = builders.case(rows)
    reading = Reading(case, solve(case))
    lines, months = order_lines(case, reading.plan), pool_months(reading)
    assert [(m.priced, m.unpriced_units) for m in months] == [(False, pytest.approx(10.0 * 168))]
    assert [value.priced for value in order_values(lines, months)] == [False]
    (bet,) = bets_of(lines, months, 2.0)
    assert bet.at_stake_usd is None
