"""Which stress cases a case without anything for sale cannot serve, and how much of each it can."""

from dataclasses import replace

from planner.schema.case import Case
from planner.solver.find import Options, find_cost

STEPS = 10  # halvings: the share that can be served is told to 0.1 %


def stress_gaps(owed: Case, options: Options) -> list[str]:
    """Say of each stress case that cannot be served which share of it can, the worst first.

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
        told = f"{served * 100:.1f} %"
        what = "of the spare capacity asked for is there" if region is None else "of the demand asked for can be served"
        name = "headroom" if region is None else f"failover {region}"
        found.append((served, f"{name} (rule 8): with these units {told} {what}"))
    return [text for _, text in sorted(found)]


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
