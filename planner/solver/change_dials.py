"""Changes of a case that are tried: what is turned step by step, how far, and what has no size, such as a route."""

import math
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np

from planner.errors import Shortfall
from planner.model.family import SETTINGS
from planner.plan.warnings.lost_mix import LostMix, dropped, lost_mixes
from planner.schema.case import Case
from planner.schema.workloads import Workload
from planner.solver.infeasible import GRAIN, LONGEST_HOURS
from planner.solver.input_change import ROUTE, InputChange, Value
from planner.solver.limits import Limit

STEP = 1e-3  # of shares
Some = tuple[InputChange, ...]
Stuck = AbstractSet[tuple[str, str]]  # origins with workloads that cannot be planned


@dataclass(frozen=True)
class Dial:
    """Something that is changed step by step from what it says; ``at(k)`` : k steps of it, up to ``most``."""

    name: str
    at: Callable[[int], Some]
    most: int


def dials_of(case: Case, stuck: Stuck) -> list[Dial]:
    """List what can be turned at all."""
    return [dial for dial in _every_dial(case, stuck) if dial.most >= 1]


def _every_dial(case: Case, stuck: Stuck) -> Iterator[Dial]:
    policy, failover = case.settings.policy, case.settings.policy.failover
    names = {workload for _, workload in stuck}
    workloads = [w for w in case.workloads if w.workload in names]
    mixes = lost_mixes(case)
    if any(w.headroom is None for w in workloads):
        yield share_dial(InputChange("headroom", SETTINGS, (), "policy.headroom", "share", policy.headroom, 0.0))
    if policy.reserved_headroom:
        spare = policy.reserved_headroom
        yield share_dial(InputChange("headroom", SETTINGS, (), "policy.reserved_headroom", "share", spare, 0.0))
    if failover.enabled and failover.headroom:
        spare = failover.headroom
        yield share_dial(InputChange("headroom", SETTINGS, (), "policy.failover.headroom", "share", spare, 0.0))
    if failover.enabled and sum(w.failover_share is None and not w.can_wait for w in workloads) > 1:  # of one: its own
        share = InputChange("failover_share", SETTINGS, (), "policy.failover.share", "share", failover.share, 0.0)
        yield share_dial(share)
    if failover.enabled and failover.on_demand_trust == 0:
        yield share_dial(InputChange("trust", SETTINGS, (), "policy.failover.on_demand_trust", "share", 0.0, 1.0))
    for w in workloads:
        row = (("workload", w.workload),)
        if not w.can_wait and (len(workloads) > 1 or w.headroom is not None):
            yield share_dial(InputChange("headroom", "workloads", row, "headroom", "share", case.headroom(w), 0.0))
        if w.reserved_headroom:
            spare = w.reserved_headroom
            yield share_dial(InputChange("headroom", "workloads", row, "reserved_headroom", "share", spare, 0.0))
        if w.can_wait:
            yield _deadline(w)
        yield from _mix(w, mixes)


def _mix(w: Workload, mixes: list[LostMix]) -> Iterator[Dial]:
    """Turn the shares of models that cannot be kept while a region is lost."""
    asked, tight = dropped(w, mixes)
    for rows, column, end in ((asked, "min_share", 0.0), (tight, "max_share", 1.0)):
        for row in rows:
            names = (("workload", row.workload), ("model", row.model))
            yield share_dial(InputChange("mix", "mix", names, column, "share", getattr(row, column), end))


def _deadline(w: Workload) -> Dial:
    hours = w.deadline_hours
    change = InputChange("deadline", "workloads", (("workload", w.workload),), "deadline_hours", "hours", hours, 0)
    return Dial(change.what, lambda k: (replace(change, needs=hours + k),), LONGEST_HOURS - hours)


def structural(case: Case, stuck: Stuck) -> list[InputChange]:
    """Routes and regions where a workload might be served, and regions whose loss need not be planned for."""
    supplied = {(o.region, o.model) for o in case.on_demand}
    home = {pool.pool: pool.region for pool in case.pools}
    supplied |= {(home[t.pool], t.model) for t in case.throughput}
    routes = {(r.origin, r.destination) for r in case.routes}
    found: dict[InputChange, None] = {}
    for origin, name in sorted(stuck):
        w = next(w for w in case.workloads if w.workload == name)
        models = {m.model for m in case.mix if m.workload == name}
        for region in sorted(r.region for r in case.regions):
            if not any((region, model) in supplied for model in models):
                continue
            allowed = w.allowed_regions is None or region in w.allowed_regions
            near = region == origin or (origin, region) in routes
            if allowed and not near:
                pair = (("origin", origin), ("destination", region))
                found[InputChange(ROUTE, "routes", pair, "", "", 0.0, 1.0)] = None
            elif near and not allowed:
                then = f"{w.serving_regions};{region}"
                row = (("workload", name),)
                found[InputChange("residency", "workloads", row, "serving_regions", "", w.serving_regions, then)] = None
    failover = case.settings.policy.failover
    failing = [r.region for r in case.regions if r.fails] if failover.enabled else []
    for region in failing:
        found[InputChange("fails", "regions", (("region", region),), "fails", "", True, False)] = None
    if failing:
        found[InputChange("failover", SETTINGS, (), "policy.failover.enabled", "", True, False)] = None
    return list(found)


def share_dial(change: InputChange) -> Dial:
    """Return the dial of a share, on the grid from its far end."""
    has, end = float(change.has or 0.0), float(change.needs or 0.0)
    up = end > has
    grid = np.arange(np.floor(has / STEP + 1e-9) + 1, np.round(end / STEP) + 1) if up else np.arange(
        np.ceil(has / STEP - 1e-9) - 1, np.round(end / STEP) - 1, -1
    )  # fmt: skip

    def at(k: int) -> Some:
        value: Value = round(float(grid[k - 1]) * STEP, 9)
        return (replace(change, needs=value),)

    return Dial(change.what, at, len(grid))


def halved(enough: Callable[[int], bool], low: int, high: int) -> int:
    """Find the fewest steps that are enough, between some that are not and some that are, to 0.5 %."""
    while high - low > max(1, math.floor(GRAIN * high)):
        middle = (low + high) // 2 if high <= 4 * max(low, 25) else math.ceil(math.sqrt(max(low, 1) * high))
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def what_limits(limit: Limit) -> str:
    """Name what a limit is."""
    cell = limit.cell
    assert cell is not None
    row = tuple(zip((column for column, _ in cell.key), limit.key))
    return InputChange(limit.rule, cell.table, row, cell.column, cell.unit, limit.has, limit.has).what


def on_grid(rounded: Shortfall, s: Shortfall, grown: float, steps: dict[str, tuple[float, float]]) -> Shortfall:
    """Put units that an offer sells on its size grid, where it has one; exactly, not rounded."""
    if s.rule != "units" or steps.get(s.row[0][1], (0.0, 0.0))[1] <= 0:
        return rounded
    low, step = steps[s.row[0][1]]
    needs = max(low, s.has + s.amount * (1 + grown))
    return replace(s, needs=float(np.round(low + step * math.ceil((needs - low) / step - 1e-6), 9)))


def asked_of(case: Case) -> set[tuple[str, str]]:
    """List every origin with each workload that it asks for."""
    asked = case.demand[["region", "workload"]].drop_duplicates()
    return set(zip(asked["region"].astype(str), asked["workload"].astype(str)))
