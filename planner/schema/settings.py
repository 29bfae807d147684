"""plan.yaml: the name of the plan, its horizon with its periods, and the policy."""

import calendar
import datetime as dt
import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from planner.schema.base import Day, Days, Flag, column
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY


@dataclass(frozen=True)
class Period:
    """A calendar month of the horizon, or a part of one that `horizon.cuts` cuts; ``end`` is the first day after it."""

    name: str
    start: dt.date
    end: dt.date

    @property
    def hours(self) -> float:
        """Hours of the period."""
        return float((self.end - self.start).days * HOURS_PER_DAY)

    @property
    def weeks(self) -> float:
        """Weeks of the period: how often each hour of the week occurs (days / 7)."""
        return (self.end - self.start).days / DAYS_PER_WEEK

    @property
    def occurrences(self) -> tuple[int, ...]:
        """How often each of the 168 hours of the week occurs in the calendar's days of the period."""
        days, first = (self.end - self.start).days, self.start.weekday()
        each = [(days - (d - first) % DAYS_PER_WEEK + DAYS_PER_WEEK - 1) // DAYS_PER_WEEK for d in range(DAYS_PER_WEEK)]
        return tuple(n for n in each for _ in range(HOURS_PER_DAY))


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day of the month ``months`` later, or that month's last day."""
    index = day.month - 1 + months
    year, month = day.year + index // 12, index % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def periods_of(start: dt.date, months: int, cuts: Iterable[dt.date] = ()) -> tuple[Period, ...]:
    """List the periods of ``months`` calendar months from ``start``: they end at each first of a month and at each cut.

    A whole month is named like ``2027-01``, a part of one by its first day, ``2027-01-12``.
    """
    firsts = [add_months(start, k) for k in range(months + 1)]
    ends = sorted({*firsts, *(cut for cut in cuts if firsts[0] < cut < firsts[-1])})
    whole = set(itertools.pairwise(firsts))
    return tuple(Period(f"{a:%Y-%m}" if (a, b) in whole else f"{a}", a, b) for a, b in itertools.pairwise(ends))


def period_named(text: str, names: Collection[str]) -> str | None:
    """Find the period that a cell names: its name, or the month whose first day a spreadsheet made of it; else None."""
    if text in names:
        return text
    month = text.removesuffix("-01")
    return month if month != text and month in names else None


class Settings(BaseModel):
    """A block of plan.yaml: frozen, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Horizon(Settings):
    """The months that are planned, one period each; a month with cuts is several."""

    start: Day = column(meaning="first day of the first month planned", unit="date")
    months: int = column(meaning="number of calendar months planned", unit="months", ge=1, le=120)
    cuts: Days = column(
        None,
        meaning="days inside the horizon on which a period begins, besides the first of each month",
        unit="date",
        blank="every period is a month",
    )

    @field_validator("start")
    @classmethod
    def _first_of_month(cls, start: dt.date) -> dt.date:
        if start.day != 1:
            raise ValueError(f"a horizon starts on the first day of a month; write {start.replace(day=1)}")
        return start

    @model_validator(mode="after")
    def _cuts_inside(self) -> "Horizon":
        end = add_months(self.start, self.months)
        outside = [str(cut) for cut in self.cuts or () if not self.start < cut < end]
        if outside:
            raise ValueError(f"cuts {', '.join(outside)} do not lie inside the horizon, {self.start} to before {end}")
        return self

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods of the horizon, in the order of time."""
        return periods_of(self.start, self.months, self.cuts or ())


class Failover(Settings):
    """Any one region that ``fails`` may be lost."""

    enabled: Flag = column(True, meaning="plan for the loss of any one region that `fails`")
    share: float = column(1.0, meaning="share of demand that must still be served", unit="share", ge=0, le=1)
    on_demand_trust: float = column(
        0.5, meaning="share of on-demand quota counted on while a region is lost", unit="share", ge=0, le=1
    )
    headroom: float = column(
        0.0, meaning="spare share of all capacity that is kept while a region is lost too", unit="share", ge=0, lt=1
    )

    @property
    def has_default_trust(self) -> bool:
        """Whether the trust is the default, which is nobody's measurement; also where it was written down."""
        return bool(self.on_demand_trust == type(self).model_fields["on_demand_trust"].default)


class EgressPolicy(Settings):
    """Limits on requests that are served away from their origin."""

    max_cross_region_share: float | None = column(
        None,
        meaning="largest share of all requests served outside their origin",
        unit="share",
        blank="no limit",
        ge=0,
        le=1,
    )


class Risk(Settings):
    """How much the dearest scenarios weigh beside the expected cost."""

    weight: float = column(
        0.0,
        meaning="weight of the mean cost of the dearest scenarios against the expected cost",
        unit="share",
        ge=0,
        le=1,
    )
    level: float = column(
        0.9,
        meaning="the dearest scenarios are those of the last 1 - level of the probability",
        unit="share",
        ge=0,
        lt=1,
    )


class Policy(Settings):
    """What the plan must withstand and what it may commit to."""

    headroom: float = column(
        0.30, meaning="spare share of all capacity, default of every workload", unit="share", ge=0, lt=1
    )
    reserved_headroom: float | None = column(
        None, meaning="spare share of reserved units", unit="share", blank="as headroom", ge=0, lt=1
    )
    whole_units: Flag = column(True, meaning="honour min_units and unit_step")
    tail_value: float = column(
        1.0,
        meaning="share of a term's payments past the horizon that is not counted as cost",
        unit="share",
        ge=0,
        le=1,
    )
    failover: Failover = Field(default_factory=Failover)
    egress: EgressPolicy = Field(default_factory=EgressPolicy)
    max_commitment_usd: float | None = column(
        None, meaning="cap on new commitments' cost inside the horizon", unit="USD", blank="no cap", ge=0
    )
    max_commitment_whole_term_usd: float | None = column(
        None, meaning="cap on what new commitments cost over their whole terms", unit="USD", blank="no cap", ge=0
    )

    risk: Risk = Field(default_factory=Risk)

    @field_validator("failover", "egress", "risk", mode="before")
    @classmethod
    def _blank_block(cls, block: object) -> object:
        return {} if block is None else block


class PurchaseHead(Settings):
    """The head of the purchase order; what is blank is left to be filled in by hand."""

    buyer: str | None = column(None, meaning="who buys: company, department, address", blank="to be filled in")
    vendor: str | None = column(None, meaning="who sells", blank="the providers of the regions")
    vendor_account: str | None = column(
        None, meaning="account or agreement with the vendor, such as an enrolment number", blank="to be filled in"
    )
    po_number: str | None = column(None, meaning="number of the purchase order", blank="to be filled in")
    date: Day | None = column(None, meaning="date of the purchase order", unit="date", blank="to be filled in")
    payment_terms: str | None = column(None, meaning="such as net 30, billed monthly", blank="to be filled in")
    lead_days: int = column(
        0, meaning="days before its start by which an order must be placed", unit="days", ge=0, le=365
    )

    @field_validator("buyer", "vendor", "vendor_account", "po_number", "payment_terms", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class PlanSettings(Settings):
    """All of plan.yaml."""

    name: str = column("plan", meaning="name of the plan, shown on every report", min_length=1)
    horizon: Horizon
    policy: Policy = Field(default_factory=Policy)
    purchase: PurchaseHead = Field(default_factory=PurchaseHead)

    @field_validator("name", mode="before")
    @classmethod
    def _name_is_text(cls, name: object) -> object:
        return str(name) if isinstance(name, (int, float, dt.date)) else name

    @field_validator("policy", "purchase", mode="before")
    @classmethod
    def _blank_block(cls, block: object) -> object:
        return {} if block is None else block
