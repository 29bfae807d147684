"""What contracts as they are sold cost the solver: the same folder with each feature and without.

Folders of `tests/oracle`, seed 1. Cuts make three periods of a month: beside three whole months. Units by the hour are
without cold starts. Risk weighs the dearest fifth of ten scenarios by half, beside the same ten without a weight.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import Run, assert_equal, run
from benchmarks.page import Section
from benchmarks.waiting import LITERAL, SIZES, folder_of, plan_directory, solved, times, told

SCENARIOS = 10
RISK = "  risk:\n    weight: 0.5\n    level: 0.8\n"
FEATURES = ("prices", "upfront", "spend", "scaled")


def contracts(work: Path, quick: bool, sizes: object = None) -> Iterator[Section]:
    """Contracts as they are sold, beside the same folder without them."""
    header = ["folder", "feature", "wall s", "cpu s", "peak MB", "wall ÷", "cpu ÷", "memory ÷"]
    rows: list[list[object]] = []
    for size in SIZES[:1] if quick else SIZES:
        name = "x".join(map(str, size))
        base = folder_of(work / f"{name}-base", size, "quota")
        with_each = [(f, folder_of(work / f"{name}-{f}", size, f"quota,{f}")) for f in FEATURES]
        _without_starts(with_each[-1][1])
        months = folder_of(work / f"{name}-months", size, "quota", 3)
        cuts = folder_of(work / f"{name}-cuts", size, "quota,cuts")
        neutral = _with_scenarios(base, work / f"{name}-neutral")
        risk = _with_scenarios(base, work / f"{name}-risk", RISK)
        literally = size[0] * size[1] * size[2] <= LITERAL
        for start, what, others in (
            (base, "none", with_each),
            (months, "none, three months", [("cuts", cuts)]),
            (neutral, f"{SCENARIOS} scenarios", [("risk", risk)]),
        ):
            plain = solved(start)
            rows.append([name, what, *told(plain), "", "", ""])
            for feature, folder in others:
                found = solved(folder)
                rows.append([name, feature, *told(found), *times(found, plain)])
                if literally:
                    rows.append([name, f"{feature}: literal programme", *_literally(name, folder, plain)])
    note = (
        "planner: whole processes with --fresh, --no-workbook and --no-rules-cost. Literal programme: nothing reduced, "
        "of the same optimum (asserted). Ratios are over the line above that has none."
    )
    yield Section("contracts. Contracts as they are sold", header, rows, [note])


def _literally(name: str, folder: Path, plain: Run) -> list[object]:
    """Solve the literal programme, and hold its optimum against the plan's."""
    literal = run(["-m", "tests.oracle.oracle", str(folder)])
    document = json.loads((plan_directory(folder) / "plan.json").read_text(encoding="utf-8"))
    stated = document.get("objective_usd", document["total_usd"])
    assert_equal(name, float(stated), float(literal.answer()["objective_usd"]))
    return [*told(literal), *times(literal, plain)]


def _without_starts(folder: Path) -> None:
    """Let units that run by the hour serve at once."""
    rows = _read(folder / "pools.csv")
    _write(folder / "pools.csv", [{**row, "start_hours": "0" if row.get("start_hours") else ""} for row in rows])


def _with_scenarios(folder: Path, out: Path, policy: str = "") -> Path:
    """Copy a folder, with ten scenarios of its demand and quotas that serve each; ``policy`` : lines to add."""
    shutil.copytree(folder, out)
    random = np.random.default_rng(1)
    factor = random.lognormal(0.0, 0.35, SCENARIOS)
    price = random.uniform(0.9, 1.3, SCENARIOS)
    _write(
        out / "scenarios.csv",
        [
            {"scenario": f"s{k}", "probability": f"{1 / SCENARIOS}", "on_demand_price_factor": f"{price[k]:.2f}"}
            for k in range(SCENARIOS)
        ],
    )
    demand = _read(out / "demand.csv")
    noise = random.lognormal(0.0, 0.1, (SCENARIOS, len(demand)))
    _write(
        out / "demand.csv",
        [
            {**row, "scenario": f"s{k}", "requests_per_hour": f"{float(row['requests_per_hour']) * f * n:.3f}"}
            for k, (f, each) in enumerate(zip(factor, noise, strict=True))
            for row, n in zip(demand, each.tolist(), strict=True)
        ],
    )
    quotas = _read(out / "on_demand.csv")
    grown = 2.0 * float(factor.max())
    _write(
        out / "on_demand.csv",
        [{**row, "tokens_per_minute_quota": f"{float(row['tokens_per_minute_quota']) * grown:.0f}"} for row in quotas],
    )
    settings = out / "plan.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + policy, encoding="utf-8")
    return out


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
