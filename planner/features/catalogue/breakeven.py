r"""Break-even utilisation: the busy share at which a reserved unit costs what the same tokens cost on demand.

    u* = price of a unit-hour / on-demand value of what a unit serves in an hour at full use        [share]

A unit serves 60 · tokens_per_minute_per_unit weighted tokens an hour, so at a buyer's own mix of tokens

    value = 60 · tokens_per_minute_per_unit · on_demand_usd(mix) / weighted_tokens(mix)     [USD per unit-hour]

(The newsvendor's critical ratio: reserve up to the load that is exceeded a share u* of the time.) A product that sells
input and output apart needs both meters for a request: their prices and units are added before the division.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.units import MINUTES_PER_HOUR, TOKENS_PER_MTOK


@dataclass(frozen=True)
class Mix:
    """Tokens of one request (only their ratios matter): fresh input, read from cache, written to cache, output."""

    fresh: float
    cached: float = 0.0
    written: float = 0.0
    output: float = 0.0


def mix_of(input_per_output: float | None, cache_hit_rate: float = 0.0) -> Mix:
    """Mix of an input:output ratio and a cache rate; ratio None: input only."""
    if input_per_output is None:
        return Mix(1 - cache_hit_rate, cache_hit_rate)
    return Mix(input_per_output * (1 - cache_hit_rate), input_per_output * cache_hit_rate, 0.0, 1.0)


@dataclass(frozen=True)
class Meter:
    """One meter of a unit: what it serves a minute, the weights, and its price for a term."""

    tokens_per_minute_per_unit: float
    usd_per_unit_hour: float
    input_weight: float = 1.0
    cached_input_weight: float = 1.0
    cache_write_weight: float = 1.0
    output_weight: float = 1.0

    def units_for(self, mix: Mix) -> float:
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

    def cost(self, mix: Mix) -> float:
        """On-demand cost of one request, USD."""
        usd = mix.fresh * self.fresh + mix.cached * self.cached + mix.written * self.written + mix.output * self.output
        return usd / TOKENS_PER_MTOK


def token_prices(fresh: float, cached: float | None, written: float | None, output: float) -> TokenPrices:
    """Token prices where an unpublished price of cached or written input is that of fresh input (as in model.md)."""
    return TokenPrices(fresh, fresh if cached is None else cached, fresh if written is None else written, output)


def break_even(
    meters: Sequence[Meter], mix: Mix, on_demand: TokenPrices, on_demand_mix: Mix | None = None
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
