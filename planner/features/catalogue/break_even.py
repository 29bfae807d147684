r"""Break-even utilisation: the busy share at which a reserved unit costs what the same tokens cost on demand.

    u* = price of a unit-hour / on-demand value of what a unit serves in an hour at full use        [share]

A unit serves 60 · tokens_per_minute_per_unit weighted tokens an hour, so at a buyer's own mix of tokens

    value = 60 · tokens_per_minute_per_unit · on_demand_usd(mix) / weighted_tokens(mix)     [USD per unit-hour]

(The newsvendor's critical ratio: reserve up to the load that is exceeded a share u* of the time.) A product that sells
input and output apart needs both meters for a request: their prices and units are added before the division.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from planner.features.catalogue.lookup import Endpoint, price_of, products_of, rate_of, terms_of, unit_of
from planner.features.catalogue.published import HOURLY, Catalogue, Price, Product, Rate, Unit
from planner.features.catalogue.request import Negotiated
from planner.units import MINUTES_PER_HOUR, TOKENS_PER_MTOK


@dataclass(frozen=True)
class TokenMix:
    """Tokens of one request (only their ratios matter): fresh input, read from cache, written to cache, output."""

    fresh: float
    cached: float = 0.0
    written: float = 0.0
    output: float = 0.0


def mix_of(input_per_output: float | None, cache_hit_rate: float = 0.0) -> TokenMix:
    """Mix of an input:output ratio and a cache rate; ratio None: input only."""
    if input_per_output is None:
        return TokenMix(1 - cache_hit_rate, cache_hit_rate)
    return TokenMix(input_per_output * (1 - cache_hit_rate), input_per_output * cache_hit_rate, 0.0, 1.0)


@dataclass(frozen=True)
class Meter:
    """One meter of a unit: what it serves a minute, the weights, and its price for a term."""

    tokens_per_minute_per_unit: float
    usd_per_unit_hour: float
    input_weight: float = 1.0
    cached_input_weight: float = 1.0
    cache_write_weight: float = 1.0
    output_weight: float = 1.0

    def units_for(self, mix: TokenMix) -> float:
        """Units that serve one request an hour, [unit-hours per request]."""
        weighted = (
            mix.fresh * self.input_weight
            + mix.cached * self.cached_input_weight
            + mix.written * self.cache_write_weight
            + mix.output * self.output_weight
        )
        return weighted / (MINUTES_PER_HOUR * self.tokens_per_minute_per_unit)


@dataclass(frozen=True)
class TokenPrices:
    """On-demand prices, USD per million tokens."""

    fresh: float
    cached: float
    written: float
    output: float

    def cost(self, mix: TokenMix) -> float:
        """On-demand cost of one request, USD."""
        usd = mix.fresh * self.fresh + mix.cached * self.cached + mix.written * self.written + mix.output * self.output
        return usd / TOKENS_PER_MTOK


def token_prices(fresh: float, cached: float | None, written: float | None, output: float) -> TokenPrices:
    """Token prices where an unpublished price of cached or written input is that of fresh input."""
    return TokenPrices(fresh, fresh if cached is None else cached, fresh if written is None else written, output)


def break_even(
    meters: Sequence[Meter], mix: TokenMix, on_demand: TokenPrices, on_demand_mix: TokenMix | None = None
) -> float | None:  # fmt: skip
    """Return u*; None where the offer serves nothing of the mix, or on demand is free.

    Parameters
    ----------
    meters : one meter, or the input and output meters of a product that sells them apart.
    mix : tokens of a request on reserved units.
    on_demand_mix : tokens of the same request on demand, where fewer are found in a cache; None: the same.
    """
    reserved = sum(meter.units_for(mix) * meter.usd_per_unit_hour for meter in meters)
    alternative = on_demand.cost(on_demand_mix or mix)
    return reserved / alternative if reserved > 0 and alternative > 0 else None


def discount_needed(u_star: float, utilisation: float) -> float:
    """Further discount at which a unit that is busy `utilisation` of the time breaks even; 0 if it does already."""
    return max(0.0, 1.0 - utilisation / u_star)


def after_price_cut(u_star: float, cut_share: float, after_months: float, term_months: float) -> float:
    """Return u* over the whole term if on-demand prices fall by `cut_share` after some months of it."""
    kept = min(max(after_months, 0.0), term_months) / term_months
    worth = kept + (1 - kept) * (1 - cut_share)
    return u_star / worth if worth > 0 else float("inf")


NEVER, PAYS, NO_PRICE = "never pays", "can pay", "no price"


@dataclass(frozen=True)
class Axes:
    """What is varied: cache rates, input:output ratios (None: input only), and what may happen during the term."""

    cache_hit_rates: tuple[float, ...] = (0.0, 0.3, 0.5, 0.8)
    input_per_output: tuple[float | None, ...] = (10.0,)
    utilisation: float = 1.0  # at which the discount needed is given
    price_cut: float = 0.0  # share by which on-demand prices fall
    cut_after_months: float = 0.0
    option: str = "standard"  # on-demand option that is compared with


@dataclass(frozen=True)
class BreakEven:
    """One offer at one mix. Prices in USD per unit-hour; shares 0 to 1; None where a price is not known."""

    offer: str
    model: str
    meter: str
    term: str
    term_months: float
    mix: str
    cache_hit_rate: float | None
    usd_per_unit_hour: float | None
    list_usd_per_unit_hour: float | None
    break_even_utilisation: float | None
    after_price_cut: float | None
    discount_needed: float | None
    verdict: str
    status: str
    note: str


def break_even_rows(
    catalogue: Catalogue, at: Endpoint, *, models: Iterable[str], axes: Axes, terms: Negotiated, today: dt.date
) -> list[BreakEven]:  # fmt: skip
    """Rows of every product, term, model and mix at an endpoint, where there is a rating and an on-demand price."""
    found = []
    for model in models:
        rate = rate_of(catalogue, at, model, axes.option)
        for product in products_of(catalogue, at.provider):
            units = {m: unit_of(catalogue, product, model, at.deployment_type, m) for m in product.meters.split(";")}
            if rate is None or not all(rated(unit) for unit in units.values()):
                continue
            names = [HOURLY, *terms_of(catalogue, product)]
            for term in names:
                priced = {m: price_of(catalogue, product, at, model, m, term) for m in units}
                if term == HOURLY and not any(priced.values()):
                    continue
                found += _of_term(
                    product,
                    at,
                    model=model,
                    term=term,
                    units=units,
                    priced=priced,
                    rate=rate,
                    axes=axes,
                    terms=terms,
                    today=today,
                )
    return found


def rated(unit: Unit | None) -> bool:
    """Whether a unit's throughput and its weight of output are known: without them nothing can be planned."""
    return unit is not None and unit.tokens_per_minute_per_unit is not None and unit.output_weight is not None


