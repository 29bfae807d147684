"""What dates do to demand: public holidays, and a yearly season that the planner knows.

Dates and names come from the package ``holidays``. A day is the country's own, from midnight to midnight of its clock.
A holiday's effect is its day's demand over the usual demand of that weekday (the median of the four weeks around it).
All holidays of a series have one factor, drawn towards 1 where few were seen. A holiday that was seen in two years or
more, such as Christmas Day, has a factor of its own, drawn towards that of all.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY

SHRINK_DAYS = 1.0  # holidays' worth of doubt: one holiday seen counts half
OWN_YEARS = 2  # years in which a holiday must be seen for a factor of its own
AROUND_WEEKS = 4
LEAST_HOURS = HOURS_PER_DAY - 1  # of a day on which the clock goes forward


@dataclass(frozen=True)
class Effect:
    """What holidays did to one series: ``by_day``, a factor for each date to come as past; ``seen``: holidays seen."""

    by_day: Mapping[dt.date, float]
    seen: int


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


def split_zone(country: str) -> tuple[str, ZoneInfo]:
    """Return the country and its clock: ``US-CA@America/Los_Angeles``; without a zone, that of most of the country.

    Raises
    ------
    InputError
        The zone is none.
    """
    name, _, zone = country.partition("@")
    try:
        return name, ZoneInfo(zone or _main_zone(name.partition("-")[0]))
    except (ZoneInfoNotFoundError, ValueError):
        raise InputError(
            [Fault("--holidays", "is no time zone", value=zone, allowed="Europe/Berlin, after a country: DE@...")]
        ) from None


def _main_zone(code: str) -> str:
    """Return the first time zone of a country in the IANA's table, which lists the most populous first."""
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[2] for row in rows if row[0] == code.upper()), "UTC")


def holidays_of(country: str, first: dt.date, last: dt.date) -> dict[dt.date, str]:
    """Return the public holidays of a country (ISO code, or DE-BY for a part of it) between two days, with their names.

    Raises
    ------
    InputError
        The country is none.
    """
    import holidays

    code, _, part = country.partition("-")
    try:
        found = holidays.country_holidays(code, subdiv=part or None, years=range(first.year, last.year + 1))
    except NotImplementedError:
        known = "ISO codes such as US, DE, DE-BY, JP"
        raise InputError(
            [Fault("--holidays", "is no country with known holidays", value=country, allowed=known)]
        ) from None
    return {day: str(found[day]) for day in sorted(found) if first <= day <= last}


def effect_of(values: pd.Series, names: Mapping[dt.date, str], zone: ZoneInfo) -> Effect:
    """Measure what holidays did to one series.

    Parameters
    ----------
    values : requests per hour, index hour (UTC). names : holidays, past and to come.
    """
    local = values.tz_convert(zone)
    daily = local.resample("D").mean()
    daily = daily[local.resample("D").count() >= LEAST_HOURS]
    dates = [day.date() for day in pd.DatetimeIndex(daily.index)]
    means = dict(zip(dates, daily.to_numpy(dtype=float), strict=True))
    ratios: dict[str, dict[dt.date, float]] = {}
    for day in (d for d in dates if d in names):
        around = [day + dt.timedelta(days=DAYS_PER_WEEK * k) for k in range(-AROUND_WEEKS, AROUND_WEEKS + 1)]
        known = [means[d] for d in around if d not in names and means.get(d, 0.0) > 0]
        if known:
            ratios.setdefault(names[day], {})[day] = means[day] / float(np.median(known))
    every = [ratio for found in ratios.values() for ratio in found.values()]
    if not every:
        return Effect({}, 0)
    of_all = (sum(every) + SHRINK_DAYS) / (len(every) + SHRINK_DAYS)
    own = {
        name: (sum(found.values()) + SHRINK_DAYS * of_all) / (len(found) + SHRINK_DAYS)
        for name, found in ratios.items()
        if len({day.year for day in found}) >= OWN_YEARS
    }
    return Effect({day: own.get(name, of_all) for day, name in names.items()}, len(every))


def day_factors(hours: pd.DatetimeIndex, effect: Effect, zone: ZoneInfo) -> np.ndarray:
    """Return the holiday factor of each hour (UTC): that of its local day, else 1."""
    if not effect.by_day:
        return np.ones(len(hours))
    days = hours.tz_convert(zone).normalize()
    factor = {day: effect.by_day.get(day.date(), 1.0) for day in days.unique()}
    return np.asarray([factor[day] for day in days])


def factors_of(
    requests: pd.DataFrame, hours: pd.DatetimeIndex, countries: Mapping[str, str]
) -> tuple[dict[Any, np.ndarray], list[str]]:
    """Return each series' holiday factors over ``hours`` (past and to come), and notes."""
    factors: dict[Any, np.ndarray] = {}
    notes: list[str] = []
    first, last = hours[0].date(), hours[-1].date() + dt.timedelta(days=1)
    for column in requests.columns:
        if column[0] not in countries:
            factors[column] = np.ones(len(hours))
            continue
        country, zone = split_zone(countries[column[0]])
        effect = effect_of(requests[column], holidays_of(country, first, last), zone)
        if not effect.seen:
            notes.append(f"{column[0]} {column[1]}: no holiday of {country} in the history: none is forecast")
        factors[column] = day_factors(hours, effect, zone)
    return factors, notes


def load_season(path: Path) -> dict[int, float]:
    """Read month -> factor; months that are not listed have factor 1."""
    try:
        table = pd.read_csv(path)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError([Fault(str(path), f"cannot be read: {error}")]) from error
    if not {"month", "factor"} <= set(table.columns):
        raise InputError([Fault(str(path), "lacks columns", value=", ".join(table.columns), allowed="month, factor")])
    faults = []
    season = {}
    for row, (month, factor) in enumerate(zip(table["month"], table["factor"], strict=True), start=2):
        number = pd.to_numeric(pd.Series([month, factor]), errors="coerce")
        if not (1 <= number[0] <= 12 and number[0] == int(number[0]) and 0 < number[1] < 1000):
            faults.append(
                Fault(str(path), "is no month and factor", row, value=f"{month}, {factor}", allowed="1-12, above 0")
            )
        else:
            season[int(number[0])] = float(number[1])
    if faults:
        raise InputError(faults)
    return season
