"""Charts of the page as ECharts options: plain data. Colours are those of every report (Okabe-Ito)."""

from collections.abc import Mapping, Sequence
from typing import Any

from planner.features.what_if.curve import Curve, Shape
from planner.features.what_if.explore.details import Strategy
from planner.features.what_if.explore.drawing import value_of
from planner.features.what_if.explore.levers import Kind
from planner.features.what_if.explore.meeting import CurveShown
from planner.features.what_if.explore.quick import ServedBy
from planner.units import HOURS_PER_DAY, WEEKDAYS
from planner.workbook.text_tables import usd
from planner.workbook.theme import BLUE, FONT, GREY, HEAT, HEAT_OVERFLOW, INK, MUTED, ORANGE, RULE, VERMILION

Options = dict[str, Any]
_DOLLARS = "v => (v < 0 ? '-$' : '$') + Math.abs(Math.round(v)).toLocaleString('en-US')"
_SHORT = (
    "v => (v < 0 ? '-$' : '$') + (Math.abs(v) >= 1e6 ? (Math.abs(v) / 1e6).toFixed(1) + 'M' : "
    "Math.abs(v) >= 1e4 ? Math.round(Math.abs(v) / 1e3) + 'k' : Math.abs(v).toLocaleString('en-US'))"
)
BETWEEN = 8  # points that draw a bent stretch of a curve
SERVED, OVERFLOW = "all requests", "on demand"


def _base(told: str) -> Options:
    return {
        "animationDuration": 200,
        "animationDurationUpdate": 200,
        "textStyle": {"fontFamily": f"{FONT}, Helvetica, sans-serif", "color": INK},
        "aria": {"enabled": True, "label": {"description": told}},
    }


def strategy_bars(ways: Sequence[Strategy]) -> Options:
    """Bars of what each way to serve the usage costs; the plan is last, at the bottom."""
    known = [way for way in ways if way.total_usd == way.total_usd]
    told = "; ".join(f"{w.name} {usd(w.total_usd)}{'' if w.possible else ' (not possible)'}" for w in known)
    bars = [
        {
            "value": round(way.total_usd, 2),
            "itemStyle": {"color": BLUE if way is known[-1] else GREY, "opacity": 1.0 if way.possible else 0.45},
        }
        for way in known
    ]
    return _base(f"Cost of each way to serve the same usage: {told}.") | {
        "grid": {"left": 8, "right": 76, "top": 4, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "value", "axisLabel": {"show": False}, "splitLine": {"lineStyle": {"color": RULE}}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [way.name + ("" if way.possible else " (not possible)") for way in known],
            "axisLabel": {"color": INK, "width": 150, "overflow": "break"},
            "axisTick": {"show": False},
        },
        "series": [
            {
                "type": "bar",
                "data": bars,
                "barMaxWidth": 22,
                "label": {"show": True, "position": "right", ":formatter": f"p => ({_DOLLARS})(p.value)", "color": INK},
            }
        ],
    }


