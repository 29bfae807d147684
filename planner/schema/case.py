"""The input tables, and Case: one planning folder, read and valid."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from planner.schema.base import Row
from planner.schema.capacity import Commitment, Offer, OnDemand, Pool, Throughput
from planner.schema.contracts import PriceFactor, SpendCommitment
from planner.schema.settings import Period, PlanSettings, period_named
from planner.schema.workloads import Demand, Mix, Model, Region, Route, Scenario, Workload
from planner.units import HOURS_PER_DAY


@dataclass(frozen=True)
class Table:
    """One input table."""

    name: str
    row: type[Row]
    key: tuple[str, ...]  # columns that together name a row; empty: rows may repeat
    required: bool
    meaning: str


TABLES: tuple[Table, ...] = (
    Table("regions", Region, ("region",), True, "where demand arises and capacity is bought"),
    Table("models", Model, ("model",), True, "models that can serve requests"),
    Table("workloads", Workload, ("workload",), True, "kinds of request: tokens, cache, headroom, residency"),
    Table("mix", Mix, ("workload", "model"), True, "models that may serve a workload, with shares"),
    Table("scenarios", Scenario, ("scenario",), False, "possible futures; none: one of probability 1"),
    Table(
        "demand",
        Demand,
        ("region", "workload", "scenario", "period", "hour_of_week"),
        True,
        "requests per hour of the week",
    ),
    Table("pools", Pool, ("pool",), False, "reserved capacity bought as one thing in one region"),
    Table("throughput", Throughput, ("pool", "model", "meter"), False, "what one unit of a pool serves of a model"),
    Table("offers", Offer, ("offer",), False, "prices at which units can be committed for a term"),
    Table("commitments", Commitment, (), False, "units bought earlier, already owed"),
    Table("on_demand", OnDemand, ("region", "model", "option"), False, "pay-as-you-go prices and quotas"),
    Table("routes", Route, ("origin", "destination"), False, "pairs of regions between which requests may travel"),
    Table(
        "spend_commitments",
        SpendCommitment,
        ("contract",),
        False,
        "amounts that must be spent, or are paid all the same",
    ),
    Table("price_factors", PriceFactor, (), False, "on-demand prices by hour of the week and period"),
)
TABLE = {table.name: table for table in TABLES}


def hours_between(start: dt.date, end: dt.date) -> float:
    """Hours from a day to another; 0 where it is no later."""
    return float(max(0, (end - start).days) * HOURS_PER_DAY)


DEMAND_COLUMNS = ("region", "workload", "scenario", "period", "hour_of_week", "requests_per_hour")
BASE_SCENARIO = "base"


@dataclass(frozen=True)
class Futures:
    """What may happen, where a scenario is only a part of it, as the weeks of a month that is over are.

    What adds up a scenario, as a spend commitment does, adds up a future instead. chances : name and probability of
    each. of_scenario : the future that a scenario is part of; one that is not named is part of all of them.
    """

    chances: tuple[tuple[str, float], ...]
    of_scenario: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """What a buyer stated, valid and in canonical order (rows sorted by key), so that row order never matters.

    ``demand`` is a table with the columns DEMAND_COLUMNS, one row for each origin, workload, scenario, period and
    hour with demand above zero: rows for "all scenarios" or "all periods" are already spread out. Read from files, its
    names are categories whose codes are positions in `regions`, `workloads`, `scenarios` and `periods`; it is sorted
    by them; hour_of_week is int64, requests_per_hour float64.
    ``settings`` and the rows are pydantic objects of this room.
    """

    settings: PlanSettings
    regions: tuple[Region, ...]
    models: tuple[Model, ...]
    workloads: tuple[Workload, ...]
    mix: tuple[Mix, ...]
    scenarios: tuple[Scenario, ...]  # never empty: without a table, one `base` scenario of probability 1
    demand: pd.DataFrame
    pools: tuple[Pool, ...] = ()
    throughput: tuple[Throughput, ...] = ()
    offers: tuple[Offer, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    on_demand: tuple[OnDemand, ...] = ()
    routes: tuple[Route, ...] = ()
    spend_commitments: tuple[SpendCommitment, ...] = ()
    price_factors: tuple[PriceFactor, ...] = ()
    only: Period | None = None  # the one period that is looked at; None: all of the horizon
    futures: Futures | None = None  # None: each scenario is a future

    def __repr__(self) -> str:
        """Name the case, its months and how much of what it holds."""
        first, last = self.months
        months = first if first == last else f"{first} to {last}"
        held = {"region": self.regions, "workload": self.workloads, "model": self.models, "offer": self.offers}
        counts = ", ".join(f"{len(rows)} {name}{'' if len(rows) == 1 else 's'}" for name, rows in held.items())
        return f"<Case {self.settings.name}, {months}: {counts}>"

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        """The periods of the horizon."""
        return self.settings.horizon.periods if self.only is None else (self.only,)

    @property
    def months(self) -> tuple[str, str]:
        """First and last calendar month of the horizon, whatever its periods: 2027-01, 2027-03."""
        return f"{self.periods[0].start:%Y-%m}", f"{self.periods[-1].start:%Y-%m}"

    def covered(self, offer: Offer, bought: int) -> range:
        """Periods in which a purchase at the start of a period is in force: those that its term covers whole."""
        end = offer.term_end(self.periods[bought].start)
        return range(bought, max(bought, bisect_right(self.periods, end, key=lambda period: period.end)))

    def paid_hours(self, offer: Offer, bought: int) -> tuple[float, float]:
        """Hours that a purchase at the start of a period is paid for: inside the horizon, and past it."""
        start, last = self.periods[bought].start, self.periods[-1].end
        end = offer.term_end(start)
        return hours_between(start, min(end, last)), hours_between(last, end)

    @property
    def chances(self) -> tuple[tuple[str, float], ...]:
        """Name and probability of each future."""
        if self.futures is not None:
            return self.futures.chances
        return tuple((s.scenario, s.probability) for s in self.scenarios)

    def rows(self, table: str) -> tuple[Row, ...]:
        """Rows of a table other than demand, by its name."""
        if table == "demand":
            raise KeyError("demand is a DataFrame: use case.demand")
        found: tuple[Row, ...] = getattr(self, table)
        return found

    def with_policy(self, **changes: object) -> "Case":
        """Return the case with some of its policy changed (values as the policy holds them, not checked again)."""
        policy = self.settings.policy.model_copy(update=changes)
        return replace(self, settings=self.settings.model_copy(update={"policy": policy}))

    def nothing_for_sale(self) -> "Case":
        """Return the case in which no offer can be bought; terms of a day, so that none ties periods together."""
        shut = {"min_units": 0.0, "unit_step": 0.0, "max_units": 0.0, "term_days": 1}
        return replace(self, offers=tuple(o.model_copy(update=shut) for o in self.offers))

    # -- defaults that one table takes from another --------------------------------------
    def headroom(self, w: Workload) -> float:
        """Spare share of all capacity for a workload (its own, else the policy's)."""
        return self.settings.policy.headroom if w.headroom is None else w.headroom

    def reserved_headroom(self, w: Workload) -> float:
        """Spare share of reserved units for a workload: its own, the policy's, else as headroom (0 if it can wait)."""
        if w.reserved_headroom is not None:
            return w.reserved_headroom
        policy = self.settings.policy.reserved_headroom
        if policy is not None:
            return policy
        return 0.0 if w.can_wait else self.headroom(w)

    def headroom_demand(self, w: Workload) -> float:
        """Return what capacity must be there for with headroom, as a multiple of a workload's demand.

        1 / (1 - headroom); 0 for work that can wait: it steps aside in every stress case.
        """
        return 0.0 if w.can_wait else 1 / (1 - self.headroom(w))

    def failover_share(self, w: Workload) -> float:
        """Share of a workload's demand that must be served while a region is lost; none of work that can wait."""
        if w.can_wait:
            return 0.0
        return self.settings.policy.failover.share if w.failover_share is None else w.failover_share

    def failover_demand(self, w: Workload) -> float:
        """Return what capacity must be there for while a region is lost, as a multiple of a workload's demand.

        failover_share / (1 - failover.headroom): what must be served, and what must stay spare even then.
        """
        return self.failover_share(w) / (1 - self.settings.policy.failover.headroom)

    def latest_hours(self, w: Workload, option: OnDemand | None = None) -> int:
        """How many hours late a request may be handed to an option, or served by a pool (None); negative: never."""
        return w.deadline_hours - (0 if option is None else option.deadline_hours)

    @cached_property
    def work_can_wait(self) -> bool:
        """Whether some workload may be served later than it arises."""
        return any(w.can_wait for w in self.workloads)

    def may_serve(self, w: Workload, origin: str, region: str) -> bool:
        """Whether requests of a workload that arise in `origin` may be served in `region` (route and residency)."""
        allowed = w.allowed_regions
        return (origin == region or (origin, region) in self.route) and (allowed is None or region in allowed)

    @cached_property
    def route(self) -> dict[tuple[str, str], Route]:
        """Listed routes by (origin, destination)."""
        return {(r.origin, r.destination): r for r in self.routes}

    def commitment_in_force(self, c: Commitment, period: Period) -> bool:
        """Whether an earlier commitment is in force: its dates cover the period whole."""
        return c.start <= period.start and c.end >= period.end

    def contract_periods(self, c: SpendCommitment) -> range:
        """Numbers of the periods whose spend counts for a spend commitment."""
        whole = {period.name: period for period in self.settings.horizon.periods}
        names = list(whole)
        first = whole[period_named(c.first_period or names[0], names) or names[0]].start
        last = whole[period_named(c.last_period or names[-1], names) or names[-1]].start
        counted = [k for k, period in enumerate(self.periods) if first <= period.start <= last]
        return range(counted[0], counted[-1] + 1) if counted else range(0)

    def factor_periods(self, factor: PriceFactor) -> tuple[int, ...]:
        """Numbers of the periods in which a price factor applies."""
        named = None
        if factor.period is not None:
            named = period_named(factor.period, [p.name for p in self.settings.horizon.periods])
        return tuple(k for k, p in enumerate(self.periods) if factor.period is None or p.name == named)

    def paid_usd(self, offer: Offer, bought: int, period: int) -> float:
        """Return what a unit that is bought at the start of a period costs in another, USD."""
        p, start = self.periods[period], self.periods[bought].start
        paid = hours_between(p.start, min(p.end, offer.term_end(start)))
        return offer.usd_per_hour(start) * paid if period >= bought else 0.0

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that was read, the same for any order of rows: names the input in every report."""
        from planner.schema.input_digest import input_digest

        return input_digest(self)
