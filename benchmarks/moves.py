"""Processor seconds of moves on the page of planner explore, beside a solve from scratch of the same case.

    python -m benchmarks --parts moves
    python -m benchmarks.moves my-plan        any folder: as it stands, then each move beside a solve from scratch

Both find the optimum for units of any size; that they cost the same is asserted, to 1e-7: so much a solve from scratch
may leave open where a rule ties parts (`solver.priced`).
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.page import Section
from benchmarks.size import Size
from planner.features.what_if.case_change import changed
from planner.features.what_if.case_factors import with_signed_apart
from planner.features.what_if.explore.levers import Lever, Value, change_of, levers_of, moved_to, near_of, words_of
from planner.readers import load
from planner.solver.find import find_cost
from planner.solver.highs import Clock
from planner.solver.warm import NoAnswer, WarmCases
from tests.oracle.generate import generate

ROOT = Path(__file__).parents[1]
SAME = 1e-7
MOVES: tuple[tuple[str, Value], ...] = (
    ("scale demand", 10.0), ("set headroom", 20.0), ("scale on_demand_prices", 20.0), ("scale offer_prices", -20.0),
    ("scale quotas", -20.0), ("set failover.on_demand_trust", 70.0), ("set failover.enabled", False),
    ("set reserved_headroom", 20.0), ("set egress.max_cross_region_share", 10.0),
)  # fmt: skip
CAPS = (0.9, 0.85)  # of what is committed without a cap: the first, and one near it
HEADER = ("folder", "moved to", "cost, USD", "cpu s", "from scratch, cpu s", "ratio")


def moves(work: Path, quick: bool, sizes: Sequence[Size] | None) -> Iterator[Section]:
    """Moves on the page of planner explore."""
    rows = _rows("quickstart", ROOT / "data" / "quickstart")
    for size in sizes or ([] if quick else [Size(10, 10)]):
        folder = work / f"moves-{size.name}"
        generate(folder, 7, size.regions, 10, size.models, 1, "")
        rows += _rows(f"{size.name}, 10 workloads", folder)
    note = (
        "Each move is one lever, the others as the folder has them; the first is the folder as it stands. Equal costs "
    )
    yield Section("Moves on the page", HEADER, rows, [note + "are asserted."])


def _rows(name: str, folder: Path) -> list[list[object]]:
    case = with_signed_apart(load(folder).with_policy(whole_units=False))
    levers, warm, rows = levers_of(case), WarmCases(), []
    todo: list[tuple[str, Value] | None] = [None, *MOVES, *_refusals(levers)]
    known = {lever.key for lever in levers}
    for move in todo:
        if move is not None and move[0] not in known:
            continue
        moved = {} if move is None else moved_to(levers, {}, *move)
        begun = time.process_time()
        variant = changed(case, change_of(levers, moved)).with_policy(whole_units=False)
        found = warm.solve(variant, near_of(levers, moved), Clock())
        used = time.process_time() - begun
        fresh = find_cost(variant)
        scratch = time.process_time() - begun - used
        usd = None if isinstance(found, NoAnswer) else found.totals.total_usd
        if (usd is None) != (fresh is None) or (usd is not None and fresh and abs(usd - fresh) > SAME * abs(fresh)):
            raise AssertionError(f"{name}, {words_of(levers, moved)}: {usd} on the page, {fresh} from scratch")
        what = "; ".join(words_of(levers, moved)) or "as it stands"
        rows.append([name, what, "no plan" if usd is None else f"{usd:,.0f}", used, scratch, scratch / used])
        if move is None and not isinstance(found, NoAnswer):
            todo += [("set max_commitment_usd", round(share * found.totals.reserved_usd)) for share in CAPS]
    return rows


def _refusals(levers: Sequence[Lever]) -> list[tuple[str, Value]]:
    """List the first region, term and offer that can be refused."""
    first: dict[str, str] = {}
    for lever in levers:
        first.setdefault(lever.key.partition(" ")[0], lever.key)
    return [(first[what], False) for what in ("refuse", "forbid", "strike") if what in first]


if __name__ == "__main__":
    print(Section("Moves on the page", HEADER, _rows(Path(sys.argv[1]).name, Path(sys.argv[1]))).text())
