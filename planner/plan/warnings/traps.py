"""Traps of an input and its plan: demand, workloads, failover, capacity; each with what to do."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.derived import Derived
from planner.plan.flows import Floats, Names
from planner.schema.case import TABLES, Case
from planner.schema.workloads import Workload
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK, counted


@dataclass(frozen=True)
class Caution:
    """Something valid that is probably not meant, or will cost.

    `severity` is "risk" (a plan may not exist, fail or mislead) or "cost" (it will probably cost more than it need).
    """

    code: str
    severity: str
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}. {self.remedy}."


def workload_named(case: Case, name: str) -> Workload:
    """Find a workload by its name."""
    return next(w for w in case.workloads if w.workload == name)


def with_demand(case: Case) -> list[Workload]:
    """List the workloads that have demand."""
    names = set(case.demand["workload"].unique())
    return [w for w in case.workloads if w.workload in names]


def origins(case: Case) -> list[str]:
    """List the regions where demand arises."""
    return sorted(map(str, case.demand["region"].unique()))


def pairs(case: Case) -> list[tuple[str, str]]:
    """List the origins and workloads that have demand."""
    found = case.demand[["region", "workload"]].drop_duplicates().astype(str)
    return sorted(found.itertuples(index=False, name=None))


def listed(names: Iterable[str]) -> str:
    """Join a few names; many are cut."""
    all_names = list(names)
    more = f" and {len(all_names) - 4} more" if len(all_names) > 4 else ""
    return ", ".join(all_names[:4]) + more


def _named(kind: str, names: list[str]) -> str:
    return f"{kind}{'s' * (len(names) > 1)} {listed(names)}"


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"


_EXAMPLE = re.compile(r"\bexample\b", re.IGNORECASE)
_SHOWN = 4


def left_over_examples(case: Case) -> list[Caution]:
    """Rows whose note, source or provider says that they are an example, a line a table."""
    found = []
    for table in TABLES:
        names = [
            ", ".join(str(getattr(row, key)) for key in table.key) or f"row {k}"
            for k, row in enumerate(case.rows(table.name) if table.name != "demand" else (), start=1)
            if any(_EXAMPLE.search(str(getattr(row, name, None) or "")) for name in ("note", "source", "provider"))
        ]
        if names:
            shown = "; ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
            count = f"{len(names)} row{'s' if len(names) > 1 else ''}"
            message = f"{count} left over from an example ({shown}): their figures are invented"
            remedy = "Put your own figures there, or remove the word example from note, source and provider"
            found.append(Caution("example-rows", "risk", f"table {table.name}", message, remedy))
    return found


# Peak hour over mean hour of a week that each kind of workload usually shows.
USUAL_PEAK_TO_AVERAGE = {"customer_service": (3.0, 5.0), "voice_agent": (2.0, 4.0), "internal_tools": (5.0, 10.0)}
FLAT = 1.05  # busiest over quietest hour of the day: less is an average, not a profile
_SLACK = 1e-9
_NEAR = 0.01  # of a usual ratio: no reason to warn


def no_demand(case: Case) -> list[Caution]:
    """Months and scenarios that no demand was given for."""
    if case.demand.empty:
        remedy = "Fill in requests_per_hour"
        message = "there is no demand above zero, so there is nothing to plan"
        return [Caution("no-demand", "risk", "demand", message, remedy)]
    found = []
    for column, names, what in (
        ("period", [p.name for p in case.periods], "period" if case.settings.horizon.cuts else "month"),
        ("scenario", [s.scenario for s in case.scenarios], "scenario"),
    ):
        present = set(case.demand[column].unique())
        if missing := [name for name in names if name not in present]:
            message = f"no demand in the {what} {listed(missing)}: it is planned as zero"
            remedy = f"Give its demand, or leave the column {column} blank where it is the same in every {what}"
            found.append(Caution("no-demand", "risk", "demand", message, remedy))
    return found


def flat_demand(case: Case) -> list[Caution]:
    """Demand that is the same at night as at noon: a daily average, not a profile. A line a workload."""
    flat: dict[str, list[str]] = {}
    for origin, name in sorted(_flat(case)):
        if workload_named(case, name).kind != "batch":
            flat.setdefault(name, []).append(origin)
    return [
        Caution(
            "flat-demand", "cost", _demand_of(name, regions),
            "is flat over the day: an average, not a profile. The plan will see no peak to overflow and no night to "
            "leave unreserved",
            "Give the requests of each hour of the week (planner profile makes them from logs)",
        )
        for name, regions in sorted(flat.items())
    ]  # fmt: skip


def _demand_of(workload: str, regions: list[str]) -> str:
    """Name the demand of a workload and where it arises; many regions are counted."""
    count = f"{len(regions)} regions: " if len(regions) > _SHOWN else ""
    return f"demand of {workload} from {count}{listed(regions)}"


def unusual_peak(case: Case) -> list[Caution]:
    """Peak over average outside what the workload's kind shows: a line for what is too high of it, one for too low."""
    if not any(w.kind in USUAL_PEAK_TO_AVERAGE for w in case.workloads):
        return []
    flat = _flat(case)
    unusual: dict[tuple[str, bool], dict[str, float]] = {}
    for (origin, name), ratios in _peak_to_average(case).groupby(["region", "workload"], observed=True):
        kind = workload_named(case, str(name)).kind or ""
        if kind not in USUAL_PEAK_TO_AVERAGE or (origin, name) in flat:
            continue
        low, high = USUAL_PEAK_TO_AVERAGE[kind]
        ratio = float(ratios.max() if ratios.max() > high else ratios.min())
        if not low * (1 - _NEAR) <= ratio <= high * (1 + _NEAR):
            unusual.setdefault((str(name), ratio > high), {})[str(origin)] = ratio
    found = []
    for (name, outlier), by_region in sorted(unusual.items()):
        kind = workload_named(case, name).kind or ""
        low, high = USUAL_PEAK_TO_AVERAGE[kind]
        least, most = f"{min(by_region.values()):.3g}", f"{max(by_region.values()):.3g}"
        ratios_told = least if least == most else f"{least} to {most}"
        message = f"has its peak at {ratios_told} times its average; {kind} usually shows {low:g} to {high:g} times"
        which = "an outlier, or a launch" if outlier else "averages over days or regions"
        remedy = f"Look at the hours behind it, which may be {which}"
        found.append(Caution("unusual-peak", "cost", _demand_of(name, sorted(by_region)), message, remedy))
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


