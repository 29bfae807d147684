"""Stress cases as tables: the hour that binds each, what is asked and what can be served, and where the load goes."""

import math

import pandas as pd

from planner.plan.metrics.basis import Basis
from planner.plan.metrics.metric_tables import STRESS, STRESS_LOAD, WORKLOAD_MARGIN
from planner.plan.stress_cases import Margin
from planner.units import HOURS_PER_WEEK

_RENT = 1e-9  # USD: below it a stress case makes nothing dearer
_DIGITS = 9  # of a margin: below it is rounding


def stress(basis: Basis, margins: tuple[Margin, ...]) -> pd.DataFrame:
    """One row a stress case: columns STRESS."""
    rents = basis.plan.stress_rents
    binding = {str(name) for name in rents.loc[rents["usd_per_unit"] > _RENT, "case"]}
    rows = []
    for m in margins:
        reserved = float(m.load.loc[m.load["reserved"].astype(bool), "requests_per_hour"].sum())
        on_demand = float(m.load.loc[~m.load["reserved"].astype(bool), "requests_per_hour"].sum())
        capacity = m.need_rph * m.growth if m.slot >= 0 else 0.0
        share = round(m.share, _DIGITS) + 0.0 if math.isfinite(m.share) else m.share
        rows.append((m.case.name, m.case.failed, *_slot(basis, m.slot), m.need_rph, reserved, on_demand, capacity,
                     share, m.unserved_rph, m.case.name in binding))  # fmt: skip
    return STRESS.of(rows)


def workload_margins(basis: Basis, margins: tuple[Margin, ...]) -> pd.DataFrame:
    """One row a stress case and workload: columns WORKLOAD_MARGIN, the smallest of all first."""
    rows = [
        (w.workload, m.case.name, round(w.growth - 1, _DIGITS) + 0.0 if math.isfinite(w.growth) else math.inf,
         *_slot(basis, w.slot))
        for m in margins
        for w in m.workloads
    ]  # fmt: skip
    table = WORKLOAD_MARGIN.of(rows)
    return table.sort_values(["margin_share", "workload"], kind="stable", ignore_index=True)


def stress_load(margins: tuple[Margin, ...]) -> pd.DataFrame:
    """Where the load of each binding hour goes: columns STRESS_LOAD, the largest first."""
    rows = []
    for m in margins:
        names = (m.load[name] for name in ("region", "model", "supply"))
        rph = m.load["requests_per_hour"].tolist()
        part = sorted(zip([-n for n in rph], *names, rph, strict=True))
        total = m.load["requests_per_hour"].sum()
        rows += [(m.case.name, *where, n, n / total if total > 0 else 0.0) for _, *where, n in part]
    return STRESS_LOAD.of(rows)


def _slot(basis: Basis, slot: int) -> tuple[str | None, str | None, float]:
    """Scenario, period and hour of the week of a slot; blank where there is none."""
    if slot < 0:
        return None, None, float("nan")
    block, hour = divmod(slot, HOURS_PER_WEEK)
    scenario, period = divmod(block, len(basis.names.periods))
    return basis.names.scenarios[scenario], basis.names.periods[period], float(hour)
