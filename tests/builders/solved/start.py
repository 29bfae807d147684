"""A unit that runs by the hour is kept warm through a lull where that is cheaper than a second cold start.

10 requests in the hours 0 and 2 of each week of January 2027 (31/7 times). A unit that runs by the hour costs 1 USD and
its start 2 hours more. Stopped in hour 1 it costs 2 hours and 2 starts, 6 USD; kept running 3 hours and 1 start, 5 USD.
On demand the two hours cost 6 USD.
"""

from tests import builders

CASE = builders.case(
    builders.tables(
        demand=[{"region": "west", "workload": "w", "hour_of_week": h, "requests_per_hour": 10.0} for h in (0, 2)],
        pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 1.0, "start_hours": 2}],
        offers=[],
    ),
)
USD = 10 * 5 * 31 / 7
WHOLE_USD = USD


def _row(hour: int) -> str:
    def name(letter: str, h: int) -> str:
        return f"{letter}[west-m/tokens/m, base/2027-01/{h % 168}]"

    head = f" start[west-m/tokens/m, base/2027-01/{hour}]:"
    return f"{head} + 1 {name('a', hour)} - 1 {name('a', hour - 1)} - 1 {name('g', hour)} <= 0"


LP = "\n".join(["", "Subject To", *map(_row, range(168)), "Bounds", "General", "End", ""])
