"""Random folders solved by `planner`, checked from their files by the oracle, and held against its optimum."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import planner
from planner.errors import InfeasibleError, StoppedError
from planner.plan.files import write_plan
from planner.schema.case import Case
from tests.oracle.check import check
from tests.oracle.generate import ALL, generate
from tests.oracle.oracle import optimum

FEATURES = tuple(ALL)
GAP = 1e-7  # asked of whole units, where the plan is held against the oracle's optimum
CLOSE = 1e-6
ORACLE_SECONDS = 60.0


def recipe(seed: int) -> dict[str, Any]:
    """What folder a seed stands for: the first 14 have one feature each, the others several."""
    if seed < len(FEATURES):
        return {"regions": 2, "workloads": 2, "models": 2, "months": 1, "features": (FEATURES[seed],)}
    rng = np.random.default_rng(seed)
    size = {"regions": rng.integers(1, 4), "workloads": rng.integers(1, 4), "models": rng.integers(1, 3)}
    chosen = rng.choice(FEATURES, int(rng.integers(2, 9)), replace=False)
    months = 1 if rng.random() < 0.7 else 2
    return {**{k: int(v) for k, v in size.items()}, "months": months, "features": tuple(sorted(map(str, chosen)))}


def write_random(folder: Path, seed: int) -> Path:
    """Write the folder of a seed; returns it."""
    generate(folder, seed, **recipe(seed))
    return folder


def disagreements(folder: Path, out: Path, case: Case | None = None, seconds: float = ORACLE_SECONDS) -> Sequence[str]:
    """Everything in which planner's plan of a folder and the oracle differ; empty: they agree."""
    case = planner.load(folder) if case is None else case
    try:
        plan = planner.solve(case, gap=GAP, workers=1, time_limit_seconds=seconds)
    except StoppedError:
        return []
    except InfeasibleError as error:
        best = optimum(folder, time_limit=seconds)
        return [] if best["status"] == "infeasible" else [f"planner finds no plan, the oracle {best}: {error}"]
    write_plan(plan, case, out)
    faults, total, written = check(folder, out)
    found = [str(fault) for fault in faults]
    best = optimum(folder, time_limit=seconds)
    if best["status"] == "infeasible":
        return [*found, "planner has a plan, the oracle has none"]
    if best["status"] != "optimal":
        return found
    usd = best["total_usd"]
    slack = CLOSE * max(1.0, abs(usd))
    if total > usd + slack and plan.proof.status == "optimal":
        found.append(f"dearer than the optimum: {total} > {usd}")
    if total < usd - slack:
        found.append(f"cheaper than the optimum: {total} < {usd}")
    if written["bound_usd"] > usd + slack * 1e-3:
        found.append(f"bound above the optimum: {written['bound_usd']} > {usd}")
    if (written.get("tree_bound_usd") or 0.0) > usd + slack:
        found.append(f"tree bound above the optimum: {written['tree_bound_usd']} > {usd}")
    if not written.get("tree_bound_usd") and written["bound_usd"] < total - slack:
        found.append(f"continuous, but the bound is loose: {written['bound_usd']} < {total}")
    return found