USUAL_HEADROOM = 0.30
INPUT_DOMINATES = 4.0  # input tokens over output tokens


def no_cache_rate(case: Case) -> list[Caution]:
    """Input dominates, and none of it is said to come from a cache."""
    return [
        Caution(
            "no-cache-rate", "cost", f"workload {w.workload}",
            f"has {w.input_tokens:g} input for {w.output_tokens:g} output tokens and cache_hit_rate 0: cached input "
            "is sold far below the price of fresh input, and often does not count on a reserved unit at all",
            "Measure the share of input read from cache, and state it in cache_hit_rate",
        )
        for w in with_demand(case)
        if w.cache_hit_rate == 0 and w.input_tokens > 0 and w.input_tokens >= INPUT_DOMINATES * w.output_tokens
    ]  # fmt: skip


def thin_headroom(case: Case) -> list[Caution]:
    """Less spare capacity than the usual 30%: a line for workloads of the same headroom."""
    thin: dict[str, list[str]] = {}
    for w in with_demand(case):
        if case.headroom(w) < USUAL_HEADROOM - _SLACK and w.kind != "batch" and not w.can_wait:
            thin.setdefault(f"{case.headroom(w):.0%}", []).append(w.workload)
    return [
        Caution(
            "thin-headroom", "risk", _named("workload", names),
            f"headroom is {headroom}; under {USUAL_HEADROOM:.0%} a forecast that is a little low is an outage",
            "Raise headroom in policy or for the workload, or be sure of the forecast",
        )
        for headroom, names in thin.items()
    ]  # fmt: skip


