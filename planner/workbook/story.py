"""The plan in sentences: decision, risks, proof, reasons. Summary, terminal and web page say the same."""

import math
from typing import Any

import pandas as pd

from planner.plan.metrics.tables import HORIZON
from planner.plan.orders import OrderLine
from planner.plan.plan import Status
from planner.plan.pool_months import OrderValue, PoolMonth
from planner.plan.rules_cost import Nothing
from planner.plan.why import LineRent
from planner.units import hour_label
from planner.workbook.report import Report, rows_of
from planner.workbook.text import amount, clean, joined, percent, usd

ALL_ON_DEMAND = 0  # position in metrics.strategies
SAME = 5e-4  # a share that shows as 0.0 %
_POOLS, _FEW_UNITS, _RULES, _DECIDES = 3, 1e-6, 6, 0.5
_BARELY = 0.10  # over break-even, as a share of it
_NONE = 5e-6  # a gap that shows as 0.000 %
_TRIFLE = 0.01  # a share of the rent that a reason does not mention


def banner(report: Report) -> list[str]:
    """Say that the plan must not be signed, and which rules it breaks, a sentence each; empty: it keeps every rule."""
    broken = report.metrics.broken
    if not broken:
        return []
    count = len(broken)
    rules = "a rule" if count == 1 else f"{count} rules"
    return [f"Not to be signed: this order breaks {rules}.", *(clean(f"{rule}.", 600) for rule in broken)]


def beyond_commitments(report: Report) -> list[str]:
    """Name the units that are bought by the hour, pool by pool; empty: there are none."""
    by_pool: dict[str, list[PoolMonth]] = {}
    for month in report.months:
        if month.unreserved_units > _FEW_UNITS:
            by_pool.setdefault(month.pool, []).append(month)
    if not by_pool:
        return []
    ranked = sorted(by_pool.items(), key=lambda item: -sum(m.unreserved_usd for m in item[1]))
    parts = []
    for pool, months in ranked[:_POOLS]:
        most = amount(max(m.unreserved_units for m in months))
        paid = usd(sum(m.unreserved_usd for m in months))
        many = f" in {len(months)} months" if len(months) > 1 else f" in {months[0].period}"
        parts.append(f"{'up to ' if len(months) > 1 else ''}{most} units of {clean(pool, 60)}{many} ({paid})")
    rest = f", and {len(ranked) - _POOLS} more pools" if len(ranked) > _POOLS else ""
    total = usd(sum(m.unreserved_usd for months in by_pool.values() for m in months))
    return [f"Beyond commitments, units bought by the hour cost {total}: {', '.join(parts)}{rest}."]


def decision(report: Report) -> tuple[str, str]:
    """Two sentences: what to commit to, and what that costs against all on demand."""
    lines, totals = report.lines, report.plan.totals
    if lines:
        count = f"{len(lines)} commitment{'s' if len(lines) != 1 else ''}"
        signed = usd(sum(n.term_usd for n in lines))
        first = f"Sign {count} worth {signed} over their terms, and leave the rest of the usage to on demand."
    else:
        first = "Sign nothing new: on demand and today's commitments serve this usage at the lowest cost."
    second = f"The plan costs {usd(totals.total_usd)} for {report.horizon}"
    alternative = all_on_demand_usd(report)
    if report.rules is not None and report.rules.nothing.total_usd:
        return first, f"{second}, {against_nothing(report, report.rules.nothing)}."
    if alternative > 0:
        share = 1 - totals.total_usd / alternative
        words = f"{percent(abs(share))} {'less' if share > 0 else 'more'} than" if abs(share) >= SAME else "as much as"
        second += f", {words} all on demand ({usd(alternative)}{unless_possible(report)})"
    return first, second + "."


def against_nothing(report: Report, nothing: Nothing) -> str:
    """Compare the plan with signing nothing today, in words."""
    alternative, total = nothing.total_usd or 0.0, report.plan.totals.total_usd
    share = 1 - total / alternative
    words = f"{percent(abs(share))} {'less' if share > 0 else 'more'} than" if abs(share) >= SAME else "as much as"
    broken = f", which breaks {joined(list(nothing.broken))}" if nothing.broken else ", which keeps every rule too"
    return f"{words} signing nothing today ({usd(alternative)}{broken})"


def rule_lines(report: Report) -> list[str]:
    """Say of each rule that decides something what it costs, the dearest first; a rule that rests on a default."""
    if report.rules is None:
        return []
    lines = []
    for rule in report.rules.deciding[:_RULES]:
        less = f", {usd(abs(rule.less_to_sign_usd))} {'less' if rule.less_to_sign_usd > 0 else 'more'} to sign"
        default = f" ({rule.unmeasured} is the default: nobody has measured or set it)" if rule.unmeasured else ""
        name = rule.rule[:1].upper() + rule.rule[1:]
        lines.append(f"{clean(name, 120)}: {usd(rule.saves_usd)} less{less}{default}.")
    return lines or ["No rule costs anything: without any of them the plan would be the same."]


