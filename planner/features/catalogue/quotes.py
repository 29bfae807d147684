"""What a buyer negotiated: discounts on the list price, and quotes where no price is published."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from planner.features.catalogue.lookup import Endpoint
from planner.features.catalogue.published import Price, Product


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
class Terms:
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
