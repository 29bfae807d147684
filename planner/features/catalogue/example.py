"""A made-up workload, so that a folder of offers can be planned before the buyer's own demand is in it."""

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from planner.features.catalogue.build import Built
from planner.features.catalogue.offer_rows import TableRow
from planner.schema.settings import Horizon
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK

NOTE = "example, made up: replace with yours"
PEAK_REQUESTS_PER_HOUR = 1200
# Share of the peak in each hour of a working day (local time); a tenth of it at the weekend.
DAY = (3, 2, 2, 2, 3, 5, 10, 24, 52, 82, 97, 100, 90, 88, 95, 92, 82, 64, 44, 32, 24, 16, 10, 6)


def example_tables(built: Built, horizon: Horizon) -> dict[str, list[TableRow]]:
    """Rows of workloads, mix and demand: one workload that any model may serve, in office hours of each region."""
    served = [row["model"] for row in built.tables["models"]]
    return {
        "workloads": [
            {"workload": "example", "kind": "customer_service", "input_tokens": 2500, "output_tokens": 250,
             "cache_hit_rate": 0.5, "note": NOTE}
        ],
        "mix": [{"workload": "example", "model": m, "min_share": 0, "max_share": 1, "note": NOTE} for m in served],
        "demand": [row for region in built.tables["regions"] for row in _week(region, horizon.start)],
    }  # fmt: skip


def _week(region: TableRow, start: dt.date) -> Sequence[TableRow]:
    zone = ZoneInfo(region.get("time_zone") or "UTC")
    offset = ZoneInfo.utcoffset(zone, dt.datetime.combine(start, dt.time())) or dt.timedelta()
    ahead = round(offset.total_seconds() / 3600)
    rows = []
    for hour in range(HOURS_PER_WEEK):
        day, local = divmod((hour + ahead) % HOURS_PER_WEEK, HOURS_PER_DAY)
        share = DAY[local] / 100 * (0.1 if day >= DAYS_PER_WEEK - 2 else 1.0)
        rows.append(
            {"region": region["region"], "workload": "example", "hour_of_week": hour,
             "requests_per_hour": round(PEAK_REQUESTS_PER_HOUR * share)}
        )  # fmt: skip
    return rows


def example_settings(name: str, horizon: Horizon) -> str:
    """plan.yaml with the usual policy."""
    return (
        f"name: {name}\n"
        f"horizon: {{start: {horizon.start}, months: {horizon.months}}}\n"
        "policy:                          # `planner schema plan` explains every key\n"
        "  headroom: 0.30\n"
        "  reserved_headroom: 0           # what does not fit on the units overflows to on demand by itself\n"
        "  whole_units: true\n"
        "  tail_value: 0.95               # 5% of the payments past the horizon count as cost\n"
        "  failover: {enabled: true, share: 1.0, on_demand_trust: 0.5}\n"
    )
