"""Rules that one cell cannot break alone: names that no table has, repeated keys, shares, demand nobody can serve."""

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from planner.errors import Fault, nearest
from planner.readers.raw_tables import FORMULA_ERRORS, Raw, RawTable, Source
from planner.schema.base import LISTS, Row, period_text
from planner.schema.capacity import SHARED_DEPLOYMENT, STANDARD, Commitment, Offer, OnDemand, Pool, Throughput
from planner.schema.case import BASE_SCENARIO, TABLE, TABLES, Case
from planner.schema.describe import columns_of
from planner.schema.settings import period_named
from planner.schema.workloads import ANY_REGION, Mix, Model, Region, Route, Scenario
from planner.units import counted


def known_names(raw: Raw, table: str, column: str) -> list[str] | None:
    """Names that a table defines, in string order, also of rows with other faults.

    None where the table is there but cannot be read, or is needed and missing: that is a fault already, once.
    """
    if table in raw.unreadable or (table not in raw.tables and TABLE[table].required):
        return None
    rows = raw.tables[table].rows if table in raw.tables else ()
    if table in raw.tables and column not in raw.tables[table].source.header:
        return None
    names = {row[column] for _, row in rows if column in row}
    return sorted(names or ({BASE_SCENARIO} if table == "scenarios" else ()))


def reference_faults(raw: Raw) -> list[Fault]:
    """Every name used that no row defines, with the nearest that one does; demand is checked in columns."""
    faults = []
    for table in raw.tables.values():
        for column, facts in columns_of(TABLE[table.source.table].row).items():
            if facts.refers_to is not None and column in table.source.header:
                known = known_names(raw, *facts.refers_to)
                if known is not None:
                    faults += _unknown(table, column, facts.refers_to[0], known)
    return faults + _time_zones(raw.tables)


def _unknown(table: RawTable, column: str, defined_in: str, known: Sequence[str]) -> list[Fault]:
    """Name each unknown name once: at its first row, with the count of rows that use it."""
    names = frozenset(known)
    rows_of: dict[str, list[int]] = {}
    for number, row in table.rows:
        text = row.get(column, "")
        used = [part.strip() for part in text.split(";")] if column in LISTS else [text]
        for name in used:
            if (
                not name
                or name in names
                or name in FORMULA_ERRORS
                or (column in LISTS and name.casefold() == ANY_REGION)
            ):
                continue
            rows_of.setdefault(name, []).append(number)
    faults = []
    for name, rows in rows_of.items():
        count = f", in {counted(len(rows), 'row', ',')}" if len(rows) > 1 else ""
        message = f"there is no {defined_in.removesuffix('s')} {name!r}{count}{nearest(name, names)}"
        if not names:
            message += f"; the table {defined_in} is empty"
        faults.append(table.source.fault(message, rows[0], column))
    return faults


def _time_zones(tables: Mapping[str, RawTable]) -> list[Fault]:
    faults = []
    for number, row in tables["regions"].rows if "regions" in tables else ():
        if (zone := row.get("time_zone")) is None:
            continue
        try:
            zoneinfo.ZoneInfo(zone)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            hint = nearest(zone, zoneinfo.available_timezones())
            message = f"there is no time zone {zone!r}{hint}"
            faults.append(tables["regions"].source.fault(message, number, "time_zone", allowed="an IANA name"))
    return faults


SUM_TOLERANCE = 1e-6  # of probabilities, which people round: 0.333333 three times
SHARE_TOLERANCE = 1e-9  # of shares: a sum of 0.999999 would leave a millionth of the demand that nothing may serve
AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True)
class Tables:
    """The valid rows of each table with their row numbers; tables that are absent are empty."""

    rows: Mapping[str, list[tuple[int, Row]]]
    sources: Mapping[str, Source]
    faulty: frozenset[str] = field(default_factory=frozenset)  # tables that have faults already
    cuts: tuple[dt.date, ...] = ()  # of the horizon

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
                faults.append(tables.sources[table.name].fault(f"{names} appears already, in row {first[key]}", number))
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
        if low[workload] > 1 + SHARE_TOLERANCE:
            message = f"min_share of all models of workload {workload!r} sums to {low[workload]:.7g}"
            faults.append(source.fault(message, number, "min_share", allowed="a sum up to 1"))
        if high[workload] < 1 - SHARE_TOLERANCE:
            message = f"max_share of all models of workload {workload!r} sums to {high[workload]:.7g}"
            faults.append(source.fault(f"{message}, so not all of it can be served", number, "max_share",
                                       allowed="a sum of at least 1: round up, or leave one blank"))  # fmt: skip
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
            message = f"the table throughput does not say what a unit of {row.pool!r} serves for any model; {have}"
            faults.append(tables.sources["offers"].fault(message, number, "meter", row.meter))
    return faults


def routes_to_itself(tables: Tables) -> list[Fault]:
    """Routes from a region to itself: that is free and without limit, so a price or cap would not be honoured."""
    faults = []
    for number, row in tables.numbered("routes", Route):
        if row.origin == row.destination and (row.usd_per_gb > 0 or row.max_gb_per_month is not None):
            message = f"{row.origin!r} reaches itself for free and without limit; leave this row out"
            faults.append(tables.sources["routes"].fault(message, number))
    return faults


