"""Processor seconds of moves on the page of planner explore, beside a solve from scratch of the same case.

    python -m benchmarks --parts moves
    python -m benchmarks.moves my-plan        any folder: as it stands, then each move beside a solve from scratch

Each move is made twice: on a page that was opened just now, and on one that has worked out what is likely to be asked,
as it does while nobody asks (20 s of a core on the quickstart). All find the optimum for units of any size; that they
cost the same is asserted, to 1e-7: so much may a solve from scratch leave open where a rule ties parts
(`solver.priced`).
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.page import Section
from benchmarks.size import Size
from planner.features.what_if.case_change import changed
from planner.features.what_if.case_factors import with_signed_apart
from planner.features.what_if.explore.levers import (
    Lever,
    Value,
    caps,
    change_of,
    levers_of,
    moved_to,
    near_of,
    warm_ups,
    words_of,
)
from planner.readers import load
from planner.schema.case import Case
from planner.solver.find import find_cost
from planner.solver.highs import Clock
from planner.solver.warm import NoAnswer, WarmCases
from tests.oracle.generate import generate

ROOT = Path(__file__).parents[1]
SAME = 1e-7
MOVES: tuple[tuple[str, Value], ...] = (
    ("scale demand", 10.0), ("set headroom", 20.0), ("scale on_demand_prices", 15.0), ("scale offer_prices", -15.0),
    ("scale quotas", -25.0), ("set failover.on_demand_trust", 70.0), ("set failover.enabled", False),
    ("set reserved_headroom", 20.0), ("set egress.max_cross_region_share", 5.0),
)  # fmt: skip
CAPS = (0.85, 0.8)  # of what is committed without a cap: the first, and one near it
HEADER = ("folder", "moved to", "cost, USD", "just opened, cpu s", "cpu s", "from scratch, cpu s", "ratio")


def moves(work: Path, quick: bool, sizes: Sequence[Size] | None) -> Iterator[Section]:
    """Moves on the page of planner explore."""
    rows = _rows("quickstart", ROOT / "data" / "quickstart")
    for size in sizes or ([] if quick else [Size(10, 10)]):
        folder = work / f"moves-{size.name}"
        generate(folder, 7, size.regions, 10, size.models, 1, "")
        rows += _rows(f"{size.name}, 10 workloads", folder)
    note = (
        "Each move is one lever, the others as the folder has them; the first is the folder as it stands. It is made "
        "on a page just opened, and on one that has worked out what is likely to be asked. Equal costs are asserted."
    )
    yield Section("Moves on the page", HEADER, rows, [note])


def _rows(name: str, folder: Path) -> list[list[object]]:
    case = with_signed_apart(load(folder).with_policy(whole_units=False))
    levers, fresh, rows = levers_of(case), WarmCases(), []
    learnt = _learnt(case, levers)
    todo: list[tuple[str, Value] | None] = [None, *MOVES, *_refusals(levers)]
    known = {lever.key for lever in levers}
    for move in todo:
        if move is not None and move[0] not in known:
            continue
        moved = {} if move is None else moved_to(levers, {}, *move)
        (found, first), (again, used) = (_asked(warm, case, levers, moved) for warm in (fresh, learnt))
        variant = changed(case, change_of(levers, moved)).with_policy(whole_units=False)
        begun = time.process_time()
        from_scratch = find_cost(variant)
        scratch = time.process_time() - begun
        what = "; ".join(words_of(levers, moved)) or "as it stands"
        usd = found
        for one in (again, from_scratch):
            if (usd is None) != (one is None) or (usd is not None and one and abs(usd - one) > SAME * abs(one)):
                raise AssertionError(f"{name}, {what}: {usd} and {again} on the page, {from_scratch} from scratch")
        rows.append([name, what, "no plan" if usd is None else f"{usd:,.0f}", first, used, scratch, scratch / used])
        if move is None and (reserved := _reserved_usd(fresh, case)) is not None:
            todo += [("set max_commitment_usd", round(share * reserved)) for share in CAPS]
    return rows


def _learnt(case: Case, levers: Sequence[Lever]) -> WarmCases:
    """Work out what is likely to be asked, as a page does while nobody asks."""
    warm = WarmCases()
    likely: list[dict[str, Value]] = [{}, *warm_ups(levers)]
    reserved = _reserved_usd(warm, case)
    for moved in likely if reserved is None else [*likely, *caps(levers, reserved)]:
        _asked(warm, case, levers, moved)
    return warm


def _asked(
    warm: WarmCases, case: Case, levers: Sequence[Lever], moved: dict[str, Value]
) -> tuple[float | None, float]:  # fmt: skip
    """Make a move: what it costs (None: no plan), and the processor seconds that it took."""
    begun = time.process_time()
    variant = changed(case, change_of(levers, moved)).with_policy(whole_units=False)
    found = warm.solve(variant, near_of(levers, moved), Clock())
    return None if isinstance(found, NoAnswer) else found.totals.total_usd, time.process_time() - begun


def _reserved_usd(warm: WarmCases, case: Case) -> float | None:
    found = warm.solve(case, {}, Clock())
    return None if isinstance(found, NoAnswer) else found.totals.reserved_usd


def _refusals(levers: Sequence[Lever]) -> list[tuple[str, Value]]:
    """List the first region, term and offer that can be refused."""
    first: dict[str, str] = {}
    for lever in levers:
        first.setdefault(lever.key.partition(" ")[0], lever.key)
    return [(first[what], False) for what in ("refuse", "forbid", "strike") if what in first]


if __name__ == "__main__":
    print(Section("Moves on the page", HEADER, _rows(Path(sys.argv[1]).name, Path(sys.argv[1]))).text())
