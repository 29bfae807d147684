"""What the rules cost, in sentences: each rule that decides something, and the one that decides the order."""

from planner.workbook.report import Report
from planner.workbook.text_tables import clean, joined, usd

_RULES = 6  # lines shown
_DECIDES = 0.5  # a share of what is signed


def rule_lines(report: Report) -> list[str]:
    """Say of each rule that decides something what it costs, the dearest first; a rule that rests on a default."""
    if report.rules is None:
        return []
    if report.rules.skipped:
        return [report.rules.skipped]
    lines = []
    for rule in report.rules.deciding[:_RULES]:
        less = f", {usd(abs(rule.less_to_sign_usd))} {'less' if rule.less_to_sign_usd > 0 else 'more'} to sign"
        default = f" ({rule.unmeasured} is the default: nobody has measured or set it)" if rule.unmeasured else ""
        name = rule.rule[:1].upper() + rule.rule[1:]
        lines.append(f"{clean(name, 120)}: {usd(rule.saves_usd)} less{less}{default}.")
    if not lines:
        return ["None of the rules that were tried costs anything: without any of them the plan would cost the same."]
    if report.plan.risk is not None:
        lines.append("Costs here are weighed with the worst tail: they are what was minimised.")
    if report.rules.any_size:
        own = f"{usd(report.rules.total_usd)}, {usd(report.rules.to_sign_usd)} to sign"
        lines.append(f"Against the cheapest plan for units of any size ({own}); in whole units: solve --rules-cost.")
    return lines


def deciding_rule(report: Report) -> list[str]:
    """Warn where one rule, or a default that nobody has measured, decides most of what is signed."""
    if report.rules is None or report.rules.to_sign_usd <= 0:
        return []
    signed = report.rules.to_sign_usd
    found = [r for r in report.rules.deciding if r.less_to_sign_usd > _DECIDES * signed]
    if not found:
        return []
    first = max(found, key=lambda r: (bool(r.unmeasured), round(r.less_to_sign_usd), r.rule.startswith("without")))
    also = [clean(r.rule, 120) for r in found if r is not first]
    lines = [
        f"One rule decides this order: {clean(first.rule, 120)}, {usd(first.less_to_sign_usd)} of the {usd(signed)} "
        f"{'(for units of any size) ' if report.rules.any_size else ''}would not be signed"
        f"{f'. As much hangs on: {joined(also)}' if also else ''}."
    ]
    if first.unmeasured:
        lines.append(f"It rests on {first.unmeasured}, a default that nobody has set: measure it before you sign.")
    return [" ".join(lines)]
