"""Names and numbers: a plan speaks only of what the input knows, each thing once, in finite numbers not below 0."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from planner.plan.audit.findings import TOLERANCE, Finding
from planner.plan.flows import Flows, Names
from planner.plan.joins import Ints
from planner.plan.plan import Plan
from planner.schema.case import Case


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
            "names", f"{table}: {len(unknown)} rows name what the input does not know, the first: {_words(row)}", np.inf
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
