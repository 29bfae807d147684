"""The week on a terminal: a heat map of seven rows of twenty-four cells, and a curve."""

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from planner.features.demand.charts import thousands, week_grid
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK, WEEKDAYS

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
