"""A part from its sets to its plan: the answer that was kept, by its slots' means where it is large, else as it is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.model.sets import Sets
from planner.solver.component import HIGHS, ComponentPlan, begin_component, finish_component, reduced_program
from planner.solver.continuous import LinearSolve
from planner.solver.highs import Clock
from planner.solver.partition import solve_by_means
from planner.solver.rough import closed
from planner.solver.store import Store, digest_of, key_of

if TYPE_CHECKING:
    from planner.solver.find import Options


@dataclass(frozen=True)
class Begun:
    """A component, the name of its answer, and what is found so far: a kept plan, a continuous optimum, or none."""

    part: Sets
    key: str
    found: ComponentPlan | LinearSolve | None


def begin(part: Sets, options: "Options", clock: Clock, store: Store | None, turn: Clock | None = None) -> Begun:
    """Take the answer of an equal component that was kept, or find the optimum for units of any size.

    ``turn`` : the time that it has where it is large, if no row ties it to others, so that its plan will do.
    """
    program = reduced_program(part)
    key = "" if store is None else key_of(part, digest_of(program), options.gap, options.solver)
    kept = None if store is None else store.get(key, part)
    if kept is None and turn is not None and options.solver == HIGHS:
        kept = solve_by_means(part, program, options.gap, turn)
        _keep(key, kept, options.gap, store)
    return Begun(part, key, begin_component(part, clock.again(), program, options.starts) if kept is None else kept)


def finish(begun: Begun, options: "Options", store: Store | None) -> ComponentPlan | None:
    """Go on to the plan of a component, and keep it."""
    if begun.found is None or isinstance(begun.found, ComponentPlan):
        return begun.found
    plan = finish_component(begun.part, begun.found, options.gap, options.solver)
    _keep(begun.key, plan, options.gap, store)
    return plan


def _keep(key: str, plan: ComponentPlan | None, gap: float, store: Store | None) -> None:
    """Keep an answer that no time limit cut short."""
    if store is not None and plan is not None and closed([plan], gap):
        store.put(key, plan)
