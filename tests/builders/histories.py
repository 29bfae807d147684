"""Histories made from a case's own demand, for tests."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from planner.features.demand.history import History, tidy
from planner.schema.case import Case


def history_of(
    case: Case,
    level: Callable[[pd.DatetimeIndex], np.ndarray] | float = 1.0,
    months: int | None = None,
    tokens: float = 1.0,
    counted: bool = True,
) -> History:
    """Every hour of the first months, with the demand of the case's first scenario times a level.

    Each workload's models have the shares nearest the middle of what its mix allows; requests have the planned tokens
    times `tokens`. counted : False leaves requests blank.
    """
    rows = []
    first = case.demand[case.demand["scenario"] == case.scenarios[0].scenario]
    for period in case.periods[:months]:
        hours = pd.date_range(period.start, period.end, freq="h", inclusive="left", tz="UTC")
        of_week = np.asarray(hours.day_of_week * 24 + hours.hour)
        times = level(hours) if callable(level) else np.full(len(hours), level)
        month = first[first["period"] == period.name]
        for (region, name), own in month.groupby(["region", "workload"], observed=True):
            week = np.zeros(168)
            week[own["hour_of_week"]] = own["requests_per_hour"]
            w = next(w for w in case.workloads if w.workload == name)
            for model, share in _shares(case, str(name)):
                requests = week[of_week] * times * share
                given = requests * w.input_tokens * tokens
                rows.append(pd.DataFrame({
                    "hour": hours, "region": region, "workload": name, "model": model, "bucket_hours": 1.0,
                    "requests": requests if counted else np.nan,
                    "input_tokens": given * (1 - w.cache_hit_rate - w.cache_write_rate),
                    "cached_tokens": given * w.cache_hit_rate, "written_tokens": given * w.cache_write_rate,
                    "output_tokens": requests * w.output_tokens * tokens, "burst_factor": np.nan,
                }))  # fmt: skip
    return History(tidy(pd.concat(rows, ignore_index=True)))


def _shares(case: Case, workload: str) -> list[tuple[str, float]]:
    rows = [m for m in case.mix if m.workload == workload]
    low = sum(m.min_share for m in rows)
    room = sum(m.max_share - m.min_share for m in rows)
    each = (1 - low) / room if room > 0 else 0.0
    return [(m.model, m.min_share + each * (m.max_share - m.min_share)) for m in rows]
