"""The certificate: a lower bound on the cost of every plan, from dual prices, without trusting the solver.

Weak duality needs no optimal duals. Take any prices y of the rows (a one-sided row's price has the sign that its side
allows, else it counts 0) and let c'[j] = c[j] − Σ_i y[i]·a[i,j]. For every plan

    cost  ≥  Σ_i y[i] · (lower[i] if y[i] > 0 else upper[i])  +  Σ_j min(0, c'[j]) · largest[j].

The prices are HiGHS's, as floating-point numbers, which are exact rationals. Each c'[j] is computed with a bound on its
rounding error, and what is not proved to be ≥ 0 is made so: the price of a flow's balance row is lowered until every
flow of its need and slot is (theory: duals repaired by construction); capacity columns are charged at the largest size
that any sensible plan has (`largest_sizes`), or, where a family of constraints may want more, at what a plan of the
claimed cost can pay for. The sum is taken in integers, without rounding, and rounded down at the end. Work that can
wait is priced as the literal programme has it: a flow for each hour of arrival and each hour that serves it, so that it
needs no price but the demand's. Stress rows are rays of their own (model.reduce.stress), valid by construction.

Routings that prove the stress cases of a component, as flat arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.model.arrivals import arrivals
from planner.model.columns import affordable_sizes, counted_twice, filling, kept_purchases, largest_sizes
from planner.model.constraints.risk import FAMILY as RISK
from planner.model.constraints.waiting import BACKLOG, DEADLINE
from planner.model.family import Family, Reduction
from planner.model.objective import scaled_unit_usd
from planner.model.program import LinearProgram, families_of
from planner.model.reduce.project_stress import StressNetwork
from planner.model.rows import Rows
from planner.model.sets import Floats, Ints, Sets, names_of
from planner.model.structure import refused_by
from planner.model.waiting import Weeks
from planner.plan.plan import CERTIFICATE_COLUMNS
from planner.solver.continuous import cut_rows
from planner.solver.joint import joint_columns, largest_joint
from planner.solver.stress_search import Cut, Routing

ERROR = 1e-14  # relative error of a sum of products and of its coefficients: far above (terms + 10) x 2^-53
WAITING = (BACKLOG.name, DEADLINE.name)  # rows of served amounts, which the literal programme does not have
_SHIFT = 2200  # products of two doubles are whole multiples of 2^-_SHIFT (2 x 1074 and to spare)


@dataclass(frozen=True)
class Certificate:
    """A proved lower bound on the component's new cost (USD), and the repaired row prices that prove it."""

    bound_usd: float
    row_price: Floats
    cut_price: Floats


def certify(program: LinearProgram, duals: Floats, cuts: list[Cut], usd: float = np.inf) -> Certificate:
    """Prove a lower bound from row duals (natural units; the programme's rows, then those of ``cuts``).

    ``usd`` : the cost that these duals claim; the bound is no higher where it has to rest on what a plan can pay for.
    """
    lower, upper = program.bounds()
    stress = cut_rows(program, cuts)
    rows = program.row_count
    price = duals[:rows].copy()
    price[(price > 0) & ~np.isfinite(lower)] = 0.0
    price[(price < 0) & ~np.isfinite(upper)] = 0.0
    cut_price = np.maximum(duals[rows : rows + len(cuts)], 0.0)
    _weigh_scenarios(program, price)

    row, column, value = program.entries()
    product = value * price[row]
    added = np.repeat(np.arange(len(cuts)), np.diff(stress.start))
    cut_product = stress.value * cut_price[added]
    for rows_of_hours in program.families:  # what waits is priced by the hours that may serve it: `_least_ahead`
        if rows_of_hours.family in WAITING:
            begin = program.first_row(rows_of_hours.family)
            price[begin : begin + rows_of_hours.count] = 0.0
    count, first = program.columns.count, program.columns.hours_first
    taken = np.bincount(column, product, count) + np.bincount(stress.column, cut_product, count)
    size = (
        np.bincount(column, np.abs(product), count) + np.bincount(stress.column, cut_product, count)
        + np.abs(program.cost)
    )  # fmt: skip
    least = program.cost - taken - ERROR * size  # proved: the exact reduced cost is not below this

    balance = program.family("balance")
    repair = np.zeros(balance.count)
    slots = len(program.sets.slots)
    key = balance.index["need"] * slots + balance.index["slot"]
    came = arrivals(program.sets, program.columns)
    of_column = np.searchsorted(key, came.need * slots + came.slot)
    np.maximum.at(repair, of_column, -(least[came.column] + _least_ahead(program, least)[came.column]))
    at = slice(program.first_row("balance"), program.first_row("balance") + balance.count)
    lowered = repair > 0
    price[at] = np.where(lowered, np.nextafter(price[at] - repair, -np.inf), price[at])

    largest, most = _largest(program, usd)
    bound = np.where(price > 0, lower, np.where(price < 0, upper, 0.0))
    run, most_units = _largest_scaled(program)
    terms = [(price, bound), (cut_price, stress.lower), (np.minimum(least[:first], 0.0), largest),
             (np.minimum(least[run], 0.0), most_units)]  # fmt: skip
    return Certificate(min(exact_sum_down(terms), most), price, cut_price)


