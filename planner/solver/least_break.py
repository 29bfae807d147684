"""The least break: how much of its stress cases a case can serve with the units that it has, part by part.

Units that stand can be deployed in many ways, and another division of them serves another share of each stress case.
Three questions are asked of each part that cannot serve all of its stress cases, each with the answers before it kept:

1. What share of every stress case can be served at once? No division of the units serves more in its worst hour.
2. Which stress cases can be served in whole beside that? Each is asked in turn.
3. How much of each of the others, one after the other?

Each answer is one search over the sizes of the deployments and the share (`Elastic.least_less`). Where the part is too
large for that, or it takes too long, units of any size answer, which takes linear programmes only and may promise more
than sizes can keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from planner.errors import StoppedError
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve, spanning
from planner.model.sets import AskedOf, Sets
from planner.schema.case import Case
from planner.solver.component import begin_component
from planner.solver.elastic import MIP_GAP, Elastic
from planner.solver.find import Options
from planner.solver.highs import Clock
from planner.solver.parallel import on_all_cores

MOST_SECONDS = 60.0  # for the sizes of one part
MOST_COLUMNS = 150_000  # of the programme of a part whose sizes are searched
ROOM = 1e-7  # share of the demand that is not asked for after all: the next search has tolerances of its own


@dataclass(frozen=True)
class LeastBreak:
    """What can be served. shares : of what is not served in whole. proved : whether no division serves more.

    More means: in the worst hour of all stress cases.
    """

    shares: Mapping[AskedOf, float] = field(default_factory=dict)
    proved: bool = True

    def asking_less(self, part: float) -> Mapping[AskedOf, float]:
        """Return the shares with a part of each."""
        return {key: share * part for key, share in self.shares.items()}


def least_break(case: Case, options: Options) -> LeastBreak:
    """Find what share of its stress cases a case can serve with the units that it has. Nothing may be for sale.

    Rules that tie parts together are not looked at.

    Raises
    ------
    StoppedError : the time limit ran out.
    """
    clock = Clock.of(options.time_limit_seconds, options.until)
    sets = sets_of(case)
    loose = sets.without([family.name for family in spanning(sets)])
    found = on_all_cores(lambda part: _of_part(part, clock), parts_to_solve(loose), options.workers)
    shares = {key: share for part in found for key, share in part.shares.items()}
    return LeastBreak(shares, all(part.proved for part in found))


def _of_part(part: Sets, clock: Clock) -> LeastBreak:
    clock.left()
    if begin_component(part, replace(clock)) is not None and not part.has_size_rules:
        return LeastBreak()
    own = Clock.of(MOST_SECONDS, clock.deadline) if part.has_size_rules else clock
    elastic = Elastic(part, own, sized=part.has_size_rules, by_case=True)
    names = {case.name: case.failed for case in part.cases}
    proved = True
    if elastic.program.columns.count > MOST_COLUMNS and part.has_size_rules:
        elastic, proved = Elastic(part, clock, sized=False, by_case=True), False
    try:
        less = _less(elastic, tuple(names))
    except (ArithmeticError, StoppedError):
        clock.left()
        if not part.has_size_rules:
            raise
        less, proved = _less(Elastic(part, clock, sized=False, by_case=True), tuple(names)), False
    needs = list(zip(part.needs["origin"], part.needs["workload"], strict=True))
    shares = {
        (names[name], *need, period): max(0.0, 1.0 - lacking - ROOM)
        for name, lacking in less.items()
        if lacking > 0
        for need in needs
        for period in part.periods
    }
    return LeastBreak(shares, proved)


def _less(elastic: Elastic, names: tuple[str, ...]) -> dict[str, float]:
    """By what share each stress case asks for less, by name: 0 where it is served in whole."""
    stranded = {problem.net.case.name for problem in elastic.problems if len(problem.net.stranded())}
    less = dict.fromkeys(stranded, 1.0)
    short = [name for name in names if name not in stranded]
    worst = elastic.least_less(less, short) if short else None
    if worst is None:  # no plan even without them: what is asked for otherwise says so
        return dict.fromkeys(names, 1.0)
    less |= dict.fromkeys(short, 0.0 if worst <= ROOM else worst * (1 + MIP_GAP))
    if worst <= ROOM:
        return less
    for name in short:
        others = [other for other in short if other != name and less[other] > 0]
        most = elastic.least_less(less | {name: 0.0}, others)
        if most is not None and most <= worst * (1 + MIP_GAP):
            less[name] = 0.0
    for name in short:
        if less[name] > 0:
            own = elastic.least_less(less, [name])
            less[name] = less[name] if own is None else min(less[name], own + ROOM)
    return less
