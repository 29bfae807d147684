"""Questions to the catalogue: the row that applies to a model at an endpoint; all that is sold, in tables."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from planner.features.catalogue.published import Catalogue, Price, Product, Published, Quota, Rate, RegionSold, Unit
from planner.units import counted


@dataclass(frozen=True)
class Endpoint:
    """Where requests are sent: a deployment type in a region of a provider. It is a region of the planning folder."""

    provider: str
    deployment_type: str
    region: str
    zone: str = ""
    geography: str = ""
    time_zone: str = ""

    @property
    def name(self) -> str:
        """Name of the region in the planning folder: azure-eastus2, azure-datazone-eastus2, openai-global."""
        if self.deployment_type == "regional" or self.region == self.deployment_type:
            return f"{self.provider}-{self.region}"
        return f"{self.provider}-{self.deployment_type}-{self.region}"


def endpoint(catalogue: Catalogue, provider: str, deployment_type: str, region: str) -> Endpoint:
    """Endpoint with the place that the catalogue knows of its region."""
    known = region_of(catalogue, provider, region)
    if known is None:
        return Endpoint(provider, deployment_type, region)
    return Endpoint(provider, deployment_type, region, known.zone, known.geography, known.time_zone)


T = TypeVar("T", Price, Rate, Quota, Unit)


def _best(rows: Iterable[T], wanted: dict[str, str]) -> T | None:
    """Row whose cells are blank or as wanted, with the fewest blanks; the first of equals."""
    found: T | None = None
    most = -1
    for row in rows:
        cells = [(getattr(row, name), value) for name, value in wanted.items()]
        if all(cell in ("", value) for cell, value in cells):
            filled = sum(cell != "" for cell, _ in cells)
            if filled > most:
                found, most = row, filled
    return found


def products_of(catalogue: Catalogue, provider: str) -> list[Product]:
    """Products of a provider."""
    return [p for p in catalogue.products if p.provider == provider]


def region_of(catalogue: Catalogue, provider: str, region: str) -> RegionSold | None:
    """Find a provider's region by name."""
    return next((r for r in catalogue.regions if (r.provider, r.region) == (provider, region)), None)


def unit_of(catalogue: Catalogue, product: Product, model: str, deployment_type: str, meter: str) -> Unit | None:
    """Rating of a model's unit at a deployment type."""
    rows = (
        u for u in catalogue.units
        if (u.provider, u.product, u.model, u.meter) == (product.provider, product.product, model, meter)
    )  # fmt: skip
    return _best(rows, {"deployment_type": deployment_type})


def terms_of(catalogue: Catalogue, product: Product) -> list[str]:
    """Terms of a product, shortest first, without the hourly price."""
    hours: dict[str, float] = {}
    for p in catalogue.prices:
        if (p.provider, p.product) == (product.provider, product.product) and p.term != "hour":
            hours.setdefault(p.term, (p.term_months or 0) * 730.0 + (p.term_days or 0) * 24.0)
    return sorted(hours, key=lambda term: hours[term])


def price_of(
    catalogue: Catalogue, product: Product, at: Endpoint, model: str, meter: str, term: str
) -> Price | None:  # fmt: skip
    """Price row of a unit for a term: that of the model and region before the general one."""
    rows = (
        p for p in catalogue.prices
        if (p.provider, p.product, p.meter, p.term) == (product.provider, product.product, meter, term)
    )  # fmt: skip
    return _best(rows, {"model": model, "region": at.region, "deployment_type": at.deployment_type})


def rate_of(catalogue: Catalogue, at: Endpoint, model: str, option: str = "standard") -> Rate | None:
    """On-demand price of a model at an endpoint; None where none was read. Data stays where the endpoint keeps it."""
    rows = (
        r for r in catalogue.on_demand
        if (r.provider, r.model, r.option, r.deployment_type) == (at.provider, model, option, at.deployment_type)
    )  # fmt: skip
    return _best(rows, {"region": at.region, "zone": at.zone})


def quota_of(catalogue: Catalogue, at: Endpoint, model: str, usage_tier: str | None) -> Quota | None:
    """Quota row of a model in a usage tier; without a tier only the weights of a row that names none apply."""
    rows = (q for q in catalogue.quotas if (q.provider, q.model) == (at.provider, model))
    return _best(rows, {"usage_tier": usage_tier or "", "deployment_type": at.deployment_type})


def retirement(catalogue: Catalogue, provider: str, model: str) -> dt.date | None:
    """Day on which a provider retires a model; None where none was read."""
    return next((m.retires_on for m in catalogue.models if (m.provider, m.model) == (provider, model)), None)


def available(catalogue: Catalogue, at: Endpoint, model: str) -> bool | None:
    """Whether a model was offered at an endpoint; None where the source does not know the model in that type."""
    known = {
        a.region for a in catalogue.availability
        if (a.provider, a.model, a.deployment_type) == (at.provider, model, at.deployment_type)
    }  # fmt: skip
    return at.region in known if known else None


Table = tuple[str, list[str], list[list[str]]]  # title, header, rows