def one_frontier_model(case: Case) -> list[Caution]:
    """Everything runs on one frontier model."""
    served = {w.workload for w in with_demand(case)}
    models = {m.model for m in case.mix if m.workload in served and m.max_share > 0}
    if len(models) != 1:
        return []
    (model,) = (m for m in case.models if m.model in models)
    if model.tier != "frontier":
        return []
    message = (
        f"all traffic runs on {model.model}, a frontier model: the most expensive tokens, and one outage stops "
        "everything"
    )
    remedy = "Let simple requests go to a mid or small model: add rows to mix, with max_share where quality limits it"
    return [Caution("one-frontier-model", "cost", "mix", message, remedy)]


def no_failover(case: Case) -> list[Caution]:
    """Demand that no other region may serve while its own is lost."""
    failover = case.settings.policy.failover
    lost = [r.region for r in case.regions if r.fails]
    if not failover.enabled or not lost:
        why = "failover is switched off" if lost else "no region is marked as one that fails"
        remedy = "Set policy.failover.enabled and regions.fails, or accept it deliberately"
        message = f"{why}: the plan does not survive the loss of a region"
        return [Caution("no-failover", "risk", "policy", message, remedy)]
    stuck: dict[str, list[str]] = {}
    for origin, name in pairs(case):
        w = workload_named(case, name)
        away = [r.region for r in case.regions if r.region != origin and case.may_serve(w, origin, r.region)]
        if origin in lost and case.failover_share(w) > 0 and not away:
            stuck.setdefault(name, []).append(origin)
    remedy = "Add a route, widen serving_regions, or set the workload's failover_share to 0"
    return [
        Caution(
            "no-failover-route", "risk", _demand_of(name, regions),
            f"may be served nowhere else when {regions[0] if len(regions) == 1 else 'its own region'} is lost, so no "
            "plan will exist",
            remedy,
        )
        for name, regions in sorted(stuck.items())
    ]  # fmt: skip


IDLE_USE, IDLE_HOURS = 0.5, 0.25  # a commitment idles if under half of it can be used in over a quarter of the hours


def idle_commitments(case: Case) -> list[Caution]:
    """Earlier commitments, and smallest purchases, that demand cannot fill off peak."""
    sized = [offer for offer in case.offers if offer.min_units > 0 and case.settings.policy.whole_units]
    if not sized and not case.commitments:
        return []
    derived = Derived.of(case)
    names = Names.of(case, derived)
    demand, found = names.demand(case), []
    per_request = _most_per_request(case, derived, names)
    shape = len(names.scenarios), len(names.periods), HOURS_PER_WEEK
    idling: dict[tuple[str, str, float], dict[str, float]] = {}
    for (pool, meter, period), units in derived.earlier_units.items():
        most = (per_request[pool, meter] @ demand).reshape(shape)[:, names.periods.index(period)]
        idle = float((most < IDLE_USE * units).mean())
        if units > 0 and idle > IDLE_HOURS:
            idling.setdefault((pool, meter, units), {})[period] = idle
    for (pool, meter, units), by_period in idling.items():
        share = f"{'' if len(by_period) == 1 else 'up to '}{max(by_period.values()):.0%}"
        message = (
            f"{counted(units, 'unit is', 'g', 'units are')} committed, but in {share} of the hours all "
            "demand in reach could not use half"
        )
        remedy = "Let more workloads, models or regions use the pool, or let the commitment end"
        found.append(Caution("idle-commitment", "cost", f"pool {pool}, {meter}, {listed(by_period)}", message, remedy))
    mean = demand.mean(axis=1)
    unused: dict[str, list[str]] = {}
    for offer in sized:
        average = float(per_request[offer.pool, offer.meter] @ mean)
        if 0 < average < IDLE_USE * offer.min_units:
            sold = (
                f"no fewer than {counted(offer.min_units, 'unit is', ',g', 'units are')} sold, and all "
                f"demand in reach needs {average:,.3g}"
            )
            unused.setdefault(f"{sold} on average", []).append(offer.offer)
    for message, offers in unused.items():
        remedy = "It would mostly be idle: expect no purchase"
        found.append(Caution("idle-commitment", "cost", _named("offer", offers), message, remedy))
    return found


