"""What the catalogue holds, as tables for people: all that is sold, or all that is known of a model."""

from planner.features.catalogue.lookup import products_of, terms_of
from planner.features.catalogue.published import Catalogue, Published, Rate, Unit

Table = tuple[str, list[str], list[list[str]]]  # title, header, rows


def all_products(catalogue: Catalogue, provider: str | None = None) -> list[Table]:
    """One line a product and term, then the models of each provider."""
    lines, models = [], []
    for seller in catalogue.providers:
        if provider not in (None, seller.provider):
            continue
        for product in products_of(catalogue, seller.provider):
            rated = {u.model for u in catalogue.units if (u.provider, u.product) == (seller.provider, product.product)}
            lines.append(
                [seller.provider, product.product, product.title, product.unit, product.pool_per, product.meters,
                 ", ".join(terms_of(catalogue, product)), str(len(rated)), "yes" if product.sold else "existing only"]
            )  # fmt: skip
        tiers: dict[str, list[str]] = {}
        for model in catalogue.models:
            if model.provider == seller.provider:
                tiers.setdefault(model.tier or "other", []).append(model.model)
        models += [[seller.provider, tier, ", ".join(tiers[tier])] for tier in tiers]
    header = ["provider", "product", "title", "unit", "pool per", "meters", "terms", "models rated", "sold"]
    return [("Products", header, lines), ("Models", ["provider", "tier", "models"], models)]


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
                                                "promotion to", *end], [_rate(r) for r in rates]),
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
    return [r.provider, r.deployment_type, r.zone or r.region or "any", r.option, *map(_n, prices), until, *_origin(r)]
