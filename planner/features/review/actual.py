"""What happened: the hourly rows of a history that lie in the plan's months, in the plan's names, and their tokens.

A region in a history is taken as the one in which demand arose, as `planner forecast` takes it. An hour in which no
series has a row is taken as there too: seen, and without a request, where silence is usual, else not seen. In an hour
that was seen, a series without a row had no requests. A row without a count of requests counts its tokens over those
that the plan assumed for a request of its workload.

When work that waited arose: a history has the hours in which requests were served, a plan lets them wait.

The requests of a workload that can wait, served in an hour of the calendar, are put back to the hours in which the plan
lets what it serves in that hour of the week arise, in the plan's shares (by origin, workload, model and period,
expected over scenarios). So a history of exactly what the plan serves is exactly the demand it was made for. They stay
in the hour that served them where the plan serves nothing of theirs in it, and where the hour before lies outside the
period or was not seen: a share of a request is put where there is a figure to hold it against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand.history import SERIES, TOKENS, History
from planner.features.demand.names import Dimension
from planner.features.demand.series import QuietHours, hour_of_week, hourly_series, seen_hours
from planner.features.review.review_tables import SeenSpan
from planner.plan.frames import ARRIVED
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.schema.workloads import Workload
from planner.units import HOURS_PER_WEEK, counted

_KEY = ["region", "workload", "model", "period", "hour_of_week"]


def waits_of(case: Case, plan: Plan) -> pd.DataFrame:
    """List how late the plan serves work that can wait: _KEY (hour that serves it), late (hours), share of the key."""
    waits = [w.workload for w in case.workloads if w.can_wait]
    table = plan.dispatch
    if not waits or ARRIVED not in table:
        return pd.DataFrame(columns=[*_KEY, "late", "share"])
    own = table[table["workload"].isin(waits)]
    chance = own["scenario"].astype(object).map({s.scenario: s.probability for s in case.scenarios}).astype(float)
    late = (own["hour_of_week"] - own[ARRIVED]) % HOURS_PER_WEEK
    origin = own.drop(columns="region").rename(columns={"origin": "region"})
    flows = origin[_KEY].astype(dict.fromkeys(_KEY[:-1], object)).assign(
        late=late.astype("int64"), weight=own["requests_per_hour"] * chance
    )  # fmt: skip
    flows = flows.groupby([*_KEY, "late"], as_index=False)[["weight"]].sum()
    flows = flows[flows["weight"] > 0]
    whole = flows.groupby(_KEY)["weight"].transform("sum")
    return flows.assign(share=flows["weight"] / whole)[[*_KEY, "late", "share"]]


def as_they_arose(
    case: Case, plan: Plan, rows: pd.DataFrame, seen: set[pd.Timestamp]
) -> tuple[pd.DataFrame, list[str]]:
    """Put rows of a history (hour, period, SERIES, requests, TOKENS) back to when they arose; returns notes too.

    rows : hours of the calendar in the plan's months, in the plan's names. seen : the hours seen.
    """
    waits = waits_of(case, plan)
    if waits.empty:
        return rows, []
    starts = {p.name: pd.Timestamp(p.start, tz="UTC") for p in case.periods}
    rows = rows.assign(hour_of_week=hour_of_week(pd.DatetimeIndex(rows["hour"])))
    both = rows.merge(waits, on=_KEY, how="left").fillna({"late": 0.0, "share": 1.0})
    before = both["hour"] - pd.to_timedelta(both["late"].astype("int64"), unit="h")
    there = (before >= both["period"].map(starts)) & before.isin(seen)
    both["hour"] = before.where(there, both["hour"])
    amounts = ["requests", *TOKENS]
    both[amounts] = both[amounts].mul(both["share"], axis=0)
    moved = both.loc[there & (both["late"] > 0)]
    found = both.groupby(["hour", "period", *SERIES], as_index=False)[amounts].sum(min_count=1)
    if moved.empty:
        return found, []
    names = ", ".join(sorted(set(moved["workload"])))
    return found, [
        f"{names} can wait: {counted(float(moved['requests'].sum()), 'request was', ',.0f', 'requests were')} "
        "put back from the hours that served "
        "them to those in which the plan lets them arise (--waited arrived, if the history has these already)"
    ]


ROW_COLUMNS = ("hour", "period", "hour_of_week", *SERIES, "requests", *TOKENS)
Names = Mapping[Dimension, Mapping[str, str]]  # region, workload, model: the history's name to the plan's


@dataclass(frozen=True)
class Actual:
    """Rows (ROW_COLUMNS, sorted; hour is the start, UTC), the hours seen, and what was assumed or left out.

    seen : hour, period, hour_of_week of every hour seen inside the horizon.
    """

    rows: pd.DataFrame
    seen: pd.DataFrame
    spans: tuple[SeenSpan, ...]
    notes: tuple[str, ...]

    def counts(self, period: str) -> np.ndarray:
        """How often each hour of the week was seen in a month: 168 numbers."""
        hours = self.seen.loc[self.seen["period"] == period, "hour_of_week"].to_numpy(np.int64)
        return np.bincount(hours, minlength=168).astype(float)

    @property
    def months(self) -> tuple[str, ...]:
        """Months of which something was seen."""
        return tuple(s.period for s in self.spans if s.hours_seen)


def actual_of(
    case: Case,
    history: History,
    names: Names | None = None,
    plan: Plan | None = None,
    quiet_hours: QuietHours = "auto",
) -> Actual:
    """Cut a history to the plan's months and check its names.

    plan : that says how long work that can wait did (`arrivals`); None: the history has the hours in which it arose.
    quiet_hours : what hours without any row are (`hourly_series`).

    Raises
    ------
    InputError : a region, workload or model that the plan does not know, numbers that cannot be, or nothing to review:
        all at once.
    """
    rows, notes = _inside(case, history)
    for name, ours in (names or {}).items():
        rows[name] = rows[name].replace(dict(ours))
    _check(case, rows)
    rows, counted = _with_requests(case, rows)
    seen, quiet = _seen_hours(case, history, rows, quiet_hours)
    rows = _with_quiet_months(rows, seen)
    seen["hour_of_week"] = hour_of_week(pd.DatetimeIndex(seen["hour"]))
    waited: list[str] = []
    if plan is not None:
        rows, waited = as_they_arose(case, plan, rows, set(seen["hour"]))
    rows["hour_of_week"] = hour_of_week(pd.DatetimeIndex(rows["hour"]))
    rows = rows.groupby(["hour", "period", "hour_of_week", *SERIES], as_index=False)[["requests", *TOKENS]].sum(
        min_count=1
    )
    hours = seen["period"].value_counts()
    spans = tuple(SeenSpan(p.name, int(hours.get(p.name, 0)), int(p.hours)) for p in case.periods)
    return Actual(rows[list(ROW_COLUMNS)], seen, spans, (*notes, *counted, *quiet, *waited, *_told(spans)))


def _seen_hours(
    case: Case, history: History, rows: pd.DataFrame, quiet_hours: QuietHours
) -> tuple[pd.DataFrame, list[str]]:
    """Return hour and period of every hour seen, sorted; a note tells those that had no row."""
    with_rows = pd.DatetimeIndex(rows["hour"].unique())
    known = seen_hours(hourly_series(history, quiet_hours))
    periods = _periods_of(case, known)
    quiet = known[(periods != "") & ~known.isin(with_rows)]
    hours = pd.DatetimeIndex(with_rows.append(quiet)).sort_values()
    seen = pd.DataFrame({"hour": hours, "period": _periods_of(case, hours)})
    if not len(quiet):
        return seen, []
    return seen, [
        f"{counted(len(quiet), 'hour without any row is a zero', ',', 'hours without any row are zeros')}: "
        "nobody asked, and what was committed was paid for "
        "(--quiet-hours unknown says otherwise)"
    ]


def _with_quiet_months(rows: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Give a month that was seen, and in which nobody asked, a row of no requests."""
    quiet = seen[~seen["period"].isin(rows["period"])].drop_duplicates("period")
    if quiet.empty:
        return rows
    none = {**dict.fromkeys(("requests", *TOKENS), 0.0), **{name: rows[name].iloc[0] for name in SERIES}}
    return pd.concat([rows, quiet.assign(**none)], ignore_index=True)