def _weigh_scenarios(program: LinearProgram, price: Floats) -> None:
    """Move the prices of the risk rows, in place, to such that no column of theirs earns money.

    Charging these columns would prove a bound too. But whoever recomputes it from the prices alone weighs scenarios
    with what a policy of risk can mean, and charges the rest at these weights: so must we, or state what is not proved.
    """
    at = program.columns
    if not len(at.threshold):
        return
    rows, first = program.family(RISK.name), program.first_row(RISK.name)
    future, mine = rows.index["future"], slice(first, first + rows.count)
    weight = np.clip(price[mine], -program.cost[at.over[future]], program.cost[at.under[future]])
    gains, loses = -float(weight[weight < 0].sum()), float(weight[weight > 0].sum())
    price[mine] = np.where(weight < 0, weight * min(1.0, loses / gains), weight) if gains > 0 else weight


def _least_ahead(program: LinearProgram, least: Floats) -> Floats:
    """Least reduced cost of the flows by which a queue may serve what it takes in an hour, for each column that takes.

    0 for the other columns: literally there is a flow for each hour of arrival and hour that serves it, and its reduced
    cost is the sum of what its hour of arrival and its hour of service pay. inf: none may serve it.
    """
    at, found = program.columns, np.zeros(program.columns.count)
    if not at.queues.count:
        return found
    queue = at.queues.of_arc[at.flow_arc]
    waits = np.flatnonzero(queue >= 0)
    price = np.full(at.taken.shape, np.inf)
    np.minimum.at(price, (queue[waits], at.flow_slot[waits]), least[at.flows[waits]])
    weeks = Weeks.of(program.sets)
    for hours in np.unique(at.queues.latest_hours):
        mine = at.queues.latest_hours == hours
        price[mine] = weeks.least_ahead(price[mine], int(hours))
    takes = at.taken >= 0
    lowest = price[takes]
    found[at.taken[takes]] = np.where(np.isfinite(lowest), lowest - ERROR * np.abs(lowest), lowest)
    return found