def week_heat(weeks: Mapping[str, ServedBy], region: str | None, what: str) -> Options:
    """Heat map of the week: days down, hours across; of one region or of all (None).

    what : SERVED, all requests; OVERFLOW, those on demand.
    """
    chosen = [week for name, week in weeks.items() if region is None or name == region]
    hours = [0.0] * (HOURS_PER_DAY * len(WEEKDAYS))
    for week in chosen:
        own = week.on_demand_rph if what == OVERFLOW else week.total_rph
        hours = [a + b for a, b in zip(hours, own, strict=True)]
    cells = [[h % HOURS_PER_DAY, h // HOURS_PER_DAY, round(v, 1)] for h, v in enumerate(hours)]
    top = max(hours, default=0.0)
    busiest = max(range(len(hours)), key=lambda h: hours[h])
    where = "all regions" if region is None else region
    told = (
        f"Requests per hour, {what}, in {where}: at most {top:,.0f}, on {WEEKDAYS[busiest // HOURS_PER_DAY]} at "
        f"{busiest % HOURS_PER_DAY}:00 UTC."
    )
    light, middle, dark = HEAT_OVERFLOW if what == OVERFLOW else HEAT
    return _base(told) | {
        "grid": {"left": 40, "right": 8, "top": 8, "bottom": 56},
        "tooltip": {
            ":formatter": "p => p.data[1] + '' === '' ? '' : "
            f"{list(WEEKDAYS)!r}[p.data[1]] + ' ' + p.data[0] + ':00 UTC: ' + Math.round(p.data[2])"
            ".toLocaleString('en-US') + ' requests an hour'"
        },
        "xAxis": {"type": "category", "data": list(range(HOURS_PER_DAY)), "name": "", "axisTick": {"show": False}},
        "yAxis": {"type": "category", "data": list(WEEKDAYS), "inverse": True, "axisTick": {"show": False}},
        "visualMap": {
            "min": 0,
            "max": max(round(top, 1), 1.0),
            "orient": "horizontal",
            "text": [f"{top:,.0f} an hour", "0"],
            "left": "center",
            "bottom": 0,
            "itemHeight": 90,
            "itemWidth": 12,
            "inRange": {"color": [light, middle, dark, ORANGE if what == OVERFLOW else BLUE]},
        },
        "series": [{"type": "heatmap", "data": cells, "itemStyle": {"borderColor": "#fff", "borderWidth": 1}}],
    }


def trade_off(shown: CurveShown, here: object) -> Options:
    """Cost against the values of one lever, first as points, then exact, with whole units beside it.

    A gap where there is no plan, and a mark where the lever stands.
    """
    lever, curve = shown.lever, None if shown.drawn is None else shown.drawn.curve
    if curve is None:
        line = _sampled(shown)
        bends, dots = line, []
    else:
        line = [[value_of(lever, x), y] for x, y in _line(curve)]
        bends = [[value_of(lever, p.value), round(p.usd, 2)] for p in curve.points]
        dots = [[value_of(lever, dot.value), round(dot.usd, 2)] for dot in curve.dots]
    some = bends[:: max(1, len(bends) // 10)]
    told = "; ".join(f"{lever.shown(round(v, 6))} {usd(t)}" for v, t in some if v is not None and t is not None)
    unit = "USD" if lever.kind is Kind.AMOUNT else "%"
    gaps = [] if curve is None else [(value_of(lever, gap.first), value_of(lever, gap.last)) for gap in curve.no_plan]
    return _base(f"Cost against {lever.label}: {told or 'being worked out'}.") | {
        "legend": {"top": 0, "left": 0, "itemWidth": 16, "textStyle": {"color": INK}},
        "grid": {"left": 8, "right": 24, "top": 44, "bottom": 26, "containLabel": True},
        "tooltip": {"trigger": "axis", ":valueFormatter": _DOLLARS},
        "xAxis": {
            "type": "value",
            "min": shown.ends[0],
            "max": shown.ends[1],
            "name": f"{lever.label}, {unit}",
            "nameLocation": "middle",
            "nameGap": 28,
            "nameTextStyle": {"color": MUTED},
            "splitLine": {"show": False},
            "axisLabel": {"hideOverlap": True},
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": {":formatter": _SHORT},
            "splitLine": {"lineStyle": {"color": RULE}},
        },
        "series": [
            {
                "name": "Units of any size",
                "type": "line",
                "data": line,
                "showSymbol": curve is None,
                "symbol": "circle",
                "symbolSize": 8,
                "lineStyle": {"color": BLUE, "width": 2, "type": "dotted" if curve is None else "solid"},
                "itemStyle": {"color": BLUE},
                "markLine": {
                    "symbol": "none",
                    "silent": True,
                    "data": [{"xAxis": float(here)}] if isinstance(here, int | float) else [],
                    "lineStyle": {"color": ORANGE, "type": "dashed", "width": 2},
                    "label": {"formatter": "here", "color": INK},
                },
                "markArea": {
                    "silent": True,
                    "itemStyle": {"color": GREY, "opacity": 0.25},
                    "label": {"color": INK, "position": "inside"},
                    "data": [[{"xAxis": a, "name": "no plan"}, {"xAxis": b}] for a, b in gaps],
                },
            },
            *(
                [{"name": "Breakpoints", "type": "scatter", "data": bends, "symbol": "circle", "symbolSize": 5,
                  "itemStyle": {"color": BLUE}}] if curve is not None else []
            ),
            *(
                [{"name": "Whole units", "type": "scatter", "data": dots, "symbol": "diamond", "symbolSize": 13,
                  "itemStyle": {"color": VERMILION, "borderColor": INK, "borderWidth": 1}}] if dots else []
            ),
        ],
    }  # fmt: skip


def _sampled(shown: CurveShown) -> list[list[float | None]]:
    costs = shown.total_usd or ()
    return [[v, None if t is None else round(t, 2)] for v, t in zip(shown.values, costs)]


def _line(curve: Curve) -> list[tuple[float, float | None]]:
    """Points to draw an exact curve through; None between two that no plan joins."""
    found: list[tuple[float, float | None]] = []
    runs = set(curve.stretches)
    for k, point in enumerate(curve.points):
        found.append((point.value, round(point.usd, 2)))
        if k + 1 == len(curve.points):
            break
        following = curve.points[k + 1]
        if k in runs and curve.shape is Shape.CURVED:
            steps = max(2, min(BETWEEN, round(BETWEEN * 20 / len(curve.points))))
            for n in range(1, steps):
                value = point.value + (following.value - point.value) * n / steps
                found.append((value, round(curve.usd(value) or point.usd, 2)))
        elif k not in runs and following.value > point.value:
            found.append((point.value, None))
    return found