def same_commitments(case: Case) -> list[Caution]:
    """Earlier commitments that stand there twice: each row is owed, also one that was pasted twice."""
    rows = Counter(case.commitments)
    return [
        Caution(
            "same-commitment", "risk", f"commitments of {c.offer}",
            f"{times} rows are the same ({counted(c.units, 'unit', ',g')}, {c.start} to {c.end}), and each is owed: "
            f"they count as {counted(times * c.units, 'unit', ',g')}",
            "Delete the rows that were entered again; if all of them were bought, write one with their sum",
        )
        for c, times in rows.items()
        if times > 1
    ]  # fmt: skip


def caps_in_parts(case: Case) -> list[Caution]:
    """Monthly caps on data, where months are cut: each part of a month may send the whole of it."""
    capped = [f"{r.origin} to {r.destination}" for r in case.routes if r.max_gb_per_month is not None]
    parts = [p.name for p in case.periods if len(p.name) > len("2027-01")]
    if not capped or not parts:
        return []
    message = f"max_gb_per_month of {listed(capped)} holds in each of the periods {listed(parts)} by itself"
    remedy = "Where the cap is of the calendar month, enter what of it each part may send at most"
    return [Caution("caps-in-parts", "risk", "routes", message, remedy)]


def idle_price_factors(case: Case) -> list[Caution]:
    """Price factors that no on-demand price is multiplied by, or that change none."""
    found = []
    for f in case.price_factors:
        where = ", ".join(str(v) for v in (f.region, f.model, f.option, f.period, f.hours_of_week) if v is not None)
        if not any(f.applies_to(o.region, o.model, o.option) for o in case.on_demand):
            message = "applies to no row of on_demand: nothing is sold there under that model and option"
            remedy = "Correct its region, model or option, or leave the row out"
            found.append(Caution("idle-price-factor", "cost", f"price_factors {where or 'all'}", message, remedy))
    return found


def open_quota(case: Case) -> list[Caution]:
    """On-demand quotas that are blank where there is demand: stress then costs nothing on paper."""
    used = {m.model for m in case.mix}
    without: list[str] = []
    unlimited: dict[tuple[str, ...], list[str]] = {}
    for region in origins(case):
        options = [o for o in case.on_demand if o.region == region and o.model in used]
        if not options:
            without.append(region)
        blank = {o.model for o in options if o.tokens_per_minute_quota is None and not o.deadline_hours}
        if blank:
            unlimited.setdefault(tuple(sorted(blank)), []).append(region)
    found = []
    if without:
        message = f"{_has(without)} demand and no on-demand option: nothing there serves what the reserved units cannot"
        remedy = "Add its rows to on_demand, if it is sold there"
        found.append(Caution("no-on-demand", "risk", _named("region", without), message, remedy))
    for models, regions in unlimited.items():
        message = (
            f"{_has(regions)} demand and no quota for {listed(models)}: a blank quota is never full, so that "
            "headroom and failover cost nothing on paper"
        )
        remedy = "Enter the quota that the seller grants, tokens per minute"
        found.append(Caution("no-quota", "risk", _named("region", regions), message, remedy))
    return found


def _most_per_request(case: Case, derived: Derived, names: Names) -> dict[tuple[str, str], Floats]:
    """Units of each pool's meter that one request per hour of each need could use at most; 0 out of reach."""
    share = {(m.workload, m.model): m.max_share for m in case.mix}
    most: dict[tuple[str, str], dict[str, float]] = {(t.pool, t.meter): {} for t in case.throughput}
    columns = ("workload", "pool", "meter", "model", "units_per_request", "usable_share")
    for name, pool, meter, model, units, usable in zip(*(derived.loads[c] for c in columns), strict=True):
        of = most[pool, meter]
        of[name] = max(of.get(name, 0.0), units * share[name, model] / usable)
    workload, origin = ({name: k for k, name in enumerate(known)} for known in (names.workloads, names.regions))
    reach: dict[tuple[str, str], list[int]] = {}
    for name, place, region in zip(*(derived.travel[c] for c in ("workload", "origin", "region")), strict=True):
        reach.setdefault((name, region), []).append(origin[place] * len(workload) + workload[name])
    home = {p.pool: p.region for p in case.pools}
    found = {}
    for (pool, meter), of in most.items():
        found[pool, meter] = np.zeros(names.need_count)
        for name, units in of.items():
            found[pool, meter][reach.get((name, home[pool]), [])] = units
    return found
