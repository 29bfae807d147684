"""How much of its stress cases a case can serve with the units it has: a share of each, all together.

Linear programmes only, and only of the parts that cannot serve everything: a part that serves the whole of its stress
cases serves any share of them. Each part goes on from its own last optimum.
"""

from dataclasses import dataclass, field, replace

from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve, spanning
from planner.model.sets import Sets
from planner.schema.case import Case
from planner.solver.component import begin_component
from planner.solver.find import Options
from planner.solver.highs import Clock
from planner.solver.parallel import on_all_cores
from planner.solver.starts import Starts

HALVINGS = 6  # of the share that a part can serve: to 2 % of it

Shares = dict[str | None, float]  # share of a stress case's demand, by lost region (None: headroom)


def shares_served(case: Case, options: Options) -> Shares:
    """Return the share of each stress case that the case can serve with units of any size, all together.

    Each stress case is taken in whole where it still fits beside those before it; of the others the same share is
    served. Rules that tie the parts together are not looked at.

    Raises
    ------
    StoppedError : the time limit ran out.
    """
    clock = Clock.of(options.time_limit_seconds, options.until)
    sets = sets_of(case)
    loose = sets.without([family.name for family in spanning(sets)])
    whole: Shares = {c.failed: 1.0 for c in sets.cases}
    parts = [_Part(part, clock) for part in parts_to_solve(loose)]
    served = on_all_cores(lambda part: part.serves(whole), parts, options.workers)
    short = [part for part, all_served in zip(parts, served, strict=True) if not all_served]
    if not short:
        return whole
    shares: Shares = dict.fromkeys(whole, 0.0)
    for one in whole:
        refused = next((part for part in short if not part.serves(shares | {one: 1.0})), None)
        if refused is None:
            shares[one] = 1.0
        else:
            short.sort(key=lambda part: part is not refused)  # what refused one case is asked first about the next
    broken = [one for one, share in shares.items() if share < 1]
    share = 1.0
    for part in short:
        if share < 1 and part.serves(shares | dict.fromkeys(broken, share)):
            continue
        low, high = 0.0, share
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if part.serves(shares | dict.fromkeys(broken, middle)) else (low, middle)
        share = low
    return shares | dict.fromkeys(broken, share)


@dataclass(frozen=True)
class _Part:
    """A part of the case, and the optima it has had."""

    sets: Sets
    clock: Clock
    starts: Starts = field(default_factory=Starts)

    def serves(self, shares: Shares) -> bool:
        """Tell whether there is a plan that serves these shares of the stress cases."""
        self.clock.left()
        return begin_component(self.sets.asking(shares), replace(self.clock), starts=self.starts) is not None
