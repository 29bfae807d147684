"""Forecast and buying rule against the simple ones, on a development set and on a test set that nothing was tuned on.

    python -m benchmarks.forecast                        # both sets (benchmarks/forecast_series.py)
    python -m benchmarks.forecast history --ahead 13     # a history of your own
    python -m benchmarks.forecast --rules                # the buying rules alone
    python -m benchmarks.forecast --library --origins 2  # against AutoETS and AutoARIMA (pip install statsforecast)

For each set: WAPE over seasonal-naive's, 4 and 13 weeks ahead (mean over series, each the ratio of its means over the
origins); the first month after a level has halved or doubled; under a week known; the share of hours at or below p90
(90 % asked); the savings that a plan of 13 weeks tells, over those that come; and each buying rule's share of what the
clairvoyant plan saves (52-week terms, 30 % discount).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast_series import development_set, unseen_set
from planner.features.demand.backtest.rules import (
    FIFTY_TWO_WEEKS,
    PLANNER,
    Planner,
    first_level,
)
from planner.features.demand.backtest.walk import PurchaseTerms, backtest, summarise
from planner.features.demand.forecast.forecast import total_of
from planner.features.demand.forecast.futures import hour_quantile
from planner.features.demand.forecast.models import ensemble, seasonal_naive, shape_of, short_week
from planner.features.demand.forecast.one_series import coverage, try_out, wape
from planner.features.demand.history import load_history
from planner.features.demand.series import hourly_series
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK

FIRST_WEEKS, KNOWN_WEEKS = 4, 110  # no more weeks are looked at: a benchmark's time
SHORT_DAYS = (3, 4, 5, 6)
LEAST_SAVING = 0.01  # of all on demand: series in which less can be saved say nothing of it
WORSE = 1.05  # times seasonal-naive's error: what the forecast after a move of the level should never exceed
LOOK_BACKS = ("look-back 7 days", "look-back 30 days", "look-back 60 days")


def weeks_of(values: np.ndarray) -> np.ndarray:
    """Return the known span in whole weeks, from its first hour."""
    known = np.flatnonzero(np.isfinite(values))
    hours = values[known[0] : known[-1] + 1] if len(known) else np.zeros(0)
    return np.asarray(hours[: len(hours) // HOURS_PER_WEEK * HOURS_PER_WEEK].reshape(-1, HOURS_PER_WEEK))


def origins_of(weeks: int, ahead: int, count: int) -> list[int]:
    """Return up to ``count`` origins, spread evenly over the history."""
    last = weeks - ahead
    if last < FIRST_WEEKS:
        return []
    return sorted({int(k) for k in np.linspace(FIRST_WEEKS, last, count)})


def trials(weeks: np.ndarray, ahead: int, count: int, quantiles: bool) -> list[dict[str, float]]:
    """Forecast one series from its origins, and measure."""
    rows = []
    for origin in origins_of(len(weeks), ahead, count):
        past, came = weeks[max(0, origin - KNOWN_WEEKS) : origin], weeks[origin : origin + ahead]
        guess = ensemble(past, ahead)
        row = {"wape": wape(came, guess), "naive": wape(came, seasonal_naive(past, ahead))}
        if quantiles:
            spread = try_out(past.ravel(), np.ones(past.size), ahead).spread
            row["p90"] = coverage(came, hour_quantile(spread, 0.9, guess))
        rows.append(row)
    return rows


def ratios(series: dict[str, np.ndarray], ahead: int, count: int, quantiles: bool = False) -> pd.DataFrame:
    """Return each series' WAPE, seasonal-naive's, their ratio, and p90's coverage."""
    rows = {name: trials(weeks_of(values), ahead, count, quantiles) for name, values in series.items()}
    table = pd.DataFrame({name: pd.DataFrame(found).mean() for name, found in rows.items() if found}).T
    if table.empty:
        return table
    table["ratio"] = table["wape"] / table["naive"].where(table["naive"] > 0)
    return table


LIBRARY_WEEKS, LIBRARY_AHEAD = 26, (4, 13)  # of days that are fitted: AutoARIMA takes seconds for each


