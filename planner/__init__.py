"""planner: how much LLM capacity to reserve, and what to leave to on-demand. The front door, and nothing else.

>>> import planner
>>> case = planner.load("data/quickstart")
>>> plan = planner.solve(case)
>>> plan.totals.total_usd, plan.proof.bound_usd

`load` reads a planning folder or workbook; `solve` finds and audits the cheapest plan; `metrics_of` returns every
figure of a plan, and `write_plan` and `write_workbook` write it down from these. `load_plan` reads a plan back; `price`
prices an edited purchase order, `resolve` solves against the last plan, `review` sets a plan against what happened,
`what_if` sets small changes of the case beside it.
"""

TYPE_CHECKING = False  # typing itself takes as long to load as all else here
if TYPE_CHECKING:
    from typing import Any

    from planner.features.what_if.study import what_if
    from planner.front_door import load_plan, price, resolve, review, write_plan, write_workbook
    from planner.readers import load
    from planner.solver.solve import solve
    from planner.verify.figures import metrics_of
    from planner.versions import show_versions

__all__ = [
    "load",
    "load_plan",
    "metrics_of",
    "price",
    "resolve",
    "review",
    "show_versions",
    "solve",
    "what_if",
    "write_plan",
    "write_workbook",
]

_WHERE = {
    "load": "planner.readers",
    "solve": "planner.solver.solve",
    "metrics_of": "planner.verify.figures",
    "show_versions": "planner.versions",
    "what_if": "planner.features.what_if.study",
}


def __getattr__(name: str) -> "Any":
    """Import on first use: `planner --help` must not wait for pandas and HiGHS."""
    if name not in __all__:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE.get(name, "planner.front_door")), name)


def __dir__() -> list[str]:
    """Name what is offered, imported or not."""
    return sorted({*globals(), *__all__})