def ends_on_a_first_day(tables: Tables) -> list[Fault]:
    """Find commitments that end on the last day of a month, the first no longer in force: it drops all of the month.

    It is meant where a period or the offer's own term ends on that day.
    """
    offers = {row.offer: row for row in tables.of("offers", Offer)}
    faults = []
    for number, row in tables.numbered("commitments", Commitment):
        after = row.end + dt.timedelta(days=1)
        own = offers.get(row.offer)
        if after.day > 1 or row.end in tables.cuts or (own is not None and own.term_end(row.start) == row.end):
            continue
        month = f"{row.end:%B %Y}"
        message = (
            f"end {row.end} is the first day no longer in force, so it drops all of {month}: write {after} if the "
            f"units still serve in {month}, or {row.end.replace(day=1)} if they do not"
        )
        faults.append(tables.sources["commitments"].fault(message, number))
    return faults


RULES: tuple[tuple[tuple[str, ...], Callable[[Tables], list[Fault]]], ...] = (
    ((), repeated_keys),
    ((), names_that_mislead),
    (("scenarios",), probabilities),
    (("mix",), mix_shares),
    (("throughput", "offers"), offers_of_use),
    (("routes",), routes_to_itself),
    (("plan", "offers", "commitments"), ends_on_a_first_day),
)


def contract_faults(raw: Raw, periods: Sequence[str] | None) -> list[Fault]:
    """Spend commitments and price factors of periods or options that are not there, also of rows with other faults.

    periods : None: they are not known.
    """
    return _options_of_factors(raw) + ([] if periods is None else _periods_of_contracts(raw, periods))


def _options_of_factors(raw: Raw) -> list[Fault]:
    """Price factors of an option that nothing is sold under."""
    table, options = raw.tables.get("price_factors"), raw.tables.get("on_demand")
    if table is None or "on_demand" in raw.unreadable:
        return []
    sold = sorted({row.get("option", STANDARD) for _, row in (options.rows if options is not None else ())})
    used = [(number, row["option"]) for number, row in table.rows if "option" in row]
    return [
        table.source.fault(
            f"no row of on_demand has the option {text!r}{nearest(text, sold)}", number, "option", text, ", ".join(sold)
        )
        for number, text in used
        if text not in sold and text not in FORMULA_ERRORS
    ]


def _periods_of_contracts(raw: Raw, periods: Sequence[str]) -> list[Fault]:
    """Periods that are not planned, and those that end before they begin."""
    faults = []
    for name, columns in (("price_factors", ("period",)), ("spend_commitments", ("first_period", "last_period"))):
        if (table := raw.tables.get(name)) is None:
            continue
        for number, row in table.rows:
            told = {column: period_text(row[column]) for column in columns
                    if column in row and row[column] not in FORMULA_ERRORS}  # fmt: skip
            named = {column: period_named(text, periods) for column, text in told.items()}
            for column, text in told.items():
                if named[column] is None:
                    message = f"{text!r} is not a period of the horizon"
                    faults.append(table.source.fault(message, number, column, allowed=", ".join(periods)))
            if name == "spend_commitments" and None not in named.values():
                first, last = named.get("first_period") or periods[0], named.get("last_period") or periods[-1]
                if periods.index(first) > periods.index(last):
                    message = f"lies before first_period {told.get('first_period', first)!r}"
                    faults.append(table.source.fault(message, number, "last_period", told.get("last_period", last)))
    return faults


def supplied_models(case: Case) -> dict[str, set[str]]:
    """Models that each region can serve at all, on demand or from a pool of which units can be had."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for option in case.on_demand:
        found[option.region].add(option.model)
    region = {pool.pool: pool.region for pool in case.pools}
    open_pools = {pool.pool for pool in case.pools if pool.usd_per_unreserved_unit_hour is not None}
    on_sale = {(offer.pool, offer.meter) for offer in case.offers}
    meters: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in case.throughput:
        meters[row.pool, row.model].add(row.meter)
    for (pool, model), needed in meters.items():
        if pool in open_pools or all((pool, meter) in on_sale for meter in needed):
            found[region[pool]].add(model)
    return found


def unserved(case: Case, sources: Mapping[str, Source]) -> list[Fault]:
    """Find each origin and workload with demand that the models and regions in reach cannot serve in full."""
    models_in = supplied_models(case)
    mix: defaultdict[str, list[Mix]] = defaultdict(list)
    for row in case.mix:
        mix[row.workload].append(row)
    workload_of = {w.workload: w for w in case.workloads}
    pairs = case.demand[["region", "workload"]].drop_duplicates()
    faults = []
    for origin, name in zip(pairs["region"], pairs["workload"]):
        reach = [r.region for r in case.regions if case.may_serve(workload_of[name], origin, r.region)]
        served = set().union(*(models_in[region] for region in reach))
        where = f"demand of workload {name!r} from {origin!r} cannot be served: "
        if not mix[name]:
            faults.append(sources["mix"].fault(f"{where}no model may serve it", column="workload"))
            continue
        regions = f"no region in reach ({', '.join(reach) or 'none'}) has"
        for row in mix[name]:
            if row.model not in served and row.min_share > 0:
                message = (
                    f"{where}model {row.model!r} must take a share, but {regions} a pool or on-demand option for it"
                )
                faults.append(sources["mix"].fault(message, column="min_share", value=row.min_share))
        if sum(row.max_share for row in mix[name] if row.model in served) < 1 - SHARE_TOLERANCE:
            models = ", ".join(row.model for row in mix[name])
            message = f"{where}{regions} pools or on-demand options for enough of its models ({models})"
            faults.append(sources["mix"].fault(message, column="model"))
    return faults