def _periods_of(case: Case, hours: pd.DatetimeIndex) -> np.ndarray:
    """Name the plan's period of each hour; blank outside them."""
    starts = pd.DatetimeIndex([pd.Timestamp(p.start, tz="UTC") for p in case.periods])
    inside = (hours >= starts[0]) & (hours < pd.Timestamp(case.periods[-1].end, tz="UTC"))
    names = np.array([p.name for p in case.periods], dtype=object)
    return np.where(inside, names[starts.searchsorted(hours, side="right") - 1], "")


def _inside(case: Case, history: History) -> tuple[pd.DataFrame, list[str]]:
    rows = history.hourly().copy()
    notes = []
    days = len(history.rows) - len(rows)
    if days:
        notes.append(f"{counted(days, 'row')} of whole days left out: they have no hour")
    rows["hour"] = pd.DatetimeIndex(rows["hour"]).floor("h")
    periods = _periods_of(case, pd.DatetimeIndex(rows["hour"]))
    inside = pd.Series(periods != "", index=rows.index)
    if not inside.any():
        span = f"{rows['hour'].min():%Y-%m-%d} to {rows['hour'].max():%Y-%m-%d}"
        raise InputError([Fault("history", "has no hour in the months of the plan: nothing can be reviewed", value=span,
                                allowed=f"{case.periods[0].start} to {case.periods[-1].end}")])  # fmt: skip
    outside = sorted(set(rows.loc[~inside, "hour"].dt.strftime("%Y-%m")))
    if outside:
        listed = outside[0] if len(outside) == 1 else f"{outside[0]} to {outside[-1]}"
        notes.append(
            f"hours outside the plan's months were left out: {counted(int((~inside).sum()), 'row')} of {listed}"
        )
    return rows.assign(period=periods)[inside].reset_index(drop=True), notes


