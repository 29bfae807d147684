"""Pools, throughput and offers of an endpoint, as each product is really sold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.features.catalogue.break_even import rated
from planner.features.catalogue.lookup import Endpoint, price_of, products_of, terms_of, unit_of
from planner.features.catalogue.published import HOURLY, Catalogue, Price, Product, Published, Unit
from planner.features.catalogue.request import Choice, Quote, Terms

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


def supply_at(catalogue: Catalogue, choice: Choice, at: Endpoint, models: Sequence[str], terms: Terms) -> Supply:
    """Pools of an endpoint: one a region (all models share it), one a model, or one for all that a provider sells."""
    found = Supply()
    for product in products_of(catalogue, choice.provider):
        if product.product not in choice.products and (choice.products or not product.sold):
            continue
        groups = [[model] for model in models] if product.pool_per == "model" else [list(models)]
        for group in groups:
            found.add(_pool(catalogue, product, at, group, terms))
    return found


def _pool(catalogue: Catalogue, product: Product, at: Endpoint, models: list[str], terms: Terms) -> Supply:
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
    made.offers = list(_offers(catalogue, product, at, name, served[0], sizes, terms, made.left))
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
    catalogue: Catalogue, product: Product, at: Endpoint, pool: str, model: str, sizes: dict[str, Unit], terms: Terms,
    left: list[str],
) -> Iterator[TableRow]:  # fmt: skip
    for term in terms_of(catalogue, product):
        priced = {meter: price_of(catalogue, product, at, model, meter, term) for meter in sizes}
        for meter, price in priced.items():
            if price is None:
                continue
            quote = terms.quote(product, at, model, meter, term)
            months = (quote.term_months if quote else None) or price.term_months
            if price.term == "1 week":
                left.append(f"{pool}: the term of 1 week is left out, because a plan buys by the month")
                continue
            effective, listed = terms.effective(product, at, model, meter, price)
            if effective is None:
                why = (price.note or "its price is not confirmed").replace(": ", "; ")
                left.append(f"{pool}: no offer for {term}{_of(meter)}, {why}")
            elif months is None:
                left.append(f"{pool}: no offer, because {price.note}. Add a quote with its term_months")
            else:
                yield _offer(product, pool, meter, term, months, effective, listed, price, quote, sizes[meter], left)


def _of(meter: str) -> str:
    return "" if meter == "tokens" else f" ({meter})"


def _offer(
    product: Product, pool: str, meter: str, term: str, months: int, effective: float, listed: float | None,
    price: Price, quote: Quote | None, unit: Unit, left: list[str],
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
        "max_units": None if product.sold else 0,
    }  # fmt: skip
    if quote is not None:
        return row | {"source": quote.source, "as_of": quote.as_of, "note": "; ".join(steps)}
    return row | {"source": price.source, "as_of": price.as_of, "note": marked(price, *steps)}


def _from(units: float | None) -> str:
    return "" if not units else f" from {units:g}"
