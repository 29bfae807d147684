"""The two sentences of the decision as formulas, so that they follow edited units."""

from decimal import ROUND_HALF_UP, Decimal

from planner.workbook import story
from planner.workbook.book import Block, Live
from planner.workbook.report import Report
from planner.workbook.sheets.purchase_order import AS_PLANNED, EDITED


def what_to_sign(report: Report, order: Block | None) -> str | Live:
    """How many commitments, and what they are worth over their terms."""
    if order is None:
        return story.decision(report)[0]
    bought = f"SUMPRODUCT(--({order.range('units')}>0))"
    end = f" over their terms{story.by_the_hour(report)}, and leave the rest of the usage to on demand."
    formula = (
        f'="Sign "&{bought}&" commitment"&IF({bought}=1,"","s")&" worth $"&FIXED({order.total("term_usd")},0)&"{end}"'
    )
    count, worth = len(report.lines), fixed(sum(n.term_usd for n in report.lines))
    return Live(formula, f"Sign {count} commitment{'s' * (count != 1)} worth ${worth}{end}")


def what_it_costs(report: Report, total: str, alternative: str) -> str | Live:
    """Cost of the plan (cell `total`) against what the saving is against (cell `alternative`)."""
    usd, base = report.plan.totals.total_usd, story.compared_with(report)
    if base is None:
        return story.decision(report)[1]
    start = "The plan costs $"
    share = f"1-{total}/{alternative}"
    note = base.note.replace('"', '""')
    formula = (
        f'="{start}"&FIXED({total},0)&" for {report.horizon}, "&IF(ABS({share})<{story.SAME},"as much as",'
        f'FIXED(100*ABS({share}),1)&" % "&IF({total}<={alternative},"less","more")&" than")&'
        f'" {base.name} ($"&FIXED({alternative},0)&"{note})."'
    )
    saved = 1 - usd / base.usd
    words = f"{fixed(100 * abs(saved), 1)} % {'less' if saved > 0 else 'more'} than"
    words = words if abs(saved) >= story.SAME else "as much as"
    told = f"{start}{fixed(usd)} for {report.horizon}, {words} {base.name} (${fixed(base.usd)}{base.note})."
    return Live(formula, told)


def as_planned(order: Block) -> Live:
    """Say whether the units are still those of the plan."""
    changed = f"SUMPRODUCT(ABS({order.range('units')}-{order.range('planned')}))>0.000001"
    return Live(f'=IF({changed},"{EDITED}","{AS_PLANNED}")', AS_PLANNED)


def fixed(value: float, digits: int = 0) -> str:
    """Return what FIXED shows: halves go away from zero."""
    step = Decimal(1).scaleb(-digits)
    return f"{Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP):,}"
