"""Clocks that change: hours of a history that was written in local time, around daylight saving.

In autumn one local hour comes twice; its rows were all read as one of the two, so they are split evenly over both. In
spring one local hour does not exist; a log that has it anyway is moved on by an hour, as the engine reads it.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd

from planner.features.demand.findings import Finding
from planner.features.demand.history import SERIES, VALUES

HOUR = dt.timedelta(hours=1)


def repeated_hours(zone_name: str, first_hour: int, last_hour: int) -> list[tuple[int, int]]:
    """List (first, second) UTC hours, counted since 1970, that share one local hour between the two given hours."""
    zone = ZoneInfo(zone_name)
    found = []
    start = dt.datetime.fromtimestamp((first_hour - 24) * 3600, dt.UTC)
    for k in range(last_hour - first_hour + 48):
        at = start + k * HOUR
        offset, later = at.astimezone(zone).utcoffset(), (at + HOUR).astimezone(zone).utcoffset()
        if offset is not None and later is not None and later == offset - HOUR:
            hour = int(at.timestamp()) // 3600
            found.append((hour, hour + 1))
    return found


def split_repeated(frame: pd.DataFrame, zone_name: str) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Split each repeated local hour over its two UTC hours, where all of it was read as one and the other is empty."""
    if zone_name == "UTC" or frame.empty:
        return frame, ()
    halves, split = [frame], 0
    for first, second in repeated_hours(zone_name, int(frame["hour"].min()), int(frame["hour"].max())):
        there = frame["hour"].isin((first, second)) & (frame["span"] <= 1)
        pair = frame[there]
        single = pair.groupby(list(SERIES), dropna=False)["hour"].transform("nunique") == 1
        for index in pair.index[single]:
            moved = frame.loc[[index]].copy()
            frame.loc[index, list(VALUES)] = moved[list(VALUES)].to_numpy()[0] / 2
            moved[list(VALUES)] = moved[list(VALUES)] / 2
            moved["hour"] = first + second - int(moved["hour"].iloc[0])
            halves.append(moved)
            split += 1
    if not split:
        return frame, ()
    return pd.concat(halves, ignore_index=True), (Finding("repeated_hour", split),)


def repeated_local(zone_name: str) -> tuple[tuple[int, int], ...]:
    """Return the spans [seconds since 1970, from and to] that one local hour stands for, in 2015 to 2034."""
    if zone_name == "UTC":
        return ()
    first, last = (int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) // 3600 for year in (2015, 2035))
    return tuple((one * 3600, (two + 1) * 3600) for one, two in repeated_hours(zone_name, first, last))
