"""Rough plans of all parts before any part takes the time: what there is where the time ends first."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from planner.errors import StoppedError
from planner.model.sets import Sets
from planner.solver.coarse import DEPTH, FINER, coarse_plan
from planner.solver.component import ComponentPlan
from planner.solver.highs import Clock
from planner.solver.parallel import on_all_cores

# times the time left that plans which serve all hours alike may take, rather than there being no plan: each by the
# clock, all together by this process's processor time, so that a busy machine ends with a plan too, later
OVERTIME = 4.0
HURRY = 0.8  # share of the time left that the first rough plans may take
ENOUGH = 15.0  # times what the first rough plans took: then there is time for better than finer ones


def rough_plans(parts: Sequence[Sets], clock: Clock, workers: int | None) -> dict[int, ComponentPlan]:
    """Find a rough plan of every part, by its identity, before any part takes the time: finer where there is little.

    Where the time would not do for all parts, those that are left are served alike in all hours. Rather than that there
    is no plan, these may take longer.
    """
    found: dict[int, ComponentPlan] = {}
    left = allowed = clock.left()
    enough_s = time.process_time() + OVERTIME * allowed * (workers or os.cpu_count() or 1)
    for depth in (DEPTH, FINER):
        begun, finished = time.monotonic(), [0]

        def plan(part: Sets, depth: int = depth, begun: float = begun, finished: list[int] = finished) -> (
            ComponentPlan | None
        ):  # fmt: skip
            try:
                now, done = time.monotonic(), finished[0]
                hurry = HURRY * max(clock.deadline - now, 0.0)
                short = done > 0 and (now - begun) / done * (len(parts) - done) > hurry
                if not short or depth != DEPTH:
                    with suppress(StoppedError):
                        clock.left()  # before a part is stated in vain
                        return coarse_plan(part, replace(clock), depth)
                if depth != DEPTH or time.process_time() > enough_s:
                    return None
                return coarse_plan(part, Clock(time.monotonic() + OVERTIME * allowed), 0)
            except StoppedError:
                return None
            finally:
                finished[0] += 1

        for part, one in zip(parts, on_all_cores(plan, parts, workers)):
            before = found.get(id(part))
            if one is not None and (before is None or one.usd < before.usd):
                found[id(part)] = one
        before_s, left = left, clock.deadline - time.monotonic()
        if left <= 0 or left > ENOUGH * (before_s - left):
            break
    return found
