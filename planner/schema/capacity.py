"""Capacity: pools and what a unit of them serves, offers to commit to, earlier commitments, on-demand options."""

import datetime as dt
import math
from typing import Any

from pydantic import model_validator

from planner.schema.base import GREATEST_WEIGHT, Day, Flag, Row, column, name_column
from planner.schema.settings import add_months
from planner.units import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_WEEK

TOKENS_METER = "tokens"
SHARED_DEPLOYMENT = "*"


class Pool(Row):
    """Reserved capacity bought as one thing in one region."""

    pool: str = name_column("name of the pool")
    region: str = name_column("region that it serves from", "regions.region")
    usd_per_unreserved_unit_hour: float | None = column(
        None,
        meaning="hourly price of a unit deployed beyond the commitments",
        unit="USD/unit-hour",
        blank="units can only be deployed if reserved",
        ge=0,
    )
    shared_hourly: Flag = column(False, meaning="units move between models by the hour (GPU fleet, dollar commitment)")
    usd_per_scaled_unit_hour: float | None = column(
        None, meaning="price of a unit that runs by the hour (autoscaled)", unit="USD/unit-hour", blank="none", ge=0
    )
    max_scaled_units: float | None = column(
        None, meaning="most units that run by the hour at once", unit="units", blank="none", ge=0
    )
    start_hours: float = column(
        0.0, meaning="hours paid before a started unit serves: a cold start", unit="hours", ge=0, le=HOURS_PER_WEEK
    )


class Throughput(Row):
    """What one unit of a pool serves of a model, and the size rules of that model's deployment."""

    pool: str = name_column("pool", "pools.pool")
    model: str = name_column("model", "models.model")
    meter: str = column(TOKENS_METER, meaning="what the unit counts: tokens, or input and output apart", min_length=1)
    tokens_per_minute_per_unit: float = column(
        meaning="weighted tokens one unit serves", unit="tokens/minute per unit", ge=1e-3
    )
    input_weight: float = column(1.0, meaning="weight of a fresh input token", unit="ratio", ge=0, le=GREATEST_WEIGHT)
    cached_input_weight: float = column(
        1.0, meaning="weight of an input token read from cache", unit="ratio", ge=0, le=GREATEST_WEIGHT
    )
    cache_write_weight: float | None = column(
        None,
        meaning="weight of an input token written to cache",
        unit="ratio",
        blank="as input_weight",
        ge=0,
        le=GREATEST_WEIGHT,
    )
    output_weight: float = column(1.0, meaning="weight of an output token", unit="ratio", ge=0, le=GREATEST_WEIGHT)
    min_units: float = column(0.0, meaning="smallest deployment", unit="units", ge=0)
    unit_step: float = column(
        0.0, meaning="step of the deployment above min_units", unit="units", blank="any amount", ge=0
    )


