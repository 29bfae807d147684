"""The plan in sentences: decision, risks, proof, reasons. Summary, terminal and web page say the same."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planner.plan.audit.findings import STRESS, margin_digits, requests_of
from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.orders import OrderLine
from planner.plan.plan import Status
from planner.plan.pool_months import OrderValue
from planner.plan.warnings.prices import OLD, OLD_DAYS, UNCONFIRMED, price_doubts
from planner.plan.why import LineRent
from planner.units import counted, hour_label
from planner.workbook import proof_story, rules_story, scaled_story
from planner.workbook.proof_story import CENT
from planner.workbook.report import Report, rows_of
from planner.workbook.text_tables import clean, joined, percent, usd

SAME = 5e-4  # a share that shows as 0.0 %
_DECIDES = 0.5
_BARELY = 0.10  # over break-even, as a share of it
_TRIFLE = 0.01  # a share of the rent that a reason does not mention


def banner(report: Report) -> list[str]:
    """Say that the plan must not be signed, and which rules it breaks, a sentence each; empty: it keeps every rule."""
    broken = report.metrics.broken
    if not broken:
        return []
    count = len(broken)
    rules = "a rule" if count == 1 else f"{count} rules"
    said = [f"Not to be signed: this order breaks {rules}.", *(clean(f"{rule}.", 600) for rule in broken)]
    if report.least_break is not None and any(rule.rule == STRESS for rule in broken):
        said.append(
            "No other way to deploy these units breaks less in the worst hour."
            if report.least_break
            else "Another way to deploy these units may break less: not every way was looked at."
        )
    return said


def due_upfront(report: Report) -> str:
    """Say how much of what is signed is due on the first day, and when; blank where nothing is."""
    due: dict[dt.date, float] = {}
    for line in report.lines:
        if line.upfront_usd > 0:
            due[line.start] = due.get(line.start, 0.0) + line.upfront_usd
    if not due:
        return ""
    first = min(due)
    when = f"on {first}" if len(due) == 1 else f"from {first} on"
    return f" ({usd(sum(due.values()))} of it is due upfront, {when})"


def the_rest(report: Report) -> str:
    """Say what serves the rest of the usage, to end the decision's sentence; a full stop where nothing is on demand."""
    return ", and leave the rest of the usage to on demand." if report.case.on_demand else "."


def decision(report: Report) -> tuple[str, str]:
    """Two sentences: what to commit to, and what that costs against signing nothing today."""
    lines, totals = report.lines, report.plan.totals
    hourly = by_the_hour(report)
    if lines:
        count = f"{len(lines)} commitment{'s' if len(lines) != 1 else ''}"
        signed = usd(sum(n.term_usd for n in lines))
        hourly = due_upfront(report) + hourly
        terms = "their terms" if len(lines) != 1 else "its term"
        first = f"Sign {count} worth {signed} over {terms}{hourly}{the_rest(report)}"
    elif hourly:
        first = f"Sign nothing new{hourly}{the_rest(report)}"
    else:
        rest = f"{'on demand and ' if report.case.on_demand else ''}today's commitments"
        first = f"Sign nothing new, and leave the usage to {rest}."  # as ordered, or as far as a search went
        if report.plan.proof.status is Status.OPTIMAL:
            first = f"Sign nothing new: {rest} serve this usage at the lowest cost."
    if report.metrics.broken:
        first = f"This order would {first[:1].lower()}{first[1:]}"
    second = f"The plan costs {usd(totals.total_usd)} for {report.horizon}"
    base = compared_with(report)
    if base is not None:
        second += f", {less_or_more(totals.total_usd, base.usd)} {base.name} ({usd(base.usd)}{base.note})"
    return first, f"{second}.{without_signing(report)}"


def without_signing(report: Report) -> str:
    """Say, as a further sentence, that nothing new would not do; blank where that has a price or was not tried."""
    nothing = None if report.rules is None else report.rules.nothing
    if nothing is None or not nothing.tried or nothing.total_usd is not None:
        return ""
    return " Without signing anything new, this demand cannot be served."


def by_the_hour(report: Report) -> str:
    """Words of the decision for units bought, or run, by the hour; blank where there are none."""
    beyond, run = report.plan.totals.unreserved_usd, report.plan.totals.scaled_usd
    told = f", buy units by the hour for {usd(beyond)} beyond commitments" if beyond > _DECIDES else ""
    return f"{told}, run units by the hour for {usd(run)}" if run > _DECIDES else told


