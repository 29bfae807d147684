"""Forecasts of a history against what came: every series and their total, from many origins, unseen weeks each time.

    python benchmarks/forecast.py history                # 4 weeks ahead
    python benchmarks/forecast.py history --ahead 13

Prints, for each series of at least two weeks, the mean WAPE of the chosen model and of seasonal-naive, the share of the
forecasts that did at least as well as seasonal-naive, and how many of the hours lay at or below the 90th percentile
(90 % asked). A history that is too short for four weeks and what lies ahead of them is forecast once: its last weeks,
at most half of it, from those before.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from planner.features.demand.forecast.accuracy import coverage, wape
from planner.features.demand.forecast.candidates import CANDIDATE, seasonal_naive
from planner.features.demand.forecast.choice import choose
from planner.features.demand.forecast.forecast import total_of
from planner.features.demand.forecast.spread import hour_ratios
from planner.features.demand.history import load_history
from planner.features.demand.series import hourly_series
from planner.units import HOURS_PER_WEEK

FIRST_WEEKS, EVERY_WEEKS = 4, 8


def trial(weeks: np.ndarray, known_weeks: int, ahead: int) -> dict[str, float]:
    """Forecast ``ahead`` weeks from the first ``known_weeks``, and measure."""
    past, actual = weeks[:known_weeks], weeks[known_weeks : known_weeks + ahead]
    choice = choose(past.ravel(), np.ones(past.size), ahead)
    guess = CANDIDATE[choice.model].predict(past, ahead)
    upper = guess * hour_ratios(choice.spread, 0.9, ahead)[:, None]
    return {
        "wape": wape(actual, guess),
        "seasonal_naive": wape(actual, seasonal_naive(past, ahead)),
        "p90_covers": coverage(actual, upper),
    }


def known_span(values: np.ndarray) -> np.ndarray:
    """Return the hours from the first known one to the last."""
    known = np.flatnonzero(np.isfinite(values))
    return values[known[0] : known[-1] + 1] if len(known) else np.zeros(0)


def trials(values: np.ndarray, ahead: int) -> list[dict[str, float]]:
    """Forecast one series from every origin that it has room for."""
    hours = known_span(values)
    weeks = hours[: len(hours) // HOURS_PER_WEEK * HOURS_PER_WEEK].reshape(-1, HOURS_PER_WEEK)
    if len(weeks) < FIRST_WEEKS + ahead:
        last = min(ahead, len(weeks) // 2)
        return [trial(weeks, len(weeks) - last, last)] if last else []
    return [trial(weeks, known, ahead) for known in range(FIRST_WEEKS, len(weeks) - ahead + 1, EVERY_WEEKS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("history", type=Path)
    parser.add_argument("--ahead", type=int, default=4, help="weeks ahead (default: 4)")
    arguments = parser.parse_args()
    requests = hourly_series(load_history(arguments.history)).requests
    series = {" ".join(column): requests[column].to_numpy() for column in requests.columns}
    if len(series) > 1:
        series["all"] = total_of(requests).to_numpy()
    rows = [{"series": name, **row} for name, values in series.items() for row in trials(values, arguments.ahead)]
    if not rows:
        parser.error("no series of the history has two weeks: nothing can be held out")
    table = pd.DataFrame(rows)
    table["as_good"] = table["wape"] <= table["seasonal_naive"] + 1e-9
    means = pd.concat([table.groupby("series").mean(), table.drop(columns="series").mean().to_frame("mean").T])
    print(f"{len(table)} forecasts, up to {arguments.ahead} weeks ahead")
    print("| series | WAPE | seasonal-naive | as good or better | p90 covers |\n| --- | ---: | ---: | ---: | ---: |")
    for name, row in means.iterrows():
        cells = [row["wape"], row["seasonal_naive"], row["as_good"], row["p90_covers"]]
        print(f"| {name} | " + " | ".join(f"{100 * cell:.1f} %" for cell in cells) + " |")


if __name__ == "__main__":
    main()
