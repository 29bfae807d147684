"""The hand-made plan of tests.builders.hand_plans with rents, and its workbook; a case whose every name is hostile.

Each region holds 10 units at 1 USD an hour for January's 744 hours. Rents: 3 USD in each of the 168 hours of the week
by use, and 240 USD in Monday 09:00 by the loss of the other region: 504 + 240 = 744, the price of a unit.
"""

import io
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook, load_workbook

from planner.features.tasks import cost_per_task_sheet
from planner.plan.metrics import Metrics
from planner.plan.plan import Proof
from planner.plan.reading import Reading
from planner.units import HOURS_PER_WEEK
from planner.verify.figures import figures_of, metrics_of
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from tests import builders
from tests.builders.hand_plans import hand_case, hand_plan

MONDAY_NINE = 9
DIGEST = "0123456789abcdef" * 4  # of the plan's input: fixed, so that a new column of the schema changes no golden

HOSTILE = (
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "2027-01", "A1", "TRUE", "{=1}", "%s {0} {units}", "a*?~",
    "[red]b[/red]", "<b>&amp;\"'", "https://example.org/", "mailto:a@b", "R1C1", "1E5", "שלום עולם", "🎯 emoji",
    "x" * 200, "'quoted", "&P &\"x\"", "a\u202eb",
)  # fmt: skip


def small() -> Metrics:
    """Figures of this page's case and plan, with notes and an earlier commitment that ended before the horizon."""
    case = hand_case(
        regions=[
            {"region": r, "provider": "acme", "source": "price list", "as_of": "2026-11-20"} for r in ("east", "west")
        ],
        commitments=[{"offer": "east-m-1m", "units": 3, "start": "2026-10-01", "end": "2026-12-01"}],
    )
    rents = pd.DataFrame(
        [(f"{r}-m", "tokens", "m", "base", "2027-01", h, 3.0) for r in ("east", "west") for h in range(HOURS_PER_WEEK)],
        columns=["pool", "meter", "model", "scenario", "period", "hour_of_week", "usd_per_unit"],
    )
    stress = pd.DataFrame(
        [(f"failover {lost}", f"{r}-m", "tokens", "m", "base", "2027-01", MONDAY_NINE, 240.0)
         for r, lost in (("east", "west"), ("west", "east"))],
        columns=["case", "pool", "meter", "model", "scenario", "period", "hour_of_week", "usd_per_unit"],
    )  # fmt: skip
    proof = Proof("gap", 18_600.0, 0.21875)
    plan = replace(hand_plan(case), input_digest=DIGEST, proof=proof, rents=rents, stress_rents=stress)
    return figures_of(Reading(case, plan), audited=True)  # the digest is not this case's


def opened(path: Path, **options: Any) -> Workbook:
    """Read a workbook whole and close the file; openpyxl warns of what LibreOffice adds when it saves."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*extension is not supported")
        return load_workbook(io.BytesIO(path.read_bytes()), **options)


def small_workbook(folder: Path, **options: Any) -> Path:
    """Write the small plan's workbook."""
    path = folder / "plan.xlsx"
    write_workbook(Report(small(), **options), path, [*cost_per_task_sheet.SHEETS])
    return path


def hostile() -> Metrics:
    """The hand-made plan, renamed: regions, model, workload, pools, offers and the plan have hostile names."""
    names = iter(HOSTILE)
    new = {old: next(names) for old in ("east", "west", "m", "w", "east-m", "west-m", "east-m-1m", "west-m-1m", "tiny")}
    rest = list(names)

    def renamed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{k: new.get(v, v) if isinstance(v, str) else v for k, v in row.items()} for row in rows]

    case, plan = small().reading.case, small().reading.plan
    tables = {
        name: renamed([row.model_dump(exclude_none=True) for row in case.rows(name)])
        for name in ("regions", "models", "workloads", "mix", "pools", "throughput", "offers", "on_demand", "routes")
    }
    tables["offers"] = [{**row, "product": rest[0], "note": rest[k + 1]} for k, row in enumerate(tables["offers"])]
    tables["models"] = [{**row, "note": rest[3]} for row in tables["models"]]
    for k, row in enumerate(tables["regions"]):
        row |= {"provider": rest[4 + k], "source": rest[6 + k], "note": rest[8 + k]}
    for row in tables["workloads"]:
        row |= {"note": rest[10], "source": rest[11]}
    tables["mix"] = [{**row, "note": rest[12]} for row in tables["mix"]]
    demand = case.demand.astype({"region": object, "workload": object})
    tables["demand"] = renamed(demand.drop(columns=["scenario", "period"]).to_dict("records"))
    policy = case.settings.policy.model_dump(exclude_none=True)
    named = builders.case(tables, name=new["tiny"], **policy)
    moved = ("purchases", "deployments", "dispatch", "stress_slots", "stress_dispatch", "rents", "stress_rents")
    swap = {table: getattr(plan, table).replace(new) for table in moved}
    for table in ("stress_slots", "stress_dispatch", "stress_rents"):
        cases = {f"failover {r}": f"failover {new[r]}" for r in ("east", "west")}
        swap[table] = swap[table].assign(case=swap[table]["case"].replace(cases))
    hostile_plan = replace(plan, name=new["tiny"], input_digest=named.digest, **swap)
    return metrics_of(named, hostile_plan)
