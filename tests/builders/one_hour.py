"""Tiny cases whose programmes fit on a screen: demand in an hour or two of the week.

One request per hour of workload `w` needs one unit of a pool (builders): 1000 units per krph. A request has 60 input
tokens, so a request per hour counts 1 token a minute on a quota, and 1000 a minute per krph.
"""

from typing import Any

from planner.model.index_tables import sets_of
from planner.model.sets import Sets
from tests import builders

WEEKS = 31 / 7  # of January 2027
Rows = list[dict[str, Any]]


def hours(region: str, workload: str, *requests_per_hour: float, **more: Any) -> Rows:
    """Demand in the first hours of the week only."""
    return [
        {"region": region, "workload": workload, "hour_of_week": h, "requests_per_hour": n, **more}
        for h, n in enumerate(requests_per_hour)
    ]


def one(*requests_per_hour: float, **changes: Rows) -> builders.Tables:
    """One region with demand in the first hours."""
    return builders.tables(**{"demand": hours("west", "w", *requests_per_hour), **changes})


def two(east: float, west: float, **changes: Rows) -> builders.Tables:
    """Two regions with demand in hour 0."""
    return builders.two_regions(**{"demand": [*hours("east", "w", east), *hours("west", "w", west)], **changes})


def sets(tables: builders.Tables, **options: Any) -> Sets:
    """Sets of a case in memory."""
    return sets_of(builders.case(tables, **options))


def on_demand(region: str = "west", model: str = "m", **more: Any) -> dict[str, Any]:
    """An on-demand option at 3 USD a request of 60 tokens."""
    return {"region": region, "model": model, "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0, **more}


def workload(**more: Any) -> dict[str, Any]:
    """The workload of the builders with more columns."""
    return {"workload": "w", "input_tokens": 60, "output_tokens": 0, **more}
