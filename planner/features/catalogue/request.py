"""What a buyer wants offers for: providers, regions, models, own machines; discounts and quotes negotiated."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import Fault, InputError
from planner.features.catalogue.lookup import Endpoint, endpoint
from planner.features.catalogue.published import DEPLOYMENT_TYPES, Catalogue, Price, Product
from planner.io.yaml_text import load_yaml
from planner.schema.settings import Horizon


class _Scope(BaseModel):
    """What a discount or a quote applies to; blank: all."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    provider: str
    product: str = ""
    term: str = ""
    deployment_type: str = ""
    region: str = ""
    model: str = ""
    meter: str = ""

    def applies(self, product: Product, at: Endpoint, model: str, meter: str, term: str) -> bool:
        """Whether every name that is given is the one at hand."""
        at_hand = (product.provider, product.product, term, at.deployment_type, at.region, model, meter)
        mine = (
            self.provider, self.product, self.term, self.deployment_type, self.region, self.model, self.meter
        )  # fmt: skip
        return all(asked in ("", given) for asked, given in zip(mine, at_hand, strict=True))

    @property
    def precision(self) -> int:
        """How many names are given: the most precise of several applies."""
        return sum(
            name != "" for name in (self.product, self.term, self.deployment_type, self.region, self.model, self.meter)
        )


class Discount(_Scope):
    """A share off the list price."""

    discount: float = Field(ge=0, lt=1)


class Quote(_Scope):
    """The buyer's own price of a unit, USD per unit-hour; it stands for the published one."""

    usd_per_unit_hour: float = Field(ge=0)
    term_months: int | None = Field(default=None, ge=1)  # where the term is set in the order form
    source: str = "the buyer's quote"
    as_of: str | None = None


@dataclass(frozen=True)
class Negotiated:
    """All that was negotiated."""

    discounts: tuple[Discount, ...] = ()
    quotes: tuple[Quote, ...] = ()

    def quote(self, product: Product, at: Endpoint, model: str, meter: str, term: str) -> Quote | None:
        """Most precise quote that applies."""
        found = [q for q in self.quotes if q.applies(product, at, model, meter, term)]
        return max(found, key=lambda q: q.precision, default=None)

    def discount(self, product: Product, at: Endpoint, model: str, meter: str, term: str) -> float:
        """Most precise discount that applies; 0 without one."""
        found = [d for d in self.discounts if d.applies(product, at, model, meter, term)]
        best = max(found, key=lambda d: d.precision, default=None)
        return 0.0 if best is None else best.discount

    def effective(
        self, product: Product, at: Endpoint, model: str, meter: str, price: Price
    ) -> tuple[float | None, float | None]:
        """Effective and list price, USD per unit-hour; None where neither published nor quoted."""
        listed = price.usd_per_unit_hour
        if quote := self.quote(product, at, model, meter, price.term):
            return quote.usd_per_unit_hour, quote.usd_per_unit_hour if listed is None else listed
        if listed is None:
            return None, None
        return listed * (1 - self.discount(product, at, model, meter, price.term)), listed


GLOBAL = "global"
LARGEST_REQUEST_BYTES = 1_000_000


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Choice(_Block):
    """One provider, and what is wanted of it."""

    provider: str
    models: tuple[str, ...] = Field(min_length=1)
    deployment_types: tuple[str, ...] = (GLOBAL,)
    regions: tuple[str, ...] = ()
    products: tuple[str, ...] = ()  # none named: all that are sold
    usage_tier: str | None = None  # quotas of this tier; none: quotas stay blank
    options: tuple[str, ...] = ("standard",)


class OwnQuota(_Block):
    """The quota of the buyer's account."""

    provider: str
    model: str
    deployment_type: str = ""
    region: str = ""
    tokens_per_minute: float = Field(ge=0)


class OwnNodes(_Block):
    """Self-hosted GPUs: nodes of one kind in one region, and their measured throughput."""

    region: str
    node: str = Field(min_length=1)  # what a node is, for instance 8 x H100
    model: str
    tier: str | None = None
    tokens_per_minute_per_node: float = Field(gt=0)
    cached_input_weight: float = Field(default=1.0, ge=0)
    output_weight: float = Field(default=1.0, ge=0)
    usd_per_node_hour_reserved: float | None = Field(default=None, ge=0)
    usd_per_node_hour_on_demand: float | None = Field(default=None, ge=0)
    term_months: int = Field(default=12, ge=1)
    term_days: int | None = Field(default=None, ge=1)  # in place of months: a block of GPUs for some days
    source: str = Field(min_length=1)  # who measured it, who quoted it
    as_of: str | None = None

    @property
    def term_name(self) -> str:
        """Name of the term."""
        return f"{self.term_months}-months" if self.term_days is None else f"{self.term_days}-days"


