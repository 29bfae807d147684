"""What is handed over: deployments with their units by month, on-demand deployments, and the routes of each month."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from planner.features.hand_over.sellers import Means, Names, PoolKind, azure_prefix, pool_kinds, seller_of
from planner.features.tasks.chargeback import Chargeback, chargeback
from planner.plan.derived import Derived
from planner.plan.finished import Finished
from planner.plan.orders import OrderLine, Owed, order_lines, owed_after
from planner.schema.capacity import SHARED_DEPLOYMENT, OnDemand
from planner.schema.case import Case

Route = tuple[str, str, str]  # workload, origin, model: what an application asks for
ON_DEMAND, FAILOVER = "on-demand", "failover"
WEIGHTS = 1000  # of a group: shares as whole numbers, at least 1


@dataclass(frozen=True)
class Reserved:
    """Units of a pool that are set aside for a model ("*": for all of them). units : by meter and month."""

    name: str
    pool: str
    region: str
    model: str
    kind: PoolKind
    units: Mapping[str, Mapping[str, float]]

    def most(self, month: str) -> float:
        """Units of a month, of the meter that has most of them."""
        return max((by_month.get(month, 0.0) for by_month in self.units.values()), default=0.0)

    def whole(self, month: str) -> int:
        """Units as a machine takes them: whole, rounded up."""
        return int(np.ceil(self.most(month) - 1e-6))


@dataclass(frozen=True)
class Bought:
    """An on-demand option of a model in a region that the plan uses, in ordinary hours or while a region is lost."""

    name: str
    seller: str
    row: OnDemand
    azure_prefix: str | None

    @property
    def region(self) -> str:
        """Region that sells it."""
        return self.row.region

    @property
    def waits(self) -> bool:
        """Whether it takes hours to answer: a batch API takes jobs, and a router does not send it requests."""
        return self.row.deadline_hours > 0


@dataclass(frozen=True)
class Member:
    """A deployment in a group of the router, with its weight. model : what it is asked for."""

    deployment: Reserved | Bought
    model: str
    weight: int


@dataclass(frozen=True)
class Group:
    """Deployments among which the router divides what asks for `name`; then the groups to fall back to, in order."""

    name: str
    route: Route
    members: tuple[Member, ...]
    fallbacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class HandOver:
    """A plan as machines take it. signed : by whom, when and the head of the entry; None: a draft."""

    finished: Finished
    signed: str | None
    reserved: tuple[Reserved, ...]
    bought: tuple[Bought, ...]
    groups: Mapping[str, tuple[Group, ...]]

    @property
    def case(self) -> Case:
        """What was asked."""
        return self.finished.case

    @property
    def months(self) -> tuple[str, ...]:
        """Periods of the plan."""
        return tuple(p.name for p in self.case.periods)

    @cached_property
    def lines(self) -> tuple[OrderLine, ...]:
        """Lines of the purchase order."""
        return order_lines(self.case, self.finished.plan)

    @cached_property
    def owed(self) -> tuple[Owed, ...]:
        """Everything in force or bought, by its end."""
        return owed_after(self.case, self.finished.plan)

    @cached_property
    def shares(self) -> dict[str, dict[Route, float]]:
        """Share of the requests of a workload and origin that each model takes in each month."""
        keys = ["workload", "origin"]
        table = self.finished.plan.dispatch
        chance = {s.scenario: s.probability for s in self.case.scenarios}
        weight = table["requests_per_hour"] * table["scenario"].astype(object).map(chance).astype(float)
        table = table[[*keys, "model", "period"]].astype(object).assign(weight=weight)
        sums = table.groupby(["period", *keys, "model"])["weight"].sum()
        whole = sums.groupby(level=["period", *keys]).transform("sum")
        found: dict[str, dict[Route, float]] = {month: {} for month in self.months}
        key: Any
        for key, share in (sums / whole.where(whole > 0)).dropna().items():
            found[key[0]][key[1:]] = float(share)
        return found

    @cached_property
    def charged(self) -> Chargeback:
        """What each team is charged."""
        return chargeback(self.case, self.finished.plan)


def handed_over(finished: Finished, signed: str | None) -> HandOver:
    """Put together what a plan hands over."""
    case, plan = finished.case, finished.plan
    kinds, names = pool_kinds(case), Names()
    region = {p.pool: p.region for p in case.pools}
    units: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    columns = ("pool", "meter", "model", "period", "units")
    for pool, meter, model, month, n in zip(*(plan.deployments[c] for c in columns), strict=True):
        if n > 1e-9:
            by_month = units.setdefault((pool, model), {}).setdefault(meter, {})
            by_month[month] = by_month.get(month, 0.0) + float(n)
    reserved = {}
    for (pool, model), by_meter in sorted(units.items()):
        named = model if model != SHARED_DEPLOYMENT else "all"
        reserved[pool, model] = Reserved(names.of(named, pool), pool, region[pool], model, kinds[pool], by_meter)
    for pool, model in _scaled_only(finished, reserved):  # units by the hour alone: nothing set aside, yet they serve
        reserved[pool, model] = Reserved(names.of(model, pool), pool, region[pool], model, kinds[pool], {})
    overflow = _overflow(finished)
    bought = _bought(finished, names, overflow.values())
    groups = {p.name: _groups(finished, p.name, reserved, bought, overflow) for p in case.periods}
    return HandOver(finished, signed, tuple(reserved.values()), tuple(bought.values()), groups)


def _scaled_only(finished: Finished, reserved: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    table = finished.plan.scaled_units
    found = set(zip(table["pool"], table["model"], strict=True)) if len(table) else set()
    return sorted(found - set(reserved))


def _overflow(finished: Finished) -> dict[Route, Route]:
    """Return the cheapest on-demand option (region, model, option) that may serve each route at once."""
    case, derived = finished.case, Derived.of(finished.case)
    waits = {(q.region, q.model, q.option) for q in case.on_demand if q.deadline_hours > 0}
    egress = {(w, o, r): usd for w, o, r, usd in zip(
        *(derived.travel[c] for c in ("workload", "origin", "region", "egress_usd")), strict=True)}  # fmt: skip
    found: dict[Route, tuple[float, Route]] = {}
    columns = ("workload", "region", "model", "option", "on_demand_usd")
    for workload, region, model, option, usd in zip(*(derived.options[c] for c in columns), strict=True):
        for origin in (r.region for r in case.regions):
            place = (str(region), str(model), str(option))
            if (workload, origin, region) in egress and place not in waits:
                cost = (usd + egress[workload, origin, region], place)
                route = (str(workload), origin, str(model))
                found[route] = min(cost, found.get(route, cost))
    return {route: place for route, (_, place) in found.items()}


def _bought(finished: Finished, names: Names, overflow: Iterable[Route]) -> dict[Route, Bought]:
    """On-demand options that some flow of the plan uses or overflows to, by region, model and option."""
    case, plan = finished.case, finished.plan
    rows = {(q.region, q.model, q.option): q for q in case.on_demand}
    seller = {r.region: seller_of(r.provider) for r in case.regions}
    products = {r.region: [o.product for p in case.pools if p.region == r.region for o in case.offers
                           if o.pool == p.pool and o.product] for r in case.regions}  # fmt: skip
    used: set[Route] = set()
    for flows in (plan.dispatch, plan.stress_dispatch):
        used |= set(flows[["region", "model", "supply"]].drop_duplicates().itertuples(index=False, name=None))
    models = set(plan.dispatch["model"].unique()) | set(plan.stress_dispatch["model"].unique())
    used |= {place for place in overflow if place[1] in models}
    return {
        key: Bought(names.of(key[1], key[0], key[2]), seller[key[0]], rows[key],
                    azure_prefix([key[0], *products[key[0]]]))
        for key in sorted(used & rows.keys())
    }  # fmt: skip


def _groups(
    finished: Finished,
    month: str,
    reserved: Mapping[tuple[str, str], Reserved],
    bought: Mapping[Route, Bought],
    overflow: Mapping[Route, Route],
) -> tuple[Group, ...]:
    """Make the router's groups of a month: a route's own group, then on demand, then what serves it in a failover.

    Where the plan has a route served by reserved units alone, the cheapest option takes what they refuse.
    """
    case, plan = finished.case, finished.plan
    weeks = {s.scenario: s.probability for s in case.scenarios}
    dispatch = plan.dispatch[plan.dispatch["period"] == month]
    weight = dispatch["requests_per_hour"].to_numpy(float) * dispatch["scenario"].astype(object).map(weeks).to_numpy()
    lost = plan.stress_dispatch[plan.stress_dispatch["period"] == month]
    lost = lost[lost["case"].astype(str).str.startswith("failover ")]
    usual = _flows(dispatch.assign(weight=weight.astype(float)))
    emergency = _flows(lost.assign(weight=lost["requests_per_hour"]))
    groups = []
    for route in sorted(usual.keys() | emergency.keys()):
        own = {place: w for place, w in usual.get(route, {}).items() if w > 0}
        known = {place: _deployment(place, route, reserved, bought) for place in {*own, *emergency.get(route, {})}}
        held = {p: w for p, w in own.items() if isinstance(known[p], Reserved)}
        paid = {p: w for p, w in own.items() if isinstance(known[p], Bought)}
        if held and not paid and route in overflow:
            region, _, option = overflow[route]
            paid[region, option] = 1.0
            known[region, option] = bought[overflow[route]]
        other = {p: w for p, w in emergency.get(route, {}).items() if p not in own and p not in paid and w > 0}
        parts = [(name, _members(part, known, route)) for name, part in
                 (("", held), (ON_DEMAND, paid), (FAILOVER, other))]  # fmt: skip
        parts = [(name, members) for name, members in parts if members]
        called = [f"{route_name(route)}/{name}" if k else route_name(route) for k, (name, _) in enumerate(parts)]
        for k, (name, (_, members)) in enumerate(zip(called, parts, strict=True)):
            groups.append(Group(name, route, members, tuple(called[1:]) if k == 0 else ()))
    return _with_other_models(groups, usual.keys())


def route_name(route: Route) -> str:
    """Name what an application asks for: workload/origin/model."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in route)


