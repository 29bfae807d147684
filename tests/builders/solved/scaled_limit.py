"""No more units run by the hour than the pool allows; the rest goes on demand.

10 requests in the first hour of each week of January 2027 (31/7 times). A unit that runs by the hour costs 1 USD, a
request on demand 3 USD, and 6 units may run: 6 and 4 x 3 USD an hour.
"""

from tests import builders

CASE = builders.case(
    builders.tables(
        demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0}],
        pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.0, "max_scaled_units": 6}],
        offers=[],
    ),
)
USD = (6 + 4 * 3) * 31 / 7
WHOLE_USD = USD
LP = """
Subject To
 scaled_limit[west-m/tokens, base/2027-01/0]: + 1 a[west-m/tokens/m, base/2027-01/0] <= 6
Bounds
General
End
"""
