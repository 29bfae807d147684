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

from planner.model.bounded_shares import bounded_pairs, bounded_shares
from planner.model.columns import Columns
from planner.model.constraints.reserved import flow_loads
from planner.model.family import SETTINGS, Asked, Cell, Family, Reduction, Relaxed, Spans
from planner.model.rows import Rows, Term, constant, distinct, joined, kept
from planner.model.sets import Bools, Floats, Ints, Sets

PROJECTED = frozenset({Reduction.RAYS})


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
    index, asked = _asked_rows(sets)
    column, where, _ = _flows(sets, at)
    return joined("stress_balance", index, (asked, asked), [Term(where, column, 1.0)])


STRESS_BALANCE = Family(
    name="stress_balance",
    rule="8",
    rows=stress_balance,
    spans=Spans.SLOT,
    of_stress=True,
    allows=PROJECTED,
    dual="what serving one more thousand requests per hour in the case would cost, USD over the horizon",
    relaxed_by=Cell("workloads", "failover_share", "share", (("workload", "workload"),), Asked.FAILOVER),
    kinds=("", ""),
)


def stress_mix(sets: Sets, at: Columns) -> Rows:
    r"""Keep each model's share of the stressed demand within its bounds (rule 2).

        min_share[w,i] · asked  ≤  Σ_{arcs of i left} f[c,arc,τ]  ≤  max_share[w,i] · asked
                                                        for each case c, o, w, model i, slot τ       [krph]

    asked = scale[c,w] · d[o,w,τ]. Rows that cannot bind are left out.
    """
    share_of_arc, low, high = bounded_shares(sets)
    asked_of, asked = _asked_rows(sets)
    pair_need, pair_share = bounded_pairs(sets)
    row, pair = np.nonzero(asked_of["need"][:, None] == pair_need[None, :])
    share, demand = pair_share[pair], asked[row]
    index = {
        "case": asked_of["case"][row],
        "need": asked_of["need"][row],
        "share": share,
        "slot": asked_of["slot"][row],
    }
    column, where, arc = _flows(sets, at)
    bound = share_of_arc[arc] >= 0
    of_flow = {**kept(where, bound), "share": share_of_arc[arc[bound]]}
    bounds = (low[share] * demand, np.where(high[share] < 1, high[share] * demand, np.inf))
    return joined("stress_mix", index, bounds, [Term(of_flow, column[bound], 1.0)])


STRESS_MIX = Family(
    name="stress_mix",
    rule="8",
    rows=stress_mix,
    spans=Spans.SLOT,
    of_stress=True,
    allows=PROJECTED,
    dual="what a thousand requests per hour more of that model would save (negative: cost), USD over the horizon",
    relaxed_by=Relaxed.NEVER,
    kinds=("stress_mix_low", "stress_mix_high"),
)


def stress_capacity(sets: Sets, at: Columns) -> Rows:
    r"""Keep the load on a deployment within its units, in full (rule 4 without headroom).

    Σ_{o,w} ρ[w,d] · f[c,arc,τ]  ≤  v[d, p(τ)]        for each case c, deployment d, slot τ       [units]
    """
    loads = flow_loads(sets, at)
    flow = loads.column - at.flow_first
    stressed = at.flow_case[flow] >= 0
    flow = flow[stressed]
    usable = sets.needs["usable"].to_numpy(float)[sets.arcs["need"].to_numpy(int)[at.flow_arc[flow]]]
    where = {"case": at.flow_case[flow], **kept(loads.where, stressed)}
    index = distinct(**where)
    units = at.deployed[index["deployment"], sets.slot_period[index["slot"]]]
    terms = [Term(where, loads.column[stressed], np.asarray(loads.value)[stressed] * usable), Term(index, units, -1.0)]
    return joined("stress_capacity", index, (-np.inf, 0.0), terms)


STRESS_CAPACITY = Family(
    name="stress_capacity",
    rule="8",
    rows=stress_capacity,
    spans=Spans.SLOT,
    of_stress=True,
    allows=PROJECTED,
    dual="what the case would pay for one more unit in the slot, USD over the horizon",
    relaxed_by=Relaxed.NEVER,
    kinds=("", "stress_unit"),
)


def stress_quota(sets: Sets, at: Columns) -> Rows:
    r"""Keep on demand within the part of each quota that the case trusts (rule 6).

    Σ_{o,w} κ[w,s,i,k] · f[c,arc,τ]  ≤  trust[c] · quota[s,i,k]       for each case c, finite quota, slot τ
                                                                                                  [tokens/minute]
    """
    limit = sets.quotas["tokens_per_minute"].to_numpy(float)
    trust = np.array([case.quota_scale for case in sets.cases])
    column, of_case, arc = _flows(sets, at)
    of_flow = sets.arcs["quota"].to_numpy(int)[arc]
    limited = (of_flow >= 0) & np.isfinite(np.append(limit, np.inf)[of_flow])
    where = {"case": of_case["case"][limited], "quota": of_flow[limited], "slot": of_case["slot"][limited]}
    index = distinct(**where)
    most = limit[index["quota"]] * trust[index["case"]]
    return joined("stress_quota", index, (-np.inf, most), [Term(where, column[limited], sets.quota_load[arc[limited]])])


STRESS_QUOTA = Family(
    name="stress_quota",
    rule="8",
    rows=stress_quota,
    spans=Spans.SLOT,
    of_stress=True,
    allows=PROJECTED,
    dual="what the case would pay for one more token per minute that it trusts, USD over the horizon",
    relaxed_by=Cell(SETTINGS, "policy.failover.on_demand_trust", "share", asked=Asked.SELLER),
    kinds=("", "stress_quota"),
)


def _asked(sets: Sets) -> list[Floats]:
    """Stressed demand of each case, needs x slots (krph)."""
    return [case.factor(sets.slot_period) * sets.demand for case in sets.cases]


def _left(sets: Sets, number: int) -> Bools:
    """Whether a case leaves each arc usable."""
    case = sets.cases[number]
    there: Bools = (sets.arcs["region"] != case.failed).to_numpy(bool)
    return there if case.quota_scale > 0 else there & sets.arcs["reserved"].to_numpy(bool)


def _asked_rows(sets: Sets) -> tuple[dict[str, Ints], Floats]:
    """Case, need and slot of everything that is asked in some case, and how much (krph)."""
    asked = np.array(_asked(sets)).reshape(len(sets.cases), len(sets.needs), len(sets.slots))
    case, need, slot = np.nonzero(asked > 0)
    return {"case": case, "need": need, "slot": slot}, asked[case, need, slot]


def _flows(sets: Sets, at: Columns) -> tuple[Ints, dict[str, Ints], Ints]:
    """Column of every stress flow, its case, need and slot, and its arc."""
    flow = np.flatnonzero(at.flow_case >= 0)
    arc = at.flow_arc[flow]
    where = {"case": at.flow_case[flow], "need": sets.arcs["need"].to_numpy(int)[arc], "slot": at.flow_slot[flow]}
    return at.flow_first + flow, where, arc
