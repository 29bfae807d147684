"""The input of a plan, kept beside it: a planning folder with the tables exactly as they were understood.

    PLAN_DIR/input/    plan.yaml, a CSV file a table, demand.parquet

A finished plan can then be compared, reviewed and signed when the folder it was made from has long changed. Reading it
back gives an equal case: numbers are written so that they return bit for bit, blanks stay blanks.
"""

import csv
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from planner.schema.case import DEMAND_COLUMNS, Case
from planner.schema.tables import TABLES

INPUT = "input"
_TEXT = ("region", "workload", "scenario", "period")


@contextmanager
def input_beside(case: Case, folder: Path) -> Iterator[None]:
    """Write the snapshot of a case beside its place in a plan's folder; put it there when the block has ended well."""
    beside = Path(tempfile.mkdtemp(prefix=f".{INPUT}-", suffix=".part", dir=folder))
    try:
        _write_tables(case, beside)
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o777 & ~umask)
        yield
        _put_in_place(beside, folder / INPUT)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_tables(case: Case, folder: Path) -> None:
    settings = yaml.safe_dump(case.settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    (folder / "plan.yaml").write_text(settings, encoding="utf-8", newline="\n")
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


def _put_in_place(new: Path, place: Path) -> None:
    """Rename a folder into place; an older one is moved aside first and dropped last."""
    old = new.with_suffix(".old")
    with suppress(FileNotFoundError):
        place.replace(old)
    new.replace(place)
    shutil.rmtree(old, ignore_errors=True)
