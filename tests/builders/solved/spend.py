"""A spend commitment makes on demand cheap until it is spent.

10 requests in the first hour of each week of January 2027, 31/7 times. A unit costs 0.01 x 744 = 7.44 USD, a request
on demand 3 USD, so 93/7 USD for one an hour: units are cheaper, and 10 of them would serve all for 74.40 USD. But
42.50 USD have been promised on tokens, 42.5 x 7 / 93 = 3.199 requests an hour. As long as that is not spent, on demand
costs nothing more: 3.199 requests go there, units serve the rest. In whole units 7, of which one is idle in part, and
the same requests (52.08 + 42.50) beat 6 and 4 requests (44.64 + 53.14).
"""

from tests import builders

CASE = builders.case(
    builders.tables(
        demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0}],
        offers=[{"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 0.01, "unit_step": 1}],
        spend_commitments=[{"contract": "macc", "usd": 42.5, "counts_reserved": False}],
    ),
)
USD = (10 - 42.5 * 7 / 93) * 7.44 + 42.5
WHOLE_USD = 7 * 7.44 + 42.5
LP = """
Subject To
 spend[macc, base]: + 1 short[macc, base] + 13285.7142857 z[west, w, m, standard, base/2027-01/0] >= 42.5
Bounds
General
End
"""