def all_products(catalogue: Catalogue, provider: str | None = None) -> list[Table]:
    """One line a product and term, then what to know of each, then the models of each provider."""
    lines, notes, models = [], [], []
    for seller in catalogue.providers:
        if provider not in (None, seller.provider):
            continue
        for product in products_of(catalogue, seller.provider):
            rated = {u.model for u in catalogue.units if (u.provider, u.product) == (seller.provider, product.product)}
            lines.append(
                [seller.provider, product.product, product.title, product.unit, product.pool_per, product.meters,
                 ", ".join(terms_of(catalogue, product)), str(len(rated)), "yes" if product.sold else "existing only"]
            )  # fmt: skip
            if product.note:
                notes.append([seller.provider, product.product, product.note])
        tiers: dict[str, list[str]] = {}
        for model in catalogue.models:
            if model.provider == seller.provider:
                tiers.setdefault(model.tier or "other", []).append(model.model)
        models += [[seller.provider, tier, ", ".join(tiers[tier])] for tier in tiers]
    header = ["provider", "product", "title", "unit", "pool per", "meters", "terms", "models rated", "sold"]
    return [
        ("Products", header, lines),
        ("What to know", ["provider", "product", "note"], notes),
        ("Models", ["provider", "tier", "models"], models),
    ]


def show_model(catalogue: Catalogue, model: str) -> list[Table]:
    """Everything that is known of a model: ratings, prices of units, on demand, quotas, retirement."""
    sold = [m for m in catalogue.models if m.model == model]
    about = [
        [m.provider, m.tier, "not known" if m.retires_on is None else str(m.retires_on), *_origin(m)] for m in sold
    ]
    units = [u for u in catalogue.units if u.model == model]
    rates = [r for r in catalogue.on_demand if r.model == model]
    quotas = [
        [q.provider, q.deployment_type or "any", q.usage_tier or "any", _n(q.tokens_per_minute),
         _n(q.requests_per_minute), _n(q.cached_weight), _n(q.output_weight), *_origin(q)]
        for q in catalogue.quotas if q.model == model
    ]  # fmt: skip
    hours = [
        [f.provider, f.option, _n(f.factor), f.note or f.hours_of_week, *_origin(f)]
        for f in catalogue.hour_factors if f.model == model
    ]  # fmt: skip
    end = ["status", "as of", "source"]
    return [
        ("Model", ["provider", "tier", "retires on", *end], about),
        ("What a unit serves", ["provider", "product", "type", "meter", "tokens/min", "input", "cached", "write",
                                "output",
                                "min", "step", *end], [_unit(u) for u in units]),
        ("Prices of a unit (USD per hour)", ["provider", "product", "type", "region", "meter", "term", "USD/h", *end],
         [line for u in units for line in _prices(catalogue, u)]),
        ("On demand (USD per million tokens)", ["provider", "type", "zone", "option", "input", "cached", "write",
                                                "output",
                                                "promotion to", "answers in", *end], [_rate(r) for r in rates]),
        ("On-demand prices by the hour", ["provider", "option", "times", "in these hours", *end], hours),
        ("Quotas", ["provider", "type", "tier", "tokens/min", "requests/min", "cached weight", "output weight", *end],
         quotas),
    ]  # fmt: skip


def _n(value: float | None) -> str:
    return "" if value is None else f"{value:,.6g}" if value >= 1e5 else f"{value:g}"


def _origin(row: Published) -> list[str]:
    return [row.status, str(row.as_of), row.source]


def _unit(u: Unit) -> list[str]:
    weights = (u.input_weight, u.cached_input_weight, u.cache_write_weight, u.output_weight, u.min_units, u.unit_step)
    rating = "" if u.tokens_per_minute_per_unit is None else f"{u.tokens_per_minute_per_unit:,.0f}"
    return [u.provider, u.product, u.deployment_type or "any", u.meter, rating, *map(_n, weights), *_origin(u)]


def _prices(catalogue: Catalogue, u: Unit) -> list[list[str]]:
    """Prices that apply to a rated unit: those of its model, or of all models of its product."""
    rows, specific = [], set()
    matching = [
        p for p in catalogue.prices
        if (p.provider, p.product, p.meter) == (u.provider, u.product, u.meter)
        and p.model in ("", u.model) and (not u.deployment_type or p.deployment_type in ("", u.deployment_type))
    ]  # fmt: skip
    for p in matching:
        if p.model:
            specific.add((p.deployment_type, p.region, p.term))
    for p in matching:
        if not p.model and (p.deployment_type, p.region, p.term) in specific:
            continue
        if p.term == "hour" and p.region:  # one line a price is enough: regions differ by band
            continue
        price = "not confirmed" if p.usd_per_unit_hour is None else f"{p.usd_per_unit_hour:.6g}"
        where = p.region or "any"
        rows.append([p.provider, p.product, p.deployment_type or "any", where, p.meter, p.term, price, *_origin(p)])
    return rows + _hourly(catalogue, u)


def _hourly(catalogue: Catalogue, u: Unit) -> list[list[str]]:
    bands: dict[tuple[str, float], list[str]] = {}
    first = {}
    for p in catalogue.prices:
        mine = (p.provider, p.product, p.deployment_type) == (u.provider, u.product, u.deployment_type)
        if mine and p.term == "hour" and p.fee_usd is not None:
            bands.setdefault((p.deployment_type, p.fee_usd), []).append(p.region)
            first[p.deployment_type, p.fee_usd] = p
    return [
        [u.provider, u.product, kind, f"{len(regions)} regions: {regions[0]}, ...", u.meter, "hour", f"{usd:g}",
         *_origin(first[kind, usd])]
        for (kind, usd), regions in bands.items()
    ]  # fmt: skip


def _rate(r: Rate) -> list[str]:
    prices = (r.usd_per_mtok_input, r.usd_per_mtok_cached_input, r.usd_per_mtok_cache_write, r.usd_per_mtok_output)
    until = "" if r.promo_until is None else str(r.promo_until)
    within = "" if r.deadline_hours is None else counted(r.deadline_hours, "hour", "g")
    where = r.zone or r.region or "any"
    return [r.provider, r.deployment_type, where, r.option, *map(_n, prices), until, within, *_origin(r)]
