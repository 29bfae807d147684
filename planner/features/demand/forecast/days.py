"""Public holidays: what they did to demand in the history, and when they come again.

Dates come from the package ``holidays``. A holiday's effect is its day's demand over the usual demand of that weekday
(the median of the four weeks around it), averaged over the holidays that were seen and drawn towards 1 where few were.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY

SHRINK_DAYS = 1.0  # holidays' worth of doubt: one holiday seen counts half
AROUND_WEEKS = 4


def parse_countries(text: str | None, regions: list[str]) -> dict[str, str]:
    """Read ``DE`` (all regions) or ``swedencentral=SE,eastus2=US``; region -> country."""
    if not text:
        return {}
    if "=" not in text:
        return dict.fromkeys(regions, text.strip())
    pairs = [part.split("=", 1) for part in text.split(",") if part.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise InputError([Fault("--holidays", "is not understood", value=text, allowed="DE, or region=DE,region=US")])
    given = {region.strip(): country.strip() for region, country in pairs}
    unknown = sorted(set(given) - set(regions))
    if unknown:
        raise InputError(
            [Fault("--holidays", "names no region of the history", value=unknown, allowed=", ".join(regions))]
        )
    return given


def holiday_dates(country: str, first: dt.date, last: dt.date) -> set[dt.date]:
    """List the public holidays of a country (ISO code, or DE-BY for a part of it) between two days."""
    import holidays

    code, _, part = country.partition("-")
    try:
        found = holidays.country_holidays(code, subdiv=part or None, years=range(first.year, last.year + 1))
    except NotImplementedError:
        known = "ISO codes such as US, DE, DE-BY, JP"
        raise InputError(
            [Fault("--holidays", "is no country with known holidays", value=country, allowed=known)]
        ) from None
    return {day for day in found if first <= day <= last}


def holiday_factor(values: pd.Series, dates: set[dt.date]) -> tuple[float, int]:
    """Measure what holidays did to one series; (factor, holidays seen)."""
    daily = values.resample("D").mean()
    daily = daily[values.resample("D").count() == HOURS_PER_DAY]
    index = pd.DatetimeIndex(daily.index)
    is_holiday = np.asarray([day.date() in dates for day in index], dtype=bool)
    usual = daily.mask(is_holiday)
    ratios = []
    for day in index[is_holiday]:
        around = [usual.get(day + pd.Timedelta(days=DAYS_PER_WEEK * k)) for k in range(-AROUND_WEEKS, AROUND_WEEKS + 1)]
        known = [value for value in around if value is not None and np.isfinite(value) and value > 0]
        if known:
            ratios.append(float(daily[day]) / float(np.median(known)))
    if not ratios:
        return 1.0, 0
    weight = len(ratios) / (len(ratios) + SHRINK_DAYS)
    return float(weight * np.mean(ratios) + (1 - weight)), len(ratios)


def day_factors(hours: pd.DatetimeIndex, dates: set[dt.date], factor: float) -> np.ndarray:
    """Return the holiday factor of each hour: ``factor`` on holidays (UTC days), else 1."""
    if not dates or factor == 1.0:
        return np.ones(len(hours))
    days = hours.normalize()
    marked = {day: day.date() in dates for day in days.unique()}
    return np.where([marked[day] for day in days], factor, 1.0)


def factors_of(
    requests: pd.DataFrame, hours: pd.DatetimeIndex, countries: Mapping[str, str]
) -> tuple[dict[Any, np.ndarray], list[str]]:
    """Return each series' holiday factors over ``hours`` (past and to come), and notes."""
    factors: dict[Any, np.ndarray] = {}
    notes: list[str] = []
    first, last = hours[0].date(), hours[-1].date()
    for column in requests.columns:
        country = countries.get(column[0])
        if country is None:
            factors[column] = np.ones(len(hours))
            continue
        dates = holiday_dates(country, first, last)
        factor, seen = holiday_factor(requests[column], dates)
        if not seen:
            notes.append(f"{column[0]} {column[1]}: no holiday of {country} in the history: none is forecast")
        factors[column] = day_factors(hours, dates, factor)
    return factors, notes
