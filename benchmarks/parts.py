"""The parts of the benchmark: each writes its folders, runs commands, and yields tables."""

import importlib.util
import json
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import contracts, instances, moves, waiting
from benchmarks.measure import Run, assert_equal, run, solve_command, total_usd
from benchmarks.page import Section
from benchmarks.size import Size

ROOT = Path(__file__).parents[1]
Sizes = Sequence[Size] | None
COST = ["wall s", "cpu s", "peak MB"]
SMALL = 25  # regions x models up to which the folder is also solved by interior point, by CBC and in linopy
BIG = 400  # regions x models from which a command is run once only


def size_of(text: str) -> Size:
    """Read a size such as 10x10."""
    regions, models = text.lower().split("x")
    return Size(int(regions), int(models))


def _solve(size: Size, work: Path, *options: str) -> tuple[Run, Path, Path]:
    """Write the folder of a size, run the whole command on it; returns the run, the folder and the plan's directory."""
    folder, output = _folder(size, work), work / f"plan-{size.name}"
    cells = size.regions * size.models * size.months * size.scenarios
    return run(solve_command(folder, output, "--fresh", *options), 1 if cells >= BIG else 2), folder, output


def _folder(size: Size, work: Path) -> Path:
    """Write the folder of a size once, in a process of its own: a child's peak memory is at least its parent's."""
    folder = work / size.name
    if not folder.exists():
        run(["-m", "benchmarks.folders", str(folder), *size.arguments()])
    return folder


def literal(work: Path, quick: bool, sizes: Sizes) -> Iterator[Section]:
    """Whole command against the literal models, side by side."""
    note = (
        "All optima are equal to 1e-6 of themselves (asserted). Both sides are whole processes, from CSV files to the "
    )
    note += (
        "answer; planner's also proves it, audits it and writes the plan and the workbook. Ratios are other ÷ planner."
    )
    header = ["folder", "what", "columns", *COST, "wall ÷", "cpu ÷", "memory ÷"]
    rows: list[list[object]] = []
    for size in sizes or [Size(3, 3), Size(5, 5), *([] if quick else [Size(8, 8), Size(10, 10)])]:
        ours, folder, output = _solve(size, work)
        usd = total_usd(output)
        rows.append([size.name, "planner solve", "", *_cost(ours), "", "", ""])
        for name, command in _models(folder, size.regions * size.models <= SMALL):
            other = run(command)
            answer = other.answer()
            assert_equal(f"{size.name}, {name}", usd, answer["usd"])
            ratios = [f"{theirs / mine:.1f}" for theirs, mine in zip(_cost(other), _cost(ours))]
            rows.append(["", name, f"{answer['columns']:,}", *_cost(other), *ratios])
        yield Section("a. Against the literal programme", header, rows, [note])  # grows with every size: they are long


def _models(folder: Path, small: bool) -> Iterator[tuple[str, list[str]]]:
    """Commands of the literal models of a folder: HiGHS's simplex, the fastest, and where it is small, others."""
    yield "PuLP + HiGHS simplex", ["-m", "benchmarks.literal", str(folder), "--solver", "highs-simplex"]
    if not small:
        return
    yield "PuLP + HiGHS ipm", ["-m", "benchmarks.literal", str(folder), "--solver", "highs-ipm"]
    yield "PuLP + CBC", ["-m", "benchmarks.literal", str(folder), "--solver", "cbc"]
    if importlib.util.find_spec("linopy"):
        yield "linopy + HiGHS simplex", ["-m", "benchmarks.linopy_model", str(folder)]
    else:
        print("linopy is not installed (the `bench` extra): left out")


def growth(work: Path, quick: bool, sizes: Sizes) -> Iterator[Section]:
    """Growth with regions and models."""
    chosen = sizes or [size_of(t) for t in ("3x3", "5x5", "10x10", *(() if quick else ("10x20", "20x15", "20x30")))]
    rows, columns, spent = [], [], []
    for size in chosen:
        ours, _, _ = _solve(size, work)
        rows.append([size.name, size.literal_columns(), *_cost(ours)])
        columns.append(size.literal_columns())
        spent.append(_cost(ours))
    notes = []
    if len(chosen) > 1:
        slope = [_exponent(columns, cost) for cost in zip(*spent)]
        notes = [f"Growth with the literal columns (least squares on logarithms): wall {slope[0]:.2f}, "
                 f"cpu {slope[1]:.2f}, memory {slope[2]:.2f} (1 is linear)."]  # fmt: skip
    yield Section("b. Growth, N-1 in every region", ["folder", "literal columns", *COST], rows, notes)


def _exponent(columns: Sequence[int], cost: Sequence[float]) -> float:
    return statistics.linear_regression([math.log(c) for c in columns], [math.log(c) for c in cost]).slope


