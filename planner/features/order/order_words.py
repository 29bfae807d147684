"""A priced order in sentences: what it costs beside the optimum, and why, before anything else."""

from dataclasses import fields

from planner.features.order.order import PricedOrder
from planner.plan.plan import Totals
from planner.workbook import story
from planner.workbook.report import TOTAL_NAMES, Report
from planner.workbook.text import percent, usd

_TRIFLE_USD = 0.5


def priced_in_words(priced: PricedOrder) -> list[str]:
    """Say what the order costs against the optimum, in which parts it differs, and what is bought by the hour."""
    ordered, best = priced.plan.totals, priced.best.totals
    more = ordered.total_usd - best.total_usd
    share = f" ({percent(abs(more) / best.total_usd)})" if best.total_usd > 0 else ""
    told = f"{usd(abs(more), 2)} {'more' if more >= 0 else 'less'}{share}"
    lines = [
        f"As ordered: {usd(ordered.total_usd, 2)}. The optimum at these prices: {usd(best.total_usd, 2)}. "
        f"The order costs {told}."
    ]
    changes = [
        (name, getattr(ordered, field.name) - getattr(best, field.name))
        for field in fields(Totals)
        if (name := TOTAL_NAMES.get(field.name)) is not None
    ]
    parts = [
        f"{name.lower()} {'+' if usd_more > 0 else '-'}{usd(abs(usd_more))}"
        for name, usd_more in sorted(changes, key=lambda part: -abs(part[1]))
        if abs(usd_more) >= _TRIFLE_USD
    ]
    if parts:
        lines.append(f"Against the optimum: {', '.join(parts)}.")
    lines += story.beyond_commitments(Report(priced.metrics))
    lines.append("The order keeps every rule." if not priced.broken else f"{story.banner(Report(priced.metrics))[0]}")
    return lines
