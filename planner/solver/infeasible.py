"""Why no plan exists, in words."""
from planner.schema.case import Case
from planner.model.sets import Sets
from planner.solver.highs import Clock
def explain(case: Case, parts: list[Sets], clock: Clock) -> str:
    return "infeasible"
