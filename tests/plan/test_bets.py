"""A commitment longer than the history is a bet: what it would lose if demand fell, by hand."""

import pytest

from planner.plan.bets import bets_of
from planner.plan.expiries import calendar_of
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