def rate_prices(rate: Rate) -> TokenPrices:
    """Token prices of an on-demand row."""
    return token_prices(
        rate.usd_per_mtok_input, rate.usd_per_mtok_cached_input, rate.usd_per_mtok_cache_write, rate.usd_per_mtok_output
    )


def _of_term(
    product: Product, at: Endpoint, *, model: str, term: str, units: dict[str, Unit | None],
    priced: dict[str, Price | None], rate: Rate, axes: Axes, terms: Negotiated, today: dt.date,
) -> list[BreakEven]:  # fmt: skip
    meters, statuses, notes = {}, list[str](), []
    lists: dict[str, float | None] = {}
    months = 0.0
    for name, unit in units.items():
        price = priced[name]
        if price is None or unit is None:
            continue
        months = float(price.term_months or 0) or price.fee_hours / 730.0
        effective, lists[name] = terms.effective(product, at, model, name, price)
        quoted = terms.quote(product, at, model, name, term) is not None
        statuses.append("quote" if quoted else "not confirmed" if effective is None else price.status)
        notes += [n for n in (price.note, _promotion(price, today)) if n]
        if effective is not None:
            meters[name] = meter_of(unit, effective)
    status, out = " + ".join(dict.fromkeys(statuses)), []
    for label, hit, mix in mixes(axes):
        out.append(
            _row(
                product,
                at,
                model=model,
                term=term,
                months=months,
                label=label,
                hit=hit,
                units=units,
                meters=meters,
                lists=lists,
                mix=mix,
                rate=rate,
                axes=axes,
                status=status,
                notes=notes,
            )
        )
        if len(units) > 1 and len(meters) == len(units):
            out += _by_meter(out[-1], meters, lists=lists, mix=mix, prices=rate_prices(rate), axes=axes)
    return out


