"""What requests take of units, what is kept for failover, and what a unit-hour costs; `chargeback` has the rule.

Arrays are deployments x periods (or rows of flows.loads x periods), deployments in the order of Names.deployments.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.flows import Floats
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.task_costs import first_shares
from planner.units import HOURS_PER_WEEK

ROUNDING = 1e-12  # of unit-hours: less is neither kept nor idle


@dataclass(frozen=True)
class Held:
    """Units in force and what they cost. Deployments in the order of Names.deployments; every array ends in periods.

    units : in force, of each deployment: its pool's, in proportion to what is deployed. rate : USD of a unit-hour.
    billed_share : of the rate, invoiced by the hour. pools : (pool, meter); lost_usd, tail_usd, undeployed_usd : of
    each, what serves no whole period, is counted past the horizon, and is in force with nothing deployed.
    """

    units: Floats
    rate: Floats
    billed_share: Floats
    pools: tuple[tuple[str, str], ...]
    lost_usd: Floats
    tail_usd: Floats
    undeployed_usd: Floats
    undeployed_hours: Floats

    @classmethod
    def of(cls, basis: Basis) -> "Held":
        """Add up commitments and what is deployed beyond them."""
        names, new, balance, earlier = basis.names, basis.in_force, basis.balance, basis.derived.earlier
        pairs = dict.fromkeys([(pool, meter) for pool, meter, _ in names.deployments])
        for table in (new, balance, earlier):
            pairs |= dict.fromkeys(zip(table["pool"], table["meter"], strict=True))
        number, period = {pair: k for k, pair in enumerate(pairs)}, {p: k for k, p in enumerate(names.periods)}

        def laid(table: pd.DataFrame, values: pd.Series) -> Floats:
            total = np.zeros((len(pairs), len(period)))
            rows = zip(table["pool"], table["meter"], table["period"], values.tolist(), strict=True)
            for pool, meter, month, value in rows:
                total[number[pool, meter], period[month]] += value
            return total

        whole = new["units"] > 0
        beyond = laid(balance, balance["unreserved_usd"])
        usd = laid(new, new["reserved_usd"].where(whole, 0.0)) + laid(earlier, earlier["usd"]) + beyond
        units = laid(balance, balance["committed_units"] + balance["unreserved_units"])
        owner = np.array([number[pool, meter] for pool, meter, _ in names.deployments], np.int64)
        deployed = np.zeros((len(pairs), len(period)))
        np.add.at(deployed, owner, basis.units)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(units > 0, usd / (units * basis.hours), 0.0)
            share = np.where(deployed[owner] > 0, basis.units / deployed[owner], 0.0)
            billed = np.where(usd > 0, beyond / usd, 0.0)
        none = deployed <= 0
        return cls(
            units=share * units[owner],
            rate=rate[owner],
            billed_share=billed[owner],
            pools=tuple(pairs),
            lost_usd=laid(new, new["reserved_usd"].where(~whole, 0.0)),
            tail_usd=laid(new, new["tail_usd"]),
            undeployed_usd=np.where(none, usd, 0.0),
            undeployed_hours=np.where(none, units * basis.hours, 0.0),
        )


@dataclass(frozen=True)
class Taken:
    """What requests take: rows of flows.loads x periods.

    hours : unit-hours of units in force. scaled_usd, scaled_hours : of units that run by the hour. idle_scaled_usd :
    deployments x periods, what those cost in hours in which nothing is served.
    """

    hours: Floats
    scaled_usd: Floats
    scaled_hours: Floats
    idle_scaled_usd: Floats


def taken_of(basis: Basis, held: Held) -> Taken:
    """Add up what requests take; without units by the hour, all of it is of units in force."""
    if basis.flows.scaled.any():
        return _taken_by_hour(basis, held)
    loads = basis.flows.loads
    hours = basis.requests[loads["way"].to_numpy(int)] * loads["units_per_request"].to_numpy(float)[:, None]
    zero = np.zeros(hours.shape)
    return Taken(_within(basis, held, hours), zero, zero, np.zeros(held.units.shape))


def _taken_by_hour(basis: Basis, held: Held) -> Taken:
    """In each hour, requests take the units in force first, and share what units by the hour cost by their units."""
    flows, names, count = basis.flows, basis.names, len(basis.names.deployments)
    periods, loads = len(names.periods), flows.loads
    load = flows.unit_load(count, names.slot_count, headroom=False)
    month = np.arange(names.slot_count) // HOURS_PER_WEEK % periods
    pools = {p.pool: p for p in basis.case.pools}
    price = np.array([pools[pool].usd_per_scaled_unit_hour or 0.0 for pool, _, _ in names.deployments])
    cold = np.array([pools[pool].start_hours for pool, _, _ in names.deployments])
    units = flows.scaled.reshape(count, -1, HOURS_PER_WEEK)
    paid = units + cold[:, None, None] * np.maximum(units - np.roll(units, 1, axis=-1), 0.0)
    usd = price[:, None] * paid.reshape(count, -1) * basis.weeks
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.where(load > 0, np.minimum(1.0, held.units[:, month] / load), 0.0)
        rate = np.where(load > 0, usd / load, 0.0)
    idle = np.where(load > 0, 0.0, usd).reshape(count, -1, periods, HOURS_PER_WEEK).sum(axis=(1, 3))
    found = np.zeros((3, len(loads), periods))
    nth = loads["nth"].to_numpy(int)
    for k, (way, deployment, per_request, _) in enumerate(flows.meters()):
        rows = np.flatnonzero(nth == k)
        row_of, of, each = np.full(len(flows.ways), -1), np.zeros(len(flows.ways), int), np.zeros(len(flows.ways))
        row_of[way], of[way], each[way] = rows, deployment, per_request
        own = np.flatnonzero(row_of[flows.way] >= 0)
        w, place = flows.way[own], flows.place[own]
        taken = flows.rph[own] * each[w]
        cell = row_of[w] * periods + month[place]
        inside = within[of[w], place]
        for total, value in zip(
            found,
            (taken * inside * basis.weeks[place], taken * rate[of[w], place],
             taken * (1 - inside) * basis.weeks[place]),
        ):  # fmt: skip
            total += np.bincount(cell, value, total.size).reshape(total.shape)
    return Taken(_within(basis, held, found[0]), found[1], found[2], idle)


def _within(basis: Basis, held: Held, hours: Floats) -> Floats:
    """Cut what rounding puts beyond the units in force."""
    deployment = basis.flows.loads["deployment"].to_numpy(int)
    used, most = by_deployment(basis, hours), held.units * basis.hours
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = hours * np.where(used > most, most / used, 1.0)[deployment]
    return found


def by_deployment(basis: Basis, amounts: Floats) -> Floats:
    """Add up rows of flows.loads by deployment."""
    total = np.zeros((len(basis.names.deployments), len(basis.names.periods)))
    np.add.at(total, basis.flows.loads["deployment"].to_numpy(int), amounts)
    return total


def kept_hours_of(basis: Basis, held: Held, taken: Taken) -> tuple[Floats, Floats]:
    """Unit-hours kept for the loss of a region: deployments x periods, and by workload in between.

    In each hour, units deployed that no request takes, but that the plan's routing for the loss of some region in that
    hour would (the largest of these routings counts).
    """
    names, flows, count = basis.names, basis.flows, len(basis.names.deployments)
    found = np.zeros((count, len(names.workloads), len(names.periods)))
    needed = _needed_while_lost(basis)
    if not needed.any():
        return found.sum(axis=1), found
    month = np.arange(names.slot_count) // HOURS_PER_WEEK % len(names.periods)
    units = np.minimum(basis.units, held.units)[:, month]
    load = np.minimum(flows.unit_load(count, names.slot_count, headroom=False), units)
    spare = np.maximum(0.0, np.minimum(needed, units) - load) * basis.weeks
    shape = count, len(names.scenarios), len(names.periods), HOURS_PER_WEEK
    kept = spare.reshape(shape).sum(axis=(1, 3))
    most = np.maximum(0.0, held.units * basis.hours - by_deployment(basis, taken.hours))
    kept = np.where(kept > ROUNDING * basis.units * basis.hours, np.minimum(kept, most), 0.0)
    of_model, of_any = _demand_elsewhere(basis)
    for d, p in np.argwhere(kept > 0).tolist():
        weights = [of_model[d, :, p], of_model[d].sum(axis=1), of_any[d, :, p], of_any[d].sum(axis=1)]
        found[d, :, p] = kept[d, p] * first_shares(weights)
    return found.sum(axis=1), found


def _needed_while_lost(basis: Basis) -> Floats:
    """Units that the plan's routings use in each slot while some region is lost, the most of them: deployments x slots.

    A routing is there for a group of slots and serves the demand of each of them at least; scaled down, need by need,
    to the demand of a slot it still serves it (`plan.audit.stress_check` says why).
    """
    names, reading = basis.names, basis.reading
    count, slots = len(names.deployments), names.slot_count
    most = np.zeros((count, slots))
    for stressed, witness in zip(reading.stress_cases, reading.witnesses[0], strict=True):
        if stressed.failed is None or not len(witness.flows.rph):
            continue
        need = witness.flows.ways["need"].to_numpy(int)
        served = witness.flows.sums(need, names.need_count, witness.places)
        whole = witness.over_slots(served, slots)
        asked = reading.demand * stressed.need_factor[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(whole > 0, np.minimum(1.0, asked / whole), 0.0)
        load = np.zeros((count, slots))
        for way, deployment, per_request, _ in witness.flows.meters():
            each, of = np.zeros(len(need)), np.full(len(need), -1)
            each[way], of[way] = per_request, deployment
            rows = np.flatnonzero(of[witness.flows.way] >= 0)
            rows = rows[np.argsort(witness.flows.place[rows], kind="stable")]
            if not len(rows):
                continue
            places, start = np.unique(witness.flows.place[rows], return_index=True)
            for place, own in zip(places.tolist(), np.split(rows, start[1:]), strict=True):
                at, w = witness.slot[witness.place == place], witness.flows.way[own]
                deployments, d = np.unique(of[w], return_inverse=True)
                needs, n = np.unique(need[w], return_inverse=True)
                table = np.zeros((len(deployments), len(needs)))
                np.add.at(table, (d, n), each[w] * witness.flows.rph[own])
                load[np.ix_(deployments, at)] += table @ scale[np.ix_(needs, at)]
        np.maximum(most, load, out=most)
    return most


def _demand_elsewhere(basis: Basis) -> tuple[Floats, Floats]:
    """Units that demand would take in each deployment while a region is lost: deployments x workloads x periods.

    Of the requests that the deployment's models serve in the plan, and of all requests of the workload; only where
    they arise within its reach.
    """
    case, names, derived = basis.case, basis.names, basis.derived
    origin, workload, model, _, _ = names.codes(basis.flows.ways)
    requests = np.zeros((len(names.regions), len(names.workloads), len(names.models), len(names.periods)))
    np.add.at(requests, (origin, workload, model), basis.requests)
    number = {kind: {name: k for k, name in enumerate(getattr(names, kind))}
              for kind in ("regions", "workloads", "models", "deployments")}  # fmt: skip
    reach = np.zeros((len(names.workloads), len(names.regions), len(names.regions)))
    for name, start, end in zip(*(derived.travel[c] for c in ("workload", "origin", "region")), strict=True):
        reach[number["workloads"][name], number["regions"][start], number["regions"][end]] = 1.0
    asked = np.array([case.failover_demand(w) for w in case.workloads])
    columns = ("workload", "pool", "meter", "model", "region", "deployment", "units_per_request")
    found = np.zeros((2, len(names.deployments), len(names.workloads), len(names.periods)))
    for name, pool, meter, served, place, kind, units in zip(*(derived.loads[c] for c in columns), strict=True):
        d, w = number["deployments"][pool, meter, kind], number["workloads"][name]
        near = reach[w, :, number["regions"][place]] * units * asked[w]
        found[0, d, w] += near @ requests[:, w, number["models"][served]]
        found[1, d, w] += near @ requests[:, w].sum(axis=1)
    return found[0], found[1]
