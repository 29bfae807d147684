"""What plan.json claims besides its tables: names, status, bounds, figures, words; and the files that it came with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.plan.audit.findings import Finding
from planner.plan.files import WHOLE_NUMBERS, document, rounded
from planner.plan.manifest import (
    INPUT,
    PAGE,
    WORKBOOK,
    faults_of_files,
    faults_of_signing,
    format_of,
    read_document,
)
from planner.plan.metrics import summary_of
from planner.plan.metrics.metric_tables import Metrics
from planner.plan.plan import RENT_COLUMNS, STRESS_RENT_COLUMNS, Plan, Status
from planner.plan.reading import Reading
from planner.readers.load import load
from planner.schema.case import Case
from planner.schema.input_digest import is_input_of
from planner.verify.alike import same_text
from planner.verify.change_claims import change_findings
from planner.verify.figures import LeftOut, figures_of
from planner.versions import VERSION

FIGURE_TOLERANCE = 1e-6
CONTINUOUS_GAP = 1e-6  # asked of every plan whose units may have any size
GAP_ROUNDING = 1e-9
AS_ORDERED = ", as ordered"  # ends the name of an order that was priced
_OF_FILES = ("format", "planner", "files", "sha256", "reports")
Reports = Callable[[Path, Metrics], list[Finding]]


def file_findings(directory: Path) -> list[Finding]:
    """Say which files are not those that were written, and whether the copy of the input is the plan's."""
    faults = [*faults_of_files(directory), *faults_of_signing(directory)]
    stated = read_document(directory)[0].get("input_digest")
    try:
        if not is_input_of(load(directory / INPUT), str(stated)):
            faults.append(Fault(str(directory / INPUT), "is not the input that plan.json names"))
    except InputError as error:
        faults += [Fault(f"{directory / INPUT}/{f.place}", f.message) for f in error.faults]
    return [Finding("files", str(fault), np.inf) for fault in faults]


def proof_findings(case: Case, plan: Plan) -> list[Finding]:
    """Check the name, the status and the gap asked against the input and the bounds."""
    findings, proof = [], plan.proof
    given = proof.status == Status.GIVEN
    name = case.settings.name + (AS_ORDERED if given else "")
    if plan.name != name:
        findings.append(Finding("status", f"the plan is called {plan.name!r}, its input makes it {name!r}", 1.0))
    if (proof.tree_bound_usd is None) != (proof.tree_gap is None):
        findings.append(Finding("status", "tree_bound_usd and tree_gap go together, and one of them is missing", 1.0))
    if given:
        if proof.gap_asked or proof.tree_bound_usd is not None:
            message = "an order that was priced was not searched for: gap_asked is 0, and there is no tree_bound_usd"
            findings.append(Finding("status", message, 1.0))
        return findings
    if not has_size_rules(case):
        if proof.tree_bound_usd is not None:
            findings.append(Finding("status", "tree_bound_usd is given, but no unit here has a size rule", 1.0))
        if not 0 <= proof.gap_asked <= CONTINUOUS_GAP:
            message = f"gap_asked says {proof.gap_asked:g}; where units have any size it is {CONTINUOUS_GAP:g}"
            findings.append(Finding("status", message, 1.0))
    elif not 0 <= proof.gap_asked < 1:
        findings.append(Finding("status", f"gap_asked says {proof.gap_asked:g}, which is no share", 1.0))
    best = min(gap for gap in (proof.gap, proof.tree_gap) if gap is not None)
    if proof.status == Status.GAP and best < proof.gap_asked - GAP_ROUNDING:
        message = f"status says gap, but {best:.6g} is within the {proof.gap_asked:.6g} that was asked"
        findings.append(Finding("status", message, 1.0))
    return findings


def has_size_rules(case: Case) -> bool:
    """Whether any unit must come in sizes."""
    sizes = [(o.min_units, o.unit_step) for o in case.offers] + [(t.min_units, t.unit_step) for t in case.throughput]
    return case.settings.policy.whole_units and any(least > 0 or step > 0 for least, step in sizes)


def row_findings(plan: Plan) -> list[Finding]:
    """Check that the tables of proofs hold no row twice, and no name that the other rows of its kind lack."""
    findings = []
    again = plan.stress_slots.duplicated()
    if again.any():
        row = ", ".join(str(value) for value in plan.stress_slots[again].iloc[0])
        findings.append(Finding("names", f"stress.parquet: an hour of a group is listed twice: {row}", np.inf))
    table = plan.certificate
    for name in [c for c in table if c not in ("kind", "price")]:
        blank = table[name].eq(-1 if name in WHOLE_NUMBERS else "").fillna(False) | table[name].isna()
        few = blank.groupby(table["kind"].astype(str)).agg(["min", "max"])
        for kind in few.index[few["min"] != few["max"]]:
            message = f"certificate.parquet: only some rows of kind {kind} have a {name}: the file was changed"
            findings.append(Finding("names", message, np.inf))
    return findings