def _largest_scaled(program: LinearProgram) -> tuple[Ints, Floats]:
    """Columns of units that run by the hour, and the most that is of any use: all that loads them at its peak.

    Where what is spent counts for several contracts, as many as fill every contract in one hour by themselves. Merged
    slots, and starts that cost several hours, would allow less; but it is charged as who recomputes the bound from the
    prices charges it, hour by hour, or the bound would be more than the prices prove.
    """
    sets, at = program.sets, program.columns
    if not (at.scaled >= 0).any():
        return np.empty(0, np.int64), np.empty(0)
    sizes = largest_sizes(sets)[len(at.committed) :].reshape(-1, len(sets.periods)).max(axis=1)
    meter = sets.deployments["meter_row"].to_numpy(int)
    most = np.repeat(sizes[:, None], len(sets.slots), axis=1)
    if sets.spend is not None:
        twice = counted_twice(sets)[meter][:, sets.slot_period]
        alike = np.array([len(m) for m in sets.members]) if sets.members else np.ones(len(sets.slots))
        filled = np.maximum(sets.spend.usd, 0.0).max(initial=0.0) * sets.slot_chance * alike
        price = scaled_unit_usd(sets)[0]
        fills = np.divide(filled, price, out=np.zeros(price.shape), where=price > 0) * (1 + 1e-9)
        most = np.where(twice, np.maximum(most, fills), most)
    hours = np.minimum(sets.meters["start_hours"].to_numpy(float)[meter], 1.0)[:, None]
    starts = np.divide(most, hours, out=np.zeros(most.shape), where=hours > 0)
    found = [
        (columns[columns >= 0], units[columns >= 0]) for columns, units in ((at.scaled, most), (at.started, starts))
    ]
    return np.concatenate([column for column, _ in found]), np.concatenate([most for _, most in found])


def _largest(program: LinearProgram, usd: float) -> tuple[Floats, float]:
    """Largest value of each column before the flows, and what the bound is worth at most.

    Where some family refuses `largest_sizes`: of the plans that cost no more than ``usd``; others cost more than that.
    """
    sets, at = program.sets, program.columns
    largest = np.zeros(at.hours_first)
    if refused_by(families_of(sets), program.families, sets, at, Reduction.SIZES):
        most = usd
        sizes, beyond = affordable_sizes(sets, at, program.cost, usd)
    else:
        most = np.inf
        sizes = largest_sizes(sets)
        beyond = np.zeros(at.unreserved.shape)
        np.add.at(beyond, sets.deployments["meter_row"].to_numpy(int),
                  sizes[len(at.committed) :].reshape(-1, len(sets.periods)))  # fmt: skip
        beyond = np.maximum(beyond, filling(sets)[1])
    largest[: len(sizes)] = sizes
    joint = joint_columns(at)
    largest[joint] = largest_joint(sets, at, usd)[joint]
    if len(at.threshold):
        most = min(most, usd)
    largest[at.unreserved[at.unreserved >= 0]] = beyond[at.unreserved >= 0]
    kept = kept_purchases(sets)
    if len(kept):
        largest[at.more] = sizes[kept]
        largest[at.fewer] = sets.purchases["kept_units"].to_numpy(float)[kept]
    return largest, most


def exact_sum_down(terms: list[tuple[Floats, Floats]]) -> float:
    """Sum of products, exact in integers, then rounded down, less the rounding of the data themselves."""
    total, size = 0, 0.0
    for a, b in terms:
        used = (a != 0) & (b != 0)
        if not np.isfinite(b[used]).all():
            return -np.inf
        for x, y in zip(a[used].tolist(), b[used].tolist()):
            (n, d), (m, e) = x.as_integer_ratio(), y.as_integer_ratio()
            total += (n * m) << (_SHIFT - (d.bit_length() + e.bit_length() - 2))
        size += float(np.abs(a[used] * b[used]).sum())
    return float(np.nextafter(_to_float(total), -np.inf)) - 1e-13 * size


def _to_float(total: int) -> float:
    """Turn a whole number of 2^-_SHIFT into a float (nearest)."""
    return total / (1 << _SHIFT)


Part = dict[str, np.ndarray]  # columns of some rows of the table; what does not apply is left out


def price_table(
    program: LinearProgram, certificate: Certificate, cuts: list[Cut], networks: list[StressNetwork], whole: Sets
) -> pd.DataFrame:
    """Name every price of a component's certificate; a merged slot's price is spread over its slots by weeks.

    ``whole`` has the slots before merging. Rays are numbered from 0 within the component. Columns:
    CERTIFICATE_COLUMNS.
    """
    stated = {rows.family: rows for rows in program.families}
    parts = [
        _of_family(program, certificate, family, stated[family.name], whole) for family in families_of(program.sets)
    ]
    ray = 0
    for cut, price in zip(cuts, certificate.cut_price):
        if price > 0:
            parts += _of_ray(program.sets, networks[cut.case], cut, whole, price=float(price), ray=ray)
            ray += 1
    return _table(parts)


