"""Pay-as-you-go tokens."""

from planner.schema.base import Row, column, name_column
from planner.schema.types import GREATEST_WEIGHT, Flag

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
