"""A small change of a planning folder, under a name: what a meeting asks, as data, and the case that it makes.

    set       a key of plan.yaml's policy takes another value              failover.on_demand_trust = 1
    scale     demand, on-demand prices, quotas or offer prices times a factor   demand[workload=chat] x 1.4
    discount  offers at a share below their list price                     discount[pool=east] = 0.1
    strike    offers that cannot be bought any more
    refuse    regions in which no new units are to be had, at any term or by the hour
    refuse_pools   the same of single pools
    forbid_terms   terms (months) that may not be signed
    certain   a scenario that is taken for certain
    spend     a spend commitment of some amount: another amount, a new contract, or (0) none

What earlier commitments cost never changes: they were signed at their price.
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from planner.errors import Fault, InputError, nearest
from planner.readers.raw_tables import RawSettings, Source
from planner.readers.settings_file import read_settings
from planner.schema.base import LARGEST, MOST_REQUESTS
from planner.schema.capacity import Commitment, Offer
from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment
from planner.schema.describe import settings_of
from planner.schema.settings import PlanSettings, Policy

TARGETS: Mapping[str, tuple[str, ...]] = {
    "demand": ("workload", "region", "scenario", "period"),
    "on_demand_prices": ("region", "model", "option"),
    "quotas": ("region", "model", "option"),
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


@dataclass(frozen=True)
class CaseChange:
    """One named case of a study. Without any change it is the folder as it stands."""

    name: str
    set: tuple[tuple[str, str], ...] = ()
    scale: tuple[Factor, ...] = ()
    strike: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    refuse_pools: tuple[str, ...] = ()
    forbid_terms: tuple[int, ...] = ()
    certain: str | None = None
    spend: tuple[tuple[str, str], ...] = ()  # contract, USD to be spent on it; 0: it is not signed

    def __str__(self) -> str:
        """Say what is changed, in one line."""
        parts = [f"{key}={value or 'blank'}" for key, value in self.set] + [str(factor) for factor in self.scale]
        parts += [f"without offer {name}" for name in self.strike]
        parts += [f"no new units in {name}" for name in self.refuse]
        parts += [f"no new units of {name}" for name in self.refuse_pools]
        parts += [f"no {months}-month terms" for months in self.forbid_terms]
        parts += [f"{self.certain} is certain"] if self.certain is not None else []
        parts += [f"{usd} USD to be spent on {contract}" for contract, usd in self.spend]
        return ", ".join(parts) or "as it stands"


@dataclass
class _Problems:
    """Faults of one change, gathered."""

    name: str
    faults: list[Fault] = field(default_factory=list)

    def add(self, message: str, column: str, value: object, allowed: str | None = None) -> None:
        self.faults.append(Fault(f"case {self.name!r}", message, column=column, value=value, allowed=allowed))

    def unknown(self, table: str, column: str, value: str, known: Sequence[str]) -> None:
        shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        self.add(f"is not in the table {table}{nearest(value, known)}", column, value, shown or "the table is empty")


Scaling = Callable[[Case, Factor, _Problems], Case]


def changed(case: Case, change: CaseChange) -> Case:
    """Return the case with a change made.

    Raises
    ------
    InputError : names that the case does not have, values that are not allowed, factors that reach nothing; all of
        them at once.
    """
    problems = _Problems(change.name)
    settings = _settings(case, change, problems)
    for factor in change.scale:
        case = _scaled(case, factor, problems)
    case = _without_offers(case, _refused(case, change, problems))
    hourly = {"usd_per_unreserved_unit_hour": None}
    case = replace(case, pools=tuple(
        p.model_copy(update=hourly) if p.region in change.refuse or p.pool in change.refuse_pools else p
        for p in case.pools
    ))  # fmt: skip
    case = _contracts(case, change, problems)
    if change.certain is not None:
        case = _certain(case, change.certain, problems)
    if problems.faults:
        raise InputError(problems.faults)
    return replace(case, settings=settings)


def _contracts(case: Case, change: CaseChange, problems: _Problems) -> Case:
    """Sign spend commitments of some amounts: those of the folder by name, others as contracts that count all spend."""
    known = {c.contract: c for c in case.spend_commitments}
    for name, text in change.spend:
        try:
            usd = float(text)
        except ValueError:
            usd = math.nan
        if not 0 <= usd <= LARGEST:
            problems.add("is no amount to be spent", f"spend.{name}", text, "USD, of at least 0")
        elif usd > 0:
            known[name] = known.get(name, SpendCommitment(contract=name, usd=usd)).model_copy(update={"usd": usd})
        elif known.pop(name, None) is None:
            problems.unknown("spend_commitments", f"spend.{name}", name, list(known))
    return replace(case, spend_commitments=tuple(known[name] for name in sorted(known)))


def full_key(key: str) -> str:
    """Return the full key of plan.yaml for a short one: ``headroom`` is ``policy.headroom``."""
    return key if key.startswith("policy.") else f"policy.{key}"


def _settings(case: Case, change: CaseChange, problems: _Problems) -> PlanSettings:
    """Read the settings again with the values that were set, by the rules of plan.yaml."""
    known = [key.removeprefix("policy.") for key in settings_of(Policy)]
    values = _flat(case.settings)
    for key, text in change.set:
        if key.removeprefix("policy.") not in known:
            problems.add(f"there is no such key of the policy{nearest(key, known)}", key, text, ", ".join(known))
            continue
        values[full_key(key)] = text
    raw = RawSettings(Source("plan", f"case {change.name!r}", ()), values, {})
    settings, faults = read_settings(raw)
    problems.faults += faults
    return case.settings if settings is None else settings


def _flat(block: BaseModel, prefix: str = "") -> dict[str, str]:
    """Lay settings out as plan.yaml would: text by dotted key; blanks are left out."""
    found: dict[str, str] = {}
    for name in type(block).model_fields:
        value: Any = getattr(block, name)
        if isinstance(value, BaseModel):
            found |= _flat(value, f"{prefix}{name}.")
        elif value is not None:
            found[prefix + name] = str(value).lower() if isinstance(value, bool) else _text(value)
    return found


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(_text, value))
    return value.isoformat() if isinstance(value, dt.date) else repr(value) if isinstance(value, float) else str(value)


# -- factors ---------------------------------------------------------------------------------------------------------
def _scaled(case: Case, factor: Factor, problems: _Problems) -> Case:
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


def _demand(case: Case, factor: Factor, problems: _Problems) -> Case:
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
    def apply(case: Case, factor: Factor, problems: _Problems) -> Case:
        rows, hit = [], False
        for row in case.on_demand:
            update = change(row, factor.factor) if _here(row, factor) else {}
            hit |= bool(update)
            rows.append(row.model_copy(update=update))
        if not hit:
            problems.add(f"matches no {what}", "scale", str(factor), "a row of the table on_demand that has one")
        return replace(case, on_demand=tuple(rows))

    return apply


def _here(row: object, factor: Factor) -> bool:
    return all(str(getattr(row, column)) == name for column, name in factor.where)


def _dearer(row: Any, factor: float) -> dict[str, float]:
    return {name: getattr(row, name) * factor for name in _PRICES if getattr(row, name) is not None}


def _wider(row: Any, factor: float) -> dict[str, float]:
    quota = row.tokens_per_minute_quota
    return {} if quota is None else {"tokens_per_minute_quota": quota * factor}


def _offers(case: Case, factor: Factor, problems: _Problems) -> Case:
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


def _of(commitment: Commitment, offer: str) -> Commitment:
    return commitment.model_copy(update={"offer": offer})


def _free_name(name: str, taken: set[str]) -> str:
    return name if name not in taken else next(f"{name} {k}" for k in range(2, len(taken) + 3)
                                               if f"{name} {k}" not in taken)  # fmt: skip


_APPLY: Mapping[str, Scaling] = {
    "demand": _demand,
    "on_demand_prices": _on_demand(_dearer, "on-demand price"),
    "quotas": _on_demand(_wider, "quota"),
    "offer_prices": _offers,
    DISCOUNT: _offers,
}


# -- what cannot be bought, and what is certain ------------------------------------------------------------------------
def _refused(case: Case, change: CaseChange, problems: _Problems) -> set[str]:
    """Names of the offers that a change takes off the table."""
    offers, regions = [o.offer for o in case.offers], [r.region for r in case.regions]
    terms = sorted({o.term_months for o in case.offers if o.term_days is None})
    for name in change.strike:
        if name not in offers:
            problems.unknown("offers", "strike", name, offers)
    for name in change.refuse:
        if name not in regions:
            problems.unknown("regions", "refuse", name, regions)
    pools = [p.pool for p in case.pools]
    for name in change.refuse_pools:
        if name not in pools:
            problems.unknown("pools", "refuse_pools", name, pools)
    for months in change.forbid_terms:
        if months not in terms:
            problems.add("no offer has this term", "forbid_terms", months, ", ".join(map(str, terms)) or "no offers")
    region = {p.pool: p.region for p in case.pools}
    return {
        o.offer
        for o in case.offers
        if o.offer in change.strike
        or region[o.pool] in change.refuse
        or o.pool in change.refuse_pools
        or (o.term_days is None and o.term_months in change.forbid_terms)
    }


def _without_offers(case: Case, gone: set[str]) -> Case:
    """Keep the rows, which earlier commitments may name, and let nothing be bought under them."""
    none = {"min_units": 0.0, "max_units": 0.0}
    return replace(case, offers=tuple(o.model_copy(update=none) if o.offer in gone else o for o in case.offers))


def _certain(case: Case, name: str, problems: _Problems) -> Case:
    names = [s.scenario for s in case.scenarios]
    if name not in names:
        problems.unknown("scenarios", "certain", name, names)
        return case
    one = tuple(s.model_copy(update={"probability": 1.0}) for s in case.scenarios if s.scenario == name)
    demand = case.demand[case.demand["scenario"].astype(str).to_numpy() == name].reset_index(drop=True)
    only = pd.Categorical.from_codes([0] * len(demand), categories=pd.Index([name], dtype="str"))
    return replace(case, scenarios=one, demand=demand.assign(scenario=only))
