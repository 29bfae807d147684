"""LiteLLM's configuration: for each month a router (groups, weights, fallbacks), and the flat cost of reserved units.

A group is what an application asks for: workload/origin/model. Its reserved deployments share the requests by weight
(simple-shuffle); what they refuse falls back to on demand, then to what serves it while a region is lost. Reserved
deployments have no cost per token: they are paid by the hour. That cost is declared once for each deployment and month,
divided among teams, in entries that nobody calls (`flat_cost`).

Read on 2026-11-29: docs.litellm.ai, "Router - Load Balancing" (weight, routing_strategy), "Fallbacks" (fallbacks, in
order, for every error, 429 too), "Custom LLM Pricing", and "Azure PTU Flat Cost Attribution" of 2026-10-16 (model_info:
id, ptu_count, cost_per_ptu_per_hour, ptu_effective_from and _to, ptu_shares in whole units that add up to ptu_count).
"""

import math
from collections.abc import Mapping
from typing import Any

import yaml

from planner.features.hand_over.handed import Bought, Group, HandOver, Member, Reserved, route_name
from planner.features.hand_over.sellers import AWS, AZURE, DIRECT, GOOGLE, Means, Names, aws_region
from planner.features.tasks.chargeback import IDLE, KEPT, NO_TEAM, USED
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.units import TOKENS_PER_MTOK
from planner.workbook.report import rows_of

FLAT_COST = "flat-cost.yaml"
IDLE_TEAM, NO_TEAM_ID = "idle", NO_TEAM.replace(" ", "-")
NOBODY_CALLS = "flat-cost"  # group of the entries that only declare a cost


def router_config(handed: HandOver, month: str) -> dict[str, Any]:
    """Return the router's configuration of a month."""
    groups = handed.groups[month]
    ids, env = Names(), _Environment(handed)
    entries = [_entry(group, member, ids, env) for group in groups for member in group.members]
    return {
        "include": [FLAT_COST],
        "model_list": entries,
        "router_settings": {
            "routing_strategy": "simple-shuffle",
            "num_retries": 0,  # what a reserved deployment refuses goes on demand at once
            "fallbacks": [{group.name: list(group.fallbacks)} for group in groups if group.fallbacks],
        },
    }


class _Environment:
    """Names of the variables of the environment that hold addresses and keys: one for each region or deployment."""

    def __init__(self, handed: HandOver) -> None:
        self.names = Names()
        for name in (*(r.region for r in handed.case.regions), *(r.name for r in handed.reserved)):
            self.names.of(name)  # the same names in every file

    def __call__(self, what: str, *parts: str) -> str:
        return f"os.environ/{what}_{self.names.of(*parts).replace('-', '_').replace('.', '_').upper()}"


def _entry(group: Group, member: Member, ids: Names, env: _Environment) -> dict[str, Any]:
    deployment = member.deployment
    params = {**_called(deployment, member.model, env), **_cost(deployment), "weight": member.weight}
    kind = group.name.removeprefix(route_name(group.route))
    info: dict[str, Any] = {"id": ids.of(*group.route, kind, deployment.name)}
    if _seller(deployment) == AZURE:
        info["base_model"] = member.model
    return {"model_name": group.name, "litellm_params": params, "model_info": info}


def _seller(deployment: Reserved | Bought) -> str:
    return deployment.kind.seller if isinstance(deployment, Reserved) else deployment.seller


def _called(deployment: Reserved | Bought, model: str, env: _Environment) -> dict[str, Any]:
    """Return how LiteLLM calls a deployment."""
    seller, region = _seller(deployment), deployment.region
    reserved = isinstance(deployment, Reserved)
    if seller == AZURE:
        return {"model": f"azure/{deployment.name}", "api_base": env("AZURE_API_BASE", region),
                "api_key": env("AZURE_API_KEY", region), **_tier(deployment)}  # fmt: skip
    if seller == AWS:
        place = aws_region(region) or env("AWS_REGION", region)
        found = {"model": f"bedrock/{model}", "aws_region_name": place}
        if isinstance(deployment, Reserved) and deployment.kind.means is Means.AWS:
            found["model_id"] = env("BEDROCK_PROVISIONED_ARN", deployment.name)
        return found
    if seller == GOOGLE:
        kind = "dedicated" if reserved else "shared"
        return {"model": f"vertex_ai/{model}", "vertex_project": "os.environ/VERTEXAI_PROJECT",
                "vertex_location": env("VERTEXAI_LOCATION", region),
                "extra_headers": {"X-Vertex-AI-LLM-Request-Type": kind}}  # fmt: skip
    if seller in DIRECT:
        key = env(f"{seller.upper()}_API_KEY", region)
        return {"model": f"{DIRECT[seller]}/{model}", "api_key": key, **_tier(deployment)}
    return {"model": f"openai/{model}", "api_base": env("API_BASE", deployment.name if reserved else region),
            "api_key": env("API_KEY", deployment.name if reserved else region)}  # fmt: skip


