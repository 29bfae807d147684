"""Why the cost changed: the Shapley value of the causes, each mixture of old and new solved as a case of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.features.resolve.causes import CAUSES, GROUPS
from planner.features.resolve.changes import Cause
from planner.features.resolve.hybrid import Hybrids
from planner.features.resolve.shapley_causes import shapley
from planner.plan.plan import Plan, Status
from planner.schema.case import Case
from planner.solver.find import Options, find_cost

EACH, BY_GROUP, NONE, AUTO = "each", "groups", "none", "auto"
MOST_EACH = 8  # causes that are taken one by one where that is left to us: 2^8 plans
PLANS = "plans"


@dataclass(frozen=True)
class Attribution:
    """Causes whose dollars add up to the change; what gaps leave open in each; the number of mixtures solved."""

    causes: tuple[Cause, ...]
    exact_to_usd: float
    solves: int


def attribute(
    old: tuple[Case, Plan],
    new: tuple[Case, Plan],
    options: Options,
    detail: str = AUTO,
    progress: Callable[[int, int], None] | None = None,
) -> Attribution:
    """Attribute the change of total cost from one plan to the next to its causes.

    The ends are the plans' own totals where they are as cheap as was asked for (status optimal); a plan that is not
    (purchases kept, an order priced as given, a time limit) is set against the cheapest plan of its case, and the
    difference is a cause of its own, "plans". So the causes always add up to the change, to rounding.

    Parameters
    ----------
    old, new : case and plan. options : how mixtures are solved. detail : each cause, groups, or (auto) each while no
    more than MOST_EACH differ. progress : told (mixtures solved, all).
    """
    hybrids = Hybrids(old[0], new[0])
    differing = [cause for cause in CAUSES if hybrids.differ(cause)]
    players = _players(differing, detail)
    change = new[1].totals.total_usd - old[1].totals.total_usd
    if not players:
        found = [Cause((PLANS,), change)] if abs(change) > 0 else []
        return Attribution(tuple(found), _open_usd(old[1]) + _open_usd(new[1]), 0)
    unsought = frozenset(CAUSES) - frozenset(differing)  # of equal data it does not matter which case gives them
    options = replace(options, kept=None)
    every = frozenset(players)
    known: dict[frozenset[str], float | None] = {}

    def cost(taken: frozenset[str]) -> float | None:
        """Cost of a mixture, solved once."""
        if taken not in known:
            ends = {frozenset[str](): old, every: new}
            plan = ends[taken][1] if taken in ends else None
            if plan is not None and plan.proof.status == Status.OPTIMAL:
                known[taken] = plan.totals.total_usd
            else:
                causes = unsought.union(*(players[name] for name in taken))
                usd = find_cost(hybrids.case(causes), options)
                known[taken] = plan.totals.total_usd if usd is None and plan is not None else usd
            if progress is not None:
                progress(len(known), 1 << len(players))
        return known[taken]

    shares = shapley(list(players), cost)
    found = [Cause(keys, usd) for keys, usd in shares]
    before, after = cost(frozenset()), cost(every)
    assert before is not None
    assert after is not None
    made = (new[1].totals.total_usd - after) - (old[1].totals.total_usd - before)
    if old[1].totals.total_usd != before or new[1].totals.total_usd != after:
        found.append(Cause((PLANS,), made))
    solved = [usd for usd in known.values() if usd is not None]
    return Attribution(tuple(found), options.gap * max(solved) if _whole(old[0], new[0]) else 0.0, len(known))


def _players(differing: Sequence[str], detail: str) -> dict[str, tuple[str, ...]]:
    """Choose what is listed: causes, or groups of them, by the name that the reader sees."""
    if detail == EACH or (detail == AUTO and len(differing) <= MOST_EACH):
        return {cause: (cause,) for cause in differing}
    groups = {name: tuple(c for c in causes if c in differing) for name, causes in GROUPS.items()}
    return {name if causes[1:] else causes[0]: causes for name, causes in groups.items() if causes}


def _whole(*cases: Case) -> bool:
    return any(case.settings.policy.whole_units for case in cases)


def _open_usd(plan: Plan) -> float:
    return plan.proof.gap_asked * abs(plan.totals.total_usd)
