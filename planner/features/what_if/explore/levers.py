"""Levers: what the page of a meeting can move, made of a case; what is moved makes a change of the case.

A lever has one value in plain numbers (percent, USD), switches (true, false) or names. Only what differs from the
folder is kept, so that a page where everything is back in its place asks the folder as it stands.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from planner.features.what_if.case_change import CaseChange
from planner.features.what_if.case_factors import Factor
from planner.schema.case import Case
from planner.units import counted

Value = float | bool | str | None
Moved = Mapping[str, Value]  # value by key of a lever; what is not named is as it stands

BLANK_UPS = (10.0, 30.0, 50.0)  # values of a share without a limit that are answered ahead, percent
ALONG = (0.5, 1.0, 0.25, 0.75)  # of the way from where a slider stands to either end
CAPS = (0.9, 0.7, 0.5, 0.3)  # of what is committed without a cap
MOST_ROWS = 30  # levers for workloads, regions, offers, ...; those of more are on the command line
DEMAND, RULES, PRICES, BUYING, MONEY = "Demand", "Rules", "Prices and quotas", "What can be bought", "Budgets"
GROUPS = (DEMAND, RULES, PRICES, BUYING, MONEY)
_GROWTH, _PRICE, _QUOTA = (-50.0, 200.0, 5.0), (-60.0, 60.0, 5.0), (-90.0, 200.0, 10.0)


class Kind(Enum):
    """How a lever is moved."""

    SLIDER = "slider"  # percent, from low to high by step
    SWITCH = "switch"  # true or false
    AMOUNT = "amount"  # USD; None: no cap
    CHOICE = "choice"  # one of names; None: none of them


@dataclass(frozen=True)
class Lever:
    """One thing that can be moved.

    key : of the change that it makes: ``set KEY``, ``scale WHAT``, ``refuse REGION``, ... group : heading. label : what
    it is called. kind : how it is moved. start : its value in the folder. low, high, step : of a slider (percent).
    fine : whether it is one of many of its kind, shown only when asked for. change : whether a slider counts from what
    the folder has (+10 %). choices : names to choose from. note : what must be known of it. blank : what no value
    means; place : where the knob stands then (None: at the high end).
    """

    key: str
    group: str
    label: str
    kind: Kind
    start: Value
    low: float = 0.0
    high: float = 100.0
    step: float = 5.0
    fine: bool = False
    change: bool = False
    choices: tuple[str, ...] = ()
    note: str = ""
    blank: str = "no cap"
    place: float | None = None

    @property
    def knob(self) -> float:
        """Where the knob of a slider stands at its start."""
        return float(self.start) if self.start is not None else self.high if self.place is None else self.place

    def shown(self, value: Value) -> str:
        """Say a value in words."""
        if self.kind is Kind.SWITCH:
            return "on" if value else "off"
        if value is None:
            return self.blank
        if self.kind is Kind.AMOUNT:
            return f"${float(value):,.0f}"
        if self.kind is Kind.CHOICE:
            return str(value)
        sign = "+" if self.change and float(value) > 0 else ""
        return f"{sign}{float(value):g} %"


def levers_of(case: Case) -> tuple[Lever, ...]:
    """List what can be moved, in the order of the page."""
    return (*_demand(case), *_rules(case), *_prices(case), *_buying(case), *_money(case))


def left_out(case: Case) -> str:
    """Say how many names have no lever of their own, since there are too many; blank: none."""
    told = []
    for what, count in (("workloads", len(case.workloads)), ("regions", len(case.regions)), ("offers",
                        len(case.offers))):  # fmt: skip
        if count > MOST_ROWS:
            told.append(f"{count - MOST_ROWS} more {what}")
    return f"{', '.join(told)}: use planner what-if" if told else ""


def _scale(what: str, group: str, label: str, limits: tuple[float, float, float], fine: bool = False) -> Lever:
    low, high, step = limits
    return Lever(f"scale {what}", group, label, Kind.SLIDER, 0.0, low, high, step, fine, True)


def _demand(case: Case) -> Iterable[Lever]:
    yield _scale("demand", DEMAND, "Growth of all demand", _GROWTH)
    origins = sorted(set(case.demand["region"].astype(str)))
    workloads = sorted(set(case.demand["workload"].astype(str)))
    if len(workloads) > 1:
        for name in workloads[:MOST_ROWS]:
            yield _scale(f"demand[workload={name}]", DEMAND, f"Growth of {name}", _GROWTH, True)
    if len(origins) > 1:
        for name in origins[:MOST_ROWS]:
            yield _scale(f"demand[region={name}]", DEMAND, f"Growth in {name}", _GROWTH, True)
    if len(case.scenarios) > 1:
        names = tuple(s.scenario for s in case.scenarios)
        yield Lever("certain", DEMAND, "Scenario that is certain", Kind.CHOICE, None, choices=names,
                    blank="none: each by its probability")  # fmt: skip


def _share(key: str, label: str, value: float | None, most: float = 100.0, *, fine: bool = False, note: str = "",
           blank: str = "no limit", place: float | None = None) -> Lever:  # fmt: skip
    start = None if value is None else round(100 * value, 6)
    return Lever(f"set {key}", RULES, label, Kind.SLIDER, start, 0.0, most, 5.0, fine, note=note, blank=blank,
                 place=place)  # fmt: skip


def _rules(case: Case) -> Iterable[Lever]:
    policy = case.settings.policy
    own = [w.workload for w in case.workloads if w.headroom is not None]
    note = f"{counted(len(own), 'workload has its own', many='workloads have their own')}" if own else ""
    yield _share("headroom", "Headroom", policy.headroom, 95.0, note=note)
    if any(r.fails for r in case.regions):
        yield Lever("set failover.enabled", RULES, "Failover: any one region may be lost", Kind.SWITCH,
                    policy.failover.enabled)  # fmt: skip
        yield _share("failover.on_demand_trust", "Trust in on demand while a region is lost",
                     policy.failover.on_demand_trust)  # fmt: skip
        yield _share("failover.share", "Demand that failover must serve", policy.failover.share, fine=True)
        yield _share("failover.headroom", "Headroom while a region is lost", policy.failover.headroom, 95.0, fine=True)
    yield _share("reserved_headroom", "Headroom of reserved units", policy.reserved_headroom, 95.0, fine=True,
                 blank="as headroom", place=100 * policy.headroom)  # fmt: skip
    if len(case.regions) > 1:
        yield _share("egress.max_cross_region_share", "Requests served outside their origin, at most",
                     policy.egress.max_cross_region_share, fine=True)  # fmt: skip
    yield _share("tail_value", "Payments past the horizon that are not counted", policy.tail_value, fine=True)
    if len(case.scenarios) > 1:
        yield _share("risk.weight", "Weight of the dearest scenarios", policy.risk.weight, fine=True)
    yield Lever("set whole_units", RULES, "Whole units", Kind.SWITCH, policy.whole_units, fine=True)


def _prices(case: Case) -> Iterable[Lever]:
    if case.on_demand:
        yield _scale("on_demand_prices", PRICES, "On-demand prices", _PRICE)
    if case.offers:
        yield _scale("offer_prices", PRICES, "Prices of new commitments", _PRICE)
    limited = [o for o in case.on_demand if o.tokens_per_minute_quota is not None]
    if limited:
        yield _scale("quotas", PRICES, "On-demand quotas", _QUOTA)
    regions = sorted({o.region for o in limited})
    if len(regions) > 1:
        for name in regions[:MOST_ROWS]:
            yield _scale(f"quotas[region={name}]", PRICES, f"Quotas in {name}", _QUOTA, True)
    models = sorted({o.model for o in case.on_demand})
    if len(models) > 1:
        for name in models[:MOST_ROWS]:
            yield _scale(f"on_demand_prices[model={name}]", PRICES, f"On-demand price of {name}", _PRICE, True)
    terms = _terms(case)
    if len(terms) > 1:
        for months in terms:
            yield _scale(f"offer_prices[term_months={months}]", PRICES, f"Price of {months}-month terms", _PRICE, True)


def _terms(case: Case) -> list[int]:
    return sorted({o.term_months for o in case.offers if o.term_days is None})


def _off(key: str, label: str, fine: bool = False) -> Lever:
    return Lever(key, BUYING, label, Kind.SWITCH, True, fine=fine)


def _buying(case: Case) -> Iterable[Lever]:
    """List what is for sale: on as it stands, off where it is refused, forbidden or struck."""
    regions = sorted({p.region for p in case.pools})
    for name in regions[:MOST_ROWS]:
        yield _off(f"refuse {name}", f"New units in {name}")
    terms = _terms(case)
    if len(terms) > 1:
        for months in terms:
            yield _off(f"forbid {months}", f"{months}-month terms")
    pools = sorted(p.pool for p in case.pools)
    if len(pools) > len(regions):
        for name in pools[:MOST_ROWS]:
            yield _off(f"refuse_pool {name}", f"New units of {name}", True)
    for offer in sorted(o.offer for o in case.offers)[:MOST_ROWS]:
        yield _off(f"strike {offer}", f"Offer {offer}", True)


def _money(case: Case) -> Iterable[Lever]:
    policy = case.settings.policy
    yield Lever("set max_commitment_usd", MONEY, "Cap on new commitments inside the horizon, USD", Kind.AMOUNT,
                policy.max_commitment_usd)  # fmt: skip
    yield Lever("set max_commitment_whole_term_usd", MONEY, "Cap on their whole terms, USD", Kind.AMOUNT,
                policy.max_commitment_whole_term_usd)  # fmt: skip
    for contract in case.spend_commitments:
        yield Lever(f"spend {contract.contract}", MONEY, f"To be spent on {contract.contract}, USD", Kind.AMOUNT,
                    contract.usd)  # fmt: skip


# -- what is moved ---------------------------------------------------------------------------------------------------
def moved_to(levers: Sequence[Lever], moved: Moved, key: str, value: Value) -> dict[str, Value]:
    """Return what is moved once one lever has a value; back at its start it is moved no more.

    Raises
    ------
    KeyError : there is no such lever. ValueError : the value is not one that the lever can have.
    """
    lever = next((one for one in levers if one.key == key), None)
    if lever is None:
        raise KeyError(key)
    allowed = _allowed(lever, value)
    found = {name: old for name, old in moved.items() if name != key}
    if allowed != lever.start:
        found[key] = allowed
    return found


def _allowed(lever: Lever, value: Value) -> Value:
    if lever.kind is Kind.SWITCH:
        if not isinstance(value, bool):
            raise ValueError(f"{lever.label}: {value!r} is neither on nor off")
        return value
    if lever.kind is Kind.CHOICE:
        if value is not None and value not in lever.choices:
            raise ValueError(f"{lever.label}: {value!r} is none of {', '.join(lever.choices)}")
        return value
    if value is None or value == "":
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{lever.label}: {value!r} is no number")
    if lever.kind is Kind.AMOUNT:
        if number < 0:
            raise ValueError(f"{lever.label}: write an amount of at least 0, or nothing for no cap")
        return number
    return min(max(number, lever.low), lever.high)


def change_of(levers: Sequence[Lever], moved: Moved, name: str = "") -> CaseChange:
    """Make the change that moved levers mean, in the order of the levers."""
    change = CaseChange(name)
    for lever in levers:
        if lever.key not in moved:
            continue
        value = moved[lever.key]
        what, _, rest = lever.key.partition(" ")
        if what == "set":
            change = replace(change, set=(*change.set, (rest, _setting(lever, value))))
        elif what == "scale":
            factor = _factor(rest, 1 + float(value or 0.0) / 100)
            change = replace(change, scale=(*change.scale, factor))
        elif what == "refuse":
            change = replace(change, refuse=(*change.refuse, rest))
        elif what == "refuse_pool":
            change = replace(change, refuse_pools=(*change.refuse_pools, rest))
        elif what == "forbid":
            change = replace(change, forbid_terms=(*change.forbid_terms, int(rest)))
        elif what == "strike":
            change = replace(change, strike=(*change.strike, rest))
        elif what == "certain":
            change = replace(change, certain=str(value))
        else:
            change = replace(change, spend=(*change.spend, (rest, f"{float(value or 0.0):.12g}")))
    return change


def _factor(text: str, factor: float) -> Factor:
    """Read ``demand[workload=chat]``; a name may hold any character."""
    what, bracket, place = text.partition("[")
    column, _, name = place[:-1].partition("=")
    return Factor(what, round(factor, 12), ((column, name),) if bracket else ())


def _setting(lever: Lever, value: Value) -> str:
    if value is None:
        return ""
    if lever.kind is Kind.SWITCH:
        return "true" if value else "false"
    return f"{float(value) / (100 if lever.kind is Kind.SLIDER else 1):.12g}"


def near_of(levers: Sequence[Lever], moved: Moved) -> dict[str, float]:
    """Say how far each moved lever is from its start: 1 is all the way of a switch (`solver.warm`)."""
    found = {}
    for lever in levers:
        if lever.key not in moved:
            continue
        value, start = moved[lever.key], lever.start
        if lever.kind is Kind.SLIDER:
            found[lever.key] = ((lever.knob if value is None else float(value)) - lever.knob) / 100
        elif lever.kind is Kind.AMOUNT and value and start:
            found[lever.key] = math.log(max(float(value), 1.0) / max(float(start), 1.0))
        elif lever.kind is Kind.AMOUNT and value:
            found[lever.key] = 1.0 + math.log(max(float(value), 1.0)) / 10
        else:
            found[lever.key] = 1.0
    return found


def words_of(levers: Sequence[Lever], moved: Moved) -> list[str]:
    """Say what is moved, a few words each."""
    found = []
    for lever in levers:
        if lever.key not in moved:
            continue
        value = moved[lever.key]
        if lever.group == BUYING:
            found.append(f"without {lever.label[:1].lower()}{lever.label[1:]}")
        elif lever.kind is Kind.CHOICE:
            found.append(f"{value} is certain")
        else:
            found.append(f"{lever.label[:1].lower()}{lever.label[1:]} {lever.shown(value)}")
    return found


def warm_ups(levers: Sequence[Lever]) -> list[dict[str, Value]]:
    """List moves that a meeting is likely to ask, to be answered while nobody asks.

    Each lever that is not fine, then the rules that are, then the others: a step to either side, of a share that is
    blank a few values. Caps follow once it is known what is committed without them (`caps`), then far ones (`far_ups`).
    """
    found: list[dict[str, Value]] = []
    for lever in sorted(levers, key=_turn):
        if lever.kind is Kind.AMOUNT or lever.key == "set whole_units":  # it changes nothing for units of any size
            continue
        if lever.kind is Kind.SWITCH:
            found.append({lever.key: not lever.start})
        elif lever.kind is Kind.CHOICE:
            found += [{lever.key: name} for name in lever.choices]
        else:
            found += [{lever.key: value} for value in _close(lever)]
    return found


def far_ups(levers: Sequence[Lever]) -> list[dict[str, Value]]:
    """List moves all along each slider, so that an answer is near wherever it goes."""
    found: list[dict[str, Value]] = []
    for lever in sorted(levers, key=_turn):
        if lever.kind is Kind.SLIDER:
            ends = [end for end in (lever.high, lever.low) if end != lever.knob]
            values = [round(lever.knob + share * (end - lever.knob), 6) for share in ALONG for end in ends]
            found += [{lever.key: value} for value in values if value not in _close(lever)]
    return found


def _turn(lever: Lever) -> tuple[bool, bool, bool]:
    """Rules first, of these switches: they change most flows, so that they take longest where nothing is near."""
    return lever.fine, lever.group != RULES, lever.kind is not Kind.SWITCH


def _close(lever: Lever) -> Sequence[float]:
    """Return a value of a slider to either side, halfway to the end where that is nearer: a limit may bind there."""
    if lever.start is None:
        return BLANK_UPS
    start, reach = float(lever.start), 20.0 if lever.change else 30.0
    up = start + reach if start + reach <= lever.high else (start + lever.high) / 2
    down = start - reach if start - reach >= lever.low else (start + lever.low) / 2
    return [value for value in (up, down) if value != start]


def caps(levers: Sequence[Lever], reserved_usd: float) -> list[dict[str, Value]]:
    """List caps that are likely to be asked of a plan that commits so much inside the horizon without one."""
    key = "set max_commitment_usd"
    blank = any(lever.key == key and lever.start is None for lever in levers)
    return [{key: float(round(share * reserved_usd))} for share in CAPS] if blank and reserved_usd > 0 else []
