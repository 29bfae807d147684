"""Regions, models and routes; workloads, their model mix, scenarios and demand."""

from typing import Literal

from pydantic import field_validator, model_validator

from planner.schema.base import MOST_REQUESTS, MOST_TOKENS, Flag, PeriodName, Row, column, name_column
from planner.units import HOURS_PER_WEEK


class Region(Row):
    """A place where demand arises and capacity is bought. A global or data-zone endpoint is a region of its own."""

    region: str = name_column("name of the region")
    fails: Flag = column(True, meaning="its loss is planned for")
    provider: str | None = column(None, meaning="who runs it, for reports")
    time_zone: str | None = column(None, meaning="IANA time zone such as Europe/Paris, for reports")


class Model(Row):
    """A model that can serve requests."""

    model: str = name_column("name of the model")
    tier: Literal["frontier", "mid", "small"] | None = column(None, meaning="frontier, mid or small, for reports")


class Route(Row):
    """A pair of regions between which requests may travel; a pair not listed may not be used."""

    origin: str = name_column("where demand arises", "regions.region")
    destination: str = name_column("where it may be served", "regions.region")
    usd_per_gb: float = column(0.0, meaning="price of data sent from origin to destination", unit="USD/GB", ge=0)
    max_gb_per_month: float | None = column(
        None, meaning="cap on expected data from origin to destination", unit="GB/month", blank="none", ge=0
    )


ANY_REGION = "any"


class Workload(Row):
    """A kind of request: its tokens, cache rates, spare capacity and where it may be served."""

    workload: str = name_column("name of the workload")
    kind: Literal["customer_service", "voice_agent", "internal_tools", "batch"] | None = column(
        None, meaning="customer_service, voice_agent, internal_tools or batch: for warnings"
    )
    team: str | None = column(None, meaning="team that is charged for it, for chargeback", blank="no team")
    cost_centre: str | None = column(None, meaning="cost centre that its team books it on, for chargeback")
    requests_per_task: float = column(1.0, meaning="requests of one task, for cost per task", unit="requests", ge=1e-3)
    input_tokens: float = column(meaning="input tokens of one request", unit="tokens/request", ge=0, le=MOST_TOKENS)
    output_tokens: float = column(meaning="output tokens of one request", unit="tokens/request", ge=0, le=MOST_TOKENS)
    cache_hit_rate: float = column(0.0, meaning="share of input read from cache", unit="share", ge=0, le=1)
    cache_write_rate: float = column(0.0, meaning="share of input written to cache", unit="share", ge=0, le=1)
    on_demand_cache_hit_rate: float | None = column(
        None,
        meaning="share of input read from cache when served on demand",
        unit="share",
        blank="as cache_hit_rate",
        ge=0,
        le=1,
    )
    headroom: float | None = column(
        None, meaning="spare share of all capacity", unit="share", blank="policy's headroom", ge=0, lt=1
    )
    reserved_headroom: float | None = column(
        None,
        meaning="spare share of reserved units",
        unit="share",
        blank="policy's reserved_headroom, else as headroom; 0 for work that can wait",
        ge=0,
        lt=1,
    )
    failover_share: float | None = column(
        None,
        meaning="share of demand that must be served while a region is lost",
        unit="share",
        blank="policy's failover share",
        ge=0,
        le=1,
    )
    burst_factor: float = column(1.0, meaning="peak minute over hourly mean", unit="ratio", ge=1e-3, le=1e3)
    guaranteed_share: float = column(
        0.0, meaning="least share served by pools or guaranteed options", unit="share", ge=0, le=1
    )
    deadline_hours: int = column(
        0,
        meaning="how many hours after it arises a request may still be served; 0: at once",
        unit="hours",
        ge=0,
        le=HOURS_PER_WEEK - 1,
    )
    serving_regions: str = column(
        ANY_REGION, meaning="regions that may serve it: any, or names joined by ;", refers_to="regions.region"
    )
    bytes_per_token: float = column(4.0, meaning="bytes of one token on the wire", unit="bytes/token", ge=0)
    extra_bytes_in: float = column(0.0, meaning="bytes sent in, tokens apart", unit="bytes/request", ge=0)
    extra_bytes_out: float = column(0.0, meaning="bytes sent back, tokens apart", unit="bytes/request", ge=0)

    @field_validator("serving_regions")
    @classmethod
    def _blank_is_any(cls, regions: str) -> str:
        return ANY_REGION if regions.casefold() in ("", ANY_REGION) else regions

    @model_validator(mode="after")
    def _cache_shares_fit(self) -> "Workload":
        hit = max(self.cache_hit_rate, self.on_demand_cache_hit_rate or 0.0)
        if hit + self.cache_write_rate > 1 + 1e-12:
            raise ValueError(f"cache hit rate {hit:g} and cache_write_rate {self.cache_write_rate:g} sum past 1")
        return self

    @property
    def can_wait(self) -> bool:
        """Whether a request may be served in a later hour than it arises in."""
        return self.deadline_hours > 0

    @property
    def allowed_regions(self) -> frozenset[str] | None:
        """Regions that may serve this workload; None where any may."""
        if self.serving_regions == ANY_REGION:
            return None
        return frozenset(part.strip() for part in self.serving_regions.split(";") if part.strip())


class Mix(Row):
    """A model that may serve a workload, and the share of the demand it takes."""

    workload: str = name_column("workload", "workloads.workload")
    model: str = name_column("model that may serve it", "models.model")
    min_share: float = column(0.0, meaning="least share of the demand", unit="share", ge=0, le=1)
    max_share: float = column(1.0, meaning="largest share of the demand", unit="share", ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> "Mix":
        if self.min_share > self.max_share:
            raise ValueError(f"min_share {self.min_share:g} is above max_share {self.max_share:g}")
        return self


class Scenario(Row):
    """A possible future: its probability and what on-demand tokens cost in it."""

    scenario: str = name_column("name of the scenario")
    probability: float = column(meaning="weight of the scenario; all sum to 1", unit="share", ge=0, le=1)
    on_demand_price_factor: float = column(1.0, meaning="on-demand prices times this", unit="ratio", ge=0)


class Demand(Row):
    """Requests that arise in a region in one hour of the week."""

    region: str = name_column("origin: where the demand arises", "regions.region")
    workload: str = name_column("workload", "workloads.workload")
    scenario: str | None = column(None, meaning="scenario", blank="all scenarios", refers_to="scenarios.scenario")
    period: PeriodName | None = column(
        None,
        meaning="month such as 2027-01; in a month with cuts, the first day of a part, 2027-01-12",
        blank="all periods of the horizon",
    )
    hour_of_week: int = column(
        meaning="0 = Monday 00:00 UTC, to 167 = Sunday 23:00 UTC", unit="hour", ge=0, le=HOURS_PER_WEEK - 1
    )
    requests_per_hour: float = column(meaning="mean demand of the hour", unit="requests/hour", ge=0, le=MOST_REQUESTS)
