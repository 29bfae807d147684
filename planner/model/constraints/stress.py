"""Rule 8, stated literally: flows of every stress case and slot, and the rules that they keep.

The programme that is solved has these rows projected onto the deployed units (`reduce.stress`); this statement is for
LP files and for the tests that hold the one against the other. It has flows times (1 + cases) columns.

A stress case c asks d[o,w,τ] · scale[c,w] of every origin-workload: scale is 1 / (1 − headroom_w), or the failover
share; quotas count times trust[c], 1 or on_demand_trust. Arcs to the failed region are gone; so is all on demand where
trust is 0.
Flows f[c,arc,τ] ≥ 0 cost nothing, so every dual here is what the case, not ordinary use, is willing to pay.
"""

from dataclasses import replace

import numpy as np

from planner.model.columns import Columns
from planner.model.constraints.mix import bounded_pairs, bounded_shares
from planner.model.constraints.reserved import flow_loads
from planner.model.family import Family, Spans
from planner.model.rows import Rows, Term, constant, rows_by_key
from planner.model.sets import Bools, Floats, Ints, Sets


def stress_columns(sets: Sets, at: Columns) -> Columns:
    """Append a flow for each case, arc that the case leaves, and slot with stressed demand (krph, no cost)."""
    arc, slot, of_case = [at.flow_arc], [at.flow_slot], [at.flow_case]
    need = sets.arcs["need"].to_numpy(int)
    for c, asked in enumerate(_asked(sets)):
        a, t = np.nonzero((asked[need] > 0) & _left(sets, c)[:, None])
        arc.append(a)
        slot.append(t)
        of_case.append(np.full(len(a), c))
    added = sum(map(len, arc[1:]))
    return replace(
        at,
        flow_arc=np.concatenate(arc),
        flow_slot=np.concatenate(slot),
        flow_case=np.concatenate(of_case),
        upper=np.concatenate([at.upper, constant(added, np.inf)]),
    )


def stress_balance(sets: Sets, at: Columns) -> Rows:
    r"""Serve all stressed demand (rule 1).

    Σ_{arcs left} f[c,arc,τ] = scale[c,w] · d[o,w,τ]       for each case c, o, w, slot τ       [krph]
    """
    case, need, slot, asked = _asked_rows(sets)
    column, c, n, t = _flows(sets, at)
    return rows_by_key(
        "stress_balance",
        {"case": case, "need": need, "slot": slot},
        _key(sets, case, need, slot),
        asked,
        asked,
        [Term(_key(sets, c, n, t), column, constant(len(column), 1.0))],
    )


STRESS_BALANCE = Family(
    name="stress_balance",
    rule="8",
    rows=stress_balance,
    spans=Spans.SLOT,
    dual="what serving one more thousand requests per hour in the case would cost, USD over the horizon",
    relaxed_by="headroom or failover",
    kinds=("", ""),
)


def stress_mix(sets: Sets, at: Columns) -> Rows:
    r"""Keep each model's share of the stressed demand within its bounds (rule 2).

        min_share[w,i] · asked  ≤  Σ_{arcs of i left} f[c,arc,τ]  ≤  max_share[w,i] · asked
                                                        for each case c, o, w, model i, slot τ       [krph]

    asked = scale[c,w] · d[o,w,τ]. Rows that cannot bind are left out.
    """
    share_of_arc, low, high = bounded_shares(sets)
    count = max(len(low), 1)
    case, need, slot, asked = _asked_rows(sets)
    pair_need, pair_share = bounded_pairs(sets, len(low))
    row, pair = np.nonzero(need[:, None] == pair_need[None, :])
    share = pair_share[pair]
    key = _key(sets, case, need, slot)[row] * count + share
    order = np.argsort(key)
    row, share, key = row[order], share[order], key[order]
    column, c, n, t = _flows(sets, at)
    of_flow = share_of_arc[at.flow_arc[column - at.flow_first]]
    bound = of_flow >= 0
    return rows_by_key(
        "stress_mix",
        {"case": case[row], "need": need[row], "share": share, "slot": slot[row]},
        key,
        low[share] * asked[row],
        np.where(high[share] < 1, high[share] * asked[row], np.inf),
        [Term((_key(sets, c, n, t) * count + of_flow)[bound], column[bound], constant(int(bound.sum()), 1.0))],
    )


STRESS_MIX = Family(
    name="stress_mix",
    rule="8",
    rows=stress_mix,
    spans=Spans.SLOT,
    dual="what a thousand requests per hour more of that model would save (negative: cost), USD over the horizon",
    relaxed_by="min_share or max_share",
    kinds=("stress_mix_low", "stress_mix_high"),
)


