"""Prices of a folder that are far outside of anything sold: a slip of units, or of zeros, that a plan would sign.

Compared is what the price is for: on demand, USD per million tokens; of a unit, USD per million (weighted) tokens that
a full unit serves; of data, USD per gigabyte. What is sold is the catalogue's range of the same. The limits are wide,
so that prices in another currency, of own machines or of a dear seller are no finding: 10,000 times the dearest, and a
hundredth of the cheapest (a price per token is below that). A price of 0 is not judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from planner.features.catalogue.published import Catalogue, Published
from planner.schema.case import Case

ABOVE, BELOW = 10_000.0, 0.01
MINUTES, MILLION = 60.0, 1e6
_SMALL = 1e-3  # USD: shown with all its zeros below it
FOR = {
    "offers": "a million tokens of a full unit",
    "pools": "a million tokens of a full unit",
    "on_demand": "a million tokens",
    "routes": "a gigabyte",
}
REMEDY = {
    "offers": "Check that it is in USD for one unit and one hour, and tokens_per_minute_per_unit in throughput",
    "pools": "Check that it is in USD for one unit and one hour, and tokens_per_minute_per_unit in throughput",
    "on_demand": "Check that it is in USD for a million tokens, not for one",
    "routes": "Check that it is in USD for a gigabyte",
}


@dataclass(frozen=True)
class Amount:
    """A price: USD for what `FOR` says, what it is called, and the row of the catalogue that it is from."""

    usd: float
    name: str
    row: Published | None = None


@dataclass(frozen=True)
class FarPrice:
    """Prices of a table beyond one end of what is sold; `worst` is the farthest of `names`."""

    table: str
    names: tuple[str, ...]
    worst: Amount
    nearest: Amount  # the end of the catalogue's range

    @property
    def message(self) -> str:
        """The price, what it comes to, and what is sold at most or least, with its source."""
        end, row = ("dearest" if self.worst.usd > self.nearest.usd else "cheapest"), self.nearest.row
        ratio = max(self.worst.usd, self.nearest.usd) / min(self.worst.usd, self.nearest.usd)
        more = f" (and {len(self.names) - 1} more)" if len(self.names) > 1 else ""
        than = "times" if end == "dearest" else "times less than"
        source = "" if row is None else f"; {row.source}, {row.as_of}"
        return (
            f"{self.worst.name}{more} is {_figure(self.worst.usd)} USD for {FOR[self.table]}, {ratio:,.0f} {than} the "
            f"{end} of the catalogue ({_figure(self.nearest.usd)} USD: {self.nearest.name}{source})"
        )

    @property
    def remedy(self) -> str:
        """What to look at."""
        return REMEDY[self.table]


def _figure(usd: float) -> str:
    if usd >= 1_000:
        return f"{usd:,.0f}"
    return f"{usd:.4g}" if usd >= _SMALL else f"{usd:.12f}".rstrip("0")


def far_prices(case: Case, catalogue: Catalogue) -> list[FarPrice]:
    """List what is above and below everything sold, table by table."""
    units = sorted(_units_sold(catalogue), key=lambda a: a.usd)
    tokens = sorted(_tokens_sold(catalogue), key=lambda a: a.usd)
    data = sorted(_data_sold(catalogue), key=lambda a: a.usd)
    return [
        *_beyond("offers", _offers(case), units),
        *_beyond("pools", _pools(case), units),
        *_beyond("on_demand", _tokens(case), tokens),
        *_beyond("routes", [Amount(r.usd_per_gb, f"{r.origin} to {r.destination}") for r in case.routes], data),
    ]


def _beyond(table: str, own: list[Amount], sold: list[Amount]) -> Iterator[FarPrice]:
    if not sold:
        return
    least, most = sold[0], sold[-1]
    above = sorted((a for a in own if a.usd > ABOVE * most.usd), key=lambda a: -a.usd)
    below = sorted((a for a in own if 0 < a.usd < BELOW * least.usd), key=lambda a: a.usd)
    for found, end in ((above, most), (below, least)):
        if found:
            yield FarPrice(table, tuple(dict.fromkeys(a.name for a in found)), found[0], end)


def _unit_million(case: Case) -> dict[tuple[str, str], float]:
    """Most million tokens that a unit of each pool and meter serves in an hour, of the models that it can serve."""
    most: dict[tuple[str, str], float] = {}
    for row in case.throughput:
        key, served = (row.pool, row.meter), row.tokens_per_minute_per_unit * MINUTES / MILLION
        most[key] = max(most.get(key, 0.0), served)
    return most


def _offers(case: Case) -> list[Amount]:
    served, start = _unit_million(case), case.periods[0].start
    return [
        Amount(usd / served[o.pool, o.meter], f"{o.offer}: {_figure(usd)} USD per unit-hour")
        for o in case.offers
        if (o.pool, o.meter) in served
        for usd in (o.usd_per_hour(start),)
    ]


def _pools(case: Case) -> list[Amount]:
    served = _unit_million(case)
    return [
        Amount(usd / million, f"{p.pool}: {_figure(usd)} USD per unit-hour")
        for p in case.pools
        for (pool, _), million in served.items()
        for usd in (p.usd_per_unreserved_unit_hour, p.usd_per_scaled_unit_hour)
        if pool == p.pool and usd is not None
    ]


def _tokens(case: Case) -> list[Amount]:
    return [
        Amount(usd, f"{r.model} in {r.region}, {what}")
        for r in case.on_demand
        for what, usd in (
            ("input", r.usd_per_mtok_input),
            ("cached input", r.usd_per_mtok_cached_input),
            ("cache write", r.usd_per_mtok_cache_write),
            ("output", r.usd_per_mtok_output),
        )
        if usd is not None
    ]


def _units_sold(catalogue: Catalogue) -> Iterator[Amount]:
    for unit in catalogue.units:
        if not unit.tokens_per_minute_per_unit:
            continue
        million = unit.tokens_per_minute_per_unit * MINUTES / MILLION
        for price in catalogue.prices:
            same = (price.provider, price.product, price.meter) == (unit.provider, unit.product, unit.meter)
            if same and price.model in ("", unit.model) and price.usd_per_unit_hour:
                name = f"{unit.provider} {unit.product}, {unit.model}, {price.term}"
                yield Amount(price.usd_per_unit_hour / million, name, price)


def _tokens_sold(catalogue: Catalogue) -> Iterator[Amount]:
    for rate in catalogue.on_demand:
        for usd in (
            rate.usd_per_mtok_input, rate.usd_per_mtok_cached_input, rate.usd_per_mtok_cache_write,
            rate.usd_per_mtok_output,
        ):  # fmt: skip
            if usd:
                yield Amount(usd, f"{rate.provider} {rate.model}, {rate.option}", rate)


def _data_sold(catalogue: Catalogue) -> Iterator[Amount]:
    for row in catalogue.egress:
        for usd in (row.usd_per_gb_low, row.usd_per_gb_high):
            if usd:
                yield Amount(usd, f"{row.provider} {row.origin} to {row.destination}", row)
