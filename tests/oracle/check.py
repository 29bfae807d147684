"""Check a finished plan against model.md from its files alone, and against the optimum.

    python check.py FOLDER PLAN_DIR [--optimum] [--time-limit S]

PLAN_DIR holds plan.json and dispatch.parquet (docs/plan-files.md).  Prints one line for each fault,
then 'faults: N' and, with --optimum, the plan's cost over the oracle's.  Exit 0 when there are none.

Needs: highspy, numpy, pandas, pyarrow, pyyaml.
"""
import argparse
import json
import math
import pathlib
import sys
from collections import defaultdict

import highspy
import pandas as pd

from tests.oracle.oracle import HOURS, INF, Instance, Model, expectation_of_worst, flows, optimum

REL, ABS = 1e-6, 1e-6


def over(value, limit):
    return value > limit + ABS + REL * max(abs(value), abs(limit))


def on_grid(units, lo, step, up):
    if units <= ABS:
        return True
    if units < lo - ABS or (math.isfinite(up) and units > up + ABS):
        return False
    return step <= 0 or abs((units - lo) / step - round((units - lo) / step)) < 1e-5


def scaled_units(inst, plan_dir, say):
    """Units that run by the hour, from scaled_units.parquet: 168 numbers by (pool, meter, model, scenario, period)."""
    found = defaultdict(lambda: [0.0] * HOURS)
    path = pathlib.Path(plan_dir) / "scaled_units.parquet"
    for r in pd.read_parquet(path).itertuples() if path.exists() else []:
        if r.units < -ABS or r.pool not in inst.scaled:
            say(f"scaled units: {r}")
        else:
            found[r.pool, r.meter, r.model, r.scenario, r.period][r.hour_of_week] += r.units
    return dict(found)


