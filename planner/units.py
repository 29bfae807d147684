"""Units and conversions used on every floor. Imports nothing of ours."""

import datetime as dt

HOURS_PER_DAY = 24
DAYS_PER_WEEK = 7
HOURS_PER_MONTH = 730  # of a mean month: 8,760 hours a year over 12, as sellers count
HOURS_PER_WEEK = HOURS_PER_DAY * DAYS_PER_WEEK  # slots of one profile: hour 0 is Monday 00:00 UTC
MINUTES_PER_HOUR = 60
SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = SECONDS_PER_MINUTE * MINUTES_PER_HOUR
TOKENS_PER_MTOK = 1e6
BYTES_PER_GB = 1e9
REQUESTS_PER_THOUSAND = 1000.0  # flows inside the programme are in thousand requests per hour

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def last_day(end: dt.date) -> dt.date:
    """Return the last day in force, as contracts name it, of what tables end with the first day no longer in force."""
    return end - dt.timedelta(days=1)


def hour_label(hour_of_week: int) -> str:
    """Name an hour of the week (0-167) as people do: ``hour_label(38) == 'Tue 14:00'`` (UTC)."""
    day, hour = divmod(int(hour_of_week), HOURS_PER_DAY)
    return f"{WEEKDAYS[day]} {hour:02d}:00"


def counted(count: float | str, one: str, form: str = "", many: str | None = None) -> str:
    """Write how many of something there are, in the singular where that is 1: ``counted(1, "unit") == "1 unit"``.

    Parameters
    ----------
    count : a number, or one that is written already. one : what is counted, in the singular. form : how the number is
        written; what then reads as 1 is one. many : the plural, where that is not with an "s".
    """
    text = f"{count:{form}}"
    return f"{text} {one if text == '1' else many or one + 's'}"