class Offer(Row):
    """A price at which units of a pool can be committed for a term."""

    offer: str = name_column("name of the offer")
    pool: str = name_column("pool", "pools.pool")
    meter: str = column(TOKENS_METER, meaning="meter of the pool that it buys", min_length=1)
    term_months: int = column(1, meaning="length of the commitment", unit="months", ge=1, le=1200)
    term_days: int | None = column(
        None, meaning="length of the commitment in days", unit="days", blank="term_months", ge=1, le=36500
    )
    usd_per_unit_hour: float = column(
        meaning="effective price, what the buyer pays by the hour",
        unit="USD/unit-hour",
        blank="0, where there is an upfront price",
        ge=0,
    )
    upfront_usd_per_unit: float = column(
        0.0, meaning="paid for a unit when its term begins, besides its hours", unit="USD/unit", blank="none", ge=0
    )
    list_usd_per_unit_hour: float | None = column(
        None, meaning="list price", unit="USD/unit-hour", blank="as usd_per_unit_hour", ge=0
    )
    product: str | None = column(None, meaning="what the seller calls it")
    min_units: float = column(0.0, meaning="smallest purchase", unit="units", ge=0)
    unit_step: float = column(
        0.0, meaning="step of the purchase above min_units", unit="units", blank="any amount", ge=0
    )
    max_units: float | None = column(None, meaning="largest purchase", unit="units", blank="none", ge=0)

    @model_validator(mode="before")
    @classmethod
    def _upfront_alone(cls, row: Any) -> Any:
        """Take a blank hourly price as 0 where there is an upfront price."""
        if not isinstance(row, dict) or row.get("usd_per_unit_hour") not in (None, ""):
            return row
        try:
            paid = float(row.get("upfront_usd_per_unit") or 0)
        except (TypeError, ValueError):  # a fault of its own
            paid = 1.0
        return {**row, "usd_per_unit_hour": 0.0} if paid > 0 else row

    @model_validator(mode="after")
    def _min_below_max(self) -> "Offer":
        if self.max_units is not None and self.min_units > self.max_units:
            raise ValueError(f"min_units {self.min_units:g} is above max_units {self.max_units:g}")
        return self

    def term_end(self, start: dt.date) -> dt.date:
        """First day on which a purchase that starts on a day is no longer in force."""
        if self.term_days is not None:
            return start + dt.timedelta(days=self.term_days)
        return add_months(start, self.term_months)

    @property
    def term_text(self) -> str:
        """The term in words: 7 days, or 3 months."""
        count, unit = (self.term_months, "month") if self.term_days is None else (self.term_days, "day")
        return f"{count} {unit}{'' if count == 1 else 's'}"

    @property
    def term_in_months(self) -> str:
        """The term as it stands in a column of months: 3, or 7 days."""
        return str(self.term_months) if self.term_days is None else self.term_text

    def term_hours(self, start: dt.date) -> float:
        """Hours that a purchase which starts on a day is in force and paid for."""
        return float((self.term_end(start) - start).days * HOURS_PER_DAY)

    def usd_per_hour(self, start: dt.date) -> float:
        """Return what an hour of a unit bought on a day costs, an upfront price spread evenly over its term, USD."""
        if not self.upfront_usd_per_unit:
            return self.usd_per_unit_hour
        return self.usd_per_unit_hour + self.upfront_usd_per_unit / self.term_hours(start)

    @property
    def mean_usd_per_hour(self) -> float:
        """The same in a term of mean months (730 hours), whenever it is bought, USD."""
        days = self.term_days
        hours = self.term_months * HOURS_PER_MONTH if days is None else days * HOURS_PER_DAY
        return self.usd_per_unit_hour + self.upfront_usd_per_unit / hours

    def most_units(self, whole_units: bool) -> float | None:
        """Largest purchase: max_units, lowered to the size grid where units are whole; None: no limit."""
        if self.max_units is None or not whole_units or self.unit_step <= 0:
            return self.max_units
        steps = math.floor((self.max_units - self.min_units) / self.unit_step + 1e-9)
        return self.min_units + self.unit_step * steps


class Commitment(Row):
    """Units bought earlier, already owed."""

    offer: str = name_column("offer under which they were bought", "offers.offer")
    units: float = column(meaning="units bought", unit="units", ge=0)
    start: Day = column(meaning="first day in force", unit="date")
    end: Day = column(meaning="first day no longer in force", unit="date")

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Commitment":
        if self.end <= self.start:
            raise ValueError(f"end {self.end} is not after start {self.start}")
        return self


STANDARD = "standard"


class OnDemand(Row):
    """Price and quota of on-demand tokens of a model in a region."""

    region: str = name_column("region", "regions.region")
    model: str = name_column("model", "models.model")
    option: str = column(STANDARD, meaning="standard, priority or another option of the seller", min_length=1)
    usd_per_mtok_input: float = column(meaning="price of fresh input", unit="USD/million tokens", ge=0)
    usd_per_mtok_cached_input: float | None = column(
        None, meaning="price of input read from cache", unit="USD/million tokens", blank="as input", ge=0
    )
    usd_per_mtok_cache_write: float | None = column(
        None, meaning="price of input written to cache", unit="USD/million tokens", blank="as input", ge=0
    )
    usd_per_mtok_output: float = column(meaning="price of output", unit="USD/million tokens", ge=0)
    tokens_per_minute_quota: float | None = column(
        None, meaning="quota", unit="tokens/minute", blank="none: never full, not even when a region is lost", ge=0
    )
    quota_cached_weight: float = column(
        1.0, meaning="how a cached token counts on the quota", unit="ratio", ge=0, le=GREATEST_WEIGHT
    )
    quota_output_weight: float = column(
        1.0, meaning="how an output token counts on the quota", unit="ratio", ge=0, le=GREATEST_WEIGHT
    )
    guaranteed: Flag = column(False, meaning="a priority tier that counts as guaranteed")
    deadline_hours: int = column(
        0,
        meaning="answers within so many hours of being handed a request (a batch API: 24); 0: at once",
        unit="hours",
        ge=0,
        le=8760,
    )
