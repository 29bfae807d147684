"""A small change of a planning folder, under a name: what a meeting asks, as data, and the case that it makes.

    set       a key of plan.yaml's policy takes another value              failover.on_demand_trust = 1
              or a share of workloads, of all or of one                   guaranteed_share[workload=chat] = 0.5
    scale     demand, on-demand prices, quotas or offer prices times a factor   demand[workload=chat] x 1.4
              on-demand prices of some hours or months only, and the factors of a folder's price_factors
              the price of units that run by the hour, and how many may
    discount  offers at a share below their list price                     discount[pool=east] = 0.1
    strike    offers that cannot be bought any more
    refuse    regions in which no new units are to be had, at any term or by the hour
    refuse_pools   the same of single pools
    leave_out      regions that serve nothing, neither on demand nor by units; what is owed there is paid all the same
    forbid_terms   terms (months) that may not be signed
    certain   a scenario that is taken for certain
    spend     a spend commitment of some amount: another amount, a new contract, or (0) none

What earlier commitments cost never changes: they were signed at their price.

Shares of workloads that a case may set: of all of them, or of one.

guaranteed_share = 0.5                   of every workload
guaranteed_share[workload=chat] = 0.5    of one
headroom[workload=voice] = 0.4           its own, in place of the policy's
"""

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from planner.errors import Fault, InputError, nearest
from planner.features.what_if.case_factors import Factor, Problems, scaled
from planner.readers.raw_tables import RawSettings, Source
from planner.readers.settings_file import read_settings
from planner.schema.base import LARGEST
from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment
from planner.schema.describe import settings_of
from planner.schema.settings import PlanSettings, Policy
from planner.schema.workloads import Workload

SHARES = ("guaranteed_share", "failover_share", "headroom", "reserved_headroom")
_POLICY = ("headroom", "reserved_headroom")  # without a workload these are keys of the policy
_KEY = re.compile(r"(?:workloads\.)?(\w+)(?:\[\s*workload\s*=\s*([^\]]*?)\s*\])?")


def share_of(key: str) -> tuple[str, str | None] | None:
    """Read a key as a column of workloads and a workload (None: all of them); None: it is no such key."""
    found = _KEY.fullmatch(key)
    if found is None or found[1] not in SHARES or (found[2] is None and found[1] in _POLICY):
        return None
    return found[1], found[2]


def with_shares(case: Case, name: str, settings: Iterable[tuple[str, str]]) -> tuple[Case, list[Fault]]:
    """Return the case with the shares that are among some settings, by the rules of the table; and what is wrong."""
    workloads = {w.workload: w for w in case.workloads}
    faults: list[Fault] = []
    for key, text in settings:
        share = share_of(key)
        if share is None:
            continue
        column, workload = share
        place = f"case {name!r}"
        if workload is not None and workload not in workloads:
            message = f"is not in the table workloads{nearest(workload, workloads)}"
            faults.append(Fault(place, message, column=key, value=workload, allowed=", ".join(workloads)))
            continue
        blank = Workload.model_fields[column].get_default()
        for w in [w for w in workloads.values() if workload in (None, w.workload)]:
            try:
                workloads[w.workload] = Workload.model_validate({**w.model_dump(), column: text if text else blank})
            except ValidationError as error:
                said = error.errors()[0]["msg"].removeprefix("Value error, ")
                allowed = "a share from 0 to 1" if "headroom" not in column else "a share from 0 to below 1"
                faults.append(Fault(place, f"{said[:1].lower()}{said[1:]}", column=key, value=text, allowed=allowed))
                break
    return replace(case, workloads=tuple(workloads.values())), faults


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
    leave_out: tuple[str, ...] = ()
    aim: str = ""  # of a plan that is not the cheapest: what it is among plans that are nearly as good

    def __str__(self) -> str:
        """Say what is changed, in one line."""
        parts = [f"{key}={value or 'blank'}" for key, value in self.set] + [str(factor) for factor in self.scale]
        parts += [f"without offer {name}" for name in self.strike]
        parts += [f"no new units in {name}" for name in self.refuse]
        parts += [f"no new units of {name}" for name in self.refuse_pools]
        parts += [f"nothing served in {name}" for name in self.leave_out]
        parts += [f"no {months}-month terms" for months in self.forbid_terms]
        parts += [f"{self.certain} is certain"] if self.certain is not None else []
        parts += [f"{usd} USD to be spent on {contract}" for contract, usd in self.spend]
        parts += [self.aim] if self.aim else []
        return ", ".join(parts) or "as it stands"