def rent_findings(plan: Plan) -> list[Finding]:
    """Check rents.parquet against the prices that prove the bound: they are the same dual values.

    Those of an order that was priced are its own: its bound is that of the best plan.
    """
    if plan.proof.status == Status.GIVEN:
        return []
    table = plan.certificate
    own = table[table["kind"] == "rent"].rename(columns={"supply": "pool", "price": "usd_per_unit"})
    rays = table[table["kind"] == "stress"][["ray", "case", "scenario", "period", "hour_of_week", "price"]]
    units = table[table["kind"] == "stress_unit"][["ray", "supply", "meter", "model", "price"]]
    stress = rays.merge(units, on="ray", suffixes=("", "_units")).rename(columns={"supply": "pool"})
    stress = stress.assign(usd_per_unit=stress["price"] * stress["price_units"])
    findings = []
    for name, told, found, columns in (
        ("rents", plan.rents, own, RENT_COLUMNS),
        ("rents of stress cases", plan.stress_rents, stress, STRESS_RENT_COLUMNS),
    ):
        key = [c for c in columns if c != "usd_per_unit"]
        both = pd.concat([_by_key(told, key), -_by_key(found, key)])
        size = pd.concat([_by_key(told, key).abs(), _by_key(found, key).abs()])
        off = both.groupby(level=0).sum().abs() - FIGURE_TOLERANCE * (1 + size.groupby(level=0).sum())
        if (off > 0).any() or not np.isfinite(told["usd_per_unit"].to_numpy(float)).all():
            count, first = int((off > 0).sum()), str(off.idxmax()) if len(off) else ""
            findings.append(Finding("rents", f"{name}: {count} are not the prices that prove the bound, the worst of "
                                    f"{first}", 1.0))  # fmt: skip
    return findings


def _by_key(frame: pd.DataFrame, key: list[str]) -> "pd.Series[float]":
    text = frame[key[0]].astype(str).to_numpy(object)
    for name in key[1:]:
        text = text + ", " + frame[name].astype(str).to_numpy(object)
    return pd.Series(frame["usd_per_unit"].to_numpy(float), index=text).groupby(level=0).sum()


def figure_findings(directory: Path, reading: Reading, reports: Reports | None = None) -> list[Finding]:
    """Check every figure and text in plan.json against those that its tables give.

    Words, and figures that only one of the two knows, are compared where the same version of planner wrote them.

    Parameters
    ----------
    reports : what else is told of the figures, such as the workbook: what checks it.
    """
    told, _ = read_document(directory)
    summary: dict[str, Any] = {}
    findings: list[Finding] = []
    stated = told.get("summary")
    if not stated and (told.get("reports") or any((directory / name).is_file() for name in (WORKBOOK, PAGE))):
        findings = [Finding("figures", "summary is missing: a plan that has reports is written with its figures", 1.0)]
    if stated or reports is not None:
        left_out = LeftOut.of(stated) if stated and isinstance(stated, Mapping) else None
        metrics = figures_of(reading, audited=True, left_out=left_out)
        summary = summary_of(metrics) if stated else {}
        findings += [] if reports is None else reports(directory, metrics)
    if format_of(told) == 1 and isinstance(told.get("summary"), dict):  # there, strategies were of units of any size
        told = {**told, "summary": {**told["summary"], "strategies": summary.get("strategies")}}
    found = rounded(document(reading.plan, summary))
    strict = format_of(told) > 1 and told.get("planner") == VERSION
    ours = {key: value for key, value in found.items() if key not in _OF_FILES}
    findings += change_findings(directory, reading.plan)
    return [*_compared({k: v for k, v in told.items() if k not in _OF_FILES}, ours, "", strict), *findings]


def _compared(told: Any, found: Any, place: str, strict: bool) -> list[Finding]:
    if isinstance(found, Mapping):
        if not isinstance(told, Mapping):
            return [Finding("figures", f"{place} is missing", 1.0)]
        keys = found.keys() | told.keys() if strict else found.keys() & told.keys()
        findings = []
        for key in sorted(keys):
            where = f"{place}, {key}" if place else key
            if key not in found or key not in told:
                what = "is no figure of a plan" if key in told else "is missing"
                findings.append(Finding("figures", f"{where} {what}", 1.0))
            else:
                findings += _compared(told[key], found[key], where, strict)
        return findings
    if isinstance(found, list):
        if not isinstance(told, list) or len(told) != len(found):
            words = isinstance(told, list) and all(isinstance(entry, str) for entry in (*told, *found))
            return [] if words and not strict else [Finding("figures", f"{place} has not {len(found)} entries", 1.0)]
        pairs = enumerate(zip(told, found, strict=True), start=1)
        return [f for k, (a, b) in pairs for f in _compared(a, b, f"{place} {k}", strict)]
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        number = isinstance(told, (int, float)) and not isinstance(told, bool)
        same = number and abs(told - found) <= FIGURE_TOLERANCE * max(1.0, abs(found))
        return [] if same else [Finding("figures", f"{place} says {told}, the plan's tables give {found}", 1.0)]
    if isinstance(found, str) and isinstance(told, str):
        if not strict or same_text(told, found):
            return []
    elif told == found:
        return []
    return [Finding("figures", f"{place} says {told!r}, the plan's tables give {found!r}", 1.0)]