@dataclass(frozen=True)
class Base:
    """What the plan is compared with, the same everywhere: its name, its cost, and what must be added in words."""

    name: str
    usd: float
    note: str = ""


def compared_with(report: Report) -> Base | None:
    """Return what the saving is against: signing nothing today, where that was worked out, else all on demand."""
    first = ways(report)[0]
    if not (math.isfinite(first.total_usd) and first.total_usd > 0):
        return None
    if report.rules is not None and report.rules.nothing.total_usd:
        return Base("signing nothing today", first.total_usd, f", which {first.note}" if first.note else "")
    return Base("all on demand", first.total_usd, "" if first.possible else ", which not every rule allows")


@dataclass(frozen=True)
class Way:
    """A way to serve the same usage: parts of its cost in USD (NaN: it has no price), and what must be known of it.

    units_usd : what units cost, and what spend commitments fall short of.
    """

    name: str
    units_usd: float
    on_demand_usd: float
    egress_usd: float
    total_usd: float
    possible: bool
    note: str = ""


def ways(report: Report) -> list[Way]:
    """List what the plan is compared with, first what the saving is against, last the plan itself."""
    found = []
    nothing = None if report.rules is None else report.rules.nothing
    if nothing is not None and nothing.total_usd:
        note = f"breaks {joined(list(nothing.broken))}" if nothing.broken else ""
        found.append(Way("Signing nothing today", nothing.units_usd, nothing.on_demand_usd, nothing.egress_usd,
                         nothing.total_usd, not nothing.broken, note))  # fmt: skip
    for row in rows_of(report.metrics.strategies):
        name, units = str(row.strategy), float(row.capacity_usd) + float(row.sunk_usd) + float(row.shortfall_usd)
        units += float(row.scaled_usd)
        found.append(Way(name[:1].upper() + name[1:], units, float(row.on_demand_usd), float(row.egress_usd),
                         float(row.total_usd), bool(row.possible), str(row.note or "")))  # fmt: skip
    return found


NEXT_TO_NEVER = 100.0  # times its capacity: a figure of five digits and more of percent tells a reader nothing


def break_even_words(share: float) -> str:
    """Say where a unit breaks even, as a sentence ends: a share of its capacity, always, or never."""
    if not math.isfinite(share):
        return "never: tokens on demand cost nothing more"
    if share >= NEXT_TO_NEVER:
        return "never: tokens on demand cost next to nothing more"
    return "always: it costs nothing more" if share <= 0 else f"at {percent(share)}"


def less_or_more(total: float, base: float) -> str:
    """Compare two costs in words that go before the name of the second."""
    share = 1 - total / base
    return f"{percent(abs(share))} {'less' if share > 0 else 'more'} than" if abs(share) >= SAME else "as much as"


def from_one_saving_to_the_other(report: Report) -> str:
    """Lead from the saving to the effective savings rate, in dollars; blank where there is nothing to explain."""
    base, owed, total = compared_with(report), report.plan.totals.sunk_usd, report.plan.totals.total_usd
    row = _whole(report)
    usage, rate = float(row.on_demand_equivalent_usd), float(row.effective_savings_rate)
    if base is None or not usage > 0 or not math.isfinite(rate):
        return ""
    if abs(base.usd - usage) < _DECIDES:
        return ""
    first = ways(report)[0]
    more = first.units_usd - owed
    parts = (
        (first.on_demand_usd, "on demand"), (owed, "owed already"), (more, _beyond_what_is_owed(report)),
        (first.egress_usd, "of egress"),
    )  # fmt: skip
    told = " + ".join(f"{usd(part)} {what}" for part, what in parts if abs(part) >= CENT)
    return (
        f"Saving {usd(base.usd - total)} = {base.name} {usd(base.usd)} - the plan {usd(total)}. "
        f"{base.name[:1].upper()}{base.name[1:]} = {told}. The effective savings rate of {percent(rate)} sets the plan "
        f"against {usd(usage)}, what the tokens that it serves would cost at on-demand prices, as if nothing were owed "
        "and no rule asked for more."
    )