def changed(case: Case, change: CaseChange) -> Case:
    """Return the case with a change made.

    Raises
    ------
    InputError : names that the case does not have, values that are not allowed, factors that reach nothing; all of
        them at once.
    """
    problems = Problems(change.name)
    settings = _settings(case, change, problems)
    case, faults = with_shares(case, change.name, change.set)
    problems.faults += faults
    for factor in change.scale:
        case = scaled(case, factor, problems)
    case = _without_offers(case, _refused(case, change, problems))
    hourly = {"usd_per_unreserved_unit_hour": None, "usd_per_scaled_unit_hour": None}
    case = replace(case, pools=tuple(
        p.model_copy(update=hourly) if p.region in change.refuse or p.pool in change.refuse_pools else p
        for p in case.pools
    ))  # fmt: skip
    case = _without_regions(case, change.leave_out)
    case = _contracts(case, change, problems)
    if change.certain is not None:
        case = _certain(case, change.certain, problems)
    if problems.faults:
        raise InputError(problems.faults)
    return replace(case, settings=settings)


def _contracts(case: Case, change: CaseChange, problems: Problems) -> Case:
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


def _settings(case: Case, change: CaseChange, problems: Problems) -> PlanSettings:
    """Read the settings again with the values that were set, by the rules of plan.yaml."""
    known = [key.removeprefix("policy.") for key in settings_of(Policy)]
    values = _flat(case.settings)
    for key, text in change.set:
        if share_of(key) is not None:
            continue
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


# -- what cannot be bought, and what is certain ------------------------------------------------------------------------
def _refused(case: Case, change: CaseChange, problems: Problems) -> set[str]:
    """Names of the offers that a change takes off the table."""
    offers, regions = [o.offer for o in case.offers], [r.region for r in case.regions]
    terms = sorted({o.term_months for o in case.offers if o.term_days is None})
    for name in change.strike:
        if name not in offers:
            problems.unknown("offers", "strike", name, offers)
    for part in ("refuse", "leave_out"):
        for name in getattr(change, part):
            if name not in regions:
                problems.unknown("regions", part, name, regions)
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
        or region[o.pool] in {*change.refuse, *change.leave_out}
        or o.pool in change.refuse_pools
        or (o.term_days is None and o.term_months in change.forbid_terms)
    }


def _without_offers(case: Case, gone: set[str]) -> Case:
    """Keep the rows, which earlier commitments may name, and let nothing be bought under them."""
    none = {"min_units": 0.0, "max_units": 0.0}
    return replace(case, offers=tuple(o.model_copy(update=none) if o.offer in gone else o for o in case.offers))


def _without_regions(case: Case, regions: tuple[str, ...]) -> Case:
    """Take what serves in some regions: on demand, and the models that their pools run."""
    if not regions:
        return case
    pools = {p.pool for p in case.pools if p.region in regions}
    return replace(
        case,
        on_demand=tuple(q for q in case.on_demand if q.region not in regions),
        throughput=tuple(t for t in case.throughput if t.pool not in pools),
    )


def _certain(case: Case, name: str, problems: Problems) -> Case:
    names = [s.scenario for s in case.scenarios]
    if name not in names:
        problems.unknown("scenarios", "certain", name, names)
        return case
    one = tuple(s.model_copy(update={"probability": 1.0}) for s in case.scenarios if s.scenario == name)
    demand = case.demand[case.demand["scenario"].astype(str).to_numpy() == name].reset_index(drop=True)
    only = pd.Categorical.from_codes([0] * len(demand), categories=pd.Index([name], dtype="str"))
    return replace(case, scenarios=one, demand=demand.assign(scenario=only))