def whole(work: Path, quick: bool, sizes: Sizes) -> Iterator[Section]:
    """Whole units on and off."""
    rows = []
    for size in sizes or [Size(5, 5), *([] if quick else [Size(10, 10)])]:
        off, folder, _ = _solve(size, work)
        on, folder_on, output = _solve(replace(size, whole_units=True), work)
        lp, mip = (run(["-m", "benchmarks.solve_only", str(f)]).answer()["solve_cpu_s"] for f in (folder, folder_on))
        gap = _proof(output)
        rows.append([size.name, *_cost(off), *_cost(on), on.cpu_s / off.cpu_s, mip / lp, gap])
    header = [
        "folder",
        *(f"{c} off" for c in COST),
        *(f"{c} on" for c in COST),
        "cpu on ÷ off",
        "solve cpu on ÷ off",
        "gap",
    ]
    yield Section("c. Whole units", header, rows, ["Gap asked: 1e-4. `solve` is without reading and writing."])


def _proof(output: Path) -> str:
    proof = json.loads((output / "plan.json").read_text(encoding="utf-8"))
    return f"{proof.get('tree_gap') or proof['gap']:.1e}"


def futures(work: Path, quick: bool, sizes: Sizes) -> Iterator[Section]:
    """Months and scenarios."""
    rows = []
    for base in sizes or [Size(3, 3) if quick else Size(5, 5)]:
        for months, scenarios in [(1, 1), (1, 2), (1, 5), (3, 1), (12, 1), *([] if quick else [(12, 5)])]:
            size = replace(base, months=months, scenarios=scenarios)
            ours, _, _ = _solve(size, work)
            rows.append([size.name, months, scenarios, size.literal_columns(), *_cost(ours)])
    yield Section("d. Months and scenarios", ["folder", "months", "scenarios", "literal columns", *COST], rows)


def again(work: Path, quick: bool, sizes: Sizes) -> Iterator[Section]:
    """Solving again after one workload's demand changed."""
    rows = []
    for size in sizes or [Size(5, 5) if quick else Size(10, 30)]:
        folder, home = _folder(replace(size, seed=2), work), work / f"home-{size.name}"
        command = solve_command(folder, home / "plan")
        alone = ["-m", "benchmarks.solve_only", str(folder), str(home / "alone")]
        for what in ("first", "unchanged", "one workload's demand +10 %"):
            if what.startswith("one"):
                run(["-m", "benchmarks.folders", str(folder), "--change", "work-01", "1.1"])
            kept, only = run(command), run(alone).answer()
            rows.append([size.name, what, *_cost(kept), only["solve_cpu_s"]])
            if what == "first":
                first, first_solve = kept, only["solve_cpu_s"]
            rows[-1] += [kept.cpu_s / first.cpu_s, only["solve_cpu_s"] / first_solve]
    header = ["folder", "run", *COST, "solve cpu s", "cpu ÷ first", "solve ÷ first"]
    yield Section("e. Solving again", header, rows, ["`solve` is the search, its proof and its audit, without files."])


def phases(work: Path, quick: bool, sizes: Sizes) -> Iterator[Section]:
    """Where the time goes, in one thread."""
    found = []
    chosen = sizes or [Size(3, 3), Size(10, 10), *([] if quick else [Size(20, 30)])]
    for size in chosen:
        found.append(run(["-m", "benchmarks.phases", str(_folder(size, work)), str(work / "phases")]).answer())
    rows = [[step, *(part for f in found for part in (f[step], _percent(f[step], f)))] for step in found[0]]
    rows.append(["all", *(part for f in found for part in (sum(f.values()), "100 %"))])
    header = ["step", *(name for size in chosen for name in (f"{size.name} s", "share"))]
    share = ", ".join(f"{_certificate(f):.0%} at {size.name}" for f, size in zip(found, chosen))
    yield Section(
        "f. Where the time goes (one thread, processor seconds)",
        header,
        rows,
        [f"Certificate ÷ all of finding the plan: {share}."],
    )


def _percent(part: float, steps: dict[str, float]) -> str:
    return f"{part / sum(steps.values()):.0%}"


def _certificate(steps: dict[str, float]) -> float:
    found = ("reduce", "build", "solve", "choose among equals", "stress witness")
    return steps["certify"] / sum(steps[name] for name in found)


def small(work: Path, quick: bool, sizes: Sizes) -> Iterator[Section]:
    """Everyday commands."""
    rows = [["planner --help", *_cost(run(["-m", "planner.cli", "--help"], 3))]]
    quickstart = solve_command(ROOT / "data" / "quickstart", work / "quickstart", "--fresh")
    rows.append(["planner solve data/quickstart", *_cost(run(quickstart, 3))])
    yield Section("g. Everyday commands", ["command", *COST], rows, ["The least of three runs each."])


def _cost(used: Run) -> list[float]:
    return [used.wall_s, used.cpu_s, used.peak_mb]


PARTS: dict[str, Callable[[Path, bool, Sizes], Iterator[Section]]] = {
    "a": literal,
    "b": growth,
    "c": whole,
    "d": futures,
    "e": again,
    "f": phases,
    "g": small,
    "h": instances.curve,
    "i": instances.wide,
    "wait": waiting.waiting,
    "contracts": contracts.contracts,
    "moves": moves.moves,
}
