"""A week as a heat map and a curve: on the terminal, and as PNG and SVG with the same bytes for the same input."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from planner.io.atomic import replace_file
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK, WEEKDAYS

INK, QUIET, ACCENT, BAND = "#1c2733", "#66727f", "#1f5fa8", "#bcd3ec"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "planner",
    "svg.fonttype": "path",
}


@contextmanager
def figure(width_inches: float, height_inches: float) -> Iterator[tuple[Any, Any]]:
    """Open one chart without a window, in the house's style."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        chart = Figure(figsize=(width_inches, height_inches), layout="constrained")
        FigureCanvasAgg(chart)
        yield chart, chart.add_subplot()


def save(chart: Any, folder: Path, name: str) -> list[str]:
    """Write PNG and SVG, without dates inside."""
    replace_file(folder / f"{name}.png", lambda path: chart.savefig(path, dpi=144, metadata={"Software": None}))
    replace_file(folder / f"{name}.svg", lambda path: chart.savefig(path, metadata={"Date": None, "Creator": None}))
    return [f"{name}.png", f"{name}.svg"]


def thousands(value: float) -> str:
    """Write a number as people read it in a chart: 950, 1.2 k, 3.4 M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def draw_heat_map(weeks: pd.DataFrame, title: str, folder: Path, name: str) -> list[str]:
    """Draw the mean by day and hour. ``weeks``: hour_of_week and mean; hours never seen stay white."""
    grid = week_grid(weeks)
    with figure(9.0, 3.0) as (chart, axes):
        image = axes.imshow(grid, aspect="auto", cmap="YlGnBu", vmin=0)
        axes.set_yticks(range(len(WEEKDAYS)), WEEKDAYS)
        axes.set_xticks(range(0, HOURS_PER_DAY, 3), [f"{hour:02d}" for hour in range(0, HOURS_PER_DAY, 3)])
        axes.set_xlabel("hour of the day, UTC")
        axes.set_title(title, loc="left", fontsize=10)
        for side in axes.spines.values():
            side.set_visible(False)
        bar = chart.colorbar(image, ax=axes, pad=0.01)
        bar.ax.yaxis.set_major_formatter(lambda value, _: thousands(value))
        bar.set_label("requests per hour")
        bar.outline.set_visible(False)
        return save(chart, folder, name)


def draw_curve(weeks: pd.DataFrame, title: str, folder: Path, name: str) -> list[str]:
    """Draw mean, and the band from median to 90th percentile and the largest, over the week."""
    table = weeks.set_index("hour_of_week").reindex(range(HOURS_PER_WEEK))
    with figure(9.0, 3.2) as (chart, axes):
        axes.fill_between(table.index, table["median"], table["p90"], color=BAND, linewidth=0, label="median to p90")
        axes.plot(table.index, table["max"], color=QUIET, linewidth=0.7, linestyle=":", label="largest")
        axes.plot(table.index, table["mean"], color=ACCENT, linewidth=1.4, label="mean")
        axes.set_xlim(0, HOURS_PER_WEEK - 1)
        axes.set_ylim(bottom=0)
        axes.set_xticks(range(0, HOURS_PER_WEEK, HOURS_PER_DAY), WEEKDAYS, ha="left")
        axes.set_xlabel("day of the week, from 00:00 UTC")
        axes.set_ylabel("requests per hour")
        axes.yaxis.set_major_formatter(lambda value, _: thousands(value))
        axes.set_title(title, loc="left", fontsize=10)
        axes.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1.0, 0.99), fontsize=8)
        return save(chart, folder, name)


def week_grid(weeks: pd.DataFrame, column: str = "mean") -> np.ndarray:
    """Return days x hours of a profile; NaN where an hour was never seen."""
    values = weeks.set_index("hour_of_week")[column].reindex(range(HOURS_PER_WEEK))
    return values.to_numpy(dtype=float).reshape(len(WEEKDAYS), HOURS_PER_DAY)


SHADES = (" ", "░", "▒", "▓", "█")
BLOCKS, CURVE_LINES = " ▁▂▃▄▅▆▇█", 5
HOURS_PER_COLUMN, NARROW_HOURS_PER_COLUMN, NARROW = 2, 3, 104  # below so many columns of the terminal, narrow
NEVER_SEEN = "· "
COLOURS = ("#eef3f8", "#c5d9ee", "#8fb7de", "#4f8cc6", "#1f5fa8")


def print_heat_map(weeks: pd.DataFrame, console: Console) -> None:
    """Print a heat map of the mean; shades alone tell it where there is no colour."""
    grid = week_grid(weeks)
    top = float(np.nanmax(grid)) if np.isfinite(grid).any() else 0.0
    ruler = "".join(f"{hour:<6d}" for hour in range(0, HOURS_PER_DAY, 3))
    console.print(f"     {ruler}UTC", highlight=False)
    for day, row in zip(WEEKDAYS, grid, strict=True):
        line = Text(f"{day}  ")
        for value in row:
            if not np.isfinite(value):
                line.append(NEVER_SEEN)
                continue
            step = 0 if top <= 0 else min(4, int(value / top * 5))
            line.append(SHADES[step] * 2, style=COLOURS[step])
        line.append(f"  {thousands(float(np.nanmean(row)))}/h" if np.isfinite(row).any() else "  -")
        console.print(line)
    unseen = "" if np.isfinite(grid).all() else f"; {NEVER_SEEN.strip()} hours never seen"
    console.print(f"     full shade: {thousands(top)} requests/h{unseen}", highlight=False)


def print_curve(weeks: pd.DataFrame, console: Console) -> None:
    """Print the week as columns of two or three hours: the mean, and up to the 90th percentile in a lighter shade."""
    each = NARROW_HOURS_PER_COLUMN if console.width < NARROW else HOURS_PER_COLUMN
    table = weeks.set_index("hour_of_week")[["mean", "p90"]].reindex(range(HOURS_PER_WEEK))
    columns = np.nan_to_num(table.to_numpy(dtype=float)).reshape(-1, each, 2).max(axis=1)
    top = float(columns.max())
    if top <= 0:
        return
    eighths = np.round(columns / top * CURVE_LINES * 8).astype(int)
    for line in reversed(range(CURVE_LINES)):
        filled = np.clip(eighths - line * 8, 0, 8)
        text = Text("     ")
        for mean, high in filled:
            is_high = mean == 0 and high > 0
            text.append("░" if is_high else BLOCKS[mean], style=COLOURS[2 if is_high else 4])
        text.append(f"  {thousands(top)}/h" if line == CURVE_LINES - 1 else "")
        console.print(text)
    console.print("     " + "".join(f"{day:<{HOURS_PER_DAY // each}}" for day in WEEKDAYS), highlight=False)
    console.print(f"     mean, of each {each} hours the busiest; ░ up to the 90th percentile", highlight=False)
