"""LibreOffice opens the workbook, recalculates every formula to the stored value, and follows edited units."""

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest

from planner.features.tasks import cost_per_task_sheet
from planner.plan.metrics import Metrics
from planner.solver.solve import solve
from planner.verify.figures import metrics_of
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from tests import builders
from tests.builders.books import hostile, opened, small, small_workbook

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
pytestmark = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")

ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>"""


def recalculated(folder: Path, *paths: Path) -> list[Path]:
    """Open each workbook, recalculate it whole, save it again."""
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE, encoding="utf-8")
    out = folder / "out"
    command = [str(SOFFICE), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to",
               "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out), *map(str, paths)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return [out / path.name for path in paths]


def differences(before: Path, after: Path) -> list[str]:
    """Formula cells whose recalculated value is not the stored one, and cells that show an error."""
    stored, typed, new = (opened(p, data_only=v) for p, v in ((before, True), (before, False), (after, True)))
    found = []
    for sheet in typed:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                was, now = stored[sheet.title][cell.coordinate].value, new[sheet.title][cell.coordinate].value
                was, now = ("" if value is None else value for value in (was, now))
                number = isinstance(was, (int, float)) and isinstance(now, (int, float))
                if (abs(was - now) > 1e-6 + 1e-9 * abs(was)) if number else was != now:
                    found.append(f"{sheet.title}!{cell.coordinate} {cell.value}: stored {was!r}, recalculated {now!r}")
    return found


def upfront_in_parts() -> Metrics:
    """Figures of a plan with an upfront price, a term in days and a month that is cut."""
    offers = [
        {"offer": "9d", "pool": "west-m", "term_days": 9, "usd_per_unit_hour": 0.4, "upfront_usd_per_unit": 20.0},
        {"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 0.5},
    ]
    parts = zip((4.0, 10.0, 4.0), ("2027-01-01", "2027-01-11", "2027-01-18"), strict=True)
    demand = [row for n, name in parts for row in builders.profile("west", "w", n, period=name)]
    case = builders.case(builders.tables(demand=demand, offers=offers), cuts="2027-01-11; 2027-01-18", tail_value=0.5)
    plan = solve(case)
    assert set(plan.purchases["offer"]) == {"1m", "9d"}
    return metrics_of(case, plan)


def test_recalculated_equals_stored_also_with_hostile_names(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.xlsx" for name in ("small", "hostile", "upfront"))
    write_workbook(Report(small()), first, [*cost_per_task_sheet.SHEETS])
    write_workbook(Report(hostile()), second, [*cost_per_task_sheet.SHEETS])
    write_workbook(Report(upfront_in_parts()), third, [*cost_per_task_sheet.SHEETS])
    paths = (first, second, third)
    for before, after in zip(paths, recalculated(tmp_path, *paths), strict=True):
        assert differences(before, after) == []


def test_totals_follow_edited_units(tmp_path: Path) -> None:
    """Five units fewer in the east save 5 x 744 = 3,720 USD and send 4 more requests an hour on demand.

    5 units with 20 % kept serve 4 of 10 requests; 6 instead of 2 go on demand: 4 x 744 x 3 = 8,928 USD more.
    """
    book = opened(small_workbook(tmp_path))
    book["Purchase order"]["F12"] = 5
    book["Expiries"]["A3"] = 60
    book.save(tmp_path / "edited.xlsx")
    (after,) = recalculated(tmp_path, tmp_path / "edited.xlsx")
    new = opened(after, data_only=True)
    plan = next(row for row in new["Summary"].iter_rows(values_only=True) if row[0] == "The plan")
    assert plan[1] == pytest.approx(14_880 - 3_720)
    assert plan[2] == pytest.approx(8_928 + 8_928)
    assert plan[4] == pytest.approx(23_808 - 3_720 + 8_928)
    assert new["Summary"]["A6"].value.startswith("Units differ from the plan")
    lines = next(row for row in new["Savings by line"].iter_rows(min_row=5, values_only=True))
    assert lines[4] == pytest.approx(4 * 744 * 3)  # same usage on demand
    cash = {row[0]: row[1] for row in new["Purchase order"].iter_rows(min_row=17, values_only=True)}
    assert cash["Jan"] == cash["Total"] == pytest.approx(15 * 744)  # 5 units in the east, 10 in the west
    assert new["Reservations"]["F5"].value == 5  # new units in force
    expiry = [new["Expiries"][cell].value for cell in ("F6", "G6", "H6", "I6", "B33")]
    assert expiry == pytest.approx([5, 5 * 744, 5, 0, 3_720])  # units, a month's dollars, in force, January's dollars
    assert new["Expiries"]["A6"].value == dt.datetime(2026, 12, 3)  # 60 days before 1 February
    ticks = {row[5] for row in new["Audit"].iter_rows(min_row=6, max_row=14, values_only=True)}
    assert "✗" not in ticks  # totals of the plan as solved still agree
