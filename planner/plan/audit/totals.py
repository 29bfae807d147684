"""What the plan says it costs, and the bound it claims, against plain arithmetic."""

from dataclasses import fields

import numpy as np
import pandas as pd

from planner.plan.audit.findings import TOLERANCE, Finding
from planner.plan.plan import Plan, Status, Totals, gap_of
from planner.schema.case import Case
from planner.schema.digest import is_input_of

BOUND_TOLERANCE = 1e-7  # a bound may be above the cost by rounding only


def costs(plan: Plan, repriced: Totals) -> list[Finding]:
    """Compare each part of the stated cost with the re-priced one. [USD]."""
    findings = []
    names = [f.name for f in fields(Totals)] + ["total_usd"]
    for name in names:
        says, is_ = float(getattr(plan.totals, name)), float(getattr(repriced, name))
        if not abs(says - is_) <= TOLERANCE * max(1.0, abs(is_)):
            findings.append(_differs(f"{name} says {says:.6f} USD, the plan's tables cost {is_:.6f} USD", says, is_))
    return findings


def bound(plan: Plan, repriced: Totals) -> list[Finding]:
    """Check that no lower bound is above the cost, and that gaps and status say what follows from them. [USD]."""
    total, proof = repriced.total_usd, plan.proof
    claims = [("bound_usd", proof.bound_usd, "gap", proof.gap)]
    if proof.tree_bound_usd is not None:
        claims.append(("tree_bound_usd", proof.tree_bound_usd, "tree_gap", proof.tree_gap or 0.0))
    findings = []
    for name, least, gap_name, says in claims:
        if not least <= total + BOUND_TOLERANCE * abs(total) + TOLERANCE:
            findings.append(_differs(f"{name} {least:.6f} is above the cost {total:.6f} USD", least, total))
        gap = gap_of(total, least)
        if not abs(says - gap) <= TOLERANCE:
            findings.append(_differs(f"{gap_name} says {says:.9g}, cost and bound make it {gap:.9g}", says, gap))
    best = min(gap for *_, gap in claims)
    if proof.status == Status.OPTIMAL and not best <= proof.gap_asked + TOLERANCE:
        findings.append(_differs(f"status says optimal, but the gap is {best:.6g} and {proof.gap_asked:.6g} was asked",
                                 best, proof.gap_asked))  # fmt: skip
    return findings


def purchase_costs(plan_purchases: pd.DataFrame, in_force: pd.DataFrame) -> list[Finding]:
    """Compare the stated cost of each purchase with its units times price times hours inside the horizon. [USD]."""
    usd = in_force.groupby("row")["reserved_usd"].sum().reindex(range(len(plan_purchases)), fill_value=0.0)
    findings = []
    for row, is_ in zip(plan_purchases.to_dict("records"), usd.tolist(), strict=True):
        says = float(row["usd"])
        if not abs(says - is_) <= TOLERANCE * max(1.0, abs(is_)):
            what = f"offer {row['offer']} bought in {row['period']}"
            findings.append(
                _differs(f"{what} says {says:.6f} USD, {row['units']:g} units cost {is_:.6f} USD", says, is_)
            )
    return findings


def digest(case: Case, plan: Plan) -> list[Finding]:
    """Check that the plan was made for this input."""
    if is_input_of(case, plan.input_digest):
        return []
    return [Finding("input", f"the plan was made for another input (its digest is {plan.input_digest[:12]}, "
                    f"this input's {case.digest[:12]})", np.inf)]  # fmt: skip


def _differs(message: str, says: float, is_: float) -> Finding:
    excess = abs(says - is_) / max(1.0, abs(is_))
    return Finding("totals", message, float(np.nan_to_num(excess, nan=np.inf)))
