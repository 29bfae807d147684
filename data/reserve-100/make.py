"""Write the planning folders of docs/reserve-100.md: `python data/reserve-100/make.py [FOLDER]` (default: reserve-100).

A unit serves one request a second (QPS) of 1,000 tokens. On demand a million tokens cost 1 USD, so one QPS-hour costs
3,600 x 0.001 = 3.60 USD; a reserved unit costs 2.52 USD an hour, 30 % less. February 2027 has 28 days: every hour of
the week comes four times, 672 hours in all. There is neither headroom nor failover: the claim is about price alone.
"""

import csv
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HOURS, SECONDS = 168, 3600
ON_DEMAND, RESERVED = 3.60, 2.52  # USD per QPS-hour
MEAN, PEAK = 100, 400  # QPS
PEAK_HOURS = (0, 1, 7, 14, 17, 42)  # a week, at 400 QPS; the rest is flat, so that the mean is 100

PLAN = """name: {name}
horizon: {{start: 2027-02-01, months: 1}}
policy:
  headroom: 0
  failover: {{enabled: false}}
"""


def at_peak(hours: int) -> list[float]:
    """400 QPS in the first hours of the week, flat in the rest, 100 on average."""
    rest = (MEAN * HOURS - PEAK * hours) / (HOURS - hours)
    return [float(PEAK)] * hours + [rest] * (HOURS - hours)


def smooth() -> list[float]:
    """Let a week fall from its peak: the share u of its hours lies above 400 (1 - u)^3, which is 100 on average."""
    return [PEAK * (1 - (h + 0.5) / HOURS) ** 3 for h in range(HOURS)]


def switched() -> list[float]:
    """Run a fleet of 100, and 300 more for 72.8 hours a week, 10.4 a day: what is switched on, used or not."""
    return [400.0] * 72 + [100 + 0.8 * 300] + [100.0] * (HOURS - 73)


def folders() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Tables of each folder that are its own: billed by use; fleets kept at 400; one that is switched."""
    tokens = {"pools": [POOL], "on_demand": [TOKEN]}
    kept = {"demand": _demand(at_peak(7)), "pools": [{**POOL, "usd_per_unreserved_unit_hour": ON_DEMAND}]}
    found = {f"peak-{hours}h": {"demand": _demand(at_peak(hours)), **tokens} for hours in PEAK_HOURS}
    found["peak-7h-100"] = {**found["peak-7h"], "offers": [{**OFFER, "min_units": MEAN, "max_units": MEAN}]}
    found["smooth"] = {"demand": _demand(smooth()), **tokens}
    found["half-off"] = {**found["peak-0h"], "offers": [{**OFFER, "usd_per_unit_hour": 1.80}]}
    found["62.5-off"] = {**found["peak-7h"], "offers": [{**OFFER, "usd_per_unit_hour": 1.35}]}
    found["kept"] = {**kept, "offers": []}
    found["kept-100"] = {**kept, "offers": [{**OFFER, "max_units": MEAN}]}
    found["kept-any"] = kept
    found["switched"] = {"demand": _demand(switched()), **tokens}
    return found


POOL = {"pool": "m-units", "region": "here"}
TOKEN = {"region": "here", "model": "m", "usd_per_mtok_input": 1, "usd_per_mtok_output": 0}
OFFER = {"offer": "m-month", "pool": "m-units", "term_months": 1, "usd_per_unit_hour": RESERVED}
COMMON: dict[str, list[dict[str, Any]]] = {
    "regions": [{"region": "here", "fails": "false"}],
    "models": [{"model": "m", "tier": "mid"}],
    "workloads": [{"workload": "chat", "input_tokens": 1000, "output_tokens": 0}],
    "mix": [{"workload": "chat", "model": "m"}],
    "throughput": [{"pool": "m-units", "model": "m", "tokens_per_minute_per_unit": 60 * 1000}],
    "offers": [OFFER],
}


def _demand(qps: Iterable[float]) -> list[dict[str, Any]]:
    return [{"region": "here", "workload": "chat", "hour_of_week": h, "requests_per_hour": round(q * SECONDS, 3)}
            for h, q in enumerate(qps)]  # fmt: skip


def write(root: Path) -> None:
    """Write every folder."""
    for name, tables in folders().items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plan.yaml").write_text(PLAN.format(name=name), encoding="utf-8")
        for table, rows in {**COMMON, **tables}.items():
            if rows:
                _table(folder / f"{table}.csv", rows)


def _table(path: Path, rows: list[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "reserve-100"))
