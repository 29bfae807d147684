"""Random cases without a plan: what the generator writes, with limits shrunk until nothing fits any more."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from planner.errors import Shortfall
from planner.readers import load
from planner.schema.case import Case
from tests.oracle.generate import generate

# features whose limits shrink; whole units, terms, pools, ... change what a limit has to allow
LIMITED = ("quota", "egress", "budget", "guaranteed", "mix", "residency")
OTHERS = ("terms", "pools", "meters", "whole", "commitments", "scenarios", "unreserved", "cache")


def shrunken(folder: Path, seed: int, factor: float) -> Case:
    """Return the case of a seed with every limit that the seed picks at `factor` of what it was."""
    rng = np.random.default_rng([seed, 11])
    some = [*rng.choice(LIMITED, int(rng.integers(1, 4)), replace=False)]
    some += [*rng.choice(OTHERS, int(rng.integers(0, 4)), replace=False)]
    generate(folder, seed, int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(1, 3)),
             int(rng.integers(1, 3)), tuple(sorted(map(str, some))))  # fmt: skip
    case = load(folder)
    limited = set(rng.choice(["quota", "units", "budget", "share", "gb", "trust"], int(rng.integers(2, 7))))
    if "units" in limited:
        case = replace(case, offers=tuple(
            o.model_copy(update={"max_units": max(o.min_units, float(np.round(60 * factor * rng.uniform(0.2, 2), 2)))})
            for o in case.offers
        ))  # fmt: skip
    case = replace(case, on_demand=tuple(
        o.model_copy(update={"tokens_per_minute_quota": float(np.round(
            (o.tokens_per_minute_quota or 3e6 * rng.uniform(0.3, 2)) * (factor if "quota" in limited else 1.0)))})
        for o in case.on_demand
    ))  # fmt: skip
    policy = case.settings.policy
    if "budget" in limited:
        policy = policy.model_copy(update={"max_commitment_usd": (policy.max_commitment_usd or 1e5) * factor})
    if "share" in limited:
        share = (policy.egress.max_cross_region_share or 0.5) * factor
        policy = policy.model_copy(
            update={"egress": policy.egress.model_copy(update={"max_cross_region_share": share})}
        )
    if "trust" in limited:
        trust = policy.failover.on_demand_trust * factor
        policy = policy.model_copy(update={"failover": policy.failover.model_copy(update={"on_demand_trust": trust})})
    if "gb" in limited:
        case = replace(case, routes=tuple(
            r.model_copy(update={"max_gb_per_month": (r.max_gb_per_month or 3000.0) * factor}) for r in case.routes
        ))  # fmt: skip
    return replace(case, settings=case.settings.model_copy(update={"policy": policy}))


def part_of(shortfall: Shortfall, share: float) -> Shortfall:
    """Return a shortfall of which only a share is granted."""
    return replace(shortfall, needs=shortfall.has + share * (shortfall.needs - shortfall.has))
