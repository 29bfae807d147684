"""Trade-off curves as files of a study: entries of study.json, study_curves.csv, and drawings."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from planner.features.what_if.curve import Curve, CurvePoint, Dot, NoPlan, Shape, stretches_of
from planner.features.what_if.curve_report import exactness, title
from planner.features.what_if.parameter import Parameter
from planner.workbook.text_tables import clean

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