def stress_capacity(sets: Sets, at: Columns) -> Rows:
    r"""Keep the load on a deployment within its units, in full (rule 4 without headroom).

    Σ_{o,w} ρ[w,d] · f[c,arc,τ]  ≤  v[d, p(τ)]        for each case c, deployment d, slot τ       [units]
    """
    key, column, value = flow_loads(sets, at)
    flow = column - at.flow_first
    stressed = at.flow_case[flow] >= 0
    key, column, value, flow = key[stressed], column[stressed], value[stressed], flow[stressed]
    usable = sets.needs["usable"].to_numpy(float)[sets.arcs["need"].to_numpy(int)[at.flow_arc[flow]]]
    size = len(sets.deployments) * len(sets.slots)
    key = at.flow_case[flow] * size + key
    present = np.unique(key)
    deployment, slot = present % size // len(sets.slots), present % len(sets.slots)
    return rows_by_key(
        "stress_capacity",
        {"case": present // size, "deployment": deployment, "slot": slot},
        present,
        constant(len(present), -np.inf),
        constant(len(present), 0.0),
        [
            Term(key, column, value * usable),
            Term(present, at.deployed[deployment, sets.slot_period[slot]], constant(len(present), -1.0)),
        ],
    )


STRESS_CAPACITY = Family(
    name="stress_capacity",
    rule="8",
    rows=stress_capacity,
    spans=Spans.SLOT,
    dual="what the case would pay for one more unit in the slot, USD over the horizon",
    relaxed_by=None,
    kinds=("", "stress_unit"),
)


def stress_quota(sets: Sets, at: Columns) -> Rows:
    r"""Keep on demand within the part of each quota that the case trusts (rule 6).

    Σ_{o,w} κ[w,s,i,k] · f[c,arc,τ]  ≤  trust[c] · quota[s,i,k]       for each case c, finite quota, slot τ
                                                                                                  [tokens/minute]
    """
    limit = sets.quotas["tokens_per_minute"].to_numpy(float)
    trust = np.array([case.quota_scale for case in sets.cases])
    column, c, _, t = _flows(sets, at)
    arc = at.flow_arc[column - at.flow_first]
    of_flow = sets.arcs["quota"].to_numpy(int)[arc]
    limited = (of_flow >= 0) & np.isfinite(np.append(limit, np.inf)[of_flow])
    size = len(limit) * len(sets.slots)
    key = c[limited] * size + of_flow[limited] * len(sets.slots) + t[limited]
    present = np.unique(key)
    case, quota = (present // size, present % size // len(sets.slots)) if size else (present, present)
    return rows_by_key(
        "stress_quota",
        {"case": case, "quota": quota, "slot": present % max(len(sets.slots), 1)},
        present,
        constant(len(present), -np.inf),
        limit[quota] * trust[case],
        [Term(key, column[limited], sets.quota_load[arc[limited]])],
    )


STRESS_QUOTA = Family(
    name="stress_quota",
    rule="8",
    rows=stress_quota,
    spans=Spans.SLOT,
    dual="what the case would pay for one more token per minute that it trusts, USD over the horizon",
    relaxed_by=None,
    kinds=("", "stress_quota"),
)


def _asked(sets: Sets) -> list[Floats]:
    """Stressed demand of each case, needs x slots (krph)."""
    return [case.demand_scale[:, None] * sets.demand for case in sets.cases]


def _left(sets: Sets, number: int) -> Bools:
    """Whether a case leaves each arc usable."""
    case = sets.cases[number]
    there: Bools = (sets.arcs["region"] != case.failed).to_numpy(bool)
    return there if case.quota_scale > 0 else there & sets.arcs["reserved"].to_numpy(bool)


def _asked_rows(sets: Sets) -> tuple[Ints, Ints, Ints, Floats]:
    """Case, need, slot and demand (krph) of everything that is asked in some case, in the order of `_key`."""
    asked = np.array(_asked(sets)).reshape(len(sets.cases), len(sets.needs), len(sets.slots))
    case, need, slot = np.nonzero(asked > 0)
    return case, need, slot, asked[case, need, slot]


def _flows(sets: Sets, at: Columns) -> tuple[Ints, Ints, Ints, Ints]:
    """Column, case, need and slot of every stress flow."""
    flow = np.flatnonzero(at.flow_case >= 0)
    need = sets.arcs["need"].to_numpy(int)[at.flow_arc[flow]]
    return at.flow_first + flow, at.flow_case[flow], need, at.flow_slot[flow]


def _key(sets: Sets, case: Ints, need: Ints, slot: Ints) -> Ints:
    return (case * len(sets.needs) + need) * len(sets.slots) + slot
