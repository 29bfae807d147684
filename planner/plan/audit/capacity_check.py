"""Rules 4-6 and 9, and the size rules: units loaded, deployed, committed or run by the hour; quotas; the budget."""

import numpy as np
import pandas as pd

from planner.plan.audit.findings import GRID_TOLERANCE, TOLERANCE, Finding, over, worst
from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Names
from planner.plan.pricing import unit_balance
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, counted


def deployment_name(names: Names, deployment: int) -> str:
    """Name a deployment in words."""
    pool, meter, model = names.deployments[deployment]
    return f"pool {pool}, meter {meter}, " + ("all models" if model == "*" else f"model {model}")


def reserved(names: Names, flows: Flows, units: Floats) -> list[Finding]:
    """Check rule 4: the load on a deployment, headroom added, stays within its units in every slot. [units]."""
    load = flows.unit_load(len(names.deployments), names.slot_count, headroom=True)
    period = np.arange(names.slot_count) // HOURS_PER_WEEK % len(names.periods)
    limit = units[:, period] + (flows.scaled if flows.scaled.size else 0.0)

    def describe(cell: int) -> str:
        d, slot = divmod(cell, names.slot_count)
        return (
            f"{deployment_name(names, d)}, {names.slot_name(slot)}: load "
            f"{counted(load[d, slot], 'unit', '.9g')} with headroom, "
            f"deployed {limit[d, slot]:.9g}"
        )

    return worst("reserved", over(load, limit).ravel(), (load - limit).ravel(), limit.ravel(), describe)


def deployment(case: Case, derived: Derived, in_force: pd.DataFrame, deployments: pd.DataFrame) -> list[Finding]:
    """Check rule 5: a pool without an unreserved price deploys no more than its commitments. [units]."""
    table = unit_balance(case, in_force, derived.earlier, deployments)
    have, placed = table["committed_units"].to_numpy(float), table["deployed_units"].to_numpy(float)
    broken = over(placed, have) & table["usd_per_unit_hour"].isna().to_numpy()

    def describe(k: int) -> str:
        row = table.iloc[k]
        return (
            f"pool {row['pool']}, meter {row['meter']}, {row['period']}: deployed "
            f"{counted(placed[k], 'unit', '.9g')}, committed "
            f"{have[k]:.9g}, and the pool has no price for unreserved units"
        )

    return worst("deployment", broken, placed - have, have, describe)


def sizes(case: Case, purchases: pd.DataFrame, deployments: pd.DataFrame) -> list[Finding]:
    """Check max_units, and with whole units min_units and unit_step of purchases and deployments. [units]."""
    offers, findings = {o.offer: o for o in case.offers}, []
    whole = case.settings.policy.whole_units
    for name, period, units in purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
        o = offers[name]
        most = np.inf if o.max_units is None else o.max_units
        fault = _size_fault(units, *((o.min_units, o.unit_step) if whole else (0.0, 0.0)), most)
        if fault:
            findings.append(
                Finding("sizes", f"offer {name} bought in {period}: {counted(units, 'unit', '.9g')} {fault}", 1.0)
            )
    rules = {(t.pool, t.meter, t.model): t for t in case.throughput}
    keys = ["pool", "meter", "model", "period", "units"]
    for pool, meter, model, period, units in deployments[keys].itertuples(index=False, name=None):
        t = rules.get((pool, meter, model))
        fault = _size_fault(units, t.min_units, t.unit_step, np.inf) if whole and t is not None else ""
        if fault:
            place = f"pool {pool}, meter {meter}, model {model}, {period}"
            findings.append(Finding("sizes", f"{place}: deployed {counted(units, 'unit', '.9g')} {fault}", 1.0))
    return findings


