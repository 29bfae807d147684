"""The thresholds and the tables of a review: every column with its unit. Shares are 0-1; NaN: not defined.

Every amount of the past is of the hours seen. `side` says whose figures a row holds: PLANNED, the plan at the weights
it was made with (days of the month / 7); EXPECTED, the same plan at the hours of the calendar that were seen; ACTUAL,
the actual demand, served as cheaply as possible with the units held.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import Fault, InputError
from planner.features.order.order import Lacking
from planner.features.tasks import Alert
from planner.io.yaml_text import load_yaml
from planner.plan.expiries import Calendar
from planner.plan.frames import FLAG, MOMENT, NUMBER, TEXT, WHOLE, Column, Frame
from planner.plan.orders import Owed


class Rules(BaseModel):
    """When a figure becomes a verdict, a peak or an alert. Shares are 0 to 1; dollars are of the horizon."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    act_share: float = Field(
        0.02, ge=0, le=1, description="least saving, as a share of what the commitment costs, for drop, lower or raise"
    )
    act_usd: float = Field(100.0, ge=0, le=1e12, description="least saving in USD for drop, lower or raise")
    watch_share: float = Field(0.005, ge=0, le=1, description="least saving, as a share of its cost, for watch")
    watch_usd: float = Field(25.0, ge=0, le=1e12, description="least saving in USD for watch")
    least_seen_share: float = Field(
        0.5, ge=0, le=1, description="share of a commitment's hours that must be seen for a verdict other than watch"
    )
    met_quota_share: float = Field(
        0.98, gt=0, le=1, description="share of a quota: an hour at or above it met the quota"
    )
    level_share: float = Field(
        1.0, gt=0, le=100, description="share of the planned level: an hour above it is above plan"
    )
    whole_month_share: float = Field(
        0.98, gt=0, le=1, description="share of a month's hours seen for the month to be compared with another"
    )
    overflow_usd: float = Field(
        100.0, ge=0, le=1e12, description="least saving in USD for an overflow that an offer would have served cheaper"
    )
    alert_rise_share: float = Field(0.05, ge=0, le=1e3, description="least rise of cost per task for an alert")
    alert_flat_share: float = Field(
        0.05, ge=0, le=1e3, description="largest change in volume that still counts as flat"
    )
    alert_usd: float = Field(1.0, ge=0, le=1e12, description="least rise in USD over the month's tasks for an alert")
    notice_days: int = Field(30, ge=0, le=3650, description="days before a commitment's end by which to decide")


