"""What a request was: tokens and cache rates of each workload as they were seen."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from planner.features.demand.history import TOKENS
from planner.schema.case import Case
from planner.schema.workloads import Workload

SAME = 1e-9  # relative: what was seen is what was planned


def as_seen(case: Case, rows: pd.DataFrame) -> tuple[Workload, ...]:
    """Return the workloads with the token lengths and cache rates of some rows of a history (`Actual.rows`).

    What the rows do not contain stays as planned: blank tokens, cached and written tokens without such columns in the
    export. The cache rate on demand keeps its planned ratio to the rate on reserved units, because a history does
    not say which of the two served a request.
    """
    names = ["requests", *TOKENS]
    sums = rows.groupby("workload")[names].sum(min_count=1)
    seen = {str(row["workload"]): row for row in sums.reset_index().to_dict("records")}
    return tuple(_seen(w, seen[w.workload]) if w.workload in seen else w for w in case.workloads)


def _seen(w: Workload, sums: Mapping[Any, Any]) -> Workload:
    requests = float(sums["requests"])
    told = {name: float(sums[name]) for name in TOKENS if pd.notna(sums[name])}
    given = sum(told.get(name, 0.0) for name in TOKENS if name != "output_tokens")
    found: dict[str, float] = {}
    if requests <= 0:
        return w
    if given > 0:
        found["input_tokens"] = given / requests
        for rate, name in (("cache_hit_rate", "cached_tokens"), ("cache_write_rate", "written_tokens")):
            if name in told:
                found[rate] = told[name] / given
    if "output_tokens" in told and (told["output_tokens"] > 0 or given > 0):
        found["output_tokens"] = told["output_tokens"] / requests
    hit, write = found.get("cache_hit_rate", w.cache_hit_rate), found.get("cache_write_rate", w.cache_write_rate)
    if w.on_demand_cache_hit_rate is not None and w.cache_hit_rate > 0:
        found["on_demand_cache_hit_rate"] = w.on_demand_cache_hit_rate * hit / w.cache_hit_rate
    top = max(0.0, 1.0 - write)
    for rate in ("cache_hit_rate", "on_demand_cache_hit_rate"):
        if rate in found:
            found[rate] = min(found[rate], top)
    changed = {name: value for name, value in found.items() if not _same(value, getattr(w, name))}
    return Workload.model_validate({**w.model_dump(), **changed}) if changed else w


def _same(value: float, planned: float | None) -> bool:
    return planned is not None and abs(value - planned) <= SAME * max(abs(planned), 1e-12)