def coupling_prices(
    table: pd.DataFrame, sets: Sets, families: Sequence[Family], stated: Sequence[Rows], price: Floats
) -> pd.DataFrame:
    """Add the prices of rows that span parts (one after the other, as ``stated`` of the whole) to a part's table."""
    parts, first = [], 0
    for family, rows in zip(families, stated):
        mine = price[first : first + rows.count]
        first += rows.count
        for kind, sign in zip(family.price_kinds, (1.0, -1.0)):
            priced = np.flatnonzero((sign * mine > 0) & bool(kind))
            if len(priced):
                index = {key: values[priced] for key, values in rows.index.items()}
                names = {"kind": np.full(len(priced), kind, object), **names_of(sets, index)}
                when = slot_names(sets, index["slot"]) if "slot" in index else {}
                parts.append(names | when | {"price": np.abs(mine[priced])})
    return pd.concat([_table(parts), table], ignore_index=True) if parts else table


def _table(parts: Sequence[Part]) -> pd.DataFrame:
    """Put columns of rows together; what a part does not tell is blank."""
    size = [len(part["price"]) for part in parts]
    columns: dict[str, object] = {}
    for name in CERTIFICATE_COLUMNS:
        whole_number = name in ("ray", "hour_of_week")
        dtype = "float64" if name == "price" else "int64" if whole_number else object
        values = np.empty(sum(size), dtype)
        at = 0
        for part, n in zip(parts, size):
            values[at : at + n] = part.get(name, -1 if whole_number else "")
            at += n
        columns[name] = pd.Series(values, dtype=dtype)  # said, or pandas looks through every name
    return pd.DataFrame(columns)


def _of_family(program: LinearProgram, certificate: Certificate, family: Family, rows: Rows, whole: Sets) -> Part:
    """Price each bound of a family's rows; a family whose kinds are blank states none."""
    first = program.first_row(family.name)
    price = certificate.row_price[first : first + rows.count]
    floor, cap = family.price_kinds
    priced = np.flatnonzero(((price > 0) & bool(floor)) | ((price < 0) & bool(cap)))
    index = {key: values[priced] for key, values in rows.index.items()} if len(priced) else {}
    part: Part = {
        "kind": np.where(price[priced] > 0, floor, cap).astype(object),
        **names_of(program.sets, index),
        "price": np.abs(price[priced]),
    }
    return _in_slots(program.sets, part, index["slot"], whole) if "slot" in index else part


def _in_slots(sets: Sets, part: Part, slot: Ints, whole: Sets) -> Part:
    """Repeat rows of merged slots for each slot that they stand for: as `part_of_merged` divides them."""
    size = np.array([len(m) for m in sets.members], dtype=np.int64)[slot]
    row = np.repeat(np.arange(len(slot)), size)
    original = np.concatenate([sets.members[t] for t in slot]) if len(slot) else np.empty(0, np.int64)
    share = part_of_merged(sets, slot[row], whole, original)
    spread = {name: values[row] for name, values in part.items()}
    return spread | slot_names(whole, original) | {"price": spread["price"] * share}


def part_of_merged(sets: Sets, merged: Ints, whole: Sets, original: Ints) -> Floats:
    """Which part of a merged slot each original slot is: by weight; those of a scenario of probability 0 are equal."""
    size = np.array([len(m) for m in sets.members], dtype=np.int64)[merged]
    all_weeks = sets.slots["weeks"].to_numpy(float)[merged]
    weeks = whole.slots["weeks"].to_numpy(float)[original]
    parts: Floats = np.divide(weeks, all_weeks, out=1.0 / size, where=all_weeks > 0)
    return parts


