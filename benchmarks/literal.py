"""The literal PuLP model of a planning folder: docs/model.md variable by variable and row by row, stress flows and all.

    python -m benchmarks.literal FOLDER [--solver highs-ipm | highs-simplex | cbc]

This is how a good modeller would write it in PuLP: plain loops over Python objects, expressions made from lists of
(variable, coefficient), which is PuLP's fastest way, and no reduction. It prints one line of JSON.
"""

import argparse
import json
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulp

from benchmarks.facts import Facts, Slot, Way

Terms = list[tuple[Any, float]]
BIG = 1e6


def build(facts: Facts) -> pulp.LpProblem:
    """State the whole programme."""
    problem = pulp.LpProblem("literal", pulp.LpMinimize)
    cost: Terms = []
    deployed, ends = _capacity(problem, facts, cost)
    slots = facts.slots()
    away: Terms = []
    asked = sum(profile.get(slot.key, 0.0) * slot.weeks for profile in facts.demand.values() for slot in slots)
    sent: dict[tuple[str, str, str], Terms] = defaultdict(list)
    for slot in slots:
        for way, flow in _flows(problem, facts, slot, deployed, "", 1.0, frozenset(), facts.usable):
            cost.append((flow, slot.weeks * (way.egress_usd + slot.price_factor * way.usd)))
            if way.away:
                away.append((flow, slot.weeks))
                sent[way.origin, way.region, slot.period].append((flow, slot.weeks * way.gb_in))
                sent[way.region, way.origin, slot.period].append((flow, slot.weeks * way.gb_out))
    for (o, s, period), terms in sent.items():
        if (o, s) in facts.gb_cap:
            _row(problem, terms, pulp.LpConstraintLE, facts.gb_cap[o, s], f"egress_{facts.code(o, s, period)}")
    if facts.max_away_share is not None:
        _row(problem, away, pulp.LpConstraintLE, facts.max_away_share * asked, "away")
    for slot in slots:
        for _ in _flows(problem, facts, slot, deployed, "head", 1.0, frozenset(), None):
            pass
        for region in facts.failing:
            name = f"fail{facts.code(region)}"
            for _ in _flows(problem, facts, slot, deployed, name, facts.trust, frozenset([region]), None):
                pass
    if facts.budget_usd is not None:
        _row(problem, ends, pulp.LpConstraintLE, facts.budget_usd, "budget")
    problem.setObjective(pulp.LpAffineExpression(cost))
    return problem


def _capacity(
    problem: pulp.LpProblem, facts: Facts, cost: Terms
) -> tuple[dict[tuple[str, str, str, str], Terms], Terms]:
    """State x, v, u and rule 5; return the terms of v, and what commitments cost (rule 9)."""
    bought: dict[tuple[str, str, str], Terms] = defaultdict(list)
    spent: Terms = []
    for n, purchase in enumerate(facts.purchases):
        terms = _sized(problem, facts, f"x{n}", purchase.min_units, purchase.unit_step, purchase.max_units)
        for period in purchase.periods:
            bought[purchase.pool, purchase.meter, period] += terms
        cost += [(x, a * purchase.usd) for x, a in terms]
        spent += [(x, a * purchase.committed_usd) for x, a in terms]
    deployed: dict[tuple[str, str, str, str], Terms] = {}
    for (pool, meter), parts in facts.parts.items():
        for period in facts.hours:
            name = facts.code(pool, meter, period)
            total: Terms = []
            for model, (low, step) in parts.items():
                terms = _sized(problem, facts, f"v{name}_{facts.code(model)}", low, step, None)
                deployed[pool, meter, model, period] = terms
                total += terms
            total += [(x, -a) for x, a in bought[pool, meter, period]]
            if facts.unreserved_usd[pool] is not None:
                u = problem.add_variable(f"u{name}", 0)
                cost.append((u, facts.unreserved_usd[pool] * facts.hours[period]))
                total.append((u, -1.0))
            _row(problem, total, pulp.LpConstraintLE, facts.earlier[pool, meter, period], f"deploy_{name}")
    return deployed, spent


