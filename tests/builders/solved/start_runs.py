"""Money that two contracts count is spent on starts too, but only what then runs can start.

As in `start_limit`, with a start of 3 hours: 0.1 units that run every other hour and start each time pay 84 x 4
unit-hours a week. Starts that need not run would pay 168 x 3, by which both contracts would be filled.
"""

from tests import builders
from tests.builders.solved.start_limit import LIMIT

CASE = builders.case(
    builders.tables(
        demand=[{"region": "west", "workload": "w", "hour_of_week": 0, "requests_per_hour": 10.0}],
        pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 2.0, "start_hours": 3,
                "max_scaled_units": LIMIT}],
        offers=[],
        spend_commitments=[{"contract": name, "usd": 500.0, "counts_reserved": False} for name in ("one", "two")],
    ),
)  # fmt: skip
USD = 2 * 500 - (30 + LIMIT * 84 * (1 + 3) * 2) * 31 / 7
WHOLE_USD = USD


def _row(hour: int) -> str:
    started, runs = (f"{letter}[west-m/tokens/m, base/2027-01/{hour}]" for letter in "ga")
    return f" start_runs[west-m/tokens/m, base/2027-01/{hour}]: + 1 {started} - 1 {runs} <= 0"


LP = "\n".join(["", "Subject To", *map(_row, range(168)), "Bounds", "General", "End", ""])
