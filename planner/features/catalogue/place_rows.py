"""Rows of the tables regions and routes: endpoints as regions, and what data between them costs."""

from collections.abc import Sequence

from planner.features.catalogue.lookup import Endpoint
from planner.features.catalogue.offer_rows import TableRow, marked
from planner.features.catalogue.published import Catalogue, Egress

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
