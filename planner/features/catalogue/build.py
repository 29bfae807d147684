"""From a request to the offer, region and route tables of a planning folder, with what was left blank.

With a made-up workload, so that the folder is whole.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from planner.features.catalogue.lookup import Endpoint, available, retirement
from planner.features.catalogue.offer_rows import (
    Supply,
    TableRow,
    marked,
    on_demand_at,
    own_regions,
    own_supply,
    price_factor_rows,
    supply_at,
)
from planner.features.catalogue.published import Catalogue, Egress
from planner.features.catalogue.request import Request, endpoints_of
from planner.schema.settings import Horizon
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK

COMMON = ("source", "as_of", "note")
COLUMNS: dict[str, tuple[str, ...]] = {
    "regions": ("region", "fails", "provider", "time_zone", *COMMON),
    "models": ("model", "tier", *COMMON),
    "pools": ("pool", "region", "usd_per_unreserved_unit_hour", "shared_hourly", *COMMON),
    "throughput": (
        "pool", "model", "meter", "tokens_per_minute_per_unit", "input_weight", "cached_input_weight",
        "cache_write_weight", "output_weight", "min_units", "unit_step", *COMMON,
    ),
    "offers": (
        "offer", "pool", "meter", "term_months", "usd_per_unit_hour", "list_usd_per_unit_hour", "product", "min_units",
        "unit_step", "max_units", "term_days", *COMMON,
    ),
    "on_demand": (
        "region", "model", "option", "usd_per_mtok_input", "usd_per_mtok_cached_input", "usd_per_mtok_cache_write",
        "usd_per_mtok_output", "tokens_per_minute_quota", "quota_cached_weight", "quota_output_weight", "guaranteed",
        "deadline_hours", *COMMON,
    ),
    "price_factors": ("region", "model", "option", "period", "hours_of_week", "factor", *COMMON),
    "routes": ("origin", "destination", "usd_per_gb", "max_gb_per_month", *COMMON),
}  # fmt: skip


@dataclass(frozen=True)
class Built:
    """Tables by name, rows as dictionaries of COLUMNS; `left` says in words what is blank or left out, and why."""

    tables: dict[str, list[TableRow]]
    left: tuple[str, ...]


def build(catalogue: Catalogue, request: Request) -> Built:
    """Make the tables regions, models, pools, throughput, offers, on_demand and routes.

    The request must be free of request_faults.
    """
    end = request.horizon.periods[-1].end
    shortest_days = min((period.end - period.start).days for period in request.horizon.periods)
    supply, on_demand, left = Supply(), list[TableRow](), list[str]()
    endpoints, served = [], dict[str, TableRow]()
    for choice in request.providers:
        for at in endpoints_of(catalogue, choice):
            models = []
            for model in choice.models:
                if available(catalogue, at, model) is False:
                    left.append(f"{at.name}: {model} was not offered there when the list of models was read: left out")
                    continue
                gone = retirement(catalogue, at.provider, model)
                if gone is not None and gone <= request.horizon.start:
                    left.append(f"{at.name}: {model} retires on {gone}, before the plan starts, so it is left out")
                    continue
                if gone is not None and gone < end:
                    left.append(f"{at.name}: {model} retires on {gone}, before the plan ends ({end})")
                models.append(model)
            made = supply_at(catalogue, choice, at=at, models=models, terms=request.terms, shortest_days=shortest_days)
            rates = [
                r
                for m in models
                for r in on_demand_at(catalogue, choice, at=at, model=m, own=request.quotas, horizon_end=end, left=left)
            ]
            usable = {row["model"] for row in [*made.throughput, *rates]}
            if not usable:
                left.append(f"{at.name}: none of the models has a price there: no region is written")
                continue
            endpoints.append(at)
            on_demand += rates
            supply.add(made)
            for sold in catalogue.models:
                if sold.provider == choice.provider and sold.model in usable:
                    served.setdefault(sold.model, {"model": sold.model, "tier": sold.tier or None})
    own = own_supply(request.self_hosted)
    supply.add(own)
    for node in request.self_hosted:
        served.setdefault(node.model, {"model": node.model, "tier": node.tier})
    alone = len(endpoints) == 1 and not request.self_hosted
    tables: dict[str, list[TableRow]] = {
        "regions": region_rows(endpoints, alone, left) + own_regions(request.self_hosted),
        "models": list(served.values()),
        "pools": supply.pools,
        "throughput": supply.throughput,
        "offers": supply.offers,
        "on_demand": on_demand,
        "price_factors": price_factor_rows(catalogue, {at.name: at.provider for at in endpoints}, on_demand),
        "routes": route_rows(catalogue, endpoints, left) + _own_routes(request, [at.name for at in endpoints]),
    }
    if not tables["price_factors"]:
        del tables["price_factors"]  # most prices are the same at all hours
    return Built(tables, tuple(dict.fromkeys([*left, *supply.left])))


def _own_routes(request: Request, endpoints: Iterable[str]) -> list[TableRow]:
    """Routes to and from the buyer's own machines, free unless priced."""
    own = list(dict.fromkeys(node.region for node in request.self_hosted))
    pairs = [(a, b) for a in own for b in [*endpoints, *own] if a != b] + [(a, b) for a in endpoints for b in own]
    note = "your own line: enter its price"
    return [{"origin": a, "destination": b, "usd_per_gb": 0.0, "note": note} for a, b in pairs]


