"""What a plan says: names that the input knows, finite numbers, its costs, its bound and its input's digest."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.plan.audit.findings import TOLERANCE, Finding
from planner.plan.flows import Flows, Names
from planner.plan.frames import Ints
from planner.plan.plan import Plan, PlanRisk, Status, Totals, gap_of
from planner.schema.case import Case
from planner.schema.input_digest import is_input_of
from planner.units import counted


def sound_tables(case: Case, plan: Plan, names: Names) -> tuple[pd.DataFrame, pd.DataFrame, list[Finding]]:
    """Purchases and deployments that can be read, and a finding for each row that cannot."""
    findings: list[Finding] = []
    offers = {o.offer for o in case.offers}
    known = set(names.deployments)
    bought = _row_faults(plan.purchases, lambda row: row["offer"] in offers and row["period"] in names.periods)
    placed = _row_faults(
        plan.deployments,
        lambda row: (row["pool"], row["meter"], row["model"]) in known and row["period"] in names.periods,
    )
    kept = []
    for table, frame, faults, key in (
        ("purchases", plan.purchases, bought, ["offer", "period"]),
        ("deployments", plan.deployments, placed, ["pool", "meter", "model", "period"]),
    ):
        findings += [
            Finding("names", f"{table}, {_words(row)}: {fault}", np.inf)
            for row, fault in zip(_rows(frame), faults, strict=True)
            if fault
        ]
        good = frame[np.array([not fault for fault in faults], bool)].reset_index(drop=True)
        for again in _rows(good[good.duplicated(key)]):
            findings.append(Finding("names", f"{table}, {_words(again)}: listed twice", np.inf))
        kept.append(good)
    return kept[0], kept[1], findings


def flow_names(frame: pd.DataFrame, unknown: Ints, flows: Flows, table: str) -> list[Finding]:
    """Rows of flows that name what the case does not know, take a way that is not allowed, or are no amounts."""
    findings = []
    if len(unknown):
        row = _rows(frame.iloc[unknown[:1]])[0]
        findings.append(Finding(
            "names", (f"{table}: {counted(len(unknown), 'row names', many='rows name')} what the input does not "
                f"know, the first: {_words(row)}"), np.inf
        ))  # fmt: skip
    total = np.bincount(flows.way, np.abs(np.nan_to_num(flows.rph)), len(flows.ways))
    for number in np.flatnonzero((flows.ways["fault"] != "").to_numpy(bool) & (total > TOLERANCE)):
        way = flows.ways.iloc[int(number)]
        findings.append(Finding(
            "routes", f"{table}: workload {way['workload']} from {way['origin']} served in {way['region']} by "
            f"{way['model']} on {way['supply']}: {way['fault']} ({total[number]:.6g} requests/hour in all)",
            float(total[number]),
        ))  # fmt: skip
    wrong = np.flatnonzero(~(flows.rph >= -TOLERANCE) | np.isinf(flows.rph))
    if len(wrong):
        way = flows.ways.iloc[int(flows.way[wrong[0]])]
        findings.append(Finding(
            "names", f"{table}: {len(wrong)} flows are negative or not a number, the first: {flows.rph[wrong[0]]:g} "
            f"requests/hour of workload {way['workload']} from {way['origin']} on {way['supply']}", np.inf,
        ))  # fmt: skip
    return findings


def _rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _row_faults(frame: pd.DataFrame, known: Callable[[dict[str, object]], bool]) -> list[str]:
    """Say what is wrong with each row; empty where it is sound."""
    amounts = pd.to_numeric(frame["units"], errors="coerce").to_numpy(float, na_value=np.nan).tolist()
    return [_fault(units, known(row)) for units, row in zip(amounts, _rows(frame), strict=True)]


def _fault(units: float, known: bool) -> str:
    if not known:
        return "the input knows no such thing"
    if not np.isfinite(units):
        return "units are not a number"
    return "units are negative" if units < -TOLERANCE else ""


def _words(row: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())


BOUND_TOLERANCE = 1e-7  # a bound may be above the cost by rounding only


def costs(plan: Plan, repriced: Totals, risk: PlanRisk | None) -> list[Finding]:
    """Compare each part of the stated cost with the re-priced one. [USD]."""
    findings = []
    if (plan.risk is None) != (risk is None):
        findings.append(
            _differs("cvar_usd and objective_usd are there if and only if policy.risk has a weight", 1.0, 0.0)
        )
    for name in ("cvar_usd", "objective_usd") if plan.risk is not None and risk is not None else ():
        says, is_ = float(getattr(plan.risk, name)), float(getattr(risk, name))
        if not abs(says - is_) <= TOLERANCE * max(1.0, abs(is_)):
            findings.append(_differs(f"{name} says {says:.6f} USD, the plan's tables make it {is_:.6f} USD", says, is_))
    for name in (*Totals.names(), "total_usd"):
        says, is_ = float(getattr(plan.totals, name)), float(getattr(repriced, name))
        if not abs(says - is_) <= TOLERANCE * max(1.0, abs(is_)):
            findings.append(_differs(f"{name} says {says:.6f} USD, the plan's tables cost {is_:.6f} USD", says, is_))
    return findings


def bound(plan: Plan, repriced: Totals, risk: PlanRisk | None) -> list[Finding]:
    """Check that no lower bound is above the cost, and that gaps and status say what follows from them. [USD].

    With a risk weight it is the objective that is bounded.
    """
    total, proof = repriced.total_usd if risk is None else risk.objective_usd, plan.proof
    claims = [("bound_usd", proof.bound_usd, "gap", proof.gap)]
    if proof.tree_bound_usd is not None:
        claims.append(("tree_bound_usd", proof.tree_bound_usd, "tree_gap", proof.tree_gap or 0.0))
    findings = []
    for name, least, gap_name, says in claims:
        if not least <= total + BOUND_TOLERANCE * abs(total) + TOLERANCE:
            findings.append(_of_bound(f"{name} {least:.6f} is above the cost {total:.6f} USD", least, total))
        gap = gap_of(total, least)
        if not abs(says - gap) <= TOLERANCE:
            findings.append(_of_bound(f"{gap_name} says {says:.9g}, cost and bound make it {gap:.9g}", says, gap))
    best = min(gap for *_, gap in claims)
    if proof.status == Status.OPTIMAL and not best <= proof.gap_asked + TOLERANCE:
        findings.append(_of_bound(f"status says optimal, but the gap is {best:.6g} and {proof.gap_asked:.6g} was asked",
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
                _differs(
                    f"{what} says {says:.6f} USD, {counted(row['units'], 'unit costs', 'g', 'units cost')} "
                    f"{is_:.6f} USD",
                    says,
                    is_,
                )
            )
    return findings


def digest(case: Case, plan: Plan) -> list[Finding]:
    """Check that the plan was made for this input."""
    if is_input_of(case, plan.input_digest):
        return []
    return [Finding("input", f"the plan was made for another input (its digest is {plan.input_digest[:12]}, "
                    f"this input's {case.digest[:12]})", np.inf)]  # fmt: skip


def _of_bound(message: str, says: float, is_: float) -> Finding:
    return replace(_differs(message, says, is_), rule="bound")


def _differs(message: str, says: float, is_: float) -> Finding:
    excess = abs(says - is_) / max(1.0, abs(is_))
    return Finding("totals", message, float(np.nan_to_num(excess, nan=np.inf)))
