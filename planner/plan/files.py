"""The files of a finished plan: plan.json and Parquet tables, put in place as one directory, and read back.

    plan.json            docs/plan-files.md, "plan.json": status, cost, bound, purchases, deployments, main figures; its
                         files
    dispatch.parquet     requests per hour, one row a non-zero flow
    stress.parquet       the witness of the stress cases: a row with hour_of_week says which slot a group covers, a row
                         with requests_per_hour what the group's routing does
    certificate.parquet  the prices that prove the bound (Plan.certificate)
    rents.parquet        shadow prices of deployed units: of rule 4, and (column case) of the stress cases
    input/               what the plan was made from

The same plan gives the same bytes: keys in a fixed order, numbers to 12 significant digits, no clock.

The input of a plan, kept beside it: a planning folder with the tables exactly as they were understood.

    PLAN_DIR/input/    plan.yaml, a CSV file a table, demand.parquet

A finished plan can then be compared, reviewed and signed when the folder it was made from has long changed. Reading it
back gives an equal case: numbers are written so that they return bit for bit, blanks stay blanks.
"""

import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from planner.errors import Fault, InputError
from planner.io.digest import FORMAT, sealed
from planner.io.directory import read_whole, replaced
from planner.plan import frames
from planner.plan.manifest import (
    CERTIFICATE,
    DIRECTORY,
    DISPATCH,
    INPUT,
    PLAN,
    RENTS,
    SCALED,
    STRESS,
    digests_in,
    read_document,
)
from planner.plan.plan import (
    CERTIFICATE_COLUMNS,
    DEPLOYMENT_COLUMNS,
    DISPATCH_COLUMNS,
    PURCHASE_COLUMNS,
    RENT_COLUMNS,
    SCALED_COLUMNS,
    STRESS_DISPATCH_COLUMNS,
    STRESS_RENT_COLUMNS,
    STRESS_SLOT_COLUMNS,
    Plan,
    PlanRisk,
    Proof,
    Status,
    Totals,
)
from planner.schema.case import DEMAND_COLUMNS, TABLES, Case
from planner.units import HOURS_PER_WEEK
from planner.versions import VERSION

_TEXT = ("region", "workload", "scenario", "period")


