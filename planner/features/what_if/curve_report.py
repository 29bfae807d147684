"""Trade-off curves on the terminal: what a step costs between breakpoints, where no plan is, the dots."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from planner.features.what_if.curve import SAME_STEP_USD, Curve, Shape, Stretch, step_in_words, stretches_of
from planner.workbook.text_tables import TextTable, amount, clean, percent, usd

if TYPE_CHECKING:
    from rich.console import Console

MOST = 10  # stretches on the terminal
_WHY, _MOVED = 600, 2


def print_curve(console: Console, curve: Curve) -> None:
    """Print a curve: its stretches, what a step costs now, where there is no plan, and plans in whole units."""
    parameter = curve.parameter
    console.print(f"\n{title(curve)}", style="bold", soft_wrap=True)
    shown = stretches_of(curve, MOST)
    if shown:
        _table(curve, shown).print(console)
    for line in sentences(curve):
        console.print(f"- {line}", soft_wrap=True)
    left = len(stretches_of(curve)) - len(shown)
    if left:
        console.print(f"- {left} more breakpoints are in study_curves.csv (-o DIR) and with --json", soft_wrap=True)
    if curve.dots:
        table = TextTable(("In whole units", "cost", "above the\ncurve", ""))
        for dot in curve.dots:
            cheapest = curve.usd(dot.value)
            above = None if cheapest is None else dot.usd - cheapest
            table.add(parameter.show(dot.value), usd(dot.usd), "" if above is None else usd(above),
                      "" if above is None else percent(above / dot.usd if dot.usd else 0.0, 2))  # fmt: skip
        console.print()
        table.print(console)


def title(curve: Curve) -> str:
    """Return what a curve is of, from where to where."""
    p = curve.parameter
    what = "weighed cost" if curve.weighed else "cost"
    besides = f", with {clean(curve.change, 100)}" if curve.change else ""
    return (
        f"{clean(p.name, 60)[:1].upper()}{clean(p.name, 60)[1:]} from {p.show(p.first)} to {p.show(p.last)}{besides}: "
        f"{what} of the cheapest plan, units of any size"
    )


def _table(curve: Curve, shown: list[Stretch]) -> TextTable:
    risky = any(s.tail_usd is not None for s in shown)
    step = curve.parameter.one_more
    heads = ("From", "to", "cost", "to", f"{step},\nUSD a month", *(("expected\ncost", "dearest\nscenarios") if risky
             else ("units that move", )))  # fmt: skip
    table = TextTable(heads, words=() if risky else (5,))
    for s in shown:
        tail = (usd(s.expected_usd or 0.0), usd(s.tail_usd)) if s.tail_usd is not None else ("",) * 2
        table.add(curve.parameter.show(s.first.value), curve.parameter.show(s.last.value), usd(s.first.usd),
                  usd(s.last.usd), slope_in_figures(s), *(tail if risky else (moved_in_words(s),)))  # fmt: skip
    return table


def slope_in_figures(s: Stretch) -> str:
    """Return what one step costs a month on a stretch: a figure, or two where it changes."""
    a, b = s.slope_usd
    if max(abs(a), abs(b)) < SAME_STEP_USD:
        return "nothing"
    return usd(a) if usd(a) == usd(b) else f"{usd(a)} to {usd(b)}"


def moved_in_words(s: Stretch, most: int = _MOVED) -> str:
    """Say which purchases move most on a stretch."""
    order = sorted(s.moved.items(), key=lambda item: (-abs(item[1]), item[0]))
    parts = [f"{'+' if n > 0 else '-'}{amount(abs(n))} {clean(offer, 40)} {period}" for (offer, period), n in order]
    return ", ".join(parts[:most]) + (f" and {len(parts) - most} more" if len(parts) > most else "")


def sentences(curve: Curve) -> list[str]:
    """Say what a curve means: a step from where the folder stands, ranges without a plan, how exact it is."""
    p, found = curve.parameter, []
    every = stretches_of(curve)
    if curve.now is not None and curve.now_slope_usd is not None:
        step = curve.now_slope_usd * p.step / curve.months
        found.append(f"At {p.show(curve.now)}, as it stands: {step_in_words(curve, (step, step), usd=usd)}.")
    for before, after in pairwise(every):
        if before.last.value == after.first.value and abs(before.last.usd - after.first.usd) > 0.005:
            jump = after.first.usd - before.last.usd
            found.append(f"At {p.show(after.first.value)} the cost jumps by {usd(jump)}.")
    for gap in curve.no_plan:
        found.append(f"No plan {_range(curve, gap.first, gap.last)}: {clean(first_reason(gap.why), _WHY)}")
    if curve.points:
        found.append(exactness(curve))
    return found


def _range(curve: Curve, first: float, last: float) -> str:
    p = curve.parameter
    low, high = first <= p.first, last >= p.last
    if low and high:
        return f"anywhere from {p.show(first)} to {p.show(last)}"
    return f"below {p.show(last)}" if low else f"above {p.show(first)}" if high else (
        f"between {p.show(first)} and {p.show(last)}")  # fmt: skip


def first_reason(why: str) -> str:
    """Return the first thing that cannot be met, of a text that lists them."""
    lines = [line.strip().lstrip("-• ") for line in why.splitlines() if line.strip()]
    heads = [line for line in lines if not line.endswith(":")]
    more = len(heads) - 1
    return (heads[0] if heads else why) + (f" (and {more} more)" if more > 0 else "")


def exactness(curve: Curve) -> str:
    """Say how exact a curve is between its points."""
    if curve.shape is Shape.SAMPLED:
        if curve.error_usd is None:
            return f"{len(curve.points)} exact points; nothing is claimed between them."
        way = "rise" if curve.parameter.rises else "fall"
        return (
            f"{len(curve.points)} exact points. Between two of them the cost can only {way}, by {usd(curve.error_usd)} "
            f"at most: here this number multiplies decisions, so that the curve has no straight pieces."
        )
    axis = "" if curve.shape is Shape.STRAIGHT else " in 1 / (1 - the share)"
    if not curve.error_usd:
        return f"Exact: straight{axis} between the breakpoints, and there are no others."
    return f"Straight{axis} between the breakpoints; those left out move the cost by {usd(curve.error_usd)} at most."
