"""What the rules cost, in sentences: each rule that decides something, and the one that decides the order."""

from planner.plan.rules_cost import RuleCost
from planner.workbook.report import Report
from planner.workbook.text_tables import clean, joined, usd

_RULES = 6  # lines shown
_DECIDES = 0.5  # a share of what is signed
_MUCH = 0.25  # a share of the cost
_TRIFLE_USD = 0.5


def rule_lines(report: Report) -> list[str]:
    """Say of each rule that decides something what it costs, the dearest first; a rule that rests on a default."""
    if report.rules is None:
        return []
    if report.rules.skipped:
        return [report.rules.skipped]
    lines = []
    for rule in report.rules.deciding[:_RULES]:
        default = f" ({unmeasured_words(rule.unmeasured)})" if rule.unmeasured else ""
        name = rule.rule[:1].upper() + rule.rule[1:]
        lines.append(f"{clean(name, 120)}: {usd(rule.saves_usd)} less{_to_sign(rule)}{default}.")
    if not lines:
        return ["None of the rules that were tried costs anything: without any of them the plan would cost the same."]
    if report.plan.risk is not None:
        lines.append("Costs here are weighed with the worst tail: they are what was minimised.")
    if report.rules.any_size:
        own = f"{usd(report.rules.total_usd)}, {usd(report.rules.to_sign_usd)} to sign"
        lines.append(f"Against the cheapest plan for units of any size ({own}); in whole units: solve --rules-cost.")
    return lines


def _to_sign(rule: RuleCost) -> str:
    less = rule.less_to_sign_usd
    if abs(less) < _TRIFLE_USD:
        return ", as much to sign"
    return f", {usd(abs(less))} {'less' if less > 0 else 'more'} to sign"


def unmeasured_words(key: str) -> str:
    """Say that a rule rests on a default that may be nobody's measurement."""
    return f"{key} has its default value: measure it before you sign, unless somebody has"


def deciding_rule(report: Report) -> list[str]:
    """Warn where one rule decides most of what is signed or much of the cost, and of a default that nobody measured."""
    rules = report.rules
    if rules is None:
        return []
    buys = not report.plan.purchases.empty  # units of any size may be bought where whole ones are not
    if found := [r for r in rules.deciding if buys and r.less_to_sign_usd > _DECIDES * r.signed_with_usd > 0]:
        first = max(found, key=lambda r: (bool(r.unmeasured), round(r.less_to_sign_usd), r.rule.startswith("without")))
        amount, whole, what = first.less_to_sign_usd, first.signed_with_usd, "would not be signed"
        decides = "this order"
    elif found := [r for r in rules.deciding if r.saves_usd > _MUCH * r.total_with_usd > 0]:
        first = max(found, key=lambda r: (round(r.saves_usd), r.rule.startswith("without")))
        amount, whole, what = first.saves_usd, first.total_with_usd, "would not be paid"
        decides = "what this plan costs"
    else:
        return []
    own = abs(first.signed_with_usd - rules.to_sign_usd) + abs(first.total_with_usd - rules.total_usd) > _TRIFLE_USD
    size = (
        "(for units of any size) " if rules.any_size and not own else ""
    )  # whole units are set beside the plan itself
    lines = [f"One rule decides {decides}: {clean(first.rule, 120)}, {usd(amount)} of the {usd(whole)} {size}{what}."]
    if also := [clean(r.rule, 120) for r in found if r is not first]:
        part = "leave more than half of it unsigned" if decides == "this order" else "save more than a quarter of it"
        lines.append(f"Each of these alone would also {part}: {joined(also)}.")
    lines += [f"{unmeasured_words(r.unmeasured)}." for r in found if r.unmeasured]
    return [" ".join(lines)]
