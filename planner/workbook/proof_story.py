"""How good the plan is, and how we know, in sentences: the proof, a search that was cut short, the provider's bill."""

from planner.plan.plan import Status
from planner.workbook.report import Report
from planner.workbook.text_tables import percent, usd

CENT = 0.01  # USD
_NONE = 5e-6  # a gap that shows as 0.000 %
_FAR = 0.01  # of the cost: a gap that is read before signing


def proof(report: Report) -> list[str]:
    """How good the plan is, and how we know: what a better plan could save, what part is whole units, the bill."""
    told, agrees = bill(report)
    return [*_proved(report), *([told] if told and agrees else [])]


def _proved(report: Report) -> list[str]:
    p, total = report.plan.proof, report.plan.judged_usd
    bound = usd(p.bound_usd, 2)
    if p.status == Status.GIVEN:
        given = "The units were given, not chosen; deployments and routing are the cheapest for them."
        proved = f"No plan that keeps every rule costs less than {bound}, which is proved in exact arithmetic."
        return [given, proved] if p.bound_usd > 0 else [given]
    left = total - p.bound_usd
    checked = "Cost and every rule were re-checked in plain arithmetic before this report was written."
    if p.gap < _NONE:
        return [f"This is the cheapest plan: a bound of {bound} on any plan is proved in exact arithmetic.", checked]
    proved = f"a bound of {bound} on any plan is proved in exact arithmetic"
    if p.tree_bound_usd is None or p.tree_gap is None:
        return [f"No plan can cost more than {usd(left)} ({percent(p.gap, 3)}) less: {proved}.", checked]
    better = max(total - p.tree_bound_usd, 0.0)
    rounding = left - better
    first = (
        f"A better plan could save {usd(better)} ({percent(max(p.tree_gap, 0.0), 3)}) at most, as the solver's search "
        "of whole units found."
        if better > CENT
        else "No plan in whole units is cheaper, as the solver's search found."
    )
    second = f"If units of any size were sold, {usd(left)} ({percent(p.gap, 3)}) at most: {proved}"
    second += f", and {usd(rounding)} of it is rounding to whole units." if rounding >= CENT else "."
    return [first, second, checked]


def far_from_bound(report: Report) -> bool:
    """Whether the plan costs more than 1 % above the bound, whose prices then say little of this plan."""
    return report.plan.proof.gap > _FAR


def cut_short(report: Report) -> list[str]:
    """Warn of a plan that is far from what is proved: a search that went on might have found a much cheaper one."""
    p, cost = report.plan.proof, report.plan.judged_usd
    proved = p.bound_usd if p.tree_bound_usd is None else max(p.bound_usd, p.tree_bound_usd)
    if p.status is not Status.GAP or cost - proved <= _FAR * abs(cost):
        return []
    return [
        f"The search ended before it was done: a plan that costs up to {usd(cost - proved)} "
        f"({percent((cost - proved) / abs(cost))}) less is not ruled out. Search longer before you sign."
    ]


def bill(report: Report) -> tuple[str, bool]:
    """Set the usage behind the forecast against the bill: a sentence (blank: no bill), and whether they agree."""
    check = None if report.forecast is None else report.forecast.bill
    if check is None:
        return "", True
    by = (
        f"{usd(check.usd_history, 2)} at list prices, {usd(check.usd_bill, 2)} billed, "
        f"{percent(check.difference_share)} apart"
    )
    if check.reconciles:
        return f"The usage behind this forecast reconciles to the provider's bill: {by}.", True
    return f"The usage behind this forecast does not reconcile to the provider's bill within 1 %: {by}.", False
