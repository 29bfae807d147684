"""Demand that is missing, an average, or shaped as its kind never is."""

import pandas as pd

from planner.plan.warnings.caution import Caution, listed, workload_named
from planner.schema.case import Case
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

# Peak hour over mean hour of a week that each kind of workload usually shows.
USUAL_PEAK_TO_AVERAGE = {"customer_service": (3.0, 5.0), "voice_agent": (2.0, 4.0), "internal_tools": (5.0, 10.0)}
FLAT = 1.05  # busiest over quietest hour of the day: less is an average, not a profile
_SLACK = 1e-9


def no_demand(case: Case) -> list[Caution]:
    """Months and scenarios that no demand was given for."""
    if case.demand.empty:
        remedy = "Fill in requests_per_hour"
        return [Caution("no-demand", "risk", "demand", "there is no demand above zero, so nothing to plan", remedy)]
    found = []
    for column, names, what in (
        ("period", [p.name for p in case.periods], "month"),
        ("scenario", [s.scenario for s in case.scenarios], "scenario"),
    ):
        present = set(case.demand[column].unique())
        if missing := [name for name in names if name not in present]:
            message = f"no demand in the {what} {listed(missing)}: it is planned as zero"
            remedy = f"Give its demand, or leave the column {column} blank where it is the same in every {what}"
            found.append(Caution("no-demand", "risk", "demand", message, remedy))
    return found


def flat_demand(case: Case) -> list[Caution]:
    """Demand that is the same at night as at noon: a daily average, not a profile."""
    return [
        Caution(
            "flat-demand", "cost", f"demand of {workload} from {origin}",
            "is flat over the day: an average, not a profile. The plan will see no peak to overflow and no night to "
            "leave unreserved",
            "Give the requests of each hour of the week (planner profile makes them from logs)",
        )
        for origin, workload in sorted(_flat(case))
        if workload_named(case, workload).kind != "batch"
    ]  # fmt: skip


def unusual_peak(case: Case) -> list[Caution]:
    """Peak over average outside what the workload's kind shows."""
    if not any(w.kind in USUAL_PEAK_TO_AVERAGE for w in case.workloads):
        return []
    flat, found = _flat(case), []
    for (origin, name), ratios in _peak_to_average(case).groupby(["region", "workload"], observed=True):
        kind = workload_named(case, str(name)).kind or ""
        if kind not in USUAL_PEAK_TO_AVERAGE or (origin, name) in flat:
            continue
        low, high = USUAL_PEAK_TO_AVERAGE[kind]
        ratio = float(ratios.max() if ratios.max() > high else ratios.min())
        if low - _SLACK <= ratio <= high + _SLACK:
            continue
        message = f"has its peak at {ratio:.1f} times its average; {kind} usually shows {low:g} to {high:g}"
        which = "an outlier, or a launch?" if ratio > high else "averages over days or regions?"
        where = f"demand of {name} from {origin}"
        found.append(Caution("unusual-peak", "cost", where, message, f"Look at the hours behind it: {which}"))
    return found


def _peak_to_average(case: Case) -> "pd.Series[float]":
    """Peak hour over mean hour of the week, by origin, workload, scenario and period; hours not given are zero."""
    series = case.demand.groupby(["region", "workload", "scenario", "period"], observed=True)["requests_per_hour"]
    return series.max() * HOURS_PER_WEEK / series.sum()


def _flat(case: Case) -> set[tuple[str, str]]:
    """Origins and workloads whose hours of the day are all alike, in every scenario and month."""
    demand = case.demand.assign(hour=case.demand["hour_of_week"] % HOURS_PER_DAY)
    keys = ["region", "workload", "scenario", "period"]
    by_hour = demand.groupby([*keys, "hour"], observed=True)["requests_per_hour"].sum()
    days = by_hour.groupby(keys, observed=True).agg(["min", "max", "size"])
    flat = (days["size"] == HOURS_PER_DAY) & (days["max"] <= FLAT * days["min"])
    alike = flat.groupby(["region", "workload"], observed=True).all()
    pairs = alike[alike].index.to_frame(index=False).astype(str)
    return set(pairs.itertuples(index=False, name=None))