def check(folder, plan_dir, stress=True):
    inst, faults = Instance(folder), []
    plan = json.loads((pathlib.Path(plan_dir) / "plan.json").read_text())
    say = faults.append
    index = {p: k for k, p in enumerate(inst.periods)}
    offers = {r.offer: r for r in inst.offers.itertuples()}

    units, spend, last_day = defaultdict(float), defaultdict(float), inst.period_start[-1]
    reserved, committed, signed, tail = 0.0, 0.0, 0.0, 0.0
    for row in plan["purchases"]:
        o, k, n = offers[row["offer"]], index[row["period"]], row["units"]
        if n < -ABS:
            say(f"negative purchase {row}")
        if inst.integer and not on_grid(n, o.min_units, o.unit_step, o.max_units):
            say(f"purchase off its grid: {row}")
        if not inst.integer and over(n, o.max_units):
            say(f"purchase above max_units: {row}")
        usd = n * inst.term_usd(o, k, last=last_day)
        reserved += usd
        tail += n * inst.term_usd(o, k, first=last_day) * (1 - inst.tail_value)
        committed += usd
        signed += n * inst.term_usd(o, k)
        for q in range(k, len(inst.periods)):
            spend[inst.pool_region[o.pool], q] += n * inst.term_usd(o, k, inst.period_start[q], inst.period_start[q + 1])
        for q in inst.in_force(o, k):
            units[o.pool, o.meter, inst.periods[q]] += n
    if over(committed, inst.policy.get("max_commitment_usd") or math.inf):
        say(f"commitments {committed:.2f} above the budget")
    if over(signed, inst.policy.get("max_commitment_whole_term_usd") or math.inf):
        say(f"commitments of {signed:.2f} over their terms above max_commitment_whole_term_usd")

    grid = {(r.pool, r.meter, r.model): r for r in inst.throughput.itertuples()}
    v, by_pool = defaultdict(float), defaultdict(float)
    for row in plan["deployments"]:
        key = row["pool"], row.get("meter", "tokens"), row["model"]
        if inst.integer and key in grid and not on_grid(row["units"], grid[key].min_units, grid[key].unit_step, math.inf):
            say(f"deployment off its grid: {row}")
        v[key, row["period"]] += row["units"]
        by_pool[key[0], key[1], row["period"]] += row["units"]
    unreserved = 0.0
    for (pool, meter, p), n in by_pool.items():
        have = units[pool, meter, p] + inst.existing_units(pool, meter, index[p])
        price = inst.unreserved_usd.get(pool, math.nan)
        if math.isnan(price):
            if over(n, have):
                say(f"deployed {n} of {pool}/{meter} in {p}, have {have}")
        else:
            usd = max(0.0, n - have) * price * HOURS * inst.weeks[p]
            unreserved += usd
            spend[inst.pool_region[pool], index[p]] += usd

    d = pd.read_parquet(pathlib.Path(plan_dir) / "dispatch.parquet")
    served, share, sure, load, quota, gb = (defaultdict(float) for _ in range(6))
    egress = away = every = 0.0
    recourse = dict.fromkeys(inst.scenarios, 0.0)  # USD by scenario, were it certain
    by_region = defaultdict(float)  # on-demand USD by (scenario, region, period number)
    option = {(r.region, r.model, r.option): r for r in inst.on_demand.itertuples()}
    for r in d.itertuples():
        n = r.requests_per_hour
        slot = (r.scenario, r.period, r.hour_of_week)
        arrived = int(getattr(r, "arrived_hour_of_week", r.hour_of_week))
        late = (r.hour_of_week - arrived) % HOURS
        need = (r.scenario, r.period, arrived)
        if late > inst.shape[r.workload].deadline_hours:
            say(f"past its deadline: {r}")
        weight = inst.scenarios[r.scenario] * inst.weeks[r.period]
        if n < -ABS:
            say(f"negative flow {r}")
        if not inst.may_serve(r.workload, r.origin, r.region):
            say(f"route not allowed: {r.workload} {r.origin}->{r.region}")
        served[r.origin, r.workload, need] += n
        share[r.origin, r.workload, r.model, need] += n
        usd = inst.egress_usd(r.workload, r.origin, r.region)
        egress += weight * n * usd
        recourse[r.scenario] += inst.weeks[r.period] * n * usd
        every += weight * n
        if r.origin != r.region:
            away += weight * n
            gin, gout = inst.gigabytes(r.workload)
            gb[r.origin, r.region, r.period] += weight * n * gin
            gb[r.region, r.origin, r.period] += weight * n * gout
        if r.supply in inst.pool_region and inst.pool_region[r.supply] == r.region:
            sure[r.origin, r.workload, need] += n
            for row in inst.rows_of[r.supply, r.model]:
                load[(r.supply, row.meter, inst.part(r.supply, r.model)), slot] += \
                    n * inst.units_per_rph(row, r.workload) / (1 - inst.shape[r.workload].reserved_headroom)
        else:
            row = option[r.region, r.model, r.supply]
            if row.deadline_hours + late > inst.shape[r.workload].deadline_hours:
                say(f"an option too slow for its work: {r}")
            usd = (inst.weeks[r.period] * n * inst.price_factor[r.scenario] * inst.on_demand_usd(row, r.workload)
                   * inst.factor(r.region, r.model, r.supply, r.period, r.hour_of_week))
            recourse[r.scenario] += usd
            by_region[r.scenario, r.region, index[r.period]] += usd
            quota[r.region, r.model, r.supply, slot] += n * inst.tpm_per_rph(row, r.workload)
            if row.guaranteed:
                sure[r.origin, r.workload, need] += n
    on_demand = sum(inst.scenarios[sc] * usd for (sc, _, _), usd in by_region.items())
    scaled, scaled_usd = scaled_units(inst, plan_dir, say), 0.0
    for (pool, meter, part, sc, p), at in scaled.items():
        own = inst.scaled[pool]
        starts = sum(max(0.0, at[h] - at[h - 1]) for h in range(HOURS))
        usd = inst.weeks[p] * own.usd_per_scaled_unit_hour * (sum(at) + own.start_hours * starts)
        recourse[sc] += usd
        by_region[sc, inst.pool_region[pool], index[p]] += usd
        scaled_usd += inst.scenarios[sc] * usd
    for pool, own in inst.scaled.items():
        for sc in inst.scenarios:
            for p in inst.periods:
                at = [sum(rows[h] for (q, _, _, a, b), rows in scaled.items() if (q, a, b) == (pool, sc, p)) for h in range(HOURS)]
                if over(max(at), own.max_scaled_units):
                    say(f"scaled units of {pool} {sc} {p}: {max(at)}")
    shortfall = 0.0
    for c in inst.contracts.itertuples():
        periods, regions = inst.covers(c)
        for sc in inst.scenarios:
            have = sum(by_region[sc, s, q] for s in regions for q in periods) if c.counts_on_demand else 0.0
            if c.counts_reserved:
                have += sum(spend[s, q] for s in regions for q in periods) + inst.sunk_usd(periods, regions)
            recourse[sc] += max(0.0, c.usd - have)
            shortfall += inst.scenarios[sc] * max(0.0, c.usd - have)
    for (o, w, sc, p, h), need in inst.demand.items():
        got = served.pop((o, w, (sc, p, h)), 0.0)
        if abs(got - need) > 1e-5 * max(1.0, need):
            say(f"balance {o} {w} {sc} {p} {h}: {got} of {need}")
        for i in inst.models_of.get(w, ()):
            lo, up = inst.mix[w, i]
            part = share.get((o, w, i, (sc, p, h)), 0.0)
            if part < lo * need - 1e-5 * max(1, need) or part > up * need + 1e-5 * max(1, need):
                say(f"mix {o} {w} {i} {p} {h}: {part} of {need}")
        if sure.get((o, w, (sc, p, h)), 0.0) < inst.shape[w].guaranteed_share * need - 1e-5 * max(1, need):
            say(f"guaranteed share {o} {w} {p} {h}")
    for key, got in served.items():
        if got > ABS:
            say(f"served without demand: {key}")
    for (key, slot), n in load.items():
        have = v[key, slot[1]] + scaled.get((*key, slot[0], slot[1]), [0.0] * HOURS)[slot[2]]
        if over(n, have):
            say(f"reserved {key} {slot}: load {n} of {have}")
    for (region, model, opt, slot), n in quota.items():
        if over(n, option[region, model, opt].tokens_per_minute_quota):
            say(f"quota {region} {model} {opt} {slot}: {n}")
    for (o, s, p), n in gb.items():
        if over(n, inst.route.get((o, s), (0, math.inf))[1]):
            say(f"egress {o}->{s} {p}: {n} GB")
    cap = (inst.policy.get("egress") or {}).get("max_cross_region_share")
    if cap is not None and over(away, cap * every):
        say(f"cross-region share {away / every:.4f} above {cap}")

    sums = {"reserved_usd": reserved, "tail_usd": tail, "unreserved_usd": unreserved, "on_demand_usd": on_demand,
            "egress_usd": egress, "sunk_usd": inst.sunk_usd()}
    if inst.scaled:
        sums["scaled_usd"] = scaled_usd
    if len(inst.contracts):
        sums["shortfall_usd"] = shortfall
    for name, value in sums.items():
        if abs(plan[name] - value) > 1e-6 * max(1.0, abs(value)):
            say(f"{name}: says {plan[name]}, is {value}")
    total = sum(sums.values())
    if abs(plan["total_usd"] - total) > 1e-6 * max(1.0, total):
        say(f"total_usd: says {plan['total_usd']}, is {total}")
    judged = total
    if inst.risk_weight > 0:
        sure_usd = total - sum(inst.scenarios[sc] * usd for sc, usd in recourse.items())
        cvar = sure_usd + expectation_of_worst([(usd, inst.scenarios[sc]) for sc, usd in recourse.items()], inst.risk_level)
        judged = (1 - inst.risk_weight) * total + inst.risk_weight * cvar
        for name, value in (("cvar_usd", cvar), ("objective_usd", judged)):
            if abs(plan[name] - value) > 1e-6 * max(1.0, value):
                say(f"{name}: says {plan[name]}, is {value}")
    if plan["bound_usd"] > judged * (1 + 1e-7) + 1e-6:
        say(f"bound_usd {plan['bound_usd']} above what the plan is judged by, {judged}")

    if stress:
        D = lambda o, w, sc, p, h: inst.demand.get((o, w, sc, p, h), 0.0)
        head = lambda o, w, sc, p, h: D(o, w, sc, p, h) / (1 - inst.shape[w].headroom)
        keep = lambda o, w, sc, p, h: D(o, w, sc, p, h) * inst.shape[w].failover_share / (1 - inst.failover_headroom)
        cases = [("headroom", head, 1.0, set())]
        if inst.failover_on:
            cases += [(f"failover {f}", keep, inst.trust, {f}) for f in inst.regions if inst.fails[f]]
        slots = [(sc, p, h) for sc in inst.scenarios for p in inst.periods for h in range(HOURS)]
        for name, demand, scale, failed in cases:
            model, column = Model(), {}

            def terms(key, p):
                if (key, p) not in column:
                    n = v[key, p] * (1 + REL) + ABS
                    column[key, p] = model.var("v", 0.0, n, n)
                return [(column[key, p], 1.0)]

            flows(model, inst, demand, slots, terms, scale * (1 + REL), None, failed, False)
            if model.solve().getModelStatus() == highspy.HighsModelStatus.kInfeasible:
                say(f"stress case {name}: demand cannot be served")
    return faults, judged, plan


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder")
    ap.add_argument("plan_dir")
    ap.add_argument("--optimum", action="store_true")
    ap.add_argument("--time-limit", type=float, default=120.0)
    a = ap.parse_args()
    faults, total, plan = check(a.folder, a.plan_dir)
    for fault in faults[:20]:
        print(fault)
    print(f"faults: {len(faults)}")
    if a.optimum:
        best = optimum(a.folder, time_limit=a.time_limit)
        print(json.dumps({"plan": total, "oracle": best.get("objective_usd"), "oracle_status": best["status"]}))
        if best["status"] == "optimal" and total > best["objective_usd"] * (1 + 1e-6) + 1e-6:
            print("the plan is dearer than the optimum")
            faults.append("dearer")
    sys.exit(1 if faults else 0)
