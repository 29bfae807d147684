"""Numbers of a case times a factor: demand, prices, quotas, units for sale; everywhere, or where some names say.

`TARGETS` lists what can be scaled, and by which columns a part of it is told.

The numbers that may move when it is asked how far a plan carries: demand and prices, whole and by part.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from planner.errors import Fault, nearest
from planner.plan.plan import Plan
from planner.schema.base import LARGEST, MOST_REQUESTS
from planner.schema.capacity import Commitment, Offer, Pool
from planner.schema.case import Case
from planner.schema.contracts import PriceFactor

Row = TypeVar("Row", bound=BaseModel)

TARGETS: Mapping[str, tuple[str, ...]] = {
    "demand": ("workload", "region", "scenario", "period"),
    "on_demand_prices": ("region", "model", "option", "period", "hours_of_week"),
    "price_factors": ("region", "model", "option", "period", "hours_of_week"),
    "quotas": ("region", "model", "option"),
    "scaled_prices": ("pool", "region"),
    "scaled_units": ("pool", "region"),
    "offer_prices": ("offer", "pool", "region", "term_months", "term_days"),
    "discount": ("offer", "pool", "region", "term_months", "term_days"),
}
DISCOUNT = "discount"
_PRICES = ("usd_per_mtok_input", "usd_per_mtok_cached_input", "usd_per_mtok_cache_write", "usd_per_mtok_output")


@dataclass(frozen=True)
class Factor:
    """What is scaled, and where.

    what : a key of TARGETS. where : names by column, in the order given; empty: everywhere.
    factor : what the numbers are multiplied by; of `discount`: the share (0-1) below the list price.
    """

    what: str
    factor: float
    where: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        place = ",".join(f"{column}={name}" for column, name in self.where)
        return f"{self.what}{f'[{place}]' if place else ''}={self.factor:g}"


@dataclass
class Problems:
    """Faults of one change, gathered; `name` is that of the change."""

    name: str
    faults: list[Fault] = field(default_factory=list)

    def add(self, message: str, column: str, value: object, allowed: str | None = None) -> None:
        """Add one."""
        self.faults.append(Fault(f"case {self.name!r}", message, column=column, value=value, allowed=allowed))

    def unknown(self, table: str, column: str, value: str, known: Sequence[str]) -> None:
        """Add that a table has no such name."""
        shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        self.add(f"is not in the table {table}{nearest(value, known)}", column, value, shown or "the table is empty")


Scaling = Callable[[Case, Factor, Problems], Case]


def scaled(case: Case, factor: Factor, problems: Problems) -> Case:
    """Return the case with a factor applied; what is wrong goes into `problems`, and the case stays as it is."""
    if factor.what not in TARGETS:
        problems.add(f"cannot be scaled{nearest(factor.what, TARGETS)}", "scale", factor.what, ", ".join(TARGETS))
        return case
    columns = TARGETS[factor.what]
    wrong = [column for column, _ in factor.where if column not in columns]
    for column in wrong:
        problems.add(f"{factor.what} has no such part{nearest(column, columns)}", "scale", column, ", ".join(columns))
    highest = 1.0 if factor.what == DISCOUNT else LARGEST
    if not 0 <= factor.factor <= highest:
        what = "a share from 0 to 1" if factor.what == DISCOUNT else "a factor of at least 0"
        problems.add("is out of range", str(factor), factor.factor, what)
        return case
    return case if wrong else _APPLY[factor.what](case, factor, problems)


def _demand(case: Case, factor: Factor, problems: Problems) -> Case:
    demand = case.demand
    mask = np.ones(len(demand), bool)
    known = {
        "workload": [w.workload for w in case.workloads],
        "region": [r.region for r in case.regions],
        "scenario": [s.scenario for s in case.scenarios],
        "period": [p.name for p in case.periods],
    }
    tables = {"workload": "workloads", "region": "regions", "scenario": "scenarios", "period": "months of the horizon"}
    for column, name in factor.where:
        if name not in known[column]:
            problems.unknown(tables[column], column, name, known[column])
            return case
        mask &= demand[column].astype(str).to_numpy() == name
    if not mask.any():
        problems.add("matches no demand", "scale", str(factor), "a part that has demand")
        return case
    rph = demand["requests_per_hour"].to_numpy(float).copy()
    rph[mask] *= factor.factor
    if rph.max() > MOST_REQUESTS:
        problems.add(
            "makes an hour's demand larger than any real one", "scale", str(factor), f"up to {MOST_REQUESTS:g}"
        )
        return case
    return replace(case, demand=demand.assign(requests_per_hour=rph)[rph > 0].reset_index(drop=True))


def _on_demand(change: Callable[[Any, float], dict[str, float]], what: str) -> Scaling:
    def apply(case: Case, factor: Factor, problems: Problems) -> Case:
        rows, hit = _updated(case.on_demand, factor, lambda row: change(row, factor.factor))
        if not hit:
            problems.add(f"matches no {what}", "scale", str(factor), "a row of the table on_demand that has one")
        return replace(case, on_demand=rows)

    return apply


def _updated(
    rows: Sequence[Row], factor: Factor, update: Callable[[Row], dict[str, float]]
) -> tuple[tuple[Row, ...], bool]:
    """Return rows of a table with the cells of those that a factor means replaced, and whether any cell was."""
    updates = [update(row) if _here(row, factor) else {} for row in rows]
    return tuple(row.model_copy(update=cells) for row, cells in zip(rows, updates, strict=True)), any(updates)


def _here(row: object, factor: Factor) -> bool:
    return all(str(getattr(row, column)) == name for column, name in factor.where)


def _dearer(row: Any, factor: float) -> dict[str, float]:
    return {name: getattr(row, name) * factor for name in _PRICES if getattr(row, name) is not None}


def _wider(row: Any, factor: float) -> dict[str, float]:
    quota = row.tokens_per_minute_quota
    return {} if quota is None else {"tokens_per_minute_quota": quota * factor}


def _offers(case: Case, factor: Factor, problems: Problems) -> Case:
    """Change prices of new purchases; under an offer that was bought before, what is owed keeps its price."""
    region = {p.pool: p.region for p in case.pools}
    offers: list[Offer] = []
    renamed: dict[str, str] = {}
    hit = False
    held = {c.offer for c in case.commitments}
    names = {o.offer for o in case.offers}
    for offer in case.offers:
        mine = {"offer": offer.offer, "pool": offer.pool, "region": region[offer.pool],
                "term_months": str(offer.term_months) if offer.term_days is None else "",
                "term_days": str(offer.term_days or "")}  # fmt: skip
        if not all(mine[column] == name for column, name in factor.where):
            offers.append(offer)
            continue
        hit = True
        if offer.offer in held and offer.max_units == 0:  # owed and not for sale: it has a price of before only
            offers.append(offer)
            continue
        old_list = offer.usd_per_unit_hour if offer.list_usd_per_unit_hour is None else offer.list_usd_per_unit_hour
        price = old_list * (1 - factor.factor) if factor.what == DISCOUNT else offer.usd_per_unit_hour * factor.factor
        times = 1 - factor.factor if factor.what == DISCOUNT else factor.factor
        upfront = {"upfront_usd_per_unit": offer.upfront_usd_per_unit * times}
        prices = {"usd_per_unit_hour": price, "list_usd_per_unit_hour": old_list}
        offers.append(offer.model_copy(update=prices | upfront))
        if offer.offer in held:
            signed = _free_name(f"{offer.offer} as signed", names)
            names.add(signed)
            renamed[offer.offer] = signed
            offers.append(offer.model_copy(update={"offer": signed, "min_units": 0.0, "max_units": 0.0}))
    if not hit:
        problems.add("matches no offer", "scale", str(factor), "an offer of the table offers")
    owed = tuple(_of(c, renamed.get(c.offer, c.offer)) for c in case.commitments)
    return replace(
        case,
        offers=tuple(sorted(offers, key=lambda o: o.offer)),
        commitments=tuple(sorted(owed, key=lambda c: (c.offer, c.start, c.end))),
    )


def with_signed_apart(case: Case) -> Case:
    """Return the same case, what is owed under offers of its own: changes of prices then change numbers alone."""
    return _offers(case, Factor("offer_prices", 1.0), Problems("as it stands")) if case.commitments else case


def _of(commitment: Commitment, offer: str) -> Commitment:
    return commitment.model_copy(update={"offer": offer})


def _free_name(name: str, taken: set[str]) -> str:
    return name if name not in taken else next(f"{name} {k}" for k in range(2, len(taken) + 3)
                                               if f"{name} {k}" not in taken)  # fmt: skip


_IN_SOME_HOURS = ("period", "hours_of_week")


def _on_demand_prices(case: Case, factor: Factor, problems: Problems) -> Case:
    """Change on-demand prices; those of some hours or periods by a row of price_factors."""
    if not any(column in _IN_SOME_HOURS for column, _ in factor.where):
        return _on_demand(_dearer, "on-demand price")(case, factor, problems)
    where = dict(factor.where)
    periods = [p.name for p in case.periods]
    if where.get("period", periods[0]) not in periods:
        problems.unknown("months of the horizon", "period", where["period"], periods)
        return case
    try:
        row = PriceFactor(**where, factor=factor.factor)
    except ValueError:
        allowed = "hours of the week in UTC, 0 to 167, such as 0-7;24-31, and a factor up to a million"
        problems.add("cannot be applied", "scale", str(factor), allowed)
        return case
    if not any(row.applies_to(o.region, o.model, o.option) for o in case.on_demand):
        problems.add("matches no on-demand price", "scale", str(factor), "a row of the table on_demand")
    return replace(case, price_factors=(*case.price_factors, row))


def _price_factors(case: Case, factor: Factor, problems: Problems) -> Case:
    """Multiply the factors of rows of price_factors; a row is told by what its own cells say."""
    rows, hit = _updated(case.price_factors, factor, lambda row: {"factor": row.factor * factor.factor})
    if not hit:
        problems.add("matches no row of price_factors", "scale", str(factor), "names as the row has them; without any "
                     "of them: all rows")  # fmt: skip
    return replace(case, price_factors=rows)


def _pools(column: str, what: str) -> Scaling:
    def apply(case: Case, factor: Factor, problems: Problems) -> Case:
        def times(row: Pool) -> dict[str, float]:
            has = getattr(row, column)
            return {} if has is None else {column: has * factor.factor}

        rows, hit = _updated(case.pools, factor, times)
        if not hit:
            problems.add(f"matches no pool with {what}", "scale", str(factor), f"a pool whose {column} is filled in")
        return replace(case, pools=rows)

    return apply


_APPLY: Mapping[str, Scaling] = {
    "demand": _demand,
    "on_demand_prices": _on_demand_prices,
    "price_factors": _price_factors,
    "scaled_prices": _pools("usd_per_scaled_unit_hour", "units by the hour"),
    "scaled_units": _pools("max_scaled_units", "a limit on units by the hour"),
    "quotas": _on_demand(_wider, "quota"),
    "offer_prices": _offers,
    DISCOUNT: _offers,
}


DEMAND, PRICE = "demand", "price"


@dataclass(frozen=True)
class Number:
    """A number of the input that may move: what it is called, and what scales it (together)."""

    name: str
    kind: str
    factors: tuple[Factor, ...]

    @property
    def key(self) -> str:
        """What scales it, as `--scale` takes it; several are joined by +."""
        return " + ".join(str(replace(factor, factor=1.0)).rpartition("=")[0] for factor in self.factors)

    def of_offers(self, case: Case) -> "Number":
        """Return the same number, the price of each offer that the case sells named by itself."""
        region = {p.pool: p.region for p in case.pools}
        factors: list[Factor] = []
        for factor in self.factors:
            if factor.what != "offer_prices":
                return self
            where = dict(factor.where)
            factors += [Factor("offer_prices", 1.0, (("offer", o.offer),)) for o in case.offers
                        if where.get("offer", o.offer) == o.offer
                        and where.get("region", region[o.pool]) == region[o.pool]]  # fmt: skip
        return replace(self, factors=tuple(factors))


def _number(name: str, what: str, *wheres: tuple[str, str]) -> Number:
    """Name a number: of everything, or of the parts that some (column, name) pairs select."""
    factors = tuple(Factor(what, 1.0, (where,)) for where in wheres) or (Factor(what, 1.0),)
    return Number(name, DEMAND if what == "demand" else PRICE, factors)


def numbers_of(case: Case, plan: Plan) -> list[Number]:
    """List demand (all, by workload, model, region) and prices (on demand and of offers; by model, region, offer)."""
    asked = case.demand[case.demand["requests_per_hour"] > 0]
    own = {column: set(asked[column].astype(str)) for column in ("workload", "region")}
    workloads = [w.workload for w in case.workloads if w.workload in own["workload"]]
    regions = [r.region for r in case.regions]
    found = [_number("all demand", "demand")]
    if len(workloads) > 1:
        found += [_number(f"demand of {name}", "demand", ("workload", name)) for name in workloads]
    seen = {tuple(workloads)}
    for model in case.models:
        users = {m.workload for m in case.mix if m.model == model.model and m.max_share > 0}
        of = tuple(name for name in workloads if name in users)
        if len(of) > 1 and of not in seen:
            seen.add(of)
            name = f"demand of what may use {model.model}"
            found.append(_number(name, "demand", *(("workload", workload) for workload in of)))
    origins = [name for name in regions if name in own["region"]]
    if len(origins) > 1:
        found += [_number(f"demand of {name}", "demand", ("region", name)) for name in origins]
    found += _prices("on-demand price", "on_demand_prices", {
        "model": [m.model for m in case.models if any(q.model == m.model for q in case.on_demand)],
        "region": [name for name in regions if any(q.region == name for q in case.on_demand)],
    })  # fmt: skip
    where = {p.pool: p.region for p in case.pools}
    sold = {where[o.pool] for o in case.offers}
    found += _prices("offer price", "offer_prices", {"region": [name for name in regions if name in sold]})
    if len(case.offers) > 1:
        bought = sorted({str(o) for o in plan.purchases["offer"]})
        found += [_number(f"price of {name}", "offer_prices", ("offer", name)) for name in bought]
    return found


def _prices(name: str, what: str, parts: Mapping[str, Sequence[str]]) -> list[Number]:
    """All prices of a kind, then those of each part where there are several; none where there are none."""
    if not all(parts.values()):
        return []
    found = [_number(f"{name}s", what)]
    for column, names in parts.items():
        join = "of" if column == "model" else "in"
        if len(names) > 1:
            found += [_number(f"{name}{'' if column == 'model' else 's'} {join} {one}", what, (column, one))
                      for one in names]  # fmt: skip
    return found