def slot_names(whole: Sets, slot: Ints) -> Part:
    """Scenario, period and hour of week of slots."""
    return {
        "scenario": whole.slots["scenario"].to_numpy(object)[slot],
        "period": np.array(whole.periods, dtype=object)[whole.slots["period"].to_numpy(int)[slot]],
        "hour_of_week": whole.slots["hour_of_week"].to_numpy(np.int64)[slot],
    }


def _of_ray(sets: Sets, net: StressNetwork, cut: Cut, whole: Sets, *, price: float, ray: int) -> list[Part]:
    def priced(kind: str, names: Part, prices: Floats) -> Part:
        same = {"kind": kind, "case": net.case.name, "ray": ray}
        return {name: np.full(len(prices), value) for name, value in same.items()} | names | {"price": prices}

    d, q = np.flatnonzero(cut.ray.units > 0), np.flatnonzero(cut.ray.quota > 0)
    parts = [
        priced("stress", slot_names(whole, sets.members[cut.slot][:1]), np.array([price])),
        priced("stress_unit", names_of(sets, {"deployment": d}), cut.ray.units[d]),
        priced("stress_quota", names_of(sets, {"quota": q}), cut.ray.quota[q]),
    ]
    for kind, sigma in (("stress_mix_low", cut.ray.low), ("stress_mix_high", cut.ray.high)):
        for k in np.flatnonzero(sigma > 0):
            members = np.flatnonzero(net.class_of == net.share_class[k])
            names = {name: sets.needs[name].to_numpy(object)[members] for name in ("origin", "workload")}
            model = np.full(len(members), net.share_model[k], dtype=object)
            parts.append(priced(kind, names | {"model": model}, np.full(len(members), sigma[k])))
    return parts


@dataclass(frozen=True)
class WitnessArrays:
    """Groups of slots of one component.

    group_case, group_period : of each group. slot_group, slot : merged slots that groups cover. flow_group, flow_need,
    flow_arc, flow : krph of a need over a way (a row of `sets.arcs` of its class), stressed demand.
    """

    group_case: Ints
    group_period: Ints
    slot_group: Ints
    slot: Ints
    flow_group: Ints
    flow_need: Ints
    flow_arc: Ints
    flow: Floats


def witness_of(routings: Sequence[Routing]) -> WitnessArrays:
    """Flatten routings; a need takes its share of each of its class's flows, to the class's demand exactly."""
    groups, needs, arcs, flows = [], [], [], []
    for k, routing in enumerate(routings):
        net = routing.net
        used = np.flatnonzero(routing.flow > 0)
        demand = routing.envelope * net.case.factor(routing.period)
        total = np.bincount(net.class_of, demand, net.classes)
        served = np.bincount(net.arc_class, routing.flow, net.classes)
        exact = total / np.where(served > 0, served, 1.0)
        need = np.flatnonzero(demand > 0)
        share = demand[need] / total[net.class_of[need]]
        pair_need, pair_arc = np.nonzero(net.class_of[need][:, None] == net.arc_class[used][None, :])
        arc = used[pair_arc]
        groups.append(np.full(len(arc), k))
        needs.append(need[pair_need])
        arcs.append(net.arcs[arc])
        flows.append(routing.flow[arc] * exact[net.arc_class[arc]] * share[pair_need])
    whole = np.empty(0, np.int64)
    return WitnessArrays(
        group_case=np.array([r.case for r in routings], dtype=np.int64),
        group_period=np.array([r.period for r in routings], dtype=np.int64),
        slot_group=np.concatenate([np.full(len(r.slots), k) for k, r in enumerate(routings)] or [whole]),
        slot=np.concatenate([r.slots for r in routings] or [whole]),
        flow_group=np.concatenate(groups or [whole]),
        flow_need=np.concatenate(needs or [whole]),
        flow_arc=np.concatenate(arcs or [whole]),
        flow=np.concatenate(flows or [np.empty(0)]),
    )