def _beyond_what_is_owed(report: Report) -> str:
    """Name what signing nothing pays for units and contracts besides what is owed."""
    case, totals = report.case, report.plan.totals
    hourly = any(
        p.usd_per_unreserved_unit_hour is not None or p.usd_per_scaled_unit_hour is not None for p in case.pools
    )
    short = bool(case.spend_commitments)
    if (
        report.plan.purchases.empty
        and report.rules is not None
        and _is(report.rules.nothing.total_usd, totals.total_usd)
    ):
        hourly, short = totals.unreserved_usd + totals.scaled_usd >= CENT, totals.shortfall_usd >= CENT
    parts = ["units by the hour"] if hourly or not short else []
    return f"for {' and '.join([*parts, *(['what spend commitments fall short of'] if short else [])])}"


def _is(amount: float | None, other: float) -> bool:
    return amount is not None and abs(amount - other) < CENT


def dated(report: Report) -> str:
    """Which plan this is: its months, its input, and the date of its figures."""
    digest = report.plan.input_digest[:12]
    return f"Reservation plan for {report.horizon} · input {digest} · figures as of {report.dated}"


def risks(report: Report) -> list[str]:
    """Worst stress margin, largest overflow, offers that barely pay, and what a buyer must read."""
    told, agrees = proof_story.bill(report)
    found = [
        "" if agrees else told,
        _worst_margin(report),
        _overflow(report),
        _barely(report),
        _doubtful_prices(report),
    ]
    return [*first_cautions(report), *(text for text in found if text), *report.metrics.cautions]


def first_cautions(report: Report) -> list[str]:
    """List what is read first before signing: the rule that decides, models that retire, units by the hour."""
    return [
        *proof_story.cut_short(report), *rules_story.deciding_rule(report), *report.retiring,
        *scaled_story.beyond_commitments(report),
    ]  # fmt: skip


def _worst_margin(report: Report) -> str:
    stress = report.metrics.stress
    if stress.empty:
        return ""
    row = rows_of(stress.sort_values("margin_share", kind="stable"))[0]  # NaN, a case without demand, is last
    margin = float(row.margin_share)
    if math.isnan(margin):
        return ""
    if math.isinf(margin):
        return "Stress: on demand without a quota serves every stress case; no margin can be given."
    where = f"{hour_label(row.hour_of_week)} UTC in {row.period}"
    lost = row.failed_region
    what = "with the headroom asked for" if pd.isna(lost) else f"while {clean(lost, 120)} is lost"
    if margin < 0:
        served = percent(1 + margin, margin_digits(margin))
        fewest = requests_of(float(row.unserved_rph), float(row.need_rph))
        return (
            f"Stress: broken {what}: with all demand cut alike, only {served} of that of {where} can be served; at "
            f"least {fewest} go unserved then, whichever they are."
        )
    return f"Stress: demand can grow by {percent(margin)} at most {what}; {where} binds."


def _overflow(report: Report) -> str:
    frame = report.metrics.on_demand
    if frame.empty or float(frame["usd"].max()) <= 0:
        return ""
    row = rows_of(frame.sort_values("usd", ascending=False, kind="stable"))[0]
    where = f"{clean(row.model, 120)} in {clean(row.region, 120)}"
    spent = f"On demand: most is spent on {where}, {usd(float(row.usd))}"
    limited = frame[frame["peak_share_of_quota"].notna()]
    if limited.empty:
        return f"{spent}; no quota was given."
    full = rows_of(limited.sort_values("peak_share_of_quota", ascending=False, kind="stable"))[0]
    share, place = percent(float(full.peak_share_of_quota)), f"{clean(full.model, 120)} in {clean(full.region, 120)}"
    return f"{spent}. The quota nearest to its limit is that of {place}: its peak takes {share}."


def _doubtful_prices(report: Report) -> str:
    """Say how many prices are old on the day the plan begins, or not confirmed."""
    doubts = price_doubts(report.case, report.case.settings.horizon.start)
    old = sum(d.rows for d in doubts if d.code == OLD)
    unconfirmed = sum(d.rows for d in doubts if d.code == UNCONFIRMED)
    parts = [f"{counted(unconfirmed, 'row is', many='rows are')} not confirmed by the seller"] if unconfirmed else []
    parts += (
        [
            f"{counted(old, 'row is', many='rows are')} more than {counted(OLD_DAYS, 'day')} old on "
            f"{report.case.settings.horizon.start}"
        ]
        if old
        else []
    )
    return f"Prices: {' and '.join(parts)} (planner check lists them)." if parts else ""


def _barely(report: Report) -> str:
    """Name purchases that use alone pays for, but only just."""
    found = sorted({v.line.offer.offer for v in report.values if _just_pays(v)})
    if not found:
        return ""
    verb = "pays" if len(found) == 1 else "pay"
    return f"Price: {joined(found)} barely {verb}: used less than {percent(_BARELY, 0)} above break-even."


