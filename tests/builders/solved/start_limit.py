"""Money that two contracts count is spent on starts too, but a unit starts only where it did not run an hour before.

10 requests in the first hour of each week of January 2027 (31/7 times) cost 3 USD each on demand. A unit that runs by
the hour costs 2 USD an hour and its start 2 hours more; 0.1 units may run. Two contracts ask for 500 USD of on-demand
spend each, so a dollar spent for nothing saves two of shortfall: a plan that spends S below 500 costs S + 2 (500 - S).
Most is spent on all requests on demand, 30 USD a week, and 0.1 units that run every other hour and start each time:
84 x 3 unit-hours a week, where running all week pays 168 + 2.
"""

from tests import builders

LIMIT = 0.1
CASE = builders.case(
    builders.tables(
        demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0}],
        pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 2.0, "start_hours": 2,
                "max_scaled_units": LIMIT}],
        offers=[],
        spend_commitments=[{"contract": name, "usd": 500.0, "counts_reserved": False} for name in ("one", "two")],
    ),
)  # fmt: skip
USD = 2 * 500 - (30 + LIMIT * 84 * (1 + 2) * 2) * 31 / 7
WHOLE_USD = USD


def _row(hour: int) -> str:
    started, ran = (f"{x}[west-m/tokens/m, base/2027-01/{h % 168}]" for x, h in (("g", hour), ("a", hour - 1)))
    return f" start_limit[west-m/tokens/m, base/2027-01/{hour}]: + 1 {started} + 1 {ran} <= 0.1"


LP = "\n".join(["", "Subject To", *map(_row, range(168)), "Bounds", "General", "End", ""])