def write_input(case: Case, folder: Path) -> None:
    """Write the tables of a case into a new folder."""
    folder.mkdir()
    settings = yaml.safe_dump(case.settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    text = f"# the input of a plan as it was understood, format {FORMAT}\n{settings}"
    (folder / "plan.yaml").write_text(text, encoding="utf-8", newline="\n")
    for table in TABLES:
        if table.name == "demand":
            continue
        rows = [row.model_dump(mode="json") for row in case.rows(table.name)]
        if not rows:
            continue
        with (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(rows[0])
            writer.writerows([_cell(value) for value in row.values()] for row in rows)
    demand = case.demand[list(DEMAND_COLUMNS)]
    if demand.empty:  # a table without rows is a fault of the input: an hour without requests says the same
        nothing = (case.regions[0].region, case.workloads[0].workload, case.scenarios[0].scenario, case.periods[0].name)
        demand = pd.DataFrame([(*nothing, 0, 0.0)], columns=list(DEMAND_COLUMNS))
    demand = demand.astype(dict.fromkeys(_TEXT, "category"))
    demand.to_parquet(folder / "demand.parquet", index=False, compression="zstd")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


STRESS_COLUMNS = tuple(dict.fromkeys((*STRESS_SLOT_COLUMNS, *STRESS_DISPATCH_COLUMNS)))
_IN_PART = set(STRESS_SLOT_COLUMNS) ^ set(STRESS_DISPATCH_COLUMNS)  # blank in the rows of the other kind
SIGNIFICANT_DIGITS = 12
_NAMES = {"offer", "pool", "meter", "model", "period", "origin", "workload", "region", "supply", "scenario", "case",
          "kind"}  # fmt: skip
WHOLE_NUMBERS = ("group", "hour_of_week", frames.ARRIVED, "ray")
_HOURS = ("hour_of_week", frames.ARRIVED)
_LARGEST = 2**53  # every whole number up to it is a float, too
_FORMAT_KEY = b"planner_format"  # in the metadata of each table


def write_plan(
    plan: Plan,
    case: Case,
    directory: str | Path,
    summary: Mapping[str, Any] | None = None,
    also: Mapping[str, Callable[[Path], object]] | None = None,
    done: Callable[[], None] | None = None,
    reports: Mapping[str, Any] | None = None,
) -> None:
    """Write a plan's directory beside its place and put it there as a whole: one plan, one directory, one moment.

    Parameters
    ----------
    directory : its place; a plan that is there is replaced, unless it is signed. What others put there stays.
    summary : main figures for plan.json (`metrics.collect.summary_of`); None: it holds none.
    also : more files that belong to the plan (workbook, page, ...): by name, what writes one to the path it is given.
    done : called once the plan is in place. reports : what workbook and page say besides (`workbook.told_reports`).

    Raises
    ------
    PlannerError : the directory holds a signed plan or is a planning folder, or something else is in the way.
    """
    witness = pd.concat([plan.stress_slots, plan.stress_dispatch], ignore_index=True)
    rents = pd.concat([plan.rents.assign(case=None), plan.stress_rents], ignore_index=True)
    with replaced(directory, DIRECTORY, done) as new:
        write_input(case, new / INPUT)
        _parquet(plan.dispatch, (*DISPATCH_COLUMNS, *(c for c in frames.DISPATCH.optional if c in plan.dispatch)),
                 new / DISPATCH)  # fmt: skip
        _parquet(witness, STRESS_COLUMNS, new / STRESS)
        _parquet(rents, STRESS_RENT_COLUMNS, new / RENTS)
        _parquet(plan.certificate, CERTIFICATE_COLUMNS, new / CERTIFICATE)
        if len(plan.scaled_units) or any(p.usd_per_scaled_unit_hour is not None for p in case.pools):
            _parquet(plan.scaled_units, SCALED_COLUMNS, new / SCALED)
        for name, write in (also or {}).items():
            write(new / name)
        told = rounded(document(plan, summary or {})) | ({"reports": dict(reports)} if reports else {})
        told |= {"files": digests_in(new)}
        text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (new / PLAN).write_text(sealed(text), encoding="utf-8", newline="\n")


def document(plan: Plan, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out plan.json."""
    proof, totals = plan.proof, plan.totals
    claims: dict[str, Any] = {"status": proof.status, "bound_usd": proof.bound_usd, "gap": proof.gap}
    claims["gap_asked"] = proof.gap_asked
    if proof.tree_bound_usd is None:
        claims["proof"] = "bound_usd is proved in exact arithmetic from the solver's prices; it trusts no solver."
    else:
        claims["tree_bound_usd"], claims["tree_gap"] = proof.tree_bound_usd, proof.tree_gap
        claims["proof"] = (
            "bound_usd is proved in exact arithmetic for units of any size, so it may lie below the best whole-unit "
            "plan. tree_bound_usd is the branch-and-bound's own claim for whole units: tighter, but the weaker claim, "
            "for it rests on the solver's word."
        )
    risk = {} if plan.risk is None else {"cvar_usd": plan.risk.cvar_usd, "objective_usd": plan.risk.objective_usd}
    return {
        "format": FORMAT,
        "planner": VERSION,
        "name": plan.name,
        "input_digest": plan.input_digest,
        "status": claims.pop("status"),
        "total_usd": totals.total_usd,
        **totals.parts(),
        **risk,
        **claims,
        "purchases": _records(plan.purchases, PURCHASE_COLUMNS),
        "deployments": _records(plan.deployments, DEPLOYMENT_COLUMNS),
        "summary": dict(summary),
    }


def read_plan(directory: str | Path) -> Plan:
    """Read a plan back from its files.

    Raises
    ------
    InputError : a file is missing, cannot be read, or lacks a column; all that is wrong at once.
    """
    return read_whole(directory, DIRECTORY, _read_plan)


def _read_plan(folder: Path) -> Plan:
    faults: list[Fault] = []
    stated = _stated(folder, faults)
    dispatch = _table(folder, DISPATCH, DISPATCH_COLUMNS, faults, frames.DISPATCH.optional)
    witness = _table(folder, STRESS, STRESS_COLUMNS, faults, blank=_IN_PART)
    rents = _table(folder, RENTS, STRESS_RENT_COLUMNS, faults, blank={"case"})
    certificate = _table(folder, CERTIFICATE, CERTIFICATE_COLUMNS, faults, blank=_NAMES - {"kind"})
    there = (folder / SCALED).exists() or SCALED in (stated.get("files") or {})
    scaled = _table(folder, SCALED, SCALED_COLUMNS, faults) if there else frames.SCALED_UNITS.empty()
    purchases = _listed(folder, stated, "purchases", PURCHASE_COLUMNS, faults)
    deployments = _listed(folder, stated, "deployments", DEPLOYMENT_COLUMNS, faults)
    stated = dict.fromkeys(Totals.later(), 0.0) | stated if stated else stated
    numbers = {key: _number(folder, stated, key, faults) for key in (*Totals.names(), "bound_usd", "gap", "gap_asked")}
    stated_total = _number(folder, stated, "total_usd", faults)
    tree = {key: _number(folder, stated, key, faults) for key in ("tree_bound_usd", "tree_gap") if key in stated}
    weighed = [_number(folder, stated, key, faults) for key in ("cvar_usd", "objective_usd") if key in stated]
    if faults:
        raise InputError(faults)
    totals = Totals(**{key: numbers[key] for key in Totals.names()})
    if not abs(stated_total - totals.total_usd) <= 1e-9 * max(1.0, abs(totals.total_usd)):
        message = f"says {stated_total!r}, its parts add up to {totals.total_usd!r}: the file was changed"
        raise InputError([Fault(str(folder / PLAN), message, column="total_usd")])
    groups = witness["hour_of_week"].notna()
    if _both(witness, groups, STRESS_DISPATCH_COLUMNS, STRESS_SLOT_COLUMNS) or _both(
        witness, ~groups, STRESS_SLOT_COLUMNS, STRESS_DISPATCH_COLUMNS
    ):
        message = "has a row that is both an hour of a group and a flow: the file was changed"
        raise InputError([Fault(str(folder / STRESS), message)])
    of_stress = rents["case"].notna()
    return Plan(
        name=str(stated["name"]),
        input_digest=str(stated["input_digest"]),
        totals=totals,
        proof=Proof(
            status=Status(stated["status"]),
            bound_usd=numbers["bound_usd"],
            gap=numbers["gap"],
            tree_bound_usd=tree.get("tree_bound_usd"),
            tree_gap=tree.get("tree_gap"),
            gap_asked=numbers["gap_asked"],
        ),
        purchases=purchases,
        deployments=deployments,
        dispatch=dispatch,
        stress_slots=_part(witness, groups, STRESS_SLOT_COLUMNS),
        stress_dispatch=_part(witness, ~groups, STRESS_DISPATCH_COLUMNS),
        rents=_part(rents, ~of_stress, RENT_COLUMNS),
        stress_rents=_part(rents, of_stress, STRESS_RENT_COLUMNS),
        certificate=certificate.assign(**{c: _told(certificate[c]) for c in certificate if c in _NAMES}),
        scaled_units=scaled,
        risk=PlanRisk(*weighed) if len(weighed) == 2 else None,
    )


def _both(table: pd.DataFrame, rows: "pd.Series[bool]", others: Sequence[str], own: Sequence[str]) -> bool:
    """Whether some of the rows have a value where only other rows have one."""
    return bool(table.loc[rows, [name for name in others if name not in own]].notna().any(axis=None))


def rounded(value: Any) -> Any:
    """Round every number to 12 significant digits; a number that is not finite becomes null."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0 if math.isfinite(value) else None
    return value


def _records(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    table = frame[list(columns)].astype({name: object for name in columns if name in _NAMES})
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _parquet(frame: pd.DataFrame, columns: tuple[str, ...], path: Path) -> None:
    """Write a table; its metadata say in which version of the form."""
    import pyarrow as pa
    from pyarrow import parquet

    table = frame[list(columns)]
    numbers = {name: "Int64" if name in WHOLE_NUMBERS and table[name].isna().any() else "float64"
               for name in columns if name not in _NAMES}  # fmt: skip
    numbers |= {name: "int64" for name in WHOLE_NUMBERS if numbers.get(name) == "float64"}
    names = {name: "category" for name in columns if name in _NAMES}
    arrow = pa.Table.from_pandas(table.astype({**names, **numbers}), preserve_index=False)
    metadata = {**(arrow.schema.metadata or {}), _FORMAT_KEY: str(FORMAT).encode()}
    parquet.write_table(arrow.replace_schema_metadata(metadata), path, compression="zstd")


def _stated(folder: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        found, _ = read_document(folder)
    except InputError as error:
        faults += error.faults
        return {}
    faults += [
        Fault(str(folder / PLAN), "is missing", column=key)
        for key in ("name", "input_digest", "status")
        if key not in found
    ]
    known = [status for status in Status if status is not Status.INFEASIBLE]
    if "status" in found and found["status"] not in known:
        message = "is no status of a plan"
        faults.append(Fault(str(folder / PLAN), message, None, "status", found["status"], ", ".join(known)))
    return found


def _number(folder: Path, stated: Mapping[str, Any], key: str, faults: list[Fault]) -> float:
    value = stated.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if stated:
        faults.append(
            Fault(str(folder / PLAN), "is missing or not a number", column=key, value=value, allowed="a number")
        )
    return math.nan


def _listed(
    folder: Path, stated: Mapping[str, Any], key: str, columns: tuple[str, ...], faults: list[Fault]
) -> pd.DataFrame:
    rows = stated.get(key, [] if not stated else None)
    place = str(folder / PLAN)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and set(columns) <= row.keys() for row in rows):
        faults.append(Fault(place, "is not a list of rows with these keys", column=key, allowed=", ".join(columns)))
        return pd.DataFrame(columns=list(columns))
    frame = pd.DataFrame([{c: row[c] for c in columns} for row in rows], columns=list(columns))
    for name in set(columns) - _NAMES:
        if pd.to_numeric(frame[name], errors="coerce").isna().any():
            faults.append(Fault(place, f"some {name} is not a number", column=key, allowed="a number"))
            return frame
    return frame.astype({c: object if c in _NAMES else float for c in columns})


def _table(
    folder: Path, name: str, columns: tuple[str, ...], faults: list[Fault], optional: tuple[str, ...] = (),
    blank: Set[str] = frozenset(),
) -> pd.DataFrame:  # fmt: skip
    """Read a table; `blank`: columns in which a name may be missing."""
    from pyarrow import ArrowException, parquet

    path, empty = folder / name, pd.DataFrame(columns=list(columns))
    if path.exists() and not path.is_file():
        faults.append(Fault(str(path), "is not a file"))
        return empty
    try:
        table = parquet.ParquetFile(path).read()
        form = int((table.schema.metadata or {}).get(_FORMAT_KEY, b"1"))
        frame = table.to_pandas()
    except FileNotFoundError:
        faults.append(Fault(str(path), "is missing; `planner solve` writes it"))
        return empty
    except (OSError, ValueError, ArrowException) as error:
        faults.append(Fault(str(path), f"cannot be read as Parquet: {(str(error) or '?').splitlines()[0]}"))
        return empty
    if not 1 <= form <= FORMAT:
        faults.append(Fault(str(path), "was written by a newer planner: update planner to read it"))
        return empty
    columns = (*columns, *(c for c in optional if c in frame))
    strange = [str(c) for c, again in zip(frame, frame.columns.duplicated(), strict=True) if again or c not in columns]
    if strange:
        faults += [Fault(str(path), "no plan has such a column: the file was changed", column=c) for c in strange]
        return empty
    missing = [c for c in columns if c not in frame]
    wrong = [c for c in columns if c in frame and c not in _NAMES and not pd.api.types.is_numeric_dtype(frame[c])]
    faults += [Fault(str(path), "is missing", column=c, allowed=", ".join(columns)) for c in missing]
    faults += [Fault(str(path), "holds no numbers", column=c, allowed="numbers") for c in wrong]
    nameless = [c for c in columns if c in _NAMES - blank and c in frame and frame[c].isna().any()]
    faults += [Fault(str(path), "has a row without a name", column=c, allowed="a name in each row") for c in nameless]
    if missing or wrong or nameless:
        return empty
    least = -1 if name == CERTIFICATE else 0  # there, -1 where a price has none
    odd = [c for c in columns if c in WHOLE_NUMBERS and not _counts(frame[c], least, c in blank)]
    told = f"whole numbers from {least}, of an hour to {HOURS_PER_WEEK - 1}"
    faults += [Fault(str(path), "holds other numbers: the file was changed", column=c, allowed=told) for c in odd]
    return empty if odd else frame[list(columns)]


def _counts(column: "pd.Series[Any]", least: int, blank: bool) -> bool:
    """Whether a column holds whole numbers from ``least`` on, and hours of the week within the week."""
    found = (column.dropna() if blank else column).to_numpy(float, na_value=math.nan)
    most = HOURS_PER_WEEK - 1 if column.name in _HOURS else _LARGEST
    return bool(((found >= least) & (found <= most) & (found == np.floor(found))).all())


def _told(names: pd.Series) -> pd.Series:
    """Return names with "" where there is none."""
    return names.astype(object).where(names.notna(), "").astype("category")


def _part(frame: pd.DataFrame, rows: "pd.Series[bool]", columns: tuple[str, ...]) -> pd.DataFrame:
    part = frame.loc[rows, list(columns)].reset_index(drop=True)
    numbers = {c: "int64" if c in WHOLE_NUMBERS else "float64" for c in columns if c not in _NAMES}
    return part.astype(numbers)
