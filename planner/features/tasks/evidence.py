"""What of each factor changed: the figures behind a movement, before and after."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from planner.features.tasks.sides import Pair, Sides
from planner.features.tasks.task_formula import (
    CACHE,
    COVERAGE,
    MIX,
    PRICE,
    REGIONS,
    TASK_SIZE,
    THROUGHPUT,
    TOKENS,
    UTILISATION,
    VOLUME,
)
from planner.plan.flows import Floats

EVIDENCE_COLUMNS = ("workload", "factor", "what", "before", "after", "kind")  # kind: number, share or index
_SAME = 1e-9  # relative
_Line = tuple[str, str, float, float, str]


def evidence(s: Sides, indices: dict[str, Floats]) -> pd.DataFrame:
    """List what changed for each workload with tasks on both sides: columns EVIDENCE_COLUMNS.

    Parameters
    ----------
    indices : by factor (PRICE, THROUGHPUT): the cost of a task with that factor alone changed, over the cost before.
    """
    told = [_covered(s, side) for side in (0, 1)], [_utilisation(s, side) for side in (0, 1)]
    rows = [(name, *line) for k, name in enumerate(s.workloads) for line in _lines(s, k, indices, *told)]
    found = pd.DataFrame(rows, columns=list(EVIDENCE_COLUMNS))
    gap = (found["after"] - found["before"]).abs()
    shown: pd.DataFrame = found[gap > _SAME * found[["before", "after"]].abs().max(axis=1)].reset_index(drop=True)
    return shown


def in_words(row: Any) -> str:
    """Say one row of the evidence: ``utilisation of reservations 81.0 % → 62.3 %``."""
    if row.kind == "share":
        return f"{row.what} {100 * row.before:.1f} % → {100 * row.after:.1f} %"
    if row.kind == "index":
        return f"{row.what} {100 * (row.after / row.before - 1):+.1f} %"
    return f"{row.what} {row.before:,.6g} → {row.after:,.6g}"


def _lines(s: Sides, k: int, indices: dict[str, Floats], covered: list[Floats], used: list[Floats]) -> Iterator[_Line]:
    def line(factor: str, what: str, values: Pair | list[Floats], kind: str, column: int | None = None) -> _Line:
        before, after = (v[k] if column is None else v[k, column] for v in values)
        return factor, what, float(before), float(after), kind

    tasks = s.per_hour[0] / s.requests_per_task[0], s.per_hour[1] / s.requests_per_task[1]
    placed = s.model_share[0] * s.place_share[0], s.model_share[1] * s.place_share[1]
    yield line(VOLUME, "tasks an hour", tasks, "number")
    yield PRICE, "prices of the same usage", 1.0, float(indices[PRICE][k]), "index"
    yield _largest(s, s.model_share, k, MIX, "share of {2}")
    yield _largest(s, placed, k, REGIONS, "from {0}, served in {3}, {2}")
    yield line(CACHE, "cache hit rate", s.rates, "share", 0)
    yield line(CACHE, "cache hit rate on demand", s.rates, "share", 1)
    yield line(CACHE, "cache write rate", s.rates, "share", 2)
    yield line(TOKENS, "input tokens of a request", s.tokens, "number", 0)
    yield line(TOKENS, "output tokens of a request", s.tokens, "number", 1)
    yield line(TASK_SIZE, "requests of a task", s.requests_per_task, "number")
    yield THROUGHPUT, "units for the same requests", 1.0, float(indices[THROUGHPUT][k]), "index"
    yield line(COVERAGE, "served by reserved units", covered, "share")
    yield line(UTILISATION, "utilisation of reservations", used, "share")


def _largest(s: Sides, shares: Pair, k: int, factor: str, text: str) -> _Line:
    """Name the model, or way, whose share grew most."""
    own = np.flatnonzero(s.flow_workload == k)
    row = int(own[int(np.argmax(shares[1][own] - shares[0][own]))])
    return factor, text.format(*s.flows[row]), float(shares[0][row]), float(shares[1][row]), "share"


def _covered(s: Sides, side: int) -> Floats:
    """Share of each workload's requests that reserved units serve."""
    share = s.model_share[side] * s.place_share[side] * s.covered[side] * s.supply_share[side]
    found: Floats = np.bincount(s.flow_workload, np.where(s.reserved, share, 0.0), len(s.workloads)).astype(float)
    return found


def _utilisation(s: Sides, side: int) -> Floats:
    """Unit-hours used over those that each workload pays for; NaN where it pays for none."""
    count = len(s.workloads)
    used = np.bincount(s.load_workload, s.used[side], count)
    paid = np.bincount(s.load_workload, s.used[side] * s.inverse[side], count)
    paid = paid + np.bincount(s.standby_workload, s.standby_unit_hours[side], count)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(paid > 0, used / paid, np.nan)
    return found