def _just_pays(value: OrderValue) -> bool:
    if value.utilisation is None or value.break_even is None:
        return False
    return 0 <= value.utilisation - value.break_even < _BARELY * value.break_even


def reason(value: OrderValue, rent: LineRent, guaranteed: Sequence[str] = ()) -> str:
    """Say in a sentence why a line is bought; guaranteed: workloads of its pool whose guaranteed share has a price."""
    used, even = value.utilisation or 0.0, value.break_even
    shown = percent(used, 0)
    stress, spent = (part / rent.paid_usd if part > 0 else 0.0 for part in (rent.stress_usd, rent.spend_usd))
    cheaper = even is not None and used >= even * (1 - _TRIFLE)
    if spent > _TRIFLE and not (cheaper and stress <= _TRIFLE):
        return _paid_by_contract(rent, spent, stress)
    if stress > _TRIFLE:
        case = clean(max(rent.stress_by_case, key=lambda name: rent.stress_by_case[name]), 120)
        hour = hour_label(int(rent.stress_by_hour.argmax()))
        if stress > 1 - _TRIFLE:
            return f"Needed for {case} ({hour} UTC)."
        return f"{percent(1 - stress, 0)} paid by use, {percent(stress, 0)} by {case} ({hour} UTC)."
    if cheaper and even is not None:
        return f"Cheaper than on demand: {shown} used, {percent(even, 0)} to break even."
    if guaranteed:
        use = f": {shown} used" if value.priced else ""
        return f"Needed for the guaranteed share of {joined(list(guaranteed))}{use}."
    if not value.priced:
        return "Serves demand of which all or a part has no on-demand price to compare with."
    return f"Needed for a guaranteed share, a full quota, a stress case or another rule: {shown} used."


def _paid_by_contract(rent: LineRent, spent: float, stress: float) -> str:
    """Say how much of a line is paid by money that must be spent anyway, and what else pays for it."""
    names = [clean(c, 120) for c in sorted(rent.spend_by_contract, key=lambda c: -rent.spend_by_contract[c])]
    parts = [f"{percent(spent, 0)} paid by money that must be spent on {joined(names)} anyway"]
    if (use := 1 - spent - stress) > _TRIFLE:
        parts.append(f"{percent(use, 0)} by use")
    if stress > _TRIFLE:
        case = clean(max(rent.stress_by_case, key=lambda name: rent.stress_by_case[name]), 120)
        parts.append(f"{percent(stress, 0)} by {case} ({hour_label(int(rent.stress_by_hour.argmax()))} UTC)")
    return f"{', '.join(parts)}."


def _whole(report: Report) -> Any:
    """Figures of use and saving over the horizon."""
    frame = report.metrics.savings
    return frame[frame["period"] == HORIZON].iloc[0]


def kpis(report: Report) -> dict[str, float]:
    """Coverage, utilisation, vacancy and effective savings rate over the horizon (shares)."""
    row = _whole(report)
    return {name: float(row[name]) for name in ("coverage", "utilisation", "vacancy", "effective_savings_rate")}


DEFINITIONS = {
    "Cost of the plan": "Everything over the plan's months: units (new, earlier, by the hour), on demand and egress.",
    "Saving": "Cost of signing nothing today (what is owed stays owed, the rest on demand or by the hour) - cost of "
    "the plan; where that was not worked out, cost of the same usage all on demand - cost of the plan.",
    "Signed for": "Units x price x every hour of the whole term, of all new commitments.",
    "Coverage": "Demand served by reserved units / all demand, both at on-demand prices.",
    "Utilisation": "Demand served by reserved units / reserved capacity, weighted by what the units cost.",
    "Vacancy": "Idle share of reserved units that is kept for failover.",
    "Effective savings rate": "1 - cost of the plan / cost of the same usage at on-demand prices, with nothing owed.",
}  # of the figures on the first page


def largest(report: Report, most: int) -> tuple[list[OrderLine], list[OrderLine]]:
    """Return the order's lines of most worth, and the rest, both in the order of the purchase order."""
    ranked = sorted(range(len(report.lines)), key=lambda k: -report.lines[k].term_usd)
    first = set(ranked[:most])
    shown = [line for k, line in enumerate(report.lines) if k in first]
    return shown, [line for k, line in enumerate(report.lines) if k not in first]