def load_rules(path: Path | None) -> Rules:
    """Read a file of thresholds; None: the defaults.

    Raises
    ------
    InputError : it is not there, is no YAML, or names a threshold or a value that cannot be: all at once.
    """
    if path is None:
        return Rules()
    try:
        content: Any = load_yaml(path)
    except FileNotFoundError:
        raise InputError([Fault(str(path), "does not exist")]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError([Fault(str(path), f"is not readable YAML: {error}")]) from error
    known = ", ".join(Rules.model_fields)
    if not isinstance(content, dict):
        raise InputError(
            [Fault(str(path), "is not a list of thresholds and their values", value=content, allowed=known)]
        )
    try:
        return Rules.model_validate(content)
    except ValidationError as error:
        raise InputError(
            [
                Fault(str(path), item["msg"], column=".".join(map(str, item["loc"])), value=item.get("input"),
                      allowed=known if item["type"] == "extra_forbidden" else None)
                for item in error.errors()
            ]
        ) from error  # fmt: skip


PLANNED, EXPECTED, ACTUAL = "planned", "expected", "actual"
KEEP, DROP, RAISE, LOWER, WATCH = "keep", "drop at expiry", "raise", "lower", "watch"
QUOTA, UNSERVED, LEVEL = "met quota", "unserved", "above plan"
TOKENS, REQUESTS = "tokens/minute", "requests/hour"  # units of a peak

_PERIOD = Column("period", TEXT, "month")
_SIDE = Column("side", TEXT, "planned, expected or actual")
_WORKLOAD = Column("workload", TEXT, "workload")
_REGION = Column("region", TEXT, "region")
_POOL = Column("pool", TEXT, "pool")
_METER = Column("meter", TEXT, "what its units count")
_COVERAGE = Column("coverage", NUMBER, "on-demand value of what reserved units serve, of all", "share")
_UTILISATION = Column("utilisation", NUMBER, "used over capacity", "share")
_VACANCY = Column("vacancy", NUMBER, "units that no hour takes", "share")
_RATE = Column("effective_savings_rate", NUMBER, "1 - cost over the same use on demand", "share")
_TOTAL_USD = Column("total_usd", NUMBER, "cost", "USD")

MONTHLY = Frame("monthly", "one row for each month and side", (
    _PERIOD, _SIDE, Column("hours", NUMBER, "hours seen", "hours"), Column("requests", NUMBER, "requests", "requests"),
    Column("capacity_usd", NUMBER, "what units cost", "USD"),
    Column("on_demand_usd", NUMBER, "requests on demand", "USD"),
    Column("egress_usd", NUMBER, "data that crosses regions", "USD"), _TOTAL_USD, _COVERAGE, _UTILISATION, _VACANCY,
    _RATE, Column("unserved_requests", NUMBER, "requests that neither units nor quotas could serve", "requests"),
))  # fmt: skip
POOLS = Frame("pools", "one row for each pool, meter, month and side in which units are held", (
    _POOL, _METER, _REGION, _PERIOD, _SIDE, Column("units", NUMBER, "units held", "units"),
    Column("capacity_unit_hours", NUMBER, "units times hours seen", "unit-hours"),
    Column("used_unit_hours", NUMBER, "of them used", "unit-hours"), _UTILISATION, _VACANCY,
    Column("usd", NUMBER, "what the units cost", "USD"),
    Column("covered_usd", NUMBER, "what they serve, at on-demand prices", "USD"), _COVERAGE, _RATE,
))  # fmt: skip
COMMITMENTS = Frame("commitments", "one row for each commitment, month and side: its part of its pool, by units", (
    Column("commitment", WHOLE, "its place among the verdicts"), Column("offer", TEXT, "offer"), *POOLS.declared,
))  # fmt: skip
OVERFLOW = Frame("overflow", "one row for each pool whose overflow an offer would have served cheaper", (
    _POOL, _METER, _REGION, Column("offer", TEXT, "offer"),
    Column("first_period", TEXT, "first month of its term"),
    Column("last_period", TEXT, "last month of it that was seen"),
    Column("units", NUMBER, "units that would have saved most", "units"),
    Column("on_demand_usd", NUMBER, "what they would have served, at on-demand prices", "USD"),
    Column("commitment_usd", NUMBER, "what they would have cost", "USD"),
    Column("saving_usd", NUMBER, "difference", "USD"),
    Column("runs_on", FLAG, "the term is longer than the months seen"),
))  # fmt: skip
PEAKS = Frame("peaks", "one row for each hour in which demand met a limit or was above the plan", (
    Column("kind", TEXT, "met quota, unserved, or above plan"),
    Column("hour", MOMENT, "start of the hour, UTC"), _REGION,
    Column("model", TEXT, "model; blank: any"), Column("workload", TEXT, "workload; blank: any"),
    Column("option", TEXT, "on-demand option; blank: none"), Column("found", NUMBER, "what the hour had", "as `unit`"),
    Column("limit", NUMBER, "quota, or planned level", "as `unit`"),
    Column("share", NUMBER, "found over limit", "share"),
    Column("unserved_requests", NUMBER, "requests that could not be served", "requests"),
    Column("unit", TEXT, "tokens/minute or requests/hour"),
))  # fmt: skip
ERRORS = Frame("errors", "errors of the forecast by region, workload and month, and their sums (`all`)", (
    _REGION, _WORKLOAD, _PERIOD, Column("hours", NUMBER, "hours compared", "hours"),
    Column("actual_requests", NUMBER, "requests that came", "requests"),
    Column("planned_requests", NUMBER, "requests planned, expected over scenarios", "requests"),
    Column("wape", NUMBER, "sum of absolute errors over requests that came", "share"),
    Column("bias", NUMBER, "planned over actual requests, less 1", "share"),
    Column("peak_actual_rph", NUMBER, "highest hour that came", "requests/hour"),
    Column("peak_planned_rph", NUMBER, "highest hour planned", "requests/hour"),
    Column("scenario_coverage", NUMBER, "hours that lay within the scenarios; NaN: there is one", "share"),
))  # fmt: skip
ASSUMPTIONS = Frame("assumptions", "what the plan assumed of a workload and month, and what was seen", (
    _WORKLOAD, _PERIOD, Column("figure", TEXT, "what is compared"), Column("assumed", NUMBER, "in the plan"),
    Column("seen", NUMBER, "in the history"), Column("change_share", NUMBER, "seen over assumed, less 1", "share"),
    Column("remark", TEXT, "why they may differ"),
))  # fmt: skip
TASK_COSTS = Frame("tasks", "cost of the tasks of each workload, month and side", (
    _WORKLOAD, _PERIOD, _SIDE, Column("tasks", NUMBER, "tasks", "tasks"), _TOTAL_USD,
    Column("usd_per_task", NUMBER, "cost of a task", "USD"),
))  # fmt: skip
REVIEW_FIGURES = (MONTHLY, POOLS, COMMITMENTS, OVERFLOW, PEAKS, ERRORS, ASSUMPTIONS, TASK_COSTS)


@dataclass(frozen=True)
class Span:
    """How much of a month the history shows: hours seen of all its hours."""

    period: str
    hours_seen: int
    hours: int

    @property
    def share(self) -> float:
        """Share of the month's hours seen."""
        return self.hours_seen / self.hours


@dataclass(frozen=True)
class Regret:
    """What the plan costs above the plan that would have been best, USD over the horizon, on the hours that were.

    plan_usd : the plan's commitments on the actual demand. best_usd : the best commitments for it, same offers and
    rules. Units of the best are of any size. forecast_usd : the same difference on the plan's own forecast, that is
    what whole units (and the gap of the search) cost there: nobody's regret. standby_usd : of plan_usd, units by the
    hour beyond what is held, which the rules would have asked for on this demand: nobody paid them. rules_kept :
    whether the plan's commitments meet the stress cases on the actual demand; if not, neither side has to.
    broken : what they cannot meet. unserved_requests : of the horizon, that they cannot serve at all (left
    out on both sides).
    months_ahead : months, or parts of months, not seen: taken as the plan has them, on both sides.
    """

    plan_usd: float
    best_usd: float
    forecast_usd: float
    standby_usd: float
    rules_kept: bool
    broken: tuple[Lacking, ...]
    unserved_requests: float
    months_ahead: tuple[str, ...]

    @property
    def above_best_usd(self) -> float:
        """The plan above the best of any size."""
        return self.plan_usd - self.best_usd

    @property
    def usd(self) -> float:
        """The regret: what is above the best, less what whole units cost on the forecast itself; 0 below a cent."""
        regret = self.above_best_usd - self.forecast_usd
        return regret if regret > max(0.01, 1e-8 * abs(self.plan_usd)) else 0.0


@dataclass(frozen=True)
class Verdict:
    """What to do with a commitment, and why.

    number : its place in the list, from 1. units : as held; best_units : those that would have cost least, the other
    commitments (and the changes named before it) as they are. saving_usd : what they would have saved over the months
    of the horizon; those of drop, lower and raise add up. usd : what it costs in the horizon, counted tail included.
    last_unit_usd, next_unit_usd : what each of its last `step_units` units, and of as many more, is worth over those
    months by serving demand and keeping the rules; price_usd : what a unit costs in them. None: it cannot be known.
    seen_share : of the hours in which it is in force. evidence : sentences.
    """

    number: int
    owed: Owed
    verdict: str
    units: float
    step_units: float
    best_units: float
    saving_usd: float
    usd: float
    price_usd: float
    last_unit_usd: float | None
    next_unit_usd: float | None
    utilisation: float
    planned_utilisation: float
    seen_share: float
    evidence: tuple[str, ...]

    @property
    def name(self) -> str:
        """Offer and first day, which identify a commitment."""
        return f"{self.owed.offer.offer} from {self.owed.start}"


@dataclass(frozen=True)
class Review:
    """A plan against what happened.

    name, months : the plan and its horizon. until : first moment after the last hour seen. spans : each month.
    notes : what was assumed or left out. verdicts : one a commitment in force in a month of the horizon.
    monthly, pools, commitments, overflow, peaks, errors, assumptions, tasks : tables, columns as named in this file.
    paid_usd : what the hours seen cost (actual); calendar_usd : what whole months seen would have cost as planned at
    the calendar's hours above the plan's weights. alerts : tasks that became dearer at a flat volume, with the
    driver. calendar : of expiries.
    """

    name: str
    months: tuple[str, ...]
    until: dt.datetime
    rules: Rules
    spans: tuple[Span, ...]
    notes: tuple[str, ...]
    regret: Regret
    verdicts: tuple[Verdict, ...]
    monthly: pd.DataFrame
    pools: pd.DataFrame
    commitments: pd.DataFrame
    overflow: pd.DataFrame
    peaks: pd.DataFrame
    errors: pd.DataFrame
    assumptions: pd.DataFrame
    tasks: pd.DataFrame
    alerts: tuple[Alert, ...]
    calendar: Calendar
    calendar_usd: float

    def __post_init__(self) -> None:
        """Refuse a table that is not what it is declared to be."""
        for frame in REVIEW_FIGURES:
            frame.check(getattr(self, frame.name))

    def __repr__(self) -> str:
        """Name the plan reviewed, what it cost and the decisions."""
        asked = sum(v.verdict != KEEP for v in self.verdicts)
        return f"<Review of {self.name}: paid {self.paid_usd:,.2f} USD, {asked} of {len(self.verdicts)} to change>"

    @property
    def paid_usd(self) -> float:
        """What the hours seen cost."""
        return float(self.monthly.loc[self.monthly["side"] == ACTUAL, "total_usd"].sum())
