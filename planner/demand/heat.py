"""The week on a terminal: seven rows of twenty-four cells."""

import numpy as np
import pandas as pd
from rich.console import Console
from rich.text import Text

from planner.demand.charts import thousands, week_grid
from planner.units import HOURS_PER_DAY, WEEKDAYS

SHADES = (" ", "░", "▒", "▓", "█")
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
            step = 0 if top <= 0 or not np.isfinite(value) else min(4, int(value / top * 5))
            line.append(SHADES[step] * 2, style=COLOURS[step])
        line.append(f"  {thousands(float(np.nanmean(row)))}/h" if np.isfinite(row).any() else "  -")
        console.print(line)
    console.print(f"     full shade: {thousands(top)} requests/h", highlight=False)