def deciding_rule(report: Report) -> list[str]:
    """Warn where one rule decides most of what is signed."""
    signed = sum(line.term_usd for line in report.lines)
    if report.rules is None or signed <= 0:
        return []
    return [
        f"One rule decides this order: {clean(r.rule, 120)}, {usd(r.less_to_sign_usd)} of the {usd(signed)} would not "
        f"be signed{f'. It rests on {r.unmeasured}, a default that nobody has set' if r.unmeasured else ''}."
        for r in sorted(report.rules.deciding, key=lambda r: -r.less_to_sign_usd)[:2]
        if r.less_to_sign_usd > _DECIDES * signed
    ]


def dated(report: Report) -> str:
    """Which plan this is: its months, its input, and the date of its figures."""
    digest = report.plan.input_digest[:12]
    return f"Reservation plan for {report.horizon} · input {digest} · figures as of {report.dated}"


def all_on_demand_usd(report: Report) -> float:
    """Cost of the same usage all on demand; NaN where that has no price."""
    return float(report.metrics.strategies["total_usd"].iloc[ALL_ON_DEMAND])


def unless_possible(report: Report) -> str:
    """Words to add where the plan is compared with all on demand, and quotas do not allow that."""
    return "" if bool(report.metrics.strategies["possible"].iloc[ALL_ON_DEMAND]) else ", which not every rule allows"


def proof(report: Report) -> list[str]:
    """How good the plan is, and how we know."""
    p, total = report.plan.proof, report.plan.totals.total_usd
    bound = usd(p.bound_usd, 2)
    if p.status == Status.GIVEN:
        given = "The units were given, not chosen; deployments and routing are the cheapest for them."
        proved = f"No plan that keeps every rule costs less than {bound}, which is proved in exact arithmetic."
        return [given, proved] if p.bound_usd > 0 else [given]
    if p.gap < _NONE:
        lines = [f"This is the cheapest plan: a bound of {bound} on any plan is proved in exact arithmetic."]
    else:
        proved = f"No plan for this input costs less than {bound}, which is proved in exact arithmetic"
        lines = [f"{proved}: this plan is within {percent(p.gap, 3)} of it."]
    if p.tree_bound_usd is not None and p.tree_gap is not None:
        gap, bound = percent(max(p.tree_gap, 0.0), 3), usd(p.tree_bound_usd, 2)
        lines.append(
            f"With whole units, the solver's search finds none below {bound}: within {gap} of {usd(total, 2)}."
        )
    lines.append("Cost and every rule were re-checked in plain arithmetic before this report was written.")
    return lines


def risks(report: Report) -> list[str]:
    """Worst stress margin, largest overflow, offers that barely pay, and what a buyer must read."""
    found = [_worst_margin(report), _overflow(report), _barely(report)]
    return [text for text in found if text] + [*deciding_rule(report), *report.metrics.cautions]


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
    what = "with the headroom asked for" if pd.isna(lost) else f"while {clean(lost, 60)} is lost"
    if margin < 0:
        return f"Stress: broken {what}: only {percent(1 + margin)} of the demand of {where} can be served."
    return f"Stress: demand can grow by {percent(margin)} at most {what}; {where} binds."


def _overflow(report: Report) -> str:
    frame = report.metrics.on_demand
    if frame.empty or float(frame["usd"].max()) <= 0:
        return ""
    row = rows_of(frame.sort_values("usd", ascending=False, kind="stable"))[0]
    where = f"{clean(row.model, 60)} in {clean(row.region, 60)}"
    spent = f"On demand: most is spent on {where}, {usd(float(row.usd))}"
    limited = frame[frame["peak_share_of_quota"].notna()]
    if limited.empty:
        return f"{spent}; no quota was given."
    full = rows_of(limited.sort_values("peak_share_of_quota", ascending=False, kind="stable"))[0]
    share, place = percent(float(full.peak_share_of_quota)), f"{clean(full.model, 60)} in {clean(full.region, 60)}"
    return f"{spent}. The quota nearest to its limit is that of {place}: its peak takes {share}."


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


def reason(value: OrderValue, rent: LineRent) -> str:
    """Say in a sentence why a line is bought."""
    used, even = value.utilisation or 0.0, value.break_even
    shown = percent(used, 0)
    stress = rent.stress_usd / rent.rent_usd if rent.rent_usd > 0 else 0.0
    if stress > _TRIFLE:
        case = clean(max(rent.stress_by_case, key=lambda name: rent.stress_by_case[name]), 60)
        hour = hour_label(int(rent.stress_by_hour.argmax()))
        if stress > 1 - _TRIFLE:
            return f"Needed for {case} ({hour} UTC)."
        return f"{percent(1 - stress, 0)} paid by use, {percent(stress, 0)} by {case} ({hour} UTC)."
    if even is not None and used >= even * (1 - _TRIFLE):
        return f"Cheaper than on demand: {shown} used, {percent(even, 0)} to break even."
    return f"Needed for a guaranteed share, a full quota or a stress case: {shown} used."


def kpis(report: Report) -> dict[str, float]:
    """Coverage, utilisation, vacancy and effective savings rate over the horizon (shares)."""
    frame = report.metrics.savings
    row: Any = frame[frame["period"] == HORIZON].iloc[0]
    return {name: float(row[name]) for name in ("coverage", "utilisation", "vacancy", "effective_savings_rate")}


def line_text(line: OrderLine) -> str:
    """Give a purchase in a few words."""
    months = line.offer.term_months
    return f"{amount(line.units)} units, {months} month{'s' if months != 1 else ''} from {line.start:%Y-%m-%d}"
