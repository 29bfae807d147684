"""Charts of a review as SVG: cost by month as planned and as it came, and what each verdict would have saved."""

from collections.abc import Mapping

from planner.features.review.tables import ACTUAL, DROP, EXPECTED, LOWER, RAISE, Review
from planner.workbook.svg import BarLook, Series, bars, columns
from planner.workbook.text import clean
from planner.workbook.theme import BLUE, GREEN, ORANGE, SKY, VERMILION

_COLOUR = {DROP: VERMILION, LOWER: ORANGE, RAISE: GREEN}


def charts(review: Review) -> Mapping[str, str]:
    """Every chart by file name, without its ending."""
    return {"months": _months(review), "verdicts": _verdicts(review)}


def _months(review: Review) -> str:
    rows = review.monthly[review.monthly["side"].isin([EXPECTED, ACTUAL])]
    labels = [f"{p} {'plan' if s == EXPECTED else 'actual'}" for p, s in zip(rows["period"], rows["side"], strict=True)]
    series = [
        Series(name, colour, tuple(rows[column].tolist()))
        for name, column, colour in (("Held", "capacity_usd", BLUE), ("On demand", "on_demand_usd", ORANGE),
                                     ("Egress", "egress_usd", SKY))
    ]  # fmt: skip
    return columns(labels, series, alt="Cost of each month, planned for the hours seen and actual", legend=True)


def _verdicts(review: Review) -> str:
    found = sorted((v for v in review.verdicts if v.verdict in _COLOUR), key=lambda v: (-v.saving_usd, v.number))
    rows = [(f"{v.verdict}: {clean(v.name, 60)}", v.saving_usd, _COLOUR[v.verdict]) for v in found]
    return bars(rows, alt="What other units of each commitment would have saved", width=900, look=BarLook(left=330))
