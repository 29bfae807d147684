"""On-demand prices and quotas of an endpoint."""

import datetime as dt
from typing import Any

from planner.features.catalogue.lookup import Endpoint, quota_of, rate_of
from planner.features.catalogue.offer_rows import TableRow, marked
from planner.features.catalogue.published import Catalogue, Rate
from planner.features.catalogue.request import Choice, OwnQuota


def on_demand_at(
    catalogue: Catalogue, choice: Choice, at: Endpoint, model: str, own: tuple[OwnQuota, ...], horizon_end: dt.date,
    left: list[str],
) -> list[TableRow]:  # fmt: skip
    """Rows of on_demand for a model at an endpoint, one for each option with a price."""
    rows = []
    for option in choice.options:
        rate = rate_of(catalogue, at, model, option)
        if rate is None:
            left.append(f"{at.name}: no on-demand price of {model} ({option}) was read for this endpoint, so no row")
            continue
        row: TableRow = {"region": at.name, "model": model, "option": option, **_prices(rate, horizon_end, at, left)}
        row |= _quota(catalogue, choice, at, model, own, left)
        rows.append(row | {"guaranteed": rate.guaranteed, "source": rate.source, "as_of": rate.as_of})
        extra = (rows[-1].pop("_promotion"), rows[-1].pop("_quota_note"))
        rows[-1]["note"] = "; ".join(part for part in (marked(rate), *extra) if part)
        if rate.usd_per_mtok_cached_input is None:
            left.append(
                f"{at.name}: no price of cached input of {model} was read, so it is planned at the price of fresh input"
            )
    return rows


def _prices(rate: Rate, horizon_end: dt.date, at: Endpoint, left: list[str]) -> dict[str, Any]:
    """Prices in force at the end of the plan: a promotion that may end before is not planned on."""
    factor, said = 1.0, ""
    usd_in, usd_out = rate.usd_per_mtok_input, rate.usd_per_mtok_output
    if rate.promo_until is not None and rate.promo_until < horizon_end and rate.list_usd_per_mtok_input is not None:
        factor = rate.list_usd_per_mtok_input / usd_in
        usd_in, usd_out = rate.list_usd_per_mtok_input, rate.list_usd_per_mtok_output or usd_out * factor
        said = "planned at the price without the promotion; cached and written input derived in proportion"
        left.append(
            f"{at.name}: the promotion on {rate.model} is promised to {rate.promo_until} only, so it is planned "
            f"at the price without it ({usd_in:g} and {usd_out:g} USD per million; cached and written input in "
            "proportion, derived)"
        )
    return {
        "usd_per_mtok_input": usd_in,
        "usd_per_mtok_cached_input": _scaled(rate.usd_per_mtok_cached_input, factor),
        "usd_per_mtok_cache_write": _scaled(rate.usd_per_mtok_cache_write, factor),
        "usd_per_mtok_output": usd_out,
        "_promotion": said,
    }


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else round(value * factor, 8)


def _quota(
    catalogue: Catalogue, choice: Choice, at: Endpoint, model: str, own: tuple[OwnQuota, ...], left: list[str]
) -> dict[str, Any]:  # fmt: skip
    published = quota_of(catalogue, at, model, choice.usage_tier)
    mine = [
        q for q in own
        if (q.provider, q.model) == (at.provider, model)
        and q.deployment_type in ("", at.deployment_type) and q.region in ("", at.region)
    ]  # fmt: skip
    limit = mine[0].tokens_per_minute if mine else None if published is None else published.tokens_per_minute
    if limit is None:
        left.append(
            f"{at.name}: the quota of {model} is blank, which the plan reads as no limit, so that failover "
            "costs nothing; enter the quota of your account"
        )
    said = "quota of your account" if mine else ""
    if published is not None and limit is not None and not mine:
        said = f"quota: {choice.usage_tier}, {published.source}, {published.status}"
    return {
        "tokens_per_minute_quota": limit,
        "quota_cached_weight": None if published is None else published.cached_weight,
        "quota_output_weight": None if published is None else published.output_weight,
        "_quota_note": said,
    }