def library(series: dict[str, np.ndarray], count: int) -> pd.DataFrame:
    """Return the mean WAPE of each way over seasonal-naive's, 4 and 13 weeks ahead, from the same origins.

    AutoETS and AutoARIMA are statsforecast's with their defaults, fitted to the last 26 weeks' days with a season of
    seven; a day's hours are shared out as in the mean of the last eight weeks.
    """
    from statsforecast.models import AutoARIMA, AutoETS

    rows = []
    for values in series.values():
        weeks = weeks_of(values)
        for origin in origins_of(len(weeks), LIBRARY_AHEAD[-1], count):
            past, came = weeks[max(0, origin - KNOWN_WEEKS) : origin], weeks[origin : origin + LIBRARY_AHEAD[-1]]
            days = np.nanmean(past[-LIBRARY_WEEKS:].reshape(-1, HOURS_PER_DAY), axis=1)
            week = shape_of(past).reshape(-1, HOURS_PER_DAY)
            hours = week / np.maximum(week.mean(axis=1, keepdims=True), 1e-9)
            guesses = {"planner": ensemble(past, len(came)), "seasonal-naive": seasonal_naive(past, len(came))}
            for model in (AutoETS, AutoARIMA):
                path = np.maximum(model(season_length=7).forecast(days, 7 * len(came))["mean"], 0.0)
                guesses[model.__name__] = (path.reshape(-1, 7, 1) * hours[None]).reshape(len(came), HOURS_PER_WEEK)
            for ahead in LIBRARY_AHEAD:
                naive = wape(came[:ahead], guesses["seasonal-naive"][:ahead])
                if naive > 0:
                    found = {name: wape(came[:ahead], guess[:ahead]) / naive for name, guess in guesses.items()}
                    rows.append({"weeks": ahead, **found})
    return pd.DataFrame(rows).groupby("weeks").mean()


def shifted(series: dict[str, np.ndarray]) -> pd.DataFrame:
    """Forecast the first month after a level has moved, from one, two and three weeks after it."""
    rows = []
    for number, (name, values) in enumerate(series.items()):
        weeks = weeks_of(values)
        if len(weeks) < 30:
            continue
        at = len(weeks) // 2
        factor = 0.5 if number % 2 else 2.0
        moved = weeks * np.where(np.arange(len(weeks)) < at, 1.0, factor)[:, None]
        for after in (1, 2, 3):
            past, came = moved[: at + after], moved[at + after : at + after + 4]
            rows.append({"series": name, "wape": wape(came, ensemble(past, 4)), "naive": wape(came, past_naive(past))})
    return pd.DataFrame(rows)


def past_naive(past: np.ndarray) -> np.ndarray:
    """Return the last week four times."""
    return seasonal_naive(past, 4)


def short(series: dict[str, np.ndarray]) -> pd.DataFrame:
    """Forecast the week after a few days, and compare with yesterday and the mean day."""
    rows = []
    for name, values in series.items():
        hours = weeks_of(values)[-3:].ravel()
        for days in SHORT_DAYS:
            known = hours[: days * HOURS_PER_DAY]
            came = hours[len(known) : len(known) + HOURS_PER_WEEK]
            weekend = np.arange(len(known) + HOURS_PER_WEEK) // HOURS_PER_DAY % 7 >= 5
            guess, _ = short_week(known, weekend)
            day = known.reshape(-1, HOURS_PER_DAY)
            rows.append(
                {
                    "series": name,
                    "wape": wape(came, guess),
                    "yesterday": wape(came, np.tile(day[-1], 7)),
                    "mean day": wape(came, np.tile(day.mean(axis=0), 7)),
                }
            )
    return pd.DataFrame(rows)


def savings_told(series: dict[str, np.ndarray], count: int, price_ratio: float = 0.7) -> pd.DataFrame:
    """Price the level that the forecast's futures ask for on those futures and on the 13 weeks that came.

    Returns
    -------
    For each series, over its origins: savings told and savings that came, as shares of all on demand; demand told and
    demand that came [requests/hour].
    """
    rows = {}
    for name, values in series.items():
        weeks = weeks_of(values)
        found = []
        for origin in [k for k in origins_of(len(weeks), 13, count + 1) if k >= 8]:
            hours, weights = Planner(price_ratio, 3).futures(weeks[max(0, origin - KNOWN_WEEKS) : origin].ravel())
            level, came = first_level(hours, weights, price_ratio), weeks[origin : origin + 13]
            served = (
                np.average(np.minimum(hours, level).mean(axis=2), weights=weights),
                np.nanmean(np.minimum(came, level)),
            )
            saved = [float(mean) - price_ratio * level for mean in served]
            found.append((*saved, float(np.average(hours.mean(axis=2), weights=weights)), float(np.nanmean(came))))
        if found:
            sums = np.sum(found, axis=0)
            rows[name] = {"told": sums[0] / sums[2], "came": sums[1] / sums[3], "demand": sums[2] / sums[3]}
    return pd.DataFrame(rows).T


def rules(series: dict[str, np.ndarray], term: int = 52, seen: int = 53) -> pd.DataFrame:
    """Return each rule's share of the clairvoyant saving, series by series."""
    rows = {}
    for name, values in series.items():
        hours = weeks_of(values).ravel()
        if len(hours) < (seen + 26) * HOURS_PER_WEEK:
            continue
        summary = summarise(backtest({name: hours}, PurchaseTerms(0.3, term, 1, seen))).set_index("rule")
        rows[name] = summary["of_clairvoyant"]
    return pd.DataFrame(rows).T.dropna()


