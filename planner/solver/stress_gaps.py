"""Which stress cases a case without anything for sale cannot serve, and how much of each it can."""

from dataclasses import dataclass, replace

from planner.schema.case import Case
from planner.solver.find import Options, find_cost

STEPS = 10  # halvings: the share that can be served is told to 0.1 %


@dataclass(frozen=True)
class StressGap:
    """A stress case that the units cannot serve, and the share of it that they can (region: the one lost, or none)."""

    region: str | None
    served: float

    def __str__(self) -> str:
        name = "headroom" if self.region is None else f"failover {self.region}"
        asked = "the spare capacity asked for is there" if self.region is None else "the demand asked for can be served"
        return f"{name} (rule 8): with these units {self.served * 100:.1f} % of {asked}"


def stress_gaps(owed: Case, options: Options) -> list[StressGap]:
    """List the stress cases that cannot be served, the worst first.

    Parameters
    ----------
    owed : a case whose units are all commitments. It has plans without stress.
    """
    found = []
    failing = [r.region for r in owed.regions if r.fails] if owed.settings.policy.failover.enabled else []
    for region in (None, *failing):
        if find_cost(_only(owed, region, 1.0), options) is not None:
            continue
        served, missed = 0.0, 1.0
        for _ in range(STEPS):
            share = (served + missed) / 2
            if find_cost(_only(owed, region, share), options) is None:
                missed = share
            else:
                served = share
        found.append(StressGap(region, served))
    return sorted(found, key=lambda gap: (gap.served, gap.region or ""))


def _only(case: Case, region: str | None, share: float) -> Case:
    """Return the case with one stress case only, of which a share is asked; None: headroom."""
    policy = case.settings.policy
    failover = policy.failover.model_copy(update={"enabled": region is not None})
    workloads = tuple(
        w.model_copy(
            update={
                "headroom": share * case.headroom(w) if region is None else 0.0,
                "reserved_headroom": case.reserved_headroom(w),
                "failover_share": share * case.failover_share(w),
            }
        )
        for w in case.workloads
    )
    regions = tuple(r.model_copy(update={"fails": r.region == region}) for r in case.regions)
    settings = case.settings.model_copy(update={"policy": policy.model_copy(update={"failover": failover})})
    return replace(case, settings=settings, workloads=workloads, regions=regions)