def _tier(deployment: Reserved | Bought) -> dict[str, str]:
    """Ask for another tier than the standard one by its name."""
    if isinstance(deployment, Bought) and deployment.row.option in ("priority", "flex"):
        return {"service_tier": deployment.row.option}
    return {}


def _cost(deployment: Reserved | Bought) -> dict[str, float]:
    """Return the plan's prices of a token, USD; none where units are paid by the hour."""
    if isinstance(deployment, Reserved):
        return {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
    row = deployment.row
    prices = {"input_cost_per_token": row.usd_per_mtok_input, "output_cost_per_token": row.usd_per_mtok_output,
              "cache_read_input_token_cost": row.usd_per_mtok_cached_input,
              "cache_creation_input_token_cost": row.usd_per_mtok_cache_write}  # fmt: skip
    return {name: float(f"{usd / TOKENS_PER_MTOK:.12g}") for name, usd in prices.items() if usd is not None}


def flat_cost_config(handed: HandOver) -> dict[str, Any]:
    """Return an entry for each reserved deployment and month: what its units cost, and which team has how many.

    The units and the rate are so that units x rate x hours is what the deployment's units in force cost in the month.
    Shares are whole units: what a team uses and has kept for it, rounded by largest remainder; the rest is idle.
    """
    ids, env = Names(), _Environment(handed)
    shared = {p.pool for p in handed.case.pools if p.shared_hourly}
    deployments = {(r.pool, r.model): r for r in handed.reserved}
    parts: dict[tuple[str, str, str, str], list[Any]] = {}
    for row in rows_of(handed.charged.table):
        if row.charge in (USED, KEPT, IDLE) and row.unit_hours > 0:
            model = SHARED_DEPLOYMENT if row.supply in shared else row.model
            parts.setdefault((row.supply, model, row.meter, row.period), []).append(row)
    periods = {p.name: p for p in handed.case.periods}
    entries = []
    for (pool, model, meter, month), own in sorted(parts.items()):
        if (pool, model) not in deployments:  # in force, with nothing deployed: no deployment of LiteLLM's
            continue
        deployment, period = deployments[pool, model], periods[month]
        count = max(1, math.ceil(sum(row.unit_hours for row in own) / period.hours - 1e-6))  # LiteLLM takes whole units
        usd = sum(row.usd for row in own)
        for key in {(row.supply, row.meter, row.model) for row in own if row.charge == IDLE}:
            usd -= handed.charged.idle_by_hour.get((*key, month), 0.0)  # no units in force
        taken: dict[str, float] = {}
        for row in own:
            team = _team_id(handed, row)
            taken[team] = taken.get(team, 0.0) + float(row.unit_hours)
        info: dict[str, Any] = {
            "id": ids.of("flat-cost", deployment.name, *([meter] if len(deployment.units) > 1 else []), month),
            "ptu_count": count,
            "cost_per_ptu_per_hour": float(f"{max(usd, 0.0) / (count * period.hours):.12g}"),
            "ptu_effective_from": f"{period.start:%Y-%m-%d}T00:00:00Z",
            "ptu_effective_to": f"{period.end:%Y-%m-%d}T00:00:00Z",
            "ptu_shares": whole_shares(taken, count),
        }
        if deployment.kind.seller == AZURE and model != SHARED_DEPLOYMENT:
            info["base_model"] = model
        called = _called(deployment, model, env)
        entries.append({"model_name": f"{NOBODY_CALLS}/{info['id']}", "litellm_params": called, "model_info": info})
    return {"model_list": entries}


def _team_id(handed: HandOver, row: Any) -> str:
    """Return the team of a charge, or a name that no team has for what is idle or without a team."""
    if row.charge != IDLE and row.team:
        return str(row.team)
    teams = {w.team for w in handed.case.workloads}
    nobody = IDLE_TEAM if row.charge == IDLE else NO_TEAM_ID
    while nobody in teams:
        nobody += "-"
    return nobody


def whole_shares(amounts: Mapping[str, float], count: int) -> dict[str, int]:
    """Divide a count among names in proportion to their amounts, by largest remainder; names with nothing left out."""
    total = sum(amounts.values())
    exact = {name: count * amount / total for name, amount in amounts.items()}
    found = {name: int(share) for name, share in exact.items()}
    rest = sorted(exact, key=lambda name: (found[name] - exact[name], name))
    for name in rest[: count - sum(found.values())]:
        found[name] += 1
    return {name: share for name, share in found.items() if share > 0}


def yaml_text(config: Mapping[str, Any], header: str) -> str:
    """Write a configuration with its header as comment lines."""
    return header + "\n" + yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)
