"""What changed since the last plan, line by line and by cause; in sentences, and as changes.json."""

import datetime as dt
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from planner.features.order.order import Broken
from planner.io.atomic import write_text
from planner.plan.files import rounded
from planner.plan.plan import Plan, Totals
from planner.schema.capacity import Offer
from planner.schema.case import Case, hours_between
from planner.units import counted, last_day
from planner.workbook.text_tables import amount, clean, usd

# key: what a reader sees, and which part of the input it is
CAUSE_NAMES: dict[str, tuple[str, str]] = {
    "volume": ("Demand: volume", "mean requests per hour of each origin and workload"),
    "shape": ("Demand: shape", "how that volume is spread over hours, months and scenarios; bursts"),
    "mix": ("Demand: mix", "shares of the models in each workload"),
    "cache_rate": ("Demand: cache rate", "shares of input read from and written to cache"),
    "token_lengths": ("Demand: token lengths", "tokens and bytes of a request"),
    "on_demand_prices": ("Prices: on demand", "on-demand tokens, also by the hour and month, and egress"),
    "offer_prices": ("Prices: offers", "committed units and units by the hour"),
    "offers": (
        "Offers",
        "what is for sale: offers, pools, throughput, on-demand options, quotas, routes, regions; spend commitments",
    ),
    "policy": (
        "Policy",
        "headroom, failover, guarantees, residency, workloads' deadlines, whole units, tail, budget, risk",
    ),
    "expiries": ("Expiries", "what earlier commitments still cost and serve"),
    "calendar": ("Calendar", "the months planned and their days"),
    "demand": ("Demand", "volume, shape, mix, cache rate and token lengths"),
    "prices": ("Prices", "of on demand and of offers"),
    "time": ("Expiries and calendar", "earlier commitments, the months planned and their days"),
    "plans": ("How the plans were made", "purchases kept, an edited order priced, a gap left open"),
}

NEW, MORE, FEWER, DROPPED, ENDING, UNCHANGED = "new", "more", "fewer", "dropped", "ending", "unchanged"


@dataclass(frozen=True)
class ChangeLine:
    """Units under one offer that start on one day, in the last plan and in this one.

    Units that run out before this plan's months and are bought again under the same offer on that day are one line:
    ``before_*`` is then what ran out, and ``renews`` says so. Dollars are inside each plan's own months.
    """

    offer: str
    pool: str
    region: str
    start: dt.date
    end: dt.date  # first day no longer in force
    owed: bool  # an earlier commitment of this plan (of the last, where this plan has none)
    renews: bool
    before_units: float
    after_units: float
    before_usd: float
    after_usd: float
    what: str  # one of the words above


@dataclass(frozen=True)
class Cause:
    """Dollars of the change that one cause (or several that cannot be separated) accounts for."""

    keys: tuple[str, ...]
    usd: float

    @property
    def name(self) -> str:
        """The name that a reader sees."""
        return " and ".join(CAUSE_NAMES[key][0] for key in self.keys)

    @property
    def meaning(self) -> str:
        """What of the input it is."""
        told = "; ".join(CAUSE_NAMES[key][1] for key in self.keys)
        return (
            f"cannot be separated, because no plan exists with one and without the other: {told}"
            if self.keys[1:]
            else told
        )


@dataclass(frozen=True)
class GoneLine:
    """A purchase of the last plan whose offer is no longer for sale."""

    offer: str
    period: str
    units: float

    def __str__(self) -> str:
        return f"{self.offer}: no longer for sale, {counted(self.units, 'unit', 'g')} from {self.period}"


@dataclass(frozen=True)
class NotTried:
    """What the last purchases break was not found in time."""

    def __str__(self) -> str:
        return "the time limit ran out before it was found which rules the last plan's purchases break"


