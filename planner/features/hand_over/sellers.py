"""Who sells a region, and how its capacity is set up there: by Terraform, by an order of its own, or by hand.

What is known of each seller, and where it was read (all on 2026-11-29):

- Azure: `azurerm_cognitive_deployment`, sku ProvisionedManaged, DataZoneProvisionedManaged or GlobalProvisionedManaged,
  capacity in PTUs; on demand Standard, DataZoneStandard or GlobalStandard, capacity in thousand tokens per minute
  (Terraform registry, azurerm; Microsoft Learn, deployment types). A reservation is a discount on deployed units and
  holds no capacity, so deployments come first (Microsoft Learn, provisioned throughput billing). azurerm has no
  resource for it.
- AWS: `aws_bedrock_provisioned_model_throughput`, commitment OneMonth or SixMonths (Terraform registry, aws): to apply
  it is to buy. The reserved tier (input and output apart) is bought through the account team: no resource.
- Google: provisioned throughput (GSU) is ordered in the console; the google provider has no resource for it.
- LiteLLM names of providers and parameters: docs.litellm.ai, proxy configuration, load balancing and providers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from planner.schema.case import Case

AZURE, AWS, GOOGLE, OTHER = "azure", "aws", "google", ""
_SPELLINGS = {
    "azure": AZURE, "microsoft": AZURE, "microsoft azure": AZURE, "azure openai": AZURE, "azure ai foundry": AZURE,
    "microsoft azure ai foundry": AZURE, "aws": AWS, "amazon": AWS, "bedrock": AWS, "amazon bedrock": AWS,
    "google": GOOGLE, "gcp": GOOGLE, "google cloud": GOOGLE, "vertex": GOOGLE, "vertex ai": GOOGLE,
    "google vertex ai": GOOGLE,
}  # fmt: skip
# providers that LiteLLM calls by the model's name alone: prefix of the model
DIRECT = {"openai": "openai", "anthropic": "anthropic", "fireworks": "fireworks_ai", "xai": "xai",
          "databricks": "databricks", "snowflake": "snowflake", "together": "together_ai", "mistral": "mistral",
          "deepseek": "deepseek"}  # fmt: skip


class Means(StrEnum):
    """How reserved units of a pool come to be."""

    AZURE = "azurerm_cognitive_deployment"
    AWS = "aws_bedrock_provisioned_model_throughput"
    ORDER = "by an order with the seller, which holds the capacity"
    OWN = "by hand"


def seller_of(provider: str | None) -> str:
    """Return the seller's name as it is spelled here; what is not known stays as it is, in small letters."""
    name = " ".join((provider or "").casefold().split())
    return _SPELLINGS.get(name, name)


_ZONES = {"global": "Global", "datazone": "DataZone", "data zone": "DataZone", "data-zone": "DataZone",
          "regional": ""}  # fmt: skip


def azure_prefix(texts: Iterable[str]) -> str | None:
    """Return how the SKU of a deployment begins ("Global", "DataZone" or "") as names tell it; None: they do not."""
    told = {prefix for text in texts for word, prefix in _ZONES.items()
            if re.search(rf"(?<![a-z]){word}(?![a-z])", text.casefold())}  # fmt: skip
    return told.pop() if len(told) == 1 else None


AWS_REGION = re.compile(r"(?<![a-z])(?:us|eu|ap|ca|sa|me|af|il|mx)(?:-[a-z]+)+-\d(?!\d)")


def aws_region(region: str) -> str | None:
    """Return the AWS region that a region's name holds, such as us-east-1; None: it holds none."""
    found = AWS_REGION.search(region)
    return found[0] if found else None


@dataclass(frozen=True)
class PoolKind:
    """How a pool is sold: by whom, by what means its units come to be, and the product's words."""

    seller: str
    means: Means
    product: str
    azure_prefix: str | None = None


def pool_kinds(case: Case) -> dict[str, PoolKind]:
    """Find how each pool is sold, from the provider of its region, its meters and the products of its offers."""
    sellers = {r.region: seller_of(r.provider) for r in case.regions}
    found = {}
    for pool in case.pools:
        products = [o.product for o in case.offers if o.pool == pool.pool and o.product]
        served = [t for t in case.throughput if t.pool == pool.pool]
        seller = sellers[pool.region]
        text = " ".join(products).casefold()
        alone = len({t.model for t in served}) == 1 and len({t.meter for t in served}) == 1
        if seller == AZURE and not pool.shared_hourly:
            means = Means.AZURE
        elif seller == AWS and alone and "model unit" in text:
            means = Means.AWS
        else:
            means = Means.ORDER if seller in (AZURE, AWS, GOOGLE, *DIRECT) else Means.OWN
        names = [pool.region, pool.pool, *products]
        found[pool.pool] = PoolKind(seller, means, products[0] if products else "", azure_prefix(names))
    return found


class Names:
    """Names for machines, made of the plan's: letters, digits, dots and dashes, each once, not too long."""

    def __init__(self, longest: int = 60) -> None:
        self.longest = longest
        self.taken: dict[str, tuple[str, ...]] = {}

    def of(self, *parts: str) -> str:
        """Name a thing by its parts; the same parts have the same name, others another."""
        plain = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in parts)
        plain = re.sub(r"-{2,}", "-", plain).strip("-")[: self.longest].strip("-") or "deployment"
        name, count = plain, 1
        while self.taken.setdefault(name.casefold(), parts) != parts:
            count += 1
            tail = f"-{count}"
            name = plain[: self.longest - len(tail)].strip("-") + tail
        return name
