"""Terraform of the deployments: one table of units by month for each seller, and one resource that reads it.

Names are only ever quoted text, never identifiers; `quoted` escapes what HCL would read as syntax or as a template.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from planner.features.hand_over.handed import Bought, HandOver, Reserved, by_means
from planner.features.hand_over.sellers import AZURE, Means, Names, aws_region
from planner.plan.orders import OrderLine

TPM_PER_CAPACITY = 1000  # of an Azure deployment on demand: thousand tokens per minute
_DURATION = {1: "OneMonth", 6: "SixMonths"}  # of aws_bedrock_provisioned_model_throughput, by months
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    r"""Write text as an HCL string: quotes, control characters, and the ${ and %{ of templates escaped."""
    plain = "".join(
        _ESCAPES.get(c, c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}")
        for c in text
    )
    return '"' + plain.replace("${", "$${").replace("%{", "%%{") + '"'


class Raw(str):
    """Text that is HCL already."""


def written(value: Any, indent: int = 0) -> str:
    """Write strings, numbers, lists and mappings (keys quoted) as HCL, laid out as `terraform fmt` does."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:.12g}"
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        inner = " " * (indent + 2)
        return "{\n" + _aligned(value, indent + 2) + "\n" + inner[2:] + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(written(item, indent) for item in value) + "]"
    raise TypeError(f"no HCL for {type(value).__name__}")


def _aligned(table: Mapping[str, Any], indent: int) -> str:
    """Write KEY = VALUE lines; like `terraform fmt`, neighbours of one line have their = under each other."""
    rows = [(key if isinstance(key, Raw) else quoted(key), written(value, indent)) for key, value in table.items()]
    lines, start = [], 0
    while start < len(rows):
        end = start
        while end < len(rows) and "\n" not in rows[end][1]:
            end += 1
        wide = max((len(key) for key, _ in rows[start:end]), default=0)
        lines += [f"{' ' * indent}{key:<{wide}} = {value}" for key, value in rows[start:end]]
        if end < len(rows):
            lines.append(f"{' ' * indent}{rows[end][0]} = {rows[end][1]}")
            end += 1
        start = end
    return "\n".join(lines)


def terraform_files(handed: HandOver, header: str) -> dict[str, str]:
    """Return the Terraform files by name; none where no seller of the plan has a resource."""
    azure = by_means(handed.reserved, Means.AZURE)
    bought = azure_bought(handed)
    aws = [line for line in handed.lines if _is_aws(handed, line)]
    files: dict[str, str] = {}
    providers: dict[str, tuple[str, str]] = {}
    variables = [_month(handed.months)]
    if azure or bought:
        providers["azurerm"] = ("hashicorp/azurerm", ">= 4.0")
        variables += _azure_variables(azure, bought)
        files["azure.tf"] = _azure(handed, azure, bought)
    if aws:
        providers["aws"] = ("hashicorp/aws", ">= 6.0")
        variables += _aws_variables(handed, aws)
        files["aws.tf"] = _aws(handed, aws)
    if not files:
        return {}
    files["versions.tf"] = _versions(providers)
    files["variables.tf"] = "\n\n".join(variables) + "\n"
    return {name: f"{header}\n{text}" for name, text in sorted(files.items())}


def azure_bought(handed: HandOver) -> list[Bought]:
    """On-demand deployments of Azure: one for each region and model, whatever options of it are used."""
    found: dict[tuple[str, str, bool], Bought] = {}
    for b in handed.bought:
        if b.seller == AZURE:
            found.setdefault((b.region, b.row.model, b.waits), b)
    return list(found.values())


def _is_aws(handed: HandOver, line: OrderLine) -> bool:
    kinds = {r.pool: r.kind.means for r in handed.reserved}
    in_terms = line.offer.term_days is None and line.offer.term_months in _DURATION
    return kinds.get(line.offer.pool) is Means.AWS and in_terms


def aws_by_terraform(handed: HandOver) -> list[OrderLine]:
    """Lines of the purchase order that applying aws.tf buys."""
    return [line for line in handed.lines if _is_aws(handed, line)]


def _versions(providers: Mapping[str, tuple[str, str]]) -> str:
    rows: dict[str, Any] = {
        Raw(name): {Raw("source"): source, Raw("version"): version} for name, (source, version) in providers.items()
    }
    body = _aligned(rows, 4)
    return f'terraform {{\n  required_version = ">= 1.5"\n\n  required_providers {{\n{body}\n  }}\n}}\n'


def _month(months: Sequence[str]) -> str:
    return _variable("month", "string", "Period of the plan that is set up; there is no default on purpose.",
                     validation=(f"contains({written(list(months))}, var.month)",
                                 f"The plan has {', '.join(months)}."))  # fmt: skip


def _variable(
    name: str, kind: str, description: str, default: str | None = None, validation: tuple[str, str] | None = None
) -> str:
    rows: dict[str, Any] = {Raw("type"): Raw(kind), Raw("description"): description}
    if default is not None:
        rows[Raw("default")] = Raw(default)
    text = f'variable "{name}" {{\n{_aligned(rows, 2)}\n'
    if validation is not None:
        checks: dict[str, Any] = {Raw("condition"): Raw(validation[0]), Raw("error_message"): validation[1]}
        text += f"\n  validation {{\n{_aligned(checks, 4)}\n  }}\n"
    return text + "}"


def _keys(variable: str, keys: Iterable[str]) -> tuple[str, str]:
    names = sorted(set(keys))
    return (f"length(setsubtract({written(names)}, keys(var.{variable}))) == 0",
            f"Needs a value for each of: {', '.join(names)}.")  # fmt: skip


def _azure_variables(azure: Sequence[Reserved], bought: Sequence[Bought]) -> list[str]:
    both: list[Reserved | Bought] = [*azure, *bought]
    regions = [d.region for d in both]
    untold = sorted({d.region for d in both if _prefix(d) is None})
    unlimited = [b.name for b in bought if b.row.tokens_per_minute_quota is None]
    found = [
        _variable("azure_account_ids", "map(string)",
                  "Id of the Azure AI Foundry (Cognitive Services) account of each region of the plan.",
                  validation=_keys("azure_account_ids", regions)),
        _variable("azure_model_versions", "map(string)",
                  "Version of each model; a model that is left out gets the default version of the day.", "{}"),
        _variable("azure_model_formats", "map(string)", "Format of models that are not OpenAI's.", "{}"),
    ]  # fmt: skip
    if untold:
        found.append(_variable(
            "azure_deployment_types", "map(string)",
            "Of each region whose name and products do not say it: Global, DataZone or Regional.",
            validation=(f"alltrue([for r in {written(untold)} : contains([\"Global\", \"DataZone\", \"Regional\"], "
                        'lookup(var.azure_deployment_types, r, ""))])',
                        f"Needs Global, DataZone or Regional for each of: {', '.join(untold)}."),
        ))  # fmt: skip
    if unlimited:
        found.append(_variable(
            "azure_on_demand_capacity", "map(number)",
            "Thousand tokens per minute of on-demand deployments whose quota the plan leaves blank.",
            validation=_keys("azure_on_demand_capacity", unlimited),
        ))  # fmt: skip
    return found


def _prefix(d: Reserved | Bought) -> str | None:
    return d.kind.azure_prefix if isinstance(d, Reserved) else d.azure_prefix


def _sku(d: Reserved | Bought, kind: str) -> Raw | str:
    """Return the SKU's name, or an expression that asks for the deployment type."""
    prefix = _prefix(d)
    if prefix is not None:
        return f"{prefix}{kind}"
    return Raw(f'"${{replace(var.azure_deployment_types[{quoted(d.region)}], "Regional", "")}}{kind}"')


def _azure(handed: HandOver, azure: Sequence[Reserved], bought: Sequence[Bought]) -> str:
    reserved_table = {
        r.name: {
            Raw("pool"): r.pool, Raw("region"): r.region, Raw("model"): r.model,
            Raw("sku"): _sku(r, "ProvisionedManaged"), Raw("units"): {month: r.whole(month) for month in handed.months},
        }
        for r in azure
    }  # fmt: skip
    on_demand_table = {
        b.name: {
            Raw("region"): b.region, Raw("model"): b.row.model, Raw("sku"): _sku(b, "Batch" if b.waits else "Standard"),
            Raw("thousand_tokens_per_minute"): _capacity(b),
        }
        for b in bought
    }  # fmt: skip
    parts = []
    if azure:
        parts.append(
            f"# units: PTUs of each period of the plan; 0: no deployment\n{_locals('reserved', reserved_table)}"
        )
        parts.append(_RESERVED)
    if bought:
        parts.append(
            f"# what overflows, and what the plan leaves to on demand\n{_locals('on_demand', on_demand_table)}"
        )
        parts.append(_ON_DEMAND)
    return "\n\n".join(parts) + "\n"


def _capacity(b: Bought) -> Raw | int:
    quota = b.row.tokens_per_minute_quota
    if quota is None:
        return Raw(f"var.azure_on_demand_capacity[{quoted(b.name)}]")
    return max(1, math.floor(quota / TPM_PER_CAPACITY))


def _locals(name: str, table: Mapping[str, Any]) -> str:
    return f"locals {{\n  {name} = {written(table, 2)}\n}}"


def _deployments(name: str, each: str, capacity: str) -> str:
    """State a resource of deployments, one for each entry of a local table."""
    return f"""resource "azurerm_cognitive_deployment" "{name}" {{
  for_each = {each}

  name                   = each.key
  cognitive_account_id   = var.azure_account_ids[each.value.region]
  version_upgrade_option = "NoAutoUpgrade"

  model {{
    format  = lookup(var.azure_model_formats, each.value.model, "OpenAI")
    name    = each.value.model
    version = lookup(var.azure_model_versions, each.value.model, null)
  }}

  sku {{
    name     = each.value.sku
    capacity = {capacity}
  }}
}}"""


_RESERVED = _deployments(
    "reserved",
    "{ for name, d in local.reserved : name => d if d.units[var.month] > 0 }",
    "each.value.units[var.month]",
)
_ON_DEMAND = _deployments("on_demand", "local.on_demand", "each.value.thousand_tokens_per_minute")


def _aws_variables(handed: HandOver, lines: Sequence[OrderLine]) -> list[str]:
    models = [model for line in lines for model in line.models]
    untold = sorted({line.region for line in lines if aws_region(line.region) is None})
    found = [_variable("aws_model_arns", "map(string)", "ARN of each model that is bought.",
                       validation=_keys("aws_model_arns", models))]  # fmt: skip
    if untold:
        found.append(_variable("aws_regions", "map(string)", "AWS region of each region of the plan.",
                               validation=_keys("aws_regions", untold)))  # fmt: skip
    return found


def _aws(handed: HandOver, lines: Sequence[OrderLine]) -> str:
    names = Names()
    table = {}
    for line in lines:
        region = aws_region(line.region)
        table[names.of(line.offer.offer, line.period)] = {
            Raw("offer"): line.offer.offer,
            Raw("region"): region if region else Raw(f"var.aws_regions[{quoted(line.region)}]"),
            Raw("model"): line.models[0],
            Raw("commitment"): _DURATION[line.offer.term_months],
            Raw("units"): math.ceil(line.units - 1e-6),
            Raw("months"): [p.name for p in handed.case.periods if line.covers(p.start, p.end)],
        }
    return f"{_AWS_NOTE}\n{_locals('provisioned', table)}\n\n{_AWS}\n"


_AWS_NOTE = (
    "# To apply this file is to buy: a commitment cannot be given back before its term ends.\n"
    "# months: the periods in which it is in force; after its term it is billed on until it is deleted."
)
_AWS = """resource "aws_bedrock_provisioned_model_throughput" "provisioned" {
  for_each = { for name, d in local.provisioned : name => d if contains(d.months, var.month) }

  provisioned_model_name = each.key
  region                 = each.value.region
  model_arn              = var.aws_model_arns[each.value.model]
  commitment_duration    = each.value.commitment
  model_units            = each.value.units
}"""
