"""Causes of a change of cost: every column of the input belongs to one, so that nothing is counted twice or left out.

`COLUMNS` is the whole assignment: table, column, cause. OWNERS says which cause decides whether a row is there at all.
A column of REPORTS_ONLY changes no cost. Workloads, models and regions are in every hybrid (`resolve.hybrid`): with no
demand, supply or share of the mix they cost nothing.
"""

from planner.schema.describe import settings_of
from planner.schema.settings import Policy, PurchaseHead

VOLUME, SHAPE, MIX, CACHE, TOKENS = "volume", "shape", "mix", "cache_rate", "token_lengths"
ON_DEMAND_PRICES, OFFER_PRICES = "on_demand_prices", "offer_prices"
OFFERS, POLICY, EXPIRIES, CALENDAR = "offers", "policy", "expiries", "calendar"
REPORTS_ONLY = ""

CAUSES = (
    VOLUME, SHAPE, MIX, CACHE, TOKENS, ON_DEMAND_PRICES, OFFER_PRICES, OFFERS, POLICY, EXPIRIES, CALENDAR,
)  # fmt: skip
GROUPS: dict[str, tuple[str, ...]] = {
    "demand": (VOLUME, SHAPE, MIX, CACHE, TOKENS),
    "prices": (ON_DEMAND_PRICES, OFFER_PRICES),
    "offers": (OFFERS,),
    "policy": (POLICY,),
    "time": (EXPIRIES, CALENDAR),
}

COMMON = {"source": REPORTS_ONLY, "as_of": REPORTS_ONLY, "note": REPORTS_ONLY}

COLUMNS: dict[str, dict[str, str]] = {
    "plan.yaml": {
        "name": REPORTS_ONLY,
        "horizon.start": CALENDAR,
        "horizon.months": CALENDAR,
        "horizon.cuts": CALENDAR,
        **dict.fromkeys(settings_of(Policy, "policy."), POLICY),
        **{f"purchase.{key}": REPORTS_ONLY for key in PurchaseHead.model_fields},
    },
    "regions": {"region": OFFERS, "fails": POLICY, "provider": REPORTS_ONLY, "time_zone": REPORTS_ONLY},
    "models": {"model": OFFERS, "tier": REPORTS_ONLY},
    "workloads": {
        "workload": VOLUME,
        "kind": REPORTS_ONLY,
        "team": REPORTS_ONLY,
        "cost_centre": REPORTS_ONLY,
        "requests_per_task": REPORTS_ONLY,
        "input_tokens": TOKENS,
        "output_tokens": TOKENS,
        "cache_hit_rate": CACHE,
        "cache_write_rate": CACHE,
        "on_demand_cache_hit_rate": CACHE,
        "headroom": POLICY,
        "reserved_headroom": POLICY,
        "failover_share": POLICY,
        "burst_factor": SHAPE,
        "guaranteed_share": POLICY,
        "deadline_hours": POLICY,
        "serving_regions": POLICY,
        "bytes_per_token": TOKENS,
        "extra_bytes_in": TOKENS,
        "extra_bytes_out": TOKENS,
    },
    "mix": dict.fromkeys(("workload", "model", "min_share", "max_share"), MIX),
    "scenarios": {"scenario": SHAPE, "probability": SHAPE, "on_demand_price_factor": ON_DEMAND_PRICES},
    "demand": {
        "region": VOLUME,
        "workload": VOLUME,
        "scenario": SHAPE,
        "period": SHAPE,
        "hour_of_week": SHAPE,
        "requests_per_hour": VOLUME,  # its mean; how the hours lie around the mean is SHAPE (studies.hybrid)
    },
    "pools": {
        "pool": OFFERS,
        "region": OFFERS,
        "usd_per_unreserved_unit_hour": OFFER_PRICES,
        "shared_hourly": OFFERS,
        "usd_per_scaled_unit_hour": OFFER_PRICES,
        "max_scaled_units": OFFERS,
        "start_hours": OFFER_PRICES,
    },
    "throughput": dict.fromkeys(
        ("pool", "model", "meter", "tokens_per_minute_per_unit", "input_weight", "cached_input_weight",
         "cache_write_weight", "output_weight", "min_units", "unit_step"),
        OFFERS,
    ),
    "offers": {
        "offer": OFFERS,
        "pool": OFFERS,
        "meter": OFFERS,
        "term_months": OFFERS,
        "term_days": OFFERS,
        "usd_per_unit_hour": OFFER_PRICES,
        "upfront_usd_per_unit": OFFER_PRICES,
        "list_usd_per_unit_hour": REPORTS_ONLY,
        "product": REPORTS_ONLY,
        "min_units": OFFERS,
        "unit_step": OFFERS,
        "max_units": OFFERS,
    },
    "commitments": dict.fromkeys(("offer", "units", "start", "end"), EXPIRIES),
    "on_demand": {
        "region": OFFERS,
        "model": OFFERS,
        "option": OFFERS,
        "usd_per_mtok_input": ON_DEMAND_PRICES,
        "usd_per_mtok_cached_input": ON_DEMAND_PRICES,
        "usd_per_mtok_cache_write": ON_DEMAND_PRICES,
        "usd_per_mtok_output": ON_DEMAND_PRICES,
        "tokens_per_minute_quota": OFFERS,
        "quota_cached_weight": OFFERS,
        "quota_output_weight": OFFERS,
        "guaranteed": OFFERS,
        "deadline_hours": OFFERS,
    },
    "routes": {
        "origin": OFFERS,
        "destination": OFFERS,
        "usd_per_gb": ON_DEMAND_PRICES,
        "max_gb_per_month": OFFERS,
    },
    "price_factors": dict.fromkeys(
        ("region", "model", "option", "period", "hours_of_week", "factor"), ON_DEMAND_PRICES
    ),
    "spend_commitments": dict.fromkeys(
        ("contract", "usd", "first_period", "last_period", "regions", "counts_on_demand", "counts_reserved"),
        OFFERS,
    ),
}  # fmt: skip

OWNERS = {"mix": MIX, "scenarios": SHAPE, "pools": OFFERS, "throughput": OFFERS, "offers": OFFERS,
          "on_demand": OFFERS, "routes": OFFERS, "commitments": EXPIRIES,
          "spend_commitments": OFFERS, "price_factors": ON_DEMAND_PRICES}  # fmt: skip


def cause_of(table: str, column: str) -> str:
    """Return the cause of a column; REPORTS_ONLY where it changes no cost."""
    return COMMON.get(column) or COLUMNS[table].get(column, REPORTS_ONLY)
