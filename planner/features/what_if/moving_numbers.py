"""The numbers that may move when it is asked how far a plan carries: demand and prices, whole and by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.features.what_if.case_factors import Factor
from planner.plan.plan import Plan
from planner.schema.case import Case

DEMAND, PRICE = "demand", "price"


@dataclass(frozen=True)
class Number:
    """A number of the input that may move: what it is called, and what scales it (together)."""

    name: str
    kind: str
    factors: tuple[Factor, ...]

    @property
    def key(self) -> str:
        """What scales it, as `--scale` takes it; several are joined by +."""
        return " + ".join(str(replace(factor, factor=1.0)).rpartition("=")[0] for factor in self.factors)

    def of_offers(self, case: Case) -> "Number":
        """Return the same number, the price of each offer that the case sells named by itself."""
        region = {p.pool: p.region for p in case.pools}
        factors: list[Factor] = []
        for factor in self.factors:
            if factor.what != "offer_prices":
                return self
            where = dict(factor.where)
            factors += [Factor("offer_prices", 1.0, (("offer", o.offer),)) for o in case.offers
                        if where.get("offer", o.offer) == o.offer
                        and where.get("region", region[o.pool]) == region[o.pool]]  # fmt: skip
        return replace(self, factors=tuple(factors))


def _number(name: str, what: str, *wheres: tuple[str, str]) -> Number:
    """Name a number: of everything, or of the parts that some (column, name) pairs select."""
    factors = tuple(Factor(what, 1.0, (where,)) for where in wheres) or (Factor(what, 1.0),)
    return Number(name, DEMAND if what == "demand" else PRICE, factors)


def numbers_of(case: Case, plan: Plan) -> list[Number]:
    """List demand (all, by workload, model, region) and prices (on demand and of offers; by model, region, offer)."""
    asked = case.demand[case.demand["requests_per_hour"] > 0]
    own = {column: set(asked[column].astype(str)) for column in ("workload", "region")}
    workloads = [w.workload for w in case.workloads if w.workload in own["workload"]]
    regions = [r.region for r in case.regions]
    found = [_number("all demand", "demand")]
    if len(workloads) > 1:
        found += [_number(f"demand of {name}", "demand", ("workload", name)) for name in workloads]
    seen = {tuple(workloads)}
    for model in case.models:
        users = {m.workload for m in case.mix if m.model == model.model and m.max_share > 0}
        of = tuple(name for name in workloads if name in users)
        if len(of) > 1 and of not in seen:
            seen.add(of)
            name = f"demand of what may use {model.model}"
            found.append(_number(name, "demand", *(("workload", workload) for workload in of)))
    origins = [name for name in regions if name in own["region"]]
    if len(origins) > 1:
        found += [_number(f"demand of {name}", "demand", ("region", name)) for name in origins]
    found += _prices("on-demand price", "on_demand_prices", {
        "model": [m.model for m in case.models if any(q.model == m.model for q in case.on_demand)],
        "region": [name for name in regions if any(q.region == name for q in case.on_demand)],
    })  # fmt: skip
    where = {p.pool: p.region for p in case.pools}
    sold = {where[o.pool] for o in case.offers}
    found += _prices("offer price", "offer_prices", {"region": [name for name in regions if name in sold]})
    if len(case.offers) > 1:
        bought = sorted({str(o) for o in plan.purchases["offer"]})
        found += [_number(f"price of {name}", "offer_prices", ("offer", name)) for name in bought]
    return found


def _prices(name: str, what: str, parts: Mapping[str, Sequence[str]]) -> list[Number]:
    """All prices of a kind, then those of each part where there are several; none where there are none."""
    if not all(parts.values()):
        return []
    found = [_number(f"{name}s", what)]
    for column, names in parts.items():
        join = "of" if column == "model" else "in"
        if len(names) > 1:
            found += [_number(f"{name}{'' if column == 'model' else 's'} {join} {one}", what, (column, one))
                      for one in names]  # fmt: skip
    return found