def _size_fault(units: float, least: float, step: float, most: float) -> str:
    if units <= TOLERANCE:
        return ""
    if units < least - TOLERANCE:
        return f"are below min_units {least:g}"
    if over(np.array(units), most):
        return f"are above max_units {most:g}"
    steps = (units - least) / step if step > 0 else 0.0
    return "" if abs(steps - round(steps)) < GRID_TOLERANCE else f"are not {least:g} plus whole steps of {step:g}"


def quota(case: Case, names: Names, flows: Flows) -> list[Finding]:
    """Check rule 6: on-demand load stays within each quota in every slot. [tokens/minute]."""
    if not names.quotas:
        return []
    limit = np.array(
        [np.inf if q.tokens_per_minute_quota is None else q.tokens_per_minute_quota for q in case.on_demand]
    )
    load = flows.sums(
        flows.ways["quota"].to_numpy(int), len(limit), names.slot_count, flows.ways["quota_per_request"].to_numpy(float)
    )

    def describe(cell: int) -> str:
        q, slot = divmod(cell, names.slot_count)
        region, model, option = names.quotas[q]
        return (
            f"{region}, model {model}, option {option}, {names.slot_name(slot)}: {load[q, slot]:.9g} tokens/minute, "
            f"quota {limit[q]:.9g}"
        )

    top = np.repeat(limit, names.slot_count)
    return worst("quota", over(load.ravel(), top), load.ravel() - top, np.where(np.isinf(top), 1.0, top), describe)


def budget(case: Case, in_force: pd.DataFrame) -> list[Finding]:
    """Check rule 9: new commitments inside the horizon stay within max_commitment_usd. [USD]."""
    cap = case.settings.policy.max_commitment_usd
    spent = float(in_force["reserved_usd"].sum())
    if cap is None or not over(np.array(spent), cap):
        return []
    return [Finding("budget", f"new commitments cost {spent:.2f} USD inside the horizon, "
                    f"max_commitment_usd is {cap:.2f}", (spent - cap) / max(cap, 1.0))]  # fmt: skip


def scaled_faults(case: Case, names: Names, table: pd.DataFrame) -> list[Finding]:
    """Find rows that name what the input does not know or does not sell by the hour, and units that are no amounts."""
    sold = {p.pool for p in case.pools if p.usd_per_scaled_unit_hour is not None}
    known, findings = set(names.deployments), []
    slots = names.slots(table)
    for k, (pool, meter, model, n) in enumerate(
        table[["pool", "meter", "model", "units"]].itertuples(index=False, name=None)
    ):
        what = f"scaled_units, pool {pool}, meter {meter}, model {model}"
        if (str(pool), str(meter), str(model)) not in known or slots[k] < 0:
            findings.append(Finding("names", f"{what}: the input knows no such thing", np.inf))
        elif str(pool) not in sold:
            findings.append(Finding("names", f"{what}: the pool sells no units by the hour", np.inf))
        elif not (np.isfinite(n) and n >= 0):
            findings.append(Finding("names", f"{what}: units are negative or not a number", np.inf))
    if table.duplicated(["pool", "meter", "model", "scenario", "period", "hour_of_week"]).any():
        findings.append(Finding("names", "scaled_units: an hour of a deployment is listed twice", np.inf))
    return findings[:10]


def scaled_limits(case: Case, names: Names, scaled: Floats) -> list[Finding]:
    """Check max_scaled_units of each pool in every slot. [units]."""
    findings = []
    for pool in case.pools:
        if pool.max_scaled_units is None:
            continue
        mine = [k for k, (name, _, _) in enumerate(names.deployments) if name == pool.pool]
        total = scaled[mine].sum(axis=0) if mine else np.zeros(1)
        worst = int(total.argmax())
        if total[worst] > pool.max_scaled_units * (1 + 1e-6) + 1e-6:
            message = (
                f"pool {pool.pool}, {names.slot_name(worst)}: {counted(total[worst], 'unit', '.9g')} run by the hour, "
                f"at most {pool.max_scaled_units:.9g} may"
            )
            findings.append(Finding("reserved", message, float(total[worst] - pool.max_scaled_units)))
    return findings
