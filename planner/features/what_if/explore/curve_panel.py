"""The trade-off curve on the page: the chart, what it says in words, and the same as a table."""

from nicegui import ui

from planner.features.what_if.curve import Curve, step_in_words, stretches_of
from planner.features.what_if.curve_report import sentences
from planner.features.what_if.explore.charts import trade_off
from planner.features.what_if.explore.drawing import number_of
from planner.features.what_if.explore.markup import bullets, paragraph, table
from planner.features.what_if.explore.meeting import CurveShown, Meeting
from planner.workbook.text_tables import usd

MOST_ROWS = 16  # stretches in the table; planner what-if writes every one


class CurvePanel:
    """The part of the page below the choice of what is varied."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._status = ui.html("", sanitize=False).props('role="status" aria-live="polite"')
        self._chart = ui.echart({}, renderer="svg").classes("chart curve")
        self._words = ui.html("", sanitize=False)
        self._expansion = ui.expansion("As a table").props("dense")
        with self._expansion:
            self._table = ui.html("", sanitize=False)
        self.show()

    def show(self) -> None:
        """Write again what is known of the curve."""
        shown = self._meeting.curve
        there = shown is not None and (shown.total_usd is not None or shown.drawn is not None)
        for element in (self._chart, self._words, self._expansion):
            element.set_visibility(there)
        self._status.set_content("" if shown is None else paragraph(_status(shown), "muted"))
        if shown is None or not there:
            return
        here = self._meeting.moved.get(shown.lever.key, shown.lever.start)
        self._chart.options.clear()
        self._chart.options.update(trade_off(shown, here))
        self._chart.update()
        curve = None if shown.drawn is None else shown.drawn.curve
        self._words.set_content("" if curve is None else bullets(_words(curve, shown, here)))
        self._table.set_content(_points(shown) if curve is None else _stretches(curve, shown.lever.label))


def _status(shown: CurveShown) -> str:
    drawn = shown.drawn
    if drawn is None:
        known, asked = len(shown.total_usd or ()), len(shown.values)
        some = f"{known} of {asked} points" if known < asked else "Some points"
        return f"{some}, exact; the curve between them is being worked out …" if known else "working …"
    if drawn.curve is None:
        return f"Points only. {drawn.problem}"
    if drawn.left:
        plans = "1 plan" if drawn.left == 1 else f"{drawn.left} plans"
        return f"The exact curve for units of any size. {plans} in whole units to follow …"
    beside = ", with plans in whole units beside it" if drawn.curve.dots else ""
    return f"The exact curve for units of any size{beside}."


def _words(curve: Curve, shown: CurveShown, here: object) -> list[str]:
    found = sentences(curve)
    if curve.weighed:
        found.append("The cost is weighed with that of the dearest scenarios.")
    if isinstance(here, int | float):
        value = number_of(shown.lever, float(here))
        for k in curve.stretches:
            if curve.points[k].value <= value < curve.points[k + 1].value:
                step = curve.slope_usd(k) * curve.parameter.step / curve.months
                found.insert(0, f"From here, {step_in_words(curve, (step, step), usd=usd)}.")
    return found


def _points(shown: CurveShown) -> str:
    rows = [
        (shown.lever.shown(v), "no plan" if t is None else usd(t))
        for v, t in zip(shown.values, shown.total_usd or (), strict=False)
    ]
    return table("Trade-off", (shown.lever.label, "Cost"), rows)


def _stretches(curve: Curve, label: str) -> str:
    show, stretches = curve.parameter.show, stretches_of(curve, MOST_ROWS)
    rows = [
        (show(s.first.value), show(s.last.value), usd(s.first.usd), usd(s.last.usd), _slope(s.slope_usd))
        for s in stretches
    ]
    heads = (f"{label}, from", "to", "Cost", "to", f"{curve.parameter.one_more}, USD a month")
    dots = [(show(dot.value), usd(dot.usd), usd(dot.bound_usd)) for dot in curve.dots]
    whole = table("Plans in whole units", (label, "In whole units", "No plan costs less than"), dots) if dots else ""
    return table("Trade-off", heads, rows) + whole


def _slope(usd_a_month: tuple[float, float]) -> str:
    first, last = (f"{value:+,.2f}" for value in usd_a_month)
    return first if first == last else f"{first} to {last}"
