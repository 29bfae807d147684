"""Forecasts of a history against what came: every series and their total, from many origins, unseen weeks each time.

    python benchmarks/forecast.py history                # 4 weeks ahead
    python benchmarks/forecast.py history --ahead 13

Prints, for each series, the mean WAPE of the chosen model and of seasonal-naive, the share of the forecasts that did
at least as well as seasonal-naive, and how many of the hours lay at or below the 90th percentile (90 % asked).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from planner.demand.forecast.accuracy import coverage, wape
from planner.demand.forecast.candidates import CANDIDATE, seasonal_naive, to_weeks
from planner.demand.forecast.choice import choose
from planner.demand.forecast.spread import hour_ratios
from planner.demand.history import load_history
from planner.demand.series import hourly_series
from planner.units import HOURS_PER_WEEK

FIRST_WEEKS, EVERY_WEEKS = 4, 8


def trial(values: np.ndarray, known_weeks: int, ahead: int) -> dict[str, float]:
    """Forecast ``ahead`` weeks from the first ``known_weeks``, and measure."""
    weeks = values[: len(values) // HOURS_PER_WEEK * HOURS_PER_WEEK].reshape(-1, HOURS_PER_WEEK)
    past, actual = weeks[:known_weeks], weeks[known_weeks : known_weeks + ahead]
    choice = choose(past.ravel(), np.ones(past.size), ahead)
    guess = CANDIDATE[choice.model].predict(to_weeks(past.ravel()), ahead)
    upper = guess * hour_ratios(choice.spread, 0.9, ahead)[:, None]
    return {
        "wape": wape(actual, guess),
        "seasonal_naive": wape(actual, seasonal_naive(past, ahead)),
        "p90_covers": coverage(actual, upper),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("history", type=Path)
    parser.add_argument("--ahead", type=int, default=4, help="weeks ahead (default: 4)")
    arguments = parser.parse_args()
    requests = hourly_series(load_history(arguments.history)).requests
    series = {" ".join(column): requests[column].to_numpy() for column in requests.columns}
    series["all"] = requests.sum(axis=1).to_numpy()
    rows = [
        {"series": name, **trial(values, known, arguments.ahead)}
        for name, values in series.items()
        for known in range(FIRST_WEEKS, len(values) // HOURS_PER_WEEK - arguments.ahead + 1, EVERY_WEEKS)
    ]
    table = pd.DataFrame(rows)
    table["as_good"] = table["wape"] <= table["seasonal_naive"] + 1e-9
    means = pd.concat([table.groupby("series").mean(), table.drop(columns="series").mean().to_frame("mean").T])
    print(f"{len(table)} forecasts, {arguments.ahead} weeks ahead")
    print("| series | WAPE | seasonal-naive | as good or better | p90 covers |\n| --- | ---: | ---: | ---: | ---: |")
    for name, row in means.iterrows():
        cells = [row["wape"], row["seasonal_naive"], row["as_good"], row["p90_covers"]]
        print(f"| {name} | " + " | ".join(f"{100 * cell:.1f} %" for cell in cells) + " |")


if __name__ == "__main__":
    main()
