"""Charts of the page as ECharts options: plain data. Colours are those of every report (Okabe-Ito)."""

from collections.abc import Mapping, Sequence
from typing import Any

from planner.features.what_if.explore.details import Strategy
from planner.features.what_if.explore.levers import Lever
from planner.features.what_if.explore.quick import ServedBy
from planner.units import HOURS_PER_DAY, WEEKDAYS
from planner.workbook.text_tables import usd
from planner.workbook.theme import BLUE, FONT, GREY, HEAT, HEAT_OVERFLOW, INK, MUTED, ORANGE, RULE

Options = dict[str, Any]
_DOLLARS = "v => (v < 0 ? '-$' : '$') + Math.abs(Math.round(v)).toLocaleString('en-US')"
_SHORT = (
    "v => (v < 0 ? '-$' : '$') + (Math.abs(v) >= 1e6 ? (Math.abs(v) / 1e6).toFixed(1) + 'M' : "
    "Math.abs(v) >= 1e4 ? Math.round(Math.abs(v) / 1e3) + 'k' : Math.abs(v).toLocaleString('en-US'))"
)
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


def trade_off(lever: Lever, values: Sequence[float], total_usd: Sequence[float | None] | None, here: object) -> Options:
    """Cost against the values of one slider; a gap where there is no plan, and a mark where the slider stands."""
    points = [] if total_usd is None else [
        [v, None if t is None else round(t, 2)] for v, t in zip(values, total_usd, strict=True)
    ]  # fmt: skip
    known = [(v, t) for v, t in points if t is not None]
    told = f"Cost against {lever.label}: " + (
        "; ".join(f"{lever.shown(v)} {usd(t)}" for v, t in known) if known else "being worked out"
    )
    mark = [{"xAxis": float(here)}] if isinstance(here, int | float) else []
    return _base(f"{told}.") | {
        "grid": {"left": 8, "right": 24, "top": 24, "bottom": 26, "containLabel": True},
        "tooltip": {"trigger": "axis", ":valueFormatter": _DOLLARS},
        "xAxis": {
            "type": "value",
            "min": lever.low,
            "max": lever.high,
            "name": f"{lever.label}, %",
            "nameLocation": "middle",
            "nameGap": 28,
            "nameTextStyle": {"color": MUTED},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": {":formatter": _SHORT},
            "splitLine": {"lineStyle": {"color": RULE}},
        },
        "series": [
            {
                "name": "Cost for units of any size",
                "type": "line",
                "data": points,
                "lineStyle": {"color": BLUE, "width": 2},
                "itemStyle": {"color": BLUE},
                "symbolSize": 8,
                "markLine": {
                    "symbol": "none",
                    "silent": True,
                    "data": mark,
                    "lineStyle": {"color": ORANGE, "type": "dashed", "width": 2},
                    "label": {"formatter": "here", "color": INK},
                },
            }
        ],
    }