def meter_of(unit: Unit, usd_per_unit_hour: float) -> Meter:
    """Meter of a rating; an unpublished weight of cached input counts as 1 (cautious), of writes as fresh input."""
    fresh = 1.0 if unit.input_weight is None else unit.input_weight
    return Meter(
        tokens_per_minute_per_unit=unit.tokens_per_minute_per_unit or 1.0,
        usd_per_unit_hour=usd_per_unit_hour,
        input_weight=fresh,
        cached_input_weight=1.0 if unit.cached_input_weight is None else unit.cached_input_weight,
        cache_write_weight=fresh if unit.cache_write_weight is None else unit.cache_write_weight,
        output_weight=1.0 if unit.output_weight is None else unit.output_weight,
    )


def mixes(axes: Axes) -> list[tuple[str, float, TokenMix]]:
    """Mixes to compare at: label, cache rate, tokens."""
    return [
        ("input only" if ratio is None else f"{ratio:g}:1 in:out", hit, mix_of(ratio, hit))
        for ratio in axes.input_per_output
        for hit in axes.cache_hit_rates
    ]


def verdict_of(u_star: float | None) -> str:
    """Say in words: above 1 an offer never pays, even if busy all the time."""
    return NO_PRICE if u_star is None else NEVER if u_star > 1 + 1e-9 else PAYS


def _row(
    product: Product, at: Endpoint, *, model: str, term: str, months: float, label: str, hit: float,
    units: dict[str, Unit | None], meters: dict[str, Meter], lists: dict[str, float | None], mix: TokenMix, rate: Rate,
    axes: Axes, status: str, notes: Sequence[str],
) -> BreakEven:  # fmt: skip
    known = len(meters) == len(units)
    u = break_even(list(meters.values()), mix, rate_prices(rate)) if known else None
    single = len(units) == 1
    first = next(iter(units))
    paid = meters[first].usd_per_unit_hour if single and known else None
    return BreakEven(
        f"{at.name} {product.product}", model, first if single else " + ".join(units), term, months, label, hit,
        paid, lists.get(first) if single else None, u,
        None if u is None else after_price_cut(u, axes.price_cut, axes.cut_after_months, months),
        None if u is None else discount_needed(u, axes.utilisation),
        verdict_of(u), status, "; ".join(dict.fromkeys([*notes, *([rate.note] if rate.promo_until else [])])),
    )  # fmt: skip


def _by_meter(
    both: BreakEven,
    meters: dict[str, Meter],
    *,
    lists: dict[str, float | None],
    mix: TokenMix,
    prices: TokenPrices,
    axes: Axes,
) -> list[BreakEven]:
    """Give the meters apart: input tokens against their price, output tokens against theirs."""
    parts = {"input": TokenMix(mix.fresh, mix.cached, mix.written), "output": TokenMix(0.0, 0.0, 0.0, mix.output)}
    rows = []
    for name, meter in meters.items():
        u = break_even([meter], parts[name], prices) if name in parts else None
        if u is None:
            continue
        after = after_price_cut(u, axes.price_cut, axes.cut_after_months, both.term_months)
        values = {
            "meter": name, "usd_per_unit_hour": meter.usd_per_unit_hour, "list_usd_per_unit_hour": lists[name],
            "break_even_utilisation": u, "after_price_cut": after, "verdict": verdict_of(u),
            "discount_needed": discount_needed(u, axes.utilisation),
        }  # fmt: skip
        rows.append(BreakEven(**(vars(both) | values)))
    return rows


def _promotion(price: Price, today: dt.date) -> str:
    if price.promo_until is None or price.promo_until < today:
        return ""
    return f"promotion: {1 - (price.promo_factor or 1):.0%} off until {price.promo_until}, not counted"
