"""Rules that one cell or row cannot break alone: keys given twice, shares and probabilities that do not add up, ..."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from planner.errors import Fault
from planner.readers.source import Source
from planner.schema.base import Row
from planner.schema.capacity import SHARED_DEPLOYMENT, Offer, Pool, Throughput
from planner.schema.on_demand import OnDemand
from planner.schema.places import Model, Region, Route
from planner.schema.tables import TABLES
from planner.schema.workloads import ANY_REGION, Mix, Scenario

SUM_TOLERANCE = 1e-6  # of shares and probabilities, which people round: 0.333333 three times
AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True)
class Tables:
    """The valid rows of each table with their row numbers; tables that are absent are empty."""

    rows: Mapping[str, list[tuple[int, Row]]]
    sources: Mapping[str, Source]
    faulty: frozenset[str] = field(default_factory=frozenset)  # tables that have faults already

    def numbered(self, table: str, kind: type[AnyRow]) -> list[tuple[int, AnyRow]]:
        """Rows of a table with their numbers."""
        return [(number, row) for number, row in self.rows.get(table, []) if isinstance(row, kind)]

    def of(self, table: str, kind: type[AnyRow]) -> list[AnyRow]:
        """Rows of a table."""
        return [row for _, row in self.numbered(table, kind)]


def rule_faults(tables: Tables) -> list[Fault]:
    """Every rule broken, of those whose tables have no faults of their own."""
    faults: list[Fault] = []
    for needed, rule in RULES:
        if not tables.faulty & set(needed):
            faults += rule(tables)
    return faults


def repeated_keys(tables: Tables) -> list[Fault]:
    """Rows that a table names twice."""
    faults = []
    for table in TABLES:
        first: dict[tuple[object, ...], int] = {}
        for number, row in tables.rows.get(table.name, []) if table.key else ():
            key = tuple(getattr(row, column) for column in table.key)
            if key in first:
                names = ", ".join(f"{column} {value!r}" for column, value in zip(table.key, key))
                faults.append(
                    tables.sources[table.name].fault(f"{names} is there already, in row {first[key]}", number)
                )
            first.setdefault(key, number)
    return faults


def names_that_mislead(tables: Tables) -> list[Fault]:
    """Names that mean something else: a ; separates regions, `any` is all of them, `*` is all models."""
    faults = []
    for number, region in tables.numbered("regions", Region):
        if ";" in region.region or region.region.casefold() == ANY_REGION:
            message = f"a region cannot be called {region.region!r}: serving_regions could not name it"
            faults.append(tables.sources["regions"].fault(message, number, "region"))
    for number, model in tables.numbered("models", Model):
        if model.model == SHARED_DEPLOYMENT:
            message = "a model cannot be called '*': it stands for all models of a shared pool"
            faults.append(tables.sources["models"].fault(message, number, "model"))
    options = {row.option for row in tables.of("on_demand", OnDemand)}
    for number, pool in tables.numbered("pools", Pool):
        if pool.pool in options:
            message = f"{pool.pool!r} is also an on-demand option: a plan could not tell them apart"
            faults.append(tables.sources["pools"].fault(message, number, "pool"))
    return faults


def probabilities(tables: Tables) -> list[Fault]:
    """Scenarios whose probabilities do not sum to 1."""
    rows = tables.of("scenarios", Scenario)
    total = sum(row.probability for row in rows)
    if rows and abs(total - 1) > SUM_TOLERANCE:
        message = "the probabilities of all scenarios must sum to 1"
        return [tables.sources["scenarios"].fault(message, column="probability", value=f"{total:.6g}")]
    return []


def mix_shares(tables: Tables) -> list[Fault]:
    """Mixes that cannot add up to all of a workload's demand."""
    low: defaultdict[str, float] = defaultdict(float)
    high: defaultdict[str, float] = defaultdict(float)
    first: dict[str, int] = {}
    for number, row in tables.numbered("mix", Mix):
        low[row.workload] += row.min_share
        high[row.workload] += row.max_share
        first.setdefault(row.workload, number)
    faults = []
    for workload, number in first.items():
        source = tables.sources["mix"]
        if low[workload] > 1 + SUM_TOLERANCE:
            message = f"min_share of all models of workload {workload!r} sums to {low[workload]:.6g}"
            faults.append(source.fault(message, number, "min_share", allowed="a sum up to 1"))
        if high[workload] < 1 - SUM_TOLERANCE:
            message = f"max_share of all models of workload {workload!r} sums to {high[workload]:.6g}"
            faults.append(source.fault(f"{message}, so not all of it can be served", number, "max_share",
                                       allowed="a sum of at least 1"))  # fmt: skip
    return faults


def offers_of_use(tables: Tables) -> list[Fault]:
    """Offers whose units no model can use."""
    served = {(row.pool, row.meter) for row in tables.of("throughput", Throughput)}
    meters: defaultdict[str, list[str]] = defaultdict(list)
    for pool, meter in sorted(served):
        meters[pool].append(meter)
    faults = []
    for number, row in tables.numbered("offers", Offer):
        if (row.pool, row.meter) not in served:
            have = f"its meters there are {', '.join(meters[row.pool])}" if meters[row.pool] else "it has no row there"
            message = f"the table throughput says of no model what a unit of {row.pool!r} serves; {have}"
            faults.append(tables.sources["offers"].fault(message, number, "meter", row.meter))
    return faults


def routes_to_itself(tables: Tables) -> list[Fault]:
    """Routes from a region to itself: that is free and without limit, so a price or cap would not be honoured."""
    faults = []
    for number, row in tables.numbered("routes", Route):
        if row.origin == row.destination and (row.usd_per_gb > 0 or row.max_gb_per_month is not None):
            message = f"{row.origin!r} reaches itself, free and without limit; leave this row out"
            faults.append(tables.sources["routes"].fault(message, number))
    return faults


RULES: tuple[tuple[tuple[str, ...], Callable[[Tables], list[Fault]]], ...] = (
    ((), repeated_keys),
    ((), names_that_mislead),
    (("scenarios",), probabilities),
    (("mix",), mix_shares),
    (("throughput", "offers"), offers_of_use),
    (("routes",), routes_to_itself),
)
