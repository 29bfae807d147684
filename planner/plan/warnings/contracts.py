"""Traps of spend commitments: money that counts twice, or that this plan can hardly spend."""

from itertools import combinations

from planner.plan.derived import Derived
from planner.plan.warnings.traps import Caution
from planner.schema.case import Case
from planner.schema.contracts import SpendCommitment


def spend_traps(case: Case) -> list[Caution]:
    """Contracts that count the same money, and those that ask for more than all demand costs on demand."""
    return [*_counted_twice(case), *_too_large(case)]


def _regions(case: Case, c: SpendCommitment) -> set[str]:
    return {r.region for r in case.regions if c.counted_regions is None or r.region in c.counted_regions}


def _counted_twice(case: Case) -> list[Caution]:
    found = []
    for a, b in combinations(case.spend_commitments, 2):
        periods = set(case.contract_periods(a)) & set(case.contract_periods(b))
        kinds = (a.counts_on_demand and b.counts_on_demand) or (a.counts_reserved and b.counts_reserved)
        if kinds and periods and _regions(case, a) & _regions(case, b):
            where = f"spend_commitments {a.contract} and {b.contract}"
            message = "count the same money: a dollar spent once counts for both"
            remedy = "If it counts once only, give them different regions, periods or kinds of spend"
            found.append(Caution("spend-counted-twice", "risk", where, message, remedy))
    return found


def _too_large(case: Case) -> list[Caution]:
    """Contracts on tokens alone that even serving everything by the dearest option would not fill."""
    if not any(c.counts_on_demand and not c.counts_reserved for c in case.spend_commitments):
        return []
    derived = Derived.of(case)
    weight = {(s, p): w * f for s, p, w, f in derived.slots[["scenario", "period", "weeks", "price_factor"]].itertuples(
        index=False, name=None)}  # fmt: skip
    times = derived.price_times
    highest = [1.0] * len(case.on_demand) if times is None else times.max(axis=1).tolist()
    dear = {(o.region, o.model, o.option): n for o, n in zip(case.on_demand, highest, strict=True)}
    options = derived.options.assign(
        on_demand_usd=derived.options["on_demand_usd"]
        * [dear[key] for key in zip(*(derived.options[c] for c in ("region", "model", "option")), strict=True)]
    )
    both = options.merge(derived.travel[["workload", "origin", "region"]], on=["workload", "region"])
    found = []
    for c in case.spend_commitments:
        if c.counts_reserved:
            continue
        counted = {case.periods[k].name for k in case.contract_periods(c)}
        own = both[both["region"].isin(_regions(case, c))]
        dearest = own.groupby(["origin", "workload"])["on_demand_usd"].max().to_dict()
        rows = case.demand.astype({"region": str, "workload": str, "scenario": str, "period": str})
        rows = rows[rows["period"].isin(counted)]
        most = sum(
            rph * weight[s, p] * dearest.get((o, w), 0.0)
            for o, w, s, p, rph in rows.groupby(["region", "workload", "scenario", "period"])["requests_per_hour"]
            .sum().reset_index().itertuples(index=False, name=None)
        )  # fmt: skip
        if most < c.usd:
            message = f"asks for {c.usd:,.0f} USD on tokens; all demand there costs {most:,.0f} USD on demand at most"
            remedy = "The rest is lost whatever the plan: ask for a smaller contract, a longer one, or more regions"
            found.append(Caution("spend-too-large", "cost", f"spend_commitments {c.contract}", message, remedy))
    return found
