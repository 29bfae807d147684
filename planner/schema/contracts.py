"""Contracts on money: what must be spent, or is paid all the same; on-demand prices by hour and period."""

import re

from pydantic import field_validator, model_validator

from planner.schema.base import GREATEST_WEIGHT, Flag, PeriodName, Row, column, name_column
from planner.schema.workloads import ANY_REGION
from planner.units import HOURS_PER_WEEK

_RANGE = re.compile(r"(\d{1,3})(?:\s*-\s*(\d{1,3}))?")


class SpendCommitment(Row):
    """An amount that must be spent in some periods and regions (MACC, EDP, a provider's commit or spend band)."""

    contract: str = name_column("name of the contract")
    usd: float = column(meaning="to be spent in its periods; what is not spent is paid all the same", unit="USD", ge=0)
    first_period: PeriodName | None = column(None, meaning="first period that counts", blank="first of the horizon")
    last_period: PeriodName | None = column(None, meaning="last period that counts", blank="last of the horizon")
    regions: str | None = column(
        None, meaning="regions whose spend counts, names joined by ;", blank="all", refers_to="regions.region"
    )
    counts_on_demand: Flag = column(True, meaning="on-demand tokens and units by the hour count (egress does not)")
    counts_reserved: Flag = column(True, meaning="new and earlier commitments and unreserved units count")

    @model_validator(mode="after")
    def _counts_something(self) -> "SpendCommitment":
        if not self.counts_on_demand and not self.counts_reserved:
            raise ValueError(
                "counts_on_demand and counts_reserved are both false, so nothing could ever be spent on it"
            )
        return self

    @property
    def counted_regions(self) -> frozenset[str] | None:
        """Regions whose spend counts; None where that of all does."""
        names = frozenset(part.strip() for part in (self.regions or "").split(";") if part.strip())
        return None if not names or {name.casefold() for name in names} == {ANY_REGION} else names


class PriceFactor(Row):
    """What on-demand prices are multiplied by in some hours: off-peak prices, announced cuts, promotions that end."""

    region: str | None = column(None, meaning="region", blank="all", refers_to="regions.region")
    model: str | None = column(None, meaning="model", blank="all", refers_to="models.model")
    option: str | None = column(None, meaning="on-demand option", blank="all")
    period: PeriodName | None = column(None, meaning="period of the horizon", blank="all")
    hours_of_week: str | None = column(
        None, meaning="hours of the week in UTC, ranges joined by ;, such as 0-7;24-31", blank="all"
    )
    factor: float = column(
        meaning="the on-demand price times this, and every other row that applies",
        unit="ratio",
        ge=0,
        le=GREATEST_WEIGHT,
    )

    @field_validator("hours_of_week")
    @classmethod
    def _ranges(cls, text: str | None) -> str | None:
        if text is not None:
            hours_of(text)
        return text

    @property
    def hours(self) -> tuple[int, ...]:
        """Hours of the week in which it applies."""
        return tuple(range(HOURS_PER_WEEK)) if self.hours_of_week is None else hours_of(self.hours_of_week)

    def applies_to(self, region: str, model: str, option: str) -> bool:
        """Whether it applies to an on-demand option."""
        return self.region in (None, region) and self.model in (None, model) and self.option in (None, option)


def hours_of(text: str) -> tuple[int, ...]:
    """Return the hours of the week of text such as ``0-7;24-31``.

    Raises
    ------
    ValueError : it is no such text, or an hour lies beyond 167.
    """
    hours: set[int] = set()
    for part in text.split(";"):
        found = _RANGE.fullmatch(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last or last >= HOURS_PER_WEEK:
            raise ValueError(
                f"{part.strip()!r} is no range of hours of the week, from 0 (Monday 00:00 UTC) to "
                f"{HOURS_PER_WEEK - 1}; write 0-7 or 0-7;24-31"
            )
        hours |= set(range(first, last + 1))
    return tuple(sorted(hours))
