"""planner: how much LLM capacity to reserve, and what to leave to on-demand. The front door, and nothing else.

>>> import planner
>>> case = planner.load("data/quickstart")
>>> plan = planner.solve(case)
>>> plan.totals.total_usd, plan.proof.bound_usd

`load` reads a planning folder or workbook; `solve` finds and audits the cheapest plan; `metrics_of` says what users ask
of it; `write_plan` and `write_workbook` write it down.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.plan.files import write_plan
    from planner.plan.metrics import metrics_of
    from planner.readers import load
    from planner.solver.solve import solve
    from planner.versions import show_versions
    from planner.workbook.workbook import write_workbook

__all__ = ["load", "metrics_of", "show_versions", "solve", "write_plan", "write_workbook"]

_WHERE = {
    "load": "planner.readers",
    "solve": "planner.solver.solve",
    "metrics_of": "planner.plan.metrics",
    "show_versions": "planner.versions",
    "write_plan": "planner.plan.files",
    "write_workbook": "planner.workbook.workbook",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `planner --help` must not wait for pandas and HiGHS."""
    if name not in _WHERE:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)
