"""The input of a plan, kept beside it: a planning folder with the tables exactly as they were understood.

    PLAN_DIR/input/    plan.yaml, a CSV file a table, demand.parquet

A finished plan can then be compared, reviewed and signed when the folder it was made from has long changed. Reading it
back gives an equal case: numbers are written so that they return bit for bit, blanks stay blanks.
"""

import csv
from pathlib import Path

import yaml

from planner.io.digest import FORMAT
from planner.schema.case import DEMAND_COLUMNS, TABLES, Case

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
    demand = case.demand[list(DEMAND_COLUMNS)].astype(dict.fromkeys(_TEXT, "category"))
    demand.to_parquet(folder / "demand.parquet", index=False, compression="zstd")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