def _sized(problem: pulp.LpProblem, facts: Facts, name: str, low: float, step: float, most: float | None) -> Terms:
    """A quantity that is 0, or min_units plus a whole number of steps (any amount where the step is 0)."""
    if not facts.whole_units or (low <= 0 and step <= 0):
        return [(problem.add_variable(name, 0, most), 1.0)]
    top = BIG if most is None else most
    terms: Terms = []
    if low > 0:
        on = problem.add_variable(f"{name}_on", 0, 1, pulp.LpInteger)
        terms.append((on, low))
    if step > 0:
        n = problem.add_variable(f"{name}_n", 0, (top - low) // step, pulp.LpInteger)
        terms.append((n, step))
        if low > 0:
            _row(problem, [(n, 1.0), (on, -((top - low) // step))], pulp.LpConstraintLE, 0.0, f"{name}_size")
    elif low > 0:
        more = problem.add_variable(f"{name}_more", 0)
        terms.append((more, 1.0))
        _row(problem, [(more, 1.0), (on, low - top)], pulp.LpConstraintLE, 0.0, f"{name}_size")
    return terms


def _flows(
    problem: pulp.LpProblem,
    facts: Facts,
    slot: Slot,
    deployed: dict[tuple[str, str, str, str], Terms],
    case: str,
    trust: float,
    lost: frozenset[str],
    usable: dict[str, float] | None,
) -> Iterator[tuple[Way, Any]]:
    """One slot's flows of one case ("" is the plan itself) with its rows; yields each way with its variable."""
    at = f"{case}_{slot.number}"
    reserved: dict[tuple[str, str, str], Terms] = defaultdict(list)
    quota: dict[tuple[str, str, str], Terms] = defaultdict(list)
    for need, profile in facts.demand.items():
        demand = profile.get(slot.key, 0.0)
        if case:
            demand *= facts.keep[need[1]] if lost else 1 / (1 - facts.headroom[need[1]])
        if demand <= 0:
            continue
        balance: Terms = []
        sure: Terms = []
        by_model: dict[str, Terms] = defaultdict(list)
        for way in facts.ways[need]:
            if way.region in lost:
                continue
            flow = problem.add_variable(f"f{at}_{way.number}", 0)
            balance.append((flow, 1.0))
            by_model[way.model].append((flow, 1.0))
            if way.guaranteed:
                sure.append((flow, 1.0))
            for part, units in way.units:
                reserved[part].append((flow, units if usable is None else units / usable[way.workload]))
            if way.option is not None:
                quota[way.option].append((flow, way.tokens_per_minute))
            yield way, flow
        name = f"{at}_{facts.code(*need)}"
        _row(problem, balance, pulp.LpConstraintEQ, demand, f"b{name}")
        for model, (low, high) in facts.mix[need[1]].items():
            if high < 1:
                _row(problem, by_model[model], pulp.LpConstraintLE, high * demand, f"mh{name}_{facts.code(model)}")
            if low > 0:
                _row(problem, by_model[model], pulp.LpConstraintGE, low * demand, f"ml{name}_{facts.code(model)}")
        if not case and facts.sure_share[need[1]] > 0:
            _row(problem, sure, pulp.LpConstraintGE, facts.sure_share[need[1]] * demand, f"g{name}")
    for part, terms in reserved.items():
        less = [(x, -a) for x, a in deployed[(*part, slot.period)]]
        _row(problem, terms + less, pulp.LpConstraintLE, 0.0, f"r{at}_{facts.code(*part)}")
    for option, terms in quota.items():
        limit = facts.quota[option]
        if trust == 0 or limit is not None:
            _row(problem, terms, pulp.LpConstraintLE, trust * (limit or 0.0), f"q{at}_{facts.code(*option)}")


def _row(problem: pulp.LpProblem, terms: Terms, sense: int, right: float, name: str) -> None:
    problem.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, rhs=right), name)


def solver_of(name: str) -> Any:
    """PuLP's solver: HiGHS in process by interior point or simplex, or the CBC that comes with PuLP."""
    if name == "cbc":
        return pulp.PULP_CBC_CMD(msg=False, threads=1)
    return pulp.HiGHS(msg=False, threads=2, solver={"highs-ipm": "ipm", "highs-simplex": "simplex"}[name])


def main() -> None:
    """Build and solve a folder's literal model, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.literal")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--solver", default="highs-simplex", choices=["highs-ipm", "highs-simplex", "cbc"])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # PuLP 3.3 announces the API of 4.0
    start = time.perf_counter()
    facts = Facts(arguments.folder)
    read = time.perf_counter()
    problem = build(facts)
    built = time.perf_counter()
    status = problem.solve(solver_of(arguments.solver))
    answer = {
        "status": pulp.LpStatus[status],
        "usd": pulp.value(problem.objective) + facts.sunk_usd,
        "columns": problem.numVariables(),
        "rows": problem.numConstraints(),
        "read_s": read - start,
        "build_s": built - read,
        "solve_s": time.perf_counter() - built,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
