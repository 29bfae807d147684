"""Rows of a planning folder as each product is really sold: pools, offers, on demand, places, own machines."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.features.catalogue.break_even import rated
from planner.features.catalogue.lookup import Endpoint, price_of, products_of, quota_of, rate_of, terms_of, unit_of
from planner.features.catalogue.published import HOURLY, Catalogue, Price, Product, Published, Rate, Unit
from planner.features.catalogue.request import Choice, Negotiated, OwnNodes, OwnQuota, Quote

TableRow = dict[str, Any]


@dataclass
class Supply:
    """Rows of the tables pools, throughput and offers, and what was left out of them."""

    pools: list[TableRow] = field(default_factory=list)
    throughput: list[TableRow] = field(default_factory=list)
    offers: list[TableRow] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, other: "Supply") -> None:
        """Append the rows of another."""
        for name in vars(self):
            getattr(self, name).extend(getattr(other, name))


def marked(row: Published, *more: str) -> str:
    """Note of a row: its status first, so that an unconfirmed figure shows as one wherever the row is printed."""
    return "; ".join(part for part in (row.status, *more, row.note) if part)


def supply_at(
    catalogue: Catalogue, choice: Choice, *, at: Endpoint, models: Sequence[str], terms: Negotiated, shortest_days: int
) -> Supply:
    """Pools of an endpoint: one a region (all models share it), one a model, or one for all that a provider sells.

    ``shortest_days`` : of the periods of the plan; a shorter term serves none of them whole.
    """
    found = Supply()
    for product in products_of(catalogue, choice.provider):
        if product.product not in choice.products and (choice.products or not product.sold):
            continue
        groups = [[model] for model in models] if product.pool_per == "model" else [list(models)]
        for group in groups:
            found.add(_pool(catalogue, product, at=at, models=group, terms=terms, shortest_days=shortest_days))
    return found


def _pool(
    catalogue: Catalogue, product: Product, *, at: Endpoint, models: list[str], terms: Negotiated, shortest_days: int
) -> Supply:
    meters = product.meters.split(";")
    made = Supply()
    served: list[str] = []
    sizes: dict[str, Unit] = {}
    name = f"{at.name}-{product.product}"
    if product.pool_per == "model":
        name += f"-{models[0]}"
    for model in models:
        units = {m: unit_of(catalogue, product, model, at.deployment_type, m) for m in meters}
        if not any(units.values()):
            continue  # the product is not sold for the model: nothing to say
        if not all(rated(unit) for unit in units.values()):
            made.left.append(
                f"{name}: {model} is not in the pool, because what a unit serves of it, or how output counts, is not "
                "published. Ask the seller, and add a row to throughput"
            )
            continue
        served.append(model)
        for meter, unit in units.items():
            if unit is not None:
                sizes[meter] = unit
                made.throughput.append(_throughput(name, product, unit, meter))
                if unit.cached_input_weight is None:
                    made.left.append(
                        f"{name}: how cached input of {model} counts is not published; planned as fresh input"
                    )
    if not served:
        return Supply(left=made.left)
    made.offers = list(
        _offers(
            catalogue,
            product,
            at=at,
            pool=name,
            model=served[0],
            sizes=sizes,
            terms=terms,
            shortest_days=shortest_days,
            left=made.left,
        )
    )
    hourly = price_of(catalogue, product, at, served[0], meters[0], HOURLY)
    unreserved = None if hourly is None else terms.effective(product, at, served[0], meters[0], hourly)[0]
    if {offer["meter"] for offer in made.offers} != set(meters) and unreserved is None:
        made.left.append(f"{name}: no pool is written, because none of its units can be bought at a known price")
        return Supply(left=made.left)
    row: TableRow = {"pool": name, "region": at.name, "usd_per_unreserved_unit_hour": unreserved}
    about = product if hourly is None else hourly
    row |= {"shared_hourly": product.shared_hourly, "source": about.source, "as_of": about.as_of}
    extra = "holds no capacity: deploy first, then reserve" if not product.holds_capacity else ""
    made.pools.append(row | {"note": marked(about, f"unit: {product.unit}", extra)})
    return made


def _throughput(pool: str, product: Product, unit: Unit, meter: str) -> TableRow:
    """Size rules belong to the deployment where a pool is shared, to the purchase where it is not."""
    shared = product.pool_per == "region"
    return {
        "pool": pool, "model": unit.model, "meter": meter,
        "tokens_per_minute_per_unit": unit.tokens_per_minute_per_unit, "input_weight": unit.input_weight,
        "cached_input_weight": unit.cached_input_weight, "cache_write_weight": unit.cache_write_weight,
        "output_weight": unit.output_weight, "min_units": unit.min_units if shared else None,
        "unit_step": unit.unit_step if shared else None, "source": unit.source, "as_of": unit.as_of,
        "note": marked(unit),
    }  # fmt: skip


def _offers(
    catalogue: Catalogue, product: Product, *, at: Endpoint, pool: str, model: str, sizes: dict[str, Unit],
    terms: Negotiated, shortest_days: int, left: list[str],
) -> Iterator[TableRow]:  # fmt: skip
    for term in terms_of(catalogue, product):
        priced = {meter: price_of(catalogue, product, at, model, meter, term) for meter in sizes}
        for meter, price in priced.items():
            if price is None:
                continue
            quote = terms.quote(product, at, model, meter, term)
            days = price.term_days if quote is None or quote.term_months is None else None
            months = (quote.term_months if quote else None) or price.term_months
            if days is not None and days < shortest_days:
                left.append(
                    f"{pool}: the term of {term} is left out, because no period of the plan is that short. "
                    "Write horizon.cuts into plan.yaml where a campaign begins and ends, and build again with --force"
                )
                continue
            effective, listed = terms.effective(product, at, model, meter, price)
            if effective is None:
                why = (price.note or "its price is not confirmed").replace(": ", "; ")
                left.append(f"{pool}: no offer for {term}{_of(meter)}, {why}")
            elif months is None and days is None:
                left.append(f"{pool}: no offer, because {price.note}. Add a quote with its term_months")
            else:
                yield _offer(
                    product,
                    pool,
                    meter=meter,
                    term=term,
                    months=months,
                    days=days,
                    effective=effective,
                    listed=listed,
                    price=price,
                    quote=quote,
                    unit=sizes[meter],
                    left=left,
                )


def _of(meter: str) -> str:
    return "" if meter == "tokens" else f" ({meter})"


def _offer(
    product: Product, pool: str, *, meter: str, term: str, months: int | None, days: int | None, effective: float,
    listed: float | None, price: Price, quote: Quote | None, unit: Unit, left: list[str],
) -> TableRow:  # fmt: skip
    shared = product.pool_per != "model"
    size: Product | Unit = product if shared else unit
    name = f"{pool}-{term.replace(' ', '-')}" + ("" if meter == "tokens" else f"-{meter}")
    steps = []
    if quote is not None:
        steps.append("your quote")
    elif price.fee_hours != 1:
        steps.append(f"derived: USD {price.fee_usd:g} / {price.fee_hours:g} h")
    if listed is not None and effective < listed and quote is None:
        steps.append(f"{100 * (1 - effective / listed):.4g}% negotiated off the list price")
    if price.promo_until is not None:
        left.append(
            f"{name}: a credit of {1 - (price.promo_factor or 1):.0%} until {price.promo_until} is not counted; the "
            "price is the one without it"
        )
    if size.unit_step is None:
        left.append(f"{name}: the step of a purchase is not published, so any number of units" + _from(size.min_units))
    row = {
        "offer": name, "pool": pool, "meter": meter, "term_months": months,
        "usd_per_unit_hour": round(effective, 8),
        "list_usd_per_unit_hour": None if listed is None else round(listed, 8),
        "product": f"{product.title}, {term}", "min_units": size.min_units, "unit_step": size.unit_step,
        "max_units": None if product.sold else 0, "term_days": days,
    }  # fmt: skip
    if quote is not None:
        return row | {"source": quote.source, "as_of": quote.as_of, "note": "; ".join(steps)}
    return row | {"source": price.source, "as_of": price.as_of, "note": marked(price, *steps)}


def _from(units: float | None) -> str:
    return "" if not units else f" from {units:g}"


def own_regions(nodes: Sequence[OwnNodes]) -> list[TableRow]:
    """Rows of regions."""
    names = dict.fromkeys(n.region for n in nodes)
    return [{"region": name, "fails": True, "provider": "self-hosted", "note": "your own machines"} for name in names]


def own_supply(nodes: Sequence[OwnNodes]) -> Supply:
    """Pools, throughput and offers; the unit is a node, bought whole."""
    made = Supply()
    for node in nodes:
        pool = f"{node.region}-{node.node}".replace(" ", "-").lower()
        about: TableRow = {"source": node.source, "as_of": node.as_of}
        if pool not in {row["pool"] for row in made.pools}:
            made.pools.append(
                {
                    "pool": pool, "region": node.region,
                    "usd_per_unreserved_unit_hour": node.usd_per_node_hour_on_demand, "shared_hourly": True,
                    **about, "note": f"your figures; unit: node of {node.node}",
                }
            )  # fmt: skip
            if node.usd_per_node_hour_reserved is not None:
                made.offers.append(
                    {
                        "offer": f"{pool}-{node.term_name}", "pool": pool, "meter": "tokens",
                        "term_months": None if node.term_days else node.term_months, "term_days": node.term_days,
                        "usd_per_unit_hour": node.usd_per_node_hour_reserved,
                        "list_usd_per_unit_hour": None, "product": f"reserved node {node.node}", "min_units": 1,
                        "unit_step": 1, "max_units": None, **about, "note": "your figure",
                    }
                )  # fmt: skip
            elif node.usd_per_node_hour_on_demand is None:
                made.left.append(f"{pool}: no price of a node was given, so none can be used")
        made.throughput.append(
            {
                "pool": pool, "model": node.model, "meter": "tokens",
                "tokens_per_minute_per_unit": node.tokens_per_minute_per_node, "input_weight": 1,
                "cached_input_weight": node.cached_input_weight, "cache_write_weight": None,
                "output_weight": node.output_weight, "min_units": None, "unit_step": None, **about,
                "note": "your measurement",
            }
        )  # fmt: skip
    return made


def on_demand_at(
    catalogue: Catalogue, choice: Choice, *, at: Endpoint, model: str, own: tuple[OwnQuota, ...], horizon_end: dt.date,
    left: list[str],
) -> list[TableRow]:  # fmt: skip
    """Rows of on_demand for a model at an endpoint, one for each option with a price."""
    rows = []
    for option in choice.options:
        rate = rate_of(catalogue, at, model, option)
        if rate is None:
            left.append(f"{at.name}: no on-demand price of {model} ({option}) was read for this endpoint, so no row")
            continue
        deadline = _deadline(rate, at, left)
        if deadline == UNKNOWN:
            continue
        row: TableRow = {"region": at.name, "model": model, "option": option, **_prices(rate, horizon_end, at, left)}
        if option == BATCH:  # its limit is on queued tokens, which is no rate
            row |= {"tokens_per_minute_quota": None, "_quota_note": ""}
        else:
            row |= _quota(catalogue, choice, at=at, model=model, own=own, left=left)
        row |= {"guaranteed": rate.guaranteed, "deadline_hours": deadline, "source": rate.source, "as_of": rate.as_of}
        rows.append(row)
        extra = (rows[-1].pop("_promotion"), rows[-1].pop("_quota_note"))
        rows[-1]["note"] = "; ".join(part for part in (marked(rate), *extra) if part)
        if rate.usd_per_mtok_cached_input is None:
            left.append(
                f"{at.name}: no price of cached input of {model} was read, so it is planned at the price of fresh input"
            )
    return rows


def price_factor_rows(catalogue: Catalogue, providers: dict[str, str], on_demand: Sequence[TableRow]) -> list[TableRow]:
    """Rows of price_factors: prices that change by the hour; ``providers`` : of each region."""
    return [
        {
            "region": row["region"], "model": row["model"], "option": row["option"], "period": None,
            "hours_of_week": f.hours_of_week, "factor": f.factor, "source": f.source, "as_of": f.as_of,
            "note": marked(f),
        }
        for row in on_demand
        for f in catalogue.hour_factors
        if (f.provider, f.model, f.option) == (providers.get(row["region"]), row["model"], row["option"])
    ]  # fmt: skip


BATCH, FLEX = "batch", "flex"
FLEX_HOURS = 1  # planned for work that can wait this long: no seller promises a time
UNKNOWN = -1


def _deadline(rate: Rate, at: Endpoint, left: list[str]) -> int | None:
    """Hours within which an option answers; None: at once. UNKNOWN: not published, so no row can be written."""
    if rate.deadline_hours is not None:
        return rate.deadline_hours
    if rate.option == BATCH:
        left.append(
            f"{at.name}: no row for {rate.model} (batch), because how long it may take is not published. Ask the "
            "seller, and add a row to on_demand with its deadline_hours"
        )
        return UNKNOWN
    if rate.option == FLEX:
        left.append(
            f"{at.name}: flex promises no time and may refuse requests, so {rate.model} (flex) is planned for work "
            f"that can wait: deadline_hours {FLEX_HOURS}, an assumption"
        )
        return FLEX_HOURS
    return None


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
    catalogue: Catalogue, choice: Choice, *, at: Endpoint, model: str, own: tuple[OwnQuota, ...], left: list[str]
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