def _check(case: Case, rows: pd.DataFrame) -> None:
    known = {
        "region": [r.region for r in case.regions],
        "workload": [w.workload for w in case.workloads],
        "model": [m.model for m in case.models],
    }
    faults = [
        Fault("history", f"the plan has no such {name}; give the plan's name for it with --map", None, name, value,
              ", ".join(known[name]))
        for name in SERIES
        for value in sorted(set(rows[name]) - set(known[name]))
    ]  # fmt: skip
    for name in ("requests", *TOKENS):
        wrong = rows[(rows[name] < 0) | np.isinf(rows[name].to_numpy(float))]
        if len(wrong):
            first = wrong.iloc[0]
            faults.append(Fault("history", f"no number of 0 or more in {counted(len(wrong), 'row')}, the first at "
                                f"{first['hour']:%Y-%m-%d %H:00}", None, name, first[name]))  # fmt: skip
    if faults:
        raise InputError(faults)


def _with_requests(case: Case, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Fill in requests where the export counts tokens only."""
    blank = rows["requests"].isna()
    if not blank.any():
        return rows, []
    planned = {w.workload: w.input_tokens + w.output_tokens for w in case.workloads}
    tokens = rows[list(TOKENS)].fillna(0.0).sum(axis=1)
    each = rows["workload"].map(planned).astype(float)
    rows["requests"] = rows["requests"].where(~blank, (tokens / each.where(each > 0)).fillna(0.0))
    named = ", ".join(sorted(set(rows.loc[blank, "workload"])))
    return rows, [f"no request count in {counted(int(blank.sum()), 'row')} of {named}: requests are their "
        "tokens divided by the "
                  "plan's tokens per request, so their token lengths cannot be reviewed"]  # fmt: skip


def _told(spans: tuple[SeenSpan, ...]) -> list[str]:
    told = []
    for s in spans:
        if s.hours_seen == 0:
            told.append(
                f"{s.period} was not seen: verdicts that look ahead take it as planned, and no past figure includes it"
            )
        elif s.hours_seen < s.hours:
            told.append(f"{s.period} was seen in {s.hours_seen} of {s.hours} hours: past figures cover only these")
    return told


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
