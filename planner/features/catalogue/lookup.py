"""Questions to the catalogue: the row that applies to a model at an endpoint."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from planner.features.catalogue.published import Catalogue, Price, Product, Quota, Rate, RegionSold, Unit


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
            hours.setdefault(p.term, (p.term_months or 0) * 730.0)
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