class Request(_Block):
    """All that is asked for."""

    horizon: Horizon = Horizon.model_validate({"start": "2027-01-01", "months": 3})
    providers: tuple[Choice, ...] = ()
    discounts: tuple[Discount, ...] = ()
    quotes: tuple[Quote, ...] = ()
    quotas: tuple[OwnQuota, ...] = ()
    self_hosted: tuple[OwnNodes, ...] = ()

    @property
    def terms(self) -> Negotiated:
        """What was negotiated."""
        return Negotiated(self.discounts, self.quotes)


def read_request(path: Path) -> Request:
    """Read a request from YAML; every fault of it at once."""
    try:
        if path.stat().st_size > LARGEST_REQUEST_BYTES:
            raise InputError([Fault(path.name, "is too large for a request; is it the right file?")])
        told = load_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError([Fault(path.name, f"is not YAML: {str(error).splitlines()[0]}")]) from None
    if not isinstance(told, dict):
        raise InputError([Fault(path.name, "must hold providers: and what is wanted of each")])
    return make_request(told, path.name)


def make_request(told: dict[str, Any], place: str) -> Request:
    """Validate a request given as plain data."""
    try:
        return Request.model_validate(told)
    except ValidationError as error:
        raise InputError([_fault(place, e["loc"], e["type"], e["msg"], e["input"]) for e in error.errors()]) from None


_PARTS: dict[str, type[BaseModel]] = {
    "horizon": Horizon, "providers": Choice, "discounts": Discount, "quotes": Quote, "quotas": OwnQuota,
    "self_hosted": OwnNodes,
}  # fmt: skip


def _fault(place: str, at: tuple[int | str, ...], kind: str, message: str, value: Any) -> Fault:
    """Name what is wrong with a request, and which keys there are where one is not known."""
    where = ".".join(map(str, at))
    if kind != "extra_forbidden":
        return Fault(place, f"{where}: {message}", value=_shown(value))
    block = Request if len(at) == 1 else _PARTS.get(str(at[0]), Request)
    return Fault(place, f"{where}: there is no such key", allowed=", ".join(block.model_fields))


def _shown(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else None


def request_faults(catalogue: Catalogue, request: Request, place: str) -> list[Fault]:
    """Names of the request that the catalogue does not know, each with what it knows."""
    faults: list[Fault] = []
    known_providers = [p.provider for p in catalogue.providers]

    def must_know(what: str, names: Iterable[str], known: Iterable[str], provider: str) -> None:
        allowed = sorted(set(known))
        faults.extend(
            Fault(place, f"{provider}: no such {what}", value=name, allowed=", ".join(allowed))
            for name in names
            if name not in allowed
        )

    if not request.providers and not request.self_hosted:
        faults.append(Fault(place, "names no provider", allowed=", ".join(known_providers)))
    for choice in request.providers:
        mine = choice.provider
        if mine not in known_providers:
            must_know("provider", [mine], known_providers, "catalogue")
            continue
        must_know("model", choice.models, (m.model for m in catalogue.models if m.provider == mine), mine)
        must_know("region", choice.regions, (r.region for r in catalogue.regions if r.provider == mine), mine)
        must_know("product", choice.products, (p.product for p in catalogue.products if p.provider == mine), mine)
        must_know("deployment type", choice.deployment_types, deployment_types(catalogue, mine), mine)
        must_know("option", choice.options, (r.option for r in catalogue.on_demand if r.provider == mine), mine)
        tiers = {q.usage_tier for q in catalogue.quotas if q.provider == mine} - {""}
        must_know("usage tier", [choice.usage_tier] if choice.usage_tier else [], tiers, mine)
        if not endpoints_of(catalogue, choice):
            faults.append(Fault(place, f"{mine}: name the regions for {', '.join(choice.deployment_types)}"))
    named = [d.provider for d in request.discounts] + [q.provider for q in request.quotes]
    named += [q.provider for q in request.quotas]
    must_know("provider", named, known_providers, "discounts, quotes and quotas")
    return faults


def deployment_types(catalogue: Catalogue, provider: str) -> list[str]:
    """Deployment types that a provider sells, on demand or reserved."""
    named = {r.deployment_type for r in catalogue.on_demand if r.provider == provider}
    named |= {p.deployment_type for p in catalogue.prices if p.provider == provider}
    return [kind for kind in DEPLOYMENT_TYPES if kind in named]


def endpoints_of(catalogue: Catalogue, choice: Choice) -> list[Endpoint]:
    """Endpoints of a choice: a region of its own for each deployment type; a placeless global endpoint once."""
    placeless = any(r.provider == choice.provider and r.region == GLOBAL for r in catalogue.regions)
    found = []
    for kind in choice.deployment_types:
        regions = [GLOBAL] if kind == GLOBAL and placeless else [r for r in choice.regions if r != GLOBAL]
        found += [endpoint(catalogue, choice.provider, kind, region) for region in regions]
    return list(dict.fromkeys(found))
