"""Trade-off curves of a study: on the terminal, as entries of study.json, as study_curves.csv, and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner.features.what_if.curve import (
    SAME_STEP_USD,
    Curve,
    CurvePoint,
    Dot,
    NoPlan,
    Shape,
    Stretch,
    step_in_words,
    stretches_of,
)
from planner.features.what_if.parameter import Parameter
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


TABLE, DRAWINGS = "study_curves.csv", ("curves.png", "curves.svg")
COLUMNS = ("curve", "change", "kind", "value", "cost_usd", "bound_usd", "step_usd_per_month", "step", "expected_usd",
           "dearest_scenarios_usd")  # fmt: skip
BETWEEN = 8  # points drawn on a bent stretch, its ends apart


def document_of(curve: Curve) -> dict[str, Any]:
    """Return a curve as study.json holds it."""
    return {
        "key": curve.parameter.key,
        "first": curve.parameter.first,
        "last": curve.parameter.last,
        "values": list(curve.parameter.values),
        "change": curve.change,
        "shape": curve.shape.name.lower(),
        "convex": curve.convex,
        "points": [
            {"value": p.value, "usd": p.usd,
             "units": [{"offer": o, "period": t, "units": n} for (o, t), n in sorted(p.units.items())]}
            for p in curve.points
        ],
        "slopes_usd": [curve.slope_usd(k) if k in curve.stretches else None for k in range(len(curve.points) - 1)],
        "error_usd": curve.error_usd,
        "no_plan": [asdict(gap) for gap in curve.no_plan],
        "whole_units": [asdict(dot) for dot in curve.dots],
        "now": curve.now,
        "now_slope_usd": curve.now_slope_usd,
        "months": curve.months,
        "weighed": curve.weighed,
        "solves": curve.solves,
        "exactness": exactness(curve),
    }  # fmt: skip


def curve_from(item: dict[str, Any]) -> Curve:
    """Read a curve back from study.json."""
    return Curve(
        parameter=Parameter(str(item["key"]), float(item["first"]), float(item["last"]), tuple(item["values"])),
        change=str(item["change"]),
        shape=Shape[item["shape"].upper()],
        convex=bool(item["convex"]),
        points=tuple(
            CurvePoint(float(p["value"]), float(p["usd"]),
                       {(str(u["offer"]), str(u["period"])): float(u["units"]) for u in p["units"]})
            for p in item["points"]
        ),
        error_usd=item["error_usd"],
        no_plan=tuple(NoPlan(**gap) for gap in item["no_plan"]),
        dots=tuple(Dot(**dot) for dot in item["whole_units"]),
        now=item["now"],
        now_slope_usd=item["now_slope_usd"],
        months=float(item["months"]),
        weighed=bool(item["weighed"]),
        solves=int(item["solves"]),
    )  # fmt: skip


def curve_table(curves: Sequence[Curve]) -> pd.DataFrame:
    """One row a breakpoint and a plan in whole units: columns COLUMNS. The step is that of the stretch after it."""
    rows: list[dict[str, Any]] = []
    for curve in curves:
        same = {"curve": curve.parameter.key, "change": curve.change, "step": curve.parameter.one_more}
        after = {id(s.first): s for s in stretches_of(curve)}
        for p in curve.points:
            s = after.get(id(p))
            rows.append(same | {"kind": "any size", "value": p.value, "cost_usd": p.usd,
                                "step_usd_per_month": None if s is None else s.slope_usd[0],
                                "expected_usd": None if s is None else s.expected_usd,
                                "dearest_scenarios_usd": None if s is None else s.tail_usd})  # fmt: skip
        rows += [same | {"kind": "whole units", "value": d.value, "cost_usd": d.usd, "bound_usd": d.bound_usd}
                 for d in curve.dots]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def drawn(curve: Curve) -> list[list[tuple[float, float]]]:
    """List the values and costs to draw lines through, each piece by itself; bent stretches with points between."""
    pieces: list[list[tuple[float, float]]] = []
    for k in curve.stretches:
        a, b = curve.points[k], curve.points[k + 1]
        if not pieces or pieces[-1][-1] != (a.value, a.usd):
            pieces.append([(a.value, a.usd)])
        if curve.shape is Shape.CURVED:
            for n in range(1, BETWEEN + 1):
                share = n / (BETWEEN + 1)
                place = curve.place(a.value) + share * (curve.place(b.value) - curve.place(a.value))
                pieces[-1].append((1 - 1 / place, a.usd + share * (b.usd - a.usd)))
        pieces[-1].append((b.value, b.usd))
    return pieces


def _shown(parameter: Parameter) -> Callable[[float, float], str]:
    return lambda value, _: parameter.show(float(f"{value:.6g}"))


def draw_curves(curves: Sequence[Curve], folder: Path) -> None:
    """Draw every curve below the last, as PNG and SVG with the same bytes for the same curves."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ink, quiet, line, dot, none = "#1c2733", "#66727f", "#1f5fa8", "#c8590a", "#e3e6ea"
    style = {"font.family": "DejaVu Sans", "font.size": 9, "axes.edgecolor": quiet, "text.color": ink,
             "axes.labelcolor": ink, "xtick.color": quiet, "ytick.color": quiet, "axes.spines.top": False,
             "axes.spines.right": False, "svg.hashsalt": "planner", "svg.fonttype": "path"}  # fmt: skip
    with mpl.rc_context(style):
        chart = Figure(figsize=(8.0, 3.6 * len(curves)), layout="constrained")
        FigureCanvasAgg(chart)
        for number, curve in enumerate(curves, start=1):
            axes = chart.add_subplot(len(curves), 1, number)
            p = curve.parameter
            for k, piece in enumerate(drawn(curve)):
                axes.plot(*zip(*piece, strict=True), color=line, linewidth=1.6,
                          label="units of any size" if k == 0 else None)  # fmt: skip
            if curve.shape is Shape.SAMPLED:
                axes.plot([q.value for q in curve.points], [q.usd for q in curve.points], "|", color=line, markersize=6)
            if curve.dots:
                axes.plot([d.value for d in curve.dots], [d.usd for d in curve.dots], "o", color=dot, markersize=5,
                          clip_on=False, label="whole units")  # fmt: skip
            for k, gap in enumerate(curve.no_plan):
                axes.axvspan(gap.first, gap.last, color=none, hatch="///", linewidth=0,
                             label="no plan" if k == 0 else None)  # fmt: skip
            if curve.now is not None and p.first <= curve.now <= p.last:
                axes.axvline(curve.now, color=quiet, linewidth=0.8, linestyle="--", label="as it stands")
            axes.set_xlim(p.first, p.last)
            axes.xaxis.set_major_formatter(_shown(p))
            axes.yaxis.set_major_formatter(lambda value, _: f"${value:,.0f}")
            axes.set_title(clean(title(curve), 110), loc="left", fontsize=9)
            axes.grid(axis="y", color=none, linewidth=0.6)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(frameon=False, fontsize=8)
        png, svg = DRAWINGS
        chart.savefig(folder / png, dpi=144, metadata={"Software": None})
        chart.savefig(folder / svg, metadata={"Date": None, "Creator": None})