def report(title: str, series: dict[str, np.ndarray], count: int, only: str) -> None:
    """Print one set; ``only``: rules, library, or all but the library."""
    print(f"\n## {title}: {len(series)} series\n")
    if only == "library":
        table = library(series, count)
        print(f"| WAPE over seasonal-naive's | {' | '.join(table.columns)} |\n| --- |{' ---: |' * len(table.columns)}")
        for ahead, row in table.iterrows():
            print(f"| {ahead} weeks ahead | {' | '.join(f'{value:.3f}' for value in row)} |")
        return
    if only != "rules":
        print("| measure | value |\n| --- | ---: |")
        for ahead in (4, 13):
            table = ratios(series, ahead, count, quantiles=ahead == 4)
            print(f"| WAPE over seasonal-naive's, {ahead} weeks ahead | {table['ratio'].mean():.3f} |", flush=True)
            if ahead == 4:
                cover = table["p90"]
                print(
                    f"| hours at or below p90 | {cover.mean():.1%} (series: {cover.min():.0%} to {cover.max():.0%}) |"
                )
        moved = shifted(series)
        means = moved.groupby("series")[["wape", "naive"]].mean()
        worse = means[means["wape"] > WORSE * means["naive"]]
        told = (
            f"seasonal-naive {moved['naive'].mean():.1%}; worse than it by over 5 %: {', '.join(worse.index) or 'none'}"
        )
        print(f"| first month after a level moved | {moved['wape'].mean():.1%} ({told}) |")
        few = short(series).drop(columns="series").mean()
        told = f"yesterday {few['yesterday']:.1%}, mean day {few['mean day']:.1%}"
        print(f"| under a week known | {few['wape']:.1%} ({told}) |", flush=True)
        saved = savings_told(series, count)
        worth = saved[saved["told"] > LEAST_SAVING]
        ratio, demand = worth["told"].sum() / worth["came"].sum(), saved["demand"].mean()
        print(f"| savings told over savings that came, 13 weeks | {ratio:.2f} (demand {demand:.2f}) |", flush=True)
    won = rules(series)
    print("\n| buying rule | won of what could be | worst series |\n| --- | ---: | ---: |")
    for name in (*LOOK_BACKS, FIFTY_TWO_WEEKS, PLANNER):
        print(f"| {name} | {won[name].mean():.1%} | {won[name].min():.1%} |")
    best = won[list(LOOK_BACKS)].mean().idxmax()
    for name in (best, FIFTY_TWO_WEEKS):
        worse = won[name] - won[PLANNER]
        far = f"{int((worse > 0.03).sum())} of {len(won)} series by over 3 points"
        print(f"\nAgainst {name}: worse by up to {max(0, worse.max()):.1%} ({worse.idxmax()}); {far}.")


def of_history(path: Path, ahead: int) -> None:
    """Print the forecasts of one history, series by series."""
    requests = hourly_series(load_history(path)).requests
    series = {" ".join(column): requests[column].to_numpy() for column in requests.columns}
    if len(series) > 1:
        series["all"] = total_of(requests).to_numpy()
    table = ratios(series, ahead, 12, quantiles=True)
    if table.empty:
        print(f"no series has {FIRST_WEEKS + ahead} weeks: nothing can be held out")
        return
    table.loc["mean"] = table.mean()
    print(f"{ahead} weeks ahead\n| series | WAPE | seasonal-naive | p90 covers |\n| --- | ---: | ---: | ---: |")
    for name, row in table.iterrows():
        print(f"| {name} | {row['wape']:.1%} | {row['naive']:.1%} | {row['p90']:.1%} |")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("history", type=Path, nargs="?", help="a history of your own (default: the two sets)")
    parser.add_argument("--ahead", type=int, default=4, help="weeks ahead, of your own history (default: 4)")
    parser.add_argument("--each", type=int, default=4, help="made series of each family (default: 4)")
    parser.add_argument("--origins", type=int, default=6, help="origins of each series (default: 6)")
    parser.add_argument("--set", choices=["development", "test", "both"], default="both")
    parser.add_argument("--rules", action="store_true", help="the buying rules alone")
    parser.add_argument("--library", action="store_true", help="statsforecast's AutoETS and AutoARIMA alone")
    arguments = parser.parse_args()
    if arguments.history is not None:
        of_history(arguments.history, arguments.ahead)
        return
    only = "rules" if arguments.rules else "library" if arguments.library else ""
    if arguments.set != "test":
        report("Development set", development_set(arguments.each), arguments.origins, only)
    if arguments.set != "development":
        series, missing = unseen_set(arguments.each)
        report("Test set", series, arguments.origins, only)
        if missing:
            print(f"\n{missing}")


if __name__ == "__main__":
    main()