def _with_other_models(groups: list[Group], usual: Container[Route]) -> tuple[Group, ...]:
    """Let a route fall back last to the other models that serve its workload only while a region is lost."""
    found = []
    for group in groups:
        if group.name == route_name(group.route):
            others = tuple(
                g.name for g in groups
                if g.route[:2] == group.route[:2] and g.route not in usual and g.name == route_name(g.route)
                and g.name != group.name
            )  # fmt: skip
            group = replace(group, fallbacks=(*group.fallbacks, *others))
        found.append(group)
    return tuple(found)


def _flows(table: pd.DataFrame) -> dict[Route, dict[tuple[str, str], float]]:
    """Add up weights of flows by route and place (region and supply)."""
    keys = ["workload", "origin", "model", "region", "supply"]
    sums = table.astype(dict.fromkeys(keys, object)).groupby(keys)["weight"].sum()
    found: dict[Route, dict[tuple[str, str], float]] = {}
    key: Any
    for key, weight in sums.items():
        found.setdefault(key[:3], {})[key[3:]] = float(weight)
    return found


def _deployment(
    place: tuple[str, str], route: Route, reserved: Mapping[tuple[str, str], Reserved], bought: Mapping[Route, Bought]
) -> Reserved | Bought | None:
    region, supply = place
    for model in (route[2], SHARED_DEPLOYMENT):
        if (supply, model) in reserved and reserved[supply, model].region == region:
            return reserved[supply, model]
    return bought.get((region, route[2], supply))


def _members(
    part: Mapping[tuple[str, str], float], known: Mapping[tuple[str, str], Reserved | Bought | None], route: Route
) -> tuple[Member, ...]:
    total = sum(part.values())
    members = []
    for place, weight in sorted(part.items()):
        deployment = known[place]
        if deployment is None or (isinstance(deployment, Bought) and deployment.waits):
            continue
        members.append(Member(deployment, route[2], max(1, round(WEIGHTS * weight / total))))
    return tuple(members)


def by_means(reserved: Iterable[Reserved], means: Means) -> list[Reserved]:
    """Return the deployments that come to be by some means."""
    return [r for r in reserved if r.kind.means is means]