_NO_CAPACITY = "- A reservation of Azure units holds no capacity: **deploy first, then reserve**, same region and type."


def explanation(built: Built, name: str) -> str:
    """OFFERS.md: what was written, what was left blank, and what to do about it."""
    counts = ", ".join(f"{len(rows)} {table}" for table, rows in built.tables.items())
    lines = [
        f"# Offers of {name}",
        "",
        f"Written by `planner offers build` from the catalogue: {counts}.",
        "Each row says where its figures come from (`source`), when they were true (`as_of`), and in `note` whether "
        "they are confirmed on the provider's own page, quoted by a third party, or derived. Nothing was guessed.",
        "",
        "## Before you buy",
        "",
        *([_NO_CAPACITY] if any(row.get("provider") == "azure" for row in built.tables["regions"]) else []),
        "- Quotas decide what failover costs. Replace them with those of your account.",
        "- Put what you negotiated in `usd_per_unit_hour`; the list price stays beside it.",
        "",
        "## Left blank, left out, or assumed",
        "",
    ]
    return "\n".join(lines + (_grouped(built.left) or ["- nothing"])) + "\n"


def _grouped(left: Iterable[str]) -> list[str]:
    """One line for what is said of several places: what, then where."""
    places: dict[str, list[str]] = {}
    for said in left:
        place, _, what = said.partition(": ")
        places.setdefault(what, []).append(place)
    return [f"- {what} ({', '.join(where)})" for what, where in places.items()]


NOTE = "example, made up: replace with yours"
PEAK_REQUESTS_PER_HOUR = 1200
# Share of the peak in each hour of a working day (local time); a tenth of it at the weekend.
DAY = (3, 2, 2, 2, 3, 5, 10, 24, 52, 82, 97, 100, 90, 88, 95, 92, 82, 64, 44, 32, 24, 16, 10, 6)


def example_tables(built: Built, horizon: Horizon) -> dict[str, list[TableRow]]:
    """Rows of workloads, mix and demand: one workload that any model may serve, in office hours of each region."""
    served = [row["model"] for row in built.tables["models"]]
    return {
        "workloads": [
            {"workload": "example", "kind": "customer_service", "input_tokens": 2500, "output_tokens": 250,
             "cache_hit_rate": 0.5, "note": NOTE}
        ],
        "mix": [{"workload": "example", "model": m, "min_share": 0, "max_share": 1, "note": NOTE} for m in served],
        "demand": [row for region in built.tables["regions"] for row in _week(region, horizon.start)],
    }  # fmt: skip


