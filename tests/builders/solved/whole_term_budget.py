"""A cap on whole terms counts the months that the plan does not.

10 requests every hour of January 2027. A unit for two months costs 1 USD an hour: 744 hours inside the month planned,
744 + 672 = 1416 over its term. The cap of 5.5 x 1416 USD allows 5.5 units (5 whole ones); the rest goes
on demand at 3 USD.
"""

from tests import builders

CASE = builders.case(
    builders.tables(
        offers=[{"offer": "2m", "pool": "west-m", "usd_per_unit_hour": 1.0, "term_months": 2, "unit_step": 1}]
    ),
    max_commitment_whole_term_usd=5.5 * 1416,
)
USD = (5.5 + 4.5 * 3) * 744
WHOLE_USD = (5 + 5 * 3) * 744
LP = """
Subject To
 whole_term_budget[]: + 1416 x[2m, 2027-01] <= 7788
Bounds
General
End
"""
