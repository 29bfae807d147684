"""Stress cases of model.md rule 8, in plain arithmetic: what fails, what is asked, which quota counts."""

from dataclasses import dataclass

import numpy as np

from planner.plan.flows import Floats, Names
from planner.schema.case import Case


@dataclass(frozen=True)
class StressCase:
    """Headroom (nothing fails) or the loss of one region.

    need_factor : by need, stressed demand over demand. quota_tpm : by row of case.on_demand, tokens per minute that
        count (inf: no limit; 0 for all where on demand is not trusted at all).
    """

    name: str
    failed: str | None
    need_factor: Floats
    quota_tpm: Floats


def stress_cases(case: Case, names: Names) -> tuple[StressCase, ...]:
    """List the stress cases of a case: headroom, and the loss of each region that fails."""
    quota = np.array(
        [np.inf if q.tokens_per_minute_quota is None else q.tokens_per_minute_quota for q in case.on_demand]
    )
    regions = len(names.regions)
    spare = np.tile([1 / (1 - case.headroom(w)) for w in case.workloads], regions)
    cases = [StressCase("headroom", None, spare, quota)]
    failover = case.settings.policy.failover
    if failover.enabled:
        kept = np.tile([case.failover_share(w) for w in case.workloads], regions)
        trusted = quota * failover.on_demand_trust if failover.on_demand_trust > 0 else np.zeros(len(quota))
        cases += [StressCase(f"failover {r.region}", r.region, kept, trusted) for r in case.regions if r.fails]
    return tuple(cases)