def _week(region: TableRow, start: dt.date) -> Sequence[TableRow]:
    zone = ZoneInfo(region.get("time_zone") or "UTC")
    offset = ZoneInfo.utcoffset(zone, dt.datetime.combine(start, dt.time())) or dt.timedelta()
    ahead = round(offset.total_seconds() / 3600)
    rows = []
    for hour in range(HOURS_PER_WEEK):
        day, local = divmod((hour + ahead) % HOURS_PER_WEEK, HOURS_PER_DAY)
        share = DAY[local] / 100 * (0.1 if day >= DAYS_PER_WEEK - 2 else 1.0)
        rows.append(
            {"region": region["region"], "workload": "example", "hour_of_week": hour,
             "requests_per_hour": round(PEAK_REQUESTS_PER_HOUR * share)}
        )  # fmt: skip
    return rows


def example_settings(name: str, horizon: Horizon) -> str:
    """plan.yaml with the usual policy."""
    cuts = f", cuts: [{', '.join(map(str, horizon.cuts))}]" if horizon.cuts else ""
    return (
        f"name: {name}\n"
        f"horizon: {{start: {horizon.start}, months: {horizon.months}{cuts}}}\n"
        "policy:                          # `planner schema plan` explains every key\n"
        "  headroom: 0.30\n"
        "  reserved_headroom: 0           # what does not fit on the units overflows to on demand automatically\n"
        "  whole_units: true\n"
        "  tail_value: 0.95               # 5% of the payments past the horizon count as cost\n"
        "  failover: {enabled: true, share: 1.0, on_demand_trust: 0.5}\n"
    )


INTERNET = "internet"


def region_rows(endpoints: Sequence[Endpoint], alone: bool, left: list[str]) -> list[TableRow]:
    """One region an endpoint: a global or data-zone endpoint is a region of its own; ``alone`` : there is no other."""
    if alone:
        left.append(
            f"{endpoints[0].name}: it is the only region, so nothing could serve while it is lost, and fails is false. "
            "Name a second region, or another provider, to plan for failover"
        )
    return [
        {
            "region": at.name, "fails": not alone, "provider": at.provider, "time_zone": at.time_zone or None,
            "note": _kept(at),
        }
        for at in endpoints
    ]  # fmt: skip


def _kept(at: Endpoint) -> str:
    """Say where data is processed."""
    zone = at.zone or "its"
    where = {
        "global": "anywhere", "datazone": f"in the data zone {zone}", "geo": f"in the geography {zone}",
        "regional": "in the region",
    }  # fmt: skip
    return f"data is processed {where[at.deployment_type]}"


def route_rows(catalogue: Catalogue, endpoints: Sequence[Endpoint], left: list[str]) -> list[TableRow]:
    """Route between every two endpoints, at the price of data that leaves the first's cloud and geography."""
    rows = []
    for origin in endpoints:
        for destination in endpoints:
            if origin == destination:
                continue
            row: TableRow = {"origin": origin.name, "destination": destination.name, "usd_per_gb": 0.0}
            same = (origin.provider, origin.region) == (destination.provider, destination.region)
            price = None if same else _egress(catalogue, origin, destination)
            if same:
                row["note"] = "same region: no transfer charge"
            elif price is None:
                row["note"] = "no price of data leaving this endpoint was read: 0"
                left.append(f"{origin.name} to {destination.name}: no price of data on this route was read, so 0")
            else:
                row |= {"usd_per_gb": price.usd_per_gb_high, "source": price.source, "as_of": price.as_of}
                spread = price.usd_per_gb_low < price.usd_per_gb_high
                row["note"] = marked(price, f"highest; lowest {price.usd_per_gb_low:g}" if spread else "")
            rows.append(row)
    return rows


def _egress(catalogue: Catalogue, origin: Endpoint, destination: Endpoint) -> Egress | None:
    """Price within a cloud between geographies; to another cloud, that of the internet."""
    inside = origin.provider == destination.provider and destination.geography
    to = destination.geography if inside else INTERNET
    return next(
        (
            e
            for e in catalogue.egress
            if (e.provider, e.origin, e.destination) == (origin.provider, origin.geography, to)
        ),
        None,
    )
