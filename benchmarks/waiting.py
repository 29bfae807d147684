"""What work that can wait costs the solver: the same folders with deadlines and without.

Folders of `tests/oracle`: with the feature batch two thirds of the workloads may wait up to 24 hours, and every option
has a batch option beside it. `no batch option` has none, and lets the same workloads wait 24 hours each.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Run, assert_equal, run, solve_command, total_usd
from benchmarks.page import Section
from tests.oracle.generate import generate

SIZES = ((3, 3, 2), (8, 8, 8))  # regions, workloads, models
LITERAL = 18  # regions x workloads x models up to which the literal programme is solved beside
SEED = 1


def waiting(work: Path, quick: bool, sizes: object = None) -> Iterator[Section]:
    """Work that can wait, beside the same folder without deadlines."""
    header = ["folder", "deadlines", "wall s", "cpu s", "peak MB", "wall ÷", "cpu ÷", "memory ÷"]
    rows: list[list[object]] = []
    for size in SIZES[:1] if quick else SIZES:
        name = "x".join(map(str, size))
        base = solved(folder_of(work / name, size, "quota"))
        rows.append([name, "none", *told(base), "", "", ""])
        folder = folder_of(work / f"{name}-batch", size, "quota,batch")
        for what, own in (("up to 24 h", folder), ("24 h, no batch option", _without_option(folder))):
            found = solved(own)
            rows.append([name, what, *told(found), *times(found, base)])
            if size[0] * size[1] * size[2] <= LITERAL:
                literal = run(["-m", "tests.oracle.oracle", str(own)])
                assert_equal(name, total_usd(plan_directory(own)), float(literal.answer()["total_usd"]))
                rows.append([name, f"{what}: literal programme", *told(literal), *times(literal, base)])
    note = (
        "planner: whole processes with --fresh, --no-workbook and --no-rules-cost. Literal programme: a flow for each "
        "hour of arrival and hour that serves it, nothing reduced, of the same optimum (asserted). Ratios are over the "
        "first line of the folder."
    )
    yield Section("wait. Work that can wait", header, rows, [note])


def folder_of(folder: Path, size: tuple[int, int, int], features: str, months: int = 1) -> Path:
    """Write a random folder with some features."""
    regions, workloads, models = size
    generate(folder, SEED, regions, workloads, models, months, features)
    return folder


def _without_option(folder: Path) -> Path:
    """Copy a folder without its batch options, in which all that can wait may wait a day."""
    out = folder.with_name(f"{folder.name}-only")
    out.mkdir()
    for path in folder.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    for name in ("on_demand", "workloads"):
        path = out / f"{name}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        kept = [row for row in rows if row.get("option") != "batch"]
        if name == "workloads":
            kept = [{**row, "deadline_hours": "24" if row["deadline_hours"] != "0" else "0"} for row in kept]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(kept)
    return out


def plan_directory(folder: Path) -> Path:
    """Name where the plan of a folder is written."""
    return folder.with_name(f"{folder.name}-plan")


def solved(folder: Path) -> Run:
    """Run the whole command on a folder."""
    return run(solve_command(folder, plan_directory(folder), "--fresh", "--no-workbook", "--no-rules-cost"), 2)


def told(found: Run) -> list[object]:
    """Cells of a run."""
    return [found.wall_s, found.cpu_s, found.peak_mb]


def times(found: Run, base: Run) -> list[object]:
    """Cells of a run as multiples of another."""
    return [found.wall_s / base.wall_s, found.cpu_s / base.cpu_s, found.peak_mb / base.peak_mb]
