"""A dear scenario weighs more than its probability, so a unit that does not pay on average is bought for it.

Ten requests every first hour of a week in January 2027 (31/7 times), twenty in the scenario `high` of probability 0.2.
A unit costs 0.005 x 744 = 3.72 USD for the month, a request on demand 3 USD: 93/7 USD for one an hour. The second ten
units are used in `high` alone: 0.2 x 93/7 = 2.66 USD on average, less than they cost. With weight 0.5 on the dearest
20 % a dollar in `high` counts 0.5 x 0.2 + 0.5 = 0.6: 0.6 x 93/7 = 7.97 USD. So all 15 that are sold are bought.
"""

from tests import builders

CASE = builders.case(
    builders.tables(
        demand=[
            {"region": "west", "workload": "w", "scenario": name, "hour_of_week": 0, "requests_per_hour": requests}
            for name, requests in (("low", 10.0), ("high", 20.0))
        ],
        scenarios=[{"scenario": "low", "probability": 0.8}, {"scenario": "high", "probability": 0.2}],
        offers=[{"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 0.005, "unit_step": 1, "max_units": 15}],
    ),
    risk={"weight": 0.5, "level": 0.8},
)
# no more than 15 are sold: 5 requests an hour of `high` go on demand, 5 x 93/7 = 66.43 USD with a probability of 0.2
USD = 15 * 3.72 + 0.2 * 5 * 93 / 7
WHOLE_USD = USD
OBJECTIVE_USD = 0.5 * USD + 0.5 * (15 * 3.72 + 5 * 93 / 7)
LP = """
Subject To
 risk[high]: - 1 threshold - 1 over[high] + 1 under[high] + 13285.7142857 z[west, w, m, standard, high/2027-01/0] = 0
 risk[low]: - 1 threshold - 1 over[low] + 1 under[low] + 13285.7142857 z[west, w, m, standard, low/2027-01/0] = 0
Bounds
General
End
"""