@dataclass(frozen=True)
class Keeping:
    """The result of keeping the last plan's purchases.

    usd_per_unit : charge for each unit changed (inf: change only what must). lines : purchases that both plans could
    have. changed_units, free_changed_units : units changed in them, in this plan and in the one that is free to move.
    forgone_usd : what the free plan would cost less. broken : why the last plan's purchases do not hold (of inf only).
    """

    usd_per_unit: float
    lines: int
    changed_units: float
    free_changed_units: float
    forgone_usd: float
    broken: tuple[Broken | GoneLine | NotTried, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether this plan buys just what the last one did, wherever both could."""
        return self.changed_units <= 1e-6


@dataclass(frozen=True)
class Changes:
    """One plan against the last.

    causes : they add up to ``change_usd``; empty where they were not asked for. exact_to_usd : what the gaps that the
    plans may have leave open; each cause is exact up to that, their sum is exact.
    """

    previous_name: str
    previous_digest: str
    previous_horizon: tuple[str, str]  # first and last month
    before: Totals
    after: Totals
    lines: tuple[ChangeLine, ...]
    causes: tuple[Cause, ...]
    exact_to_usd: float
    solves: int
    kept: Keeping | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Name the change of cost and how many lines and causes there are."""
        return f"<Changes {self.change_usd:+,.2f} USD: {counted(len(self.lines), 'line')}, {len(self.causes)} causes>"

    @property
    def change_usd(self) -> float:
        """Cost of this plan less that of the last."""
        return self.after.total_usd - self.before.total_usd


def heading(changes: Changes) -> str:
    """Name the last plan."""
    first, last = changes.previous_horizon
    months = first if first == last else f"{first} to {last}"
    return f"Against {clean(changes.previous_name, 120)} ({months}, input {changes.previous_digest[:12]})"


def change(changes: Changes) -> str:
    """Say what both plans cost."""
    before, after, by = changes.before.total_usd, changes.after.total_usd, changes.change_usd
    told = f"The last plan costs {usd(before, 2)}, this one {usd(after, 2)}: "
    if round(by, 2) == 0:
        return told + "the same."
    share = f" ({abs(by) / before * 100:.1f} %)" if before > 0 else ""
    return f"{told}{usd(abs(by), 2)}{share} {'more' if by > 0 else 'less'}."


def what(line: ChangeLine) -> str:
    """Say what becomes of a line."""
    if line.what == ENDING:
        return f"runs through {last_day(line.end)}"
    if line.renews:
        return f"renewed, {line.what}"
    return f"owed, {line.what}" if line.owed else line.what


def exactness(changes: Changes) -> str:
    """Say how exact the causes are."""
    told = "The causes add up to the change exactly, whatever order they are taken in (Shapley value"
    told += f", {changes.solves} combinations of old and new)." if changes.solves else ")."
    if changes.exact_to_usd > 0:
        told += f" Each by itself is exact to {usd(changes.exact_to_usd, 2)}, the gap allowed for whole units."
    return told


def keeping(kept: Keeping) -> tuple[str, str]:
    """Say what keeping the last plan's purchases gave, and what the plan that is free to move would do."""
    changed, free = (counted(amount(units), "unit") for units in (kept.changed_units, kept.free_changed_units))
    if not math.isinf(kept.usd_per_unit):
        kept_is = f"Units change only where each saves {usd(kept.usd_per_unit, 2)} or more: {changed} change."
    elif kept.holds and not kept.broken:
        kept_is = "The last plan's purchases still keep every rule, so they are kept."
    else:
        kept_is = f"The last plan's purchases no longer keep every rule; {changed} had to change."
    less = f"{usd(kept.forgone_usd, 2)} less" if kept.forgone_usd >= 0.005 else "no less"
    return kept_is, f"Without --keep, the plan would change {free} and cost {less}."


def write_changes(changes: Changes, plan: Plan, path: Path) -> None:
    """Write changes.json; it belongs into the plan's directory, with the plan (`write_plan`, ``also``)."""
    told = rounded(document(changes, plan))
    write_text(path, json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def document(changes: Changes, plan: Plan) -> dict[str, Any]:
    """Lay out changes.json."""
    kept = changes.kept
    return {
        "name": plan.name,
        "input_digest": plan.input_digest,
        "previous": {
            "name": changes.previous_name,
            "input_digest": changes.previous_digest,
            "months": list(changes.previous_horizon),
        },
        "before_usd": changes.before.total_usd,
        "after_usd": changes.after.total_usd,
        "change_usd": changes.change_usd,
        "causes": [
            {"causes": list(c.keys), "name": c.name, "meaning": c.meaning, "usd": c.usd} for c in changes.causes
        ],
        "causes_exact_to_usd": changes.exact_to_usd,
        "lines": [asdict(line) | {"start": str(line.start), "end": str(line.end)} for line in changes.lines],
        "parts": {"before": asdict(changes.before), "after": asdict(changes.after)},
        "kept": None
        if kept is None
        else {
            "usd_per_unit": kept.usd_per_unit if math.isfinite(kept.usd_per_unit) else "inf",
            "lines": kept.lines,
            "changed_units": kept.changed_units,
            "free_changed_units": kept.free_changed_units,
            "forgone_usd": kept.forgone_usd,
            "holds": kept.holds,
            "broken": [str(what) for what in kept.broken],
        },
        "notes": list(changes.notes),
    }


SAME_UNITS = 1e-6

Key = tuple[str, dt.date, dt.date]  # offer, start, end


@dataclass(frozen=True)
class _Held:
    """Units of one contract under an offer; owed: bought before the plan. usd: inside the plan's months."""

    offer: Offer
    units: float = 0.0
    usd: float = 0.0
    owed: bool = False


def as_signed(offer: Offer) -> str:
    """Name of an offer that stands once more, closed, at the price of a commitment (as `planner accept` names it)."""
    return f"{offer.offer} at {offer.usd_per_unit_hour!r}"


def own_name(offer: Offer) -> str:
    """Name of the offer that a closed one at a signed price stands for."""
    return offer.offer.removesuffix(f" at {offer.usd_per_unit_hour!r}")


def change_lines(old: tuple[Case, Plan], new: tuple[Case, Plan]) -> tuple[ChangeLine, ...]:
    """Compare what two plans hold; before_usd and after_usd add up to each plan's reserved_usd and sunk_usd."""
    before, after = _contracts(*old), _contracts(*new)
    begins, ends = new[0].periods[0].start, new[0].periods[-1].end
    rest = {key: held for key, held in before.items() if key not in after}
    lines = []
    for key, held in after.items():
        offer, start, end = key
        was, renews = before.get(key), False
        if was is None and start == begins:
            spent = [k for k in rest if k[0] == offer and k[2] == start]
            parts = [rest.pop(k) for k in spent]
            renews = bool(parts)
            was = _Held(held.offer, sum(p.units for p in parts), sum(p.usd for p in parts)) if parts else None
        what = _what(None if was is None else was.units, held, end <= ends)
        lines.append(_line(new[0], key, was=was or _Held(held.offer), held=held, renews=renews, what=what))
    for key, held in rest.items():
        gone = ENDING if key[2] <= begins else DROPPED
        lines.append(_line(old[0], key, was=held, held=_Held(held.offer, owed=held.owed), renews=False, what=gone))
    return tuple(sorted(lines, key=lambda line: (line.start, line.region, line.offer, line.end)))


def _what(before: float | None, held: _Held, ends: bool) -> str:
    if before is None:
        return NEW
    if abs(held.units - before) <= SAME_UNITS:
        return ENDING if held.owed and ends else UNCHANGED
    return MORE if held.units > before else FEWER


def _contracts(case: Case, plan: Plan) -> dict[Key, _Held]:
    """Earlier commitments that are in force in some month of the plan, and its purchases."""
    offers = {o.offer: o for o in case.offers}
    start_of = {p.name: p.start for p in case.periods}
    found: dict[Key, _Held] = {}

    def add(offer: Offer, start: dt.date, end: dt.date, units: float, owed: bool) -> None:
        key = (own_name(offer), start, end)
        hours = sum(p.hours for p in case.periods if key[1] <= p.start and key[2] >= p.end)
        if not owed:  # it is paid for every day of its term
            hours = hours_between(start, min(end, case.periods[-1].end))
        if hours > 0 and units > 0:
            was = found.get(key, _Held(offer))
            usd = units * (offer.usd_per_unit_hour if owed else offer.usd_per_hour(start)) * hours
            found[key] = _Held(offer, was.units + units, was.usd + usd, was.owed or owed)

    for c in case.commitments:
        add(offers[c.offer], c.start, c.end, c.units, True)
    for name, period, units in plan.purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
        offer, start = offers[str(name)], start_of[str(period)]
        add(offer, start, offer.term_end(start), float(units), False)
    return found


def _line(case: Case, key: Key, *, was: _Held, held: _Held, renews: bool, what: str) -> ChangeLine:
    offer, start, end = key
    pool = held.offer.pool
    region = next(p.region for p in case.pools if p.pool == pool)
    return ChangeLine(
        offer, pool, region, start, end, held.owed, renews, was.units, held.units, was.usd, held.usd, what
    )
