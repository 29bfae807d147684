"""Write the usage exports of docs/quarterly-review.md: `python data/quarterly-review/make.py [FOLDER]` (usage).

An invented company, hour by hour, in the plain CSV that `planner ingest` knows: `before.csv` (29 December 2025 to
March 2026) and `quarter.csv` (April to June 2026). Nothing is drawn at random, so the files are always the same.

Before the quarter everything grows by 0.5 % a week. In the quarter, what nobody foresaw: in May a large customer moves
from swedencentral to eastus2; the chat of the one loses 45 % of its requests, that of the other grows by 35 %.
"""

import csv
import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

START, QUARTER, END = (dt.datetime(*day, tzinfo=dt.UTC) for day in ((2025, 12, 29), (2026, 4, 1), (2026, 7, 1)))
TURN = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
HEADER = ("timestamp", "region", "app", "model", "requests", "input_tokens", "cached_tokens", "output_tokens")
WEEKLY_GROWTH = 1.005
OFFSET = {"eastus2": -5, "swedencentral": 1}  # hours from UTC
# region, workload, model, requests in a busy hour, input, cached and output tokens of a request
SERIES = (
    ("eastus2", "chat", "mid", 9000, 1200, 400, 300),
    ("eastus2", "assistant", "mid", 2400, 4000, 1600, 500),
    ("eastus2", "batch", "small", 20000, 900, 0, 60),
    ("swedencentral", "chat", "mid", 7000, 1200, 400, 300),
    ("swedencentral", "assistant", "mid", 1500, 4000, 1600, 500),
)


def busy(workload: str, local: dt.datetime) -> float:
    """Share of the busy hour's requests at a local time."""
    weekend, hour = local.weekday() >= 5, local.hour
    if workload == "batch":
        return 1.0 if hour < 5 else 0.1
    if workload == "assistant":
        return (0.08 if weekend else 1.0 if 9 <= hour < 17 else 0.6 if hour in (8, 17, 18) else 0.05)  # fmt: skip
    day = 1.0 if 10 <= hour < 21 else 0.75 if 7 <= hour < 23 else 0.35
    return day * (0.8 if weekend else 1.0)


def turn(region: str, workload: str, at: dt.datetime) -> float:
    """Tell by what factor the quarter differs from what was to be expected."""
    if at < TURN:
        return 1.0
    return {("swedencentral", "chat"): 0.55, ("eastus2", "chat"): 1.35}.get((region, workload), 1.0)


def rows(first: dt.datetime, last: dt.datetime) -> Iterator[tuple[object, ...]]:
    """One row an hour and series."""
    for hour in range(int((last - first).total_seconds()) // 3600):
        at = first + dt.timedelta(hours=hour)
        count = int((at - START).total_seconds()) // 3600
        for k, (region, workload, model, most, fresh, cached, output) in enumerate(SERIES):
            local = at + dt.timedelta(hours=OFFSET[region])
            noise = 1 + ((count * count * 7919 + 104_729 * k) % 101 - 50) / 800  # within 6 %
            level = most * WEEKLY_GROWTH ** (count / 168) * turn(region, workload, at)
            requests = round(level * busy(workload, local) * noise)
            yield (at.isoformat(), region, workload, model, requests, requests * fresh, requests * cached,
                   requests * output)  # fmt: skip


def write(folder: Path) -> None:
    """Write both exports."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, first, last in (("before", START, QUARTER), ("quarter", QUARTER, END)):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(rows(first, last))


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "usage"))
