"""The literal programme of a planning folder in linopy: the same rows as `benchmarks.literal`, array by array.

    python -m benchmarks.linopy_model FOLDER

Flows are arrays over (way, slot), one for each stress case; rules are sums by group. Sizes, egress caps and the budget,
which the benchmark folders leave out here, are refused, not dropped. Needs the `bench` extra.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.facts import Facts, Slot, Way

RUN = {"output_flag": False, "solver": "simplex"}


def build(facts: Facts):
    """State the whole programme as a linopy model."""
    import linopy

    refuse(facts)
    model = linopy.Model()
    slots = facts.slots()
    ways = [way for of in facts.ways.values() for way in of]
    axis = pd.RangeIndex(len(slots), name="slot")
    periods = pd.Index(list(facts.hours), name="period")
    parts = [(pool, meter, m) for (pool, meter), of in facts.parts.items() for m in of]
    deployed = model.add_variables(lower=0, coords=[pd.RangeIndex(len(parts), name="part"), periods], name="v")
    bought = model.add_variables(
        lower=0,
        upper=pd.Series([np.inf if p.max_units is None else p.max_units for p in facts.purchases]).rename_axis("buy"),
        name="x",
    )
    meters = list(facts.parts)
    of_part = _label([meters.index(part[:2]) for part in parts], "part", "meter")
    in_force = _table([[p in buy.periods for p in facts.hours] for buy in facts.purchases], "buy", periods)
    of_buy = _label([meters.index((buy.pool, buy.meter)) for buy in facts.purchases], "buy", "meter")
    earlier = _table([[facts.earlier[(*m, p)] for p in facts.hours] for m in meters], "meter", periods)
    beyond = model.add_variables(
        lower=0,
        upper=_table([[0.0 if facts.unreserved_usd[p] is None else np.inf] * len(periods) for p, _ in meters],
                     "meter", periods),
        name="u",
    )  # fmt: skip
    model.add_constraints(
        deployed.groupby(of_part).sum() - (1 * bought * in_force).groupby(of_buy).sum() - beyond <= earlier,
        name="deploy",
    )
    at_slot = deployed.sel(period=_array([slot.period for slot in slots], axis))
    plan = _flows(model, facts, slots, axis, ways, parts, at_slot, "plan", 1.0, None, facts.usable)
    for case, trust, lost in [("head", 1.0, None), *((f"fail {r}", facts.trust, r) for r in facts.failing)]:
        _flows(model, facts, slots, axis, ways, parts, at_slot, case, trust, lost, None)
    weeks = np.array([slot.weeks for slot in slots])
    factor = np.array([slot.price_factor for slot in slots])
    usd, egress = np.array([way.usd for way in ways]), np.array([way.egress_usd for way in ways])
    cost = _table(weeks * (egress[:, None] + usd[:, None] * factor), "way", axis)
    price = _label([p.usd for p in facts.purchases], "buy", "usd")
    hourly = np.array([facts.unreserved_usd[p] or 0.0 for p, _ in meters])[:, None] * list(facts.hours.values())
    model.add_objective(
        (plan * cost).sum() + (bought * price).sum() + (beyond * _table(hourly, "meter", periods)).sum()
    )
    return model


def _flows(
    model, facts: Facts, slots: list[Slot], axis, all_ways: list[Way], parts, deployed, case, trust, lost, usable
):
    ways = [way for way in all_ways if way.region != lost]
    flow = model.add_variables(lower=0, coords=[pd.RangeIndex(len(ways), name="way"), axis], name=f"flow {case}")
    needs = list(facts.demand)
    number = {need: k for k, need in enumerate(needs)}
    demand = np.array([[facts.demand[need].get(slot.key, 0.0) for slot in slots] for need in needs])
    if case != "plan":
        of = [facts.keep[w] if lost else 1 / (1 - facts.headroom[w]) for _, w in needs]
        demand = demand * np.array(of)[:, None]
    of_need = _label([number[way.origin, way.workload] for way in ways], "way", "need")
    model.add_constraints(flow.groupby(of_need).sum() == _table(demand, "need", axis), name=f"balance {case}")
    pooled = [k for k, way in enumerate(ways) if way.units]
    place = {part: k for k, part in enumerate(parts)}
    units = [ways[k].units[0][1] / (1.0 if usable is None else usable[ways[k].workload]) for k in pooled]
    to_pool = flow.isel(way=pooled)
    of_part = _label([place[ways[k].units[0][0]] for k in pooled], "way", "part", index=pooled)
    load = (to_pool * _label(units, "way", "units", index=pooled)).groupby(of_part).sum()
    seen = sorted(set(of_part))
    model.add_constraints(load - deployed.sel(part=seen) <= 0, name=f"reserved {case}")
    paid = [k for k, way in enumerate(ways) if way.option is not None and facts.quota[way.option] is not None]
    options = sorted({ways[k].option for k in paid})
    tokens = _label([ways[k].tokens_per_minute for k in paid], "way", "tokens", index=paid)
    of_option = _label([options.index(ways[k].option) for k in paid], "way", "option", index=paid)
    limit = _label([trust * facts.quota[option] for option in options], "option", "limit")
    model.add_constraints((flow.isel(way=paid) * tokens).groupby(of_option).sum() <= limit, name=f"quota {case}")
    return flow


def _label(values, dimension: str, name: str, index=None) -> pd.Series:
    at = pd.RangeIndex(len(values)) if index is None else pd.Index(index)
    return pd.Series(list(values), index=at.rename(dimension), name=name)


def _table(values, dimension: str, columns: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(values, index=pd.RangeIndex(len(values), name=dimension), columns=columns)


def _array(values, index: pd.Index):
    import xarray

    return xarray.DataArray(values, coords={index.name: index})


def refuse(facts: Facts) -> None:
    """Raise where a folder uses what is not stated here."""
    shares = [share for of in facts.mix.values() for share in of.values()]
    if facts.whole_units or facts.budget_usd is not None or facts.max_away_share is not None or facts.trust == 0:
        raise NotImplementedError(
            "whole units, budgets, shares served away and a trust of 0 are not stated in linopy here"
        )
    if any(share != (0.0, 1.0) for share in shares) or any(facts.sure_share.values()) or facts.gb_cap:
        raise NotImplementedError("mix bounds, guaranteed shares and egress caps are not stated in linopy here")
    if any(len(way.units) > 1 for ways in facts.ways.values() for way in ways):
        raise NotImplementedError("pools with several meters are not stated in linopy here")


def main() -> None:
    """Build and solve a folder's literal model in linopy, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.linopy_model")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    facts = Facts(arguments.folder)
    read = time.perf_counter()
    model = build(facts)
    built = time.perf_counter()
    status, _ = model.solve(solver_name="highs", io_api="direct", progress=False, **RUN)
    answer = {
        "status": status,
        "usd": float(model.objective.value) + facts.sunk_usd,
        "columns": int(model.nvars),
        "rows": int(model.ncons),
        "read_s": read - start,
        "build_s": built - read,
        "solve_s": time.perf_counter() - built,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
