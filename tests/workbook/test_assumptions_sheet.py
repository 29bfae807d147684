"""Settings on the sheet Assumptions: as they would be typed in, each in a row that is high enough."""

from dataclasses import replace
from pathlib import Path

from planner.plan.reading import Reading
from planner.solver.solve import solve
from planner.verify.figures import figures_of
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.report import Report
from tests import builders
from tests.builders.books import opened


def test_settings_are_shown_as_typed_and_long_ones_are_not_cut(tmp_path: Path) -> None:
    case = builders.case(builders.tables(), max_commitment_usd=140_000.0)
    purchase = case.settings.purchase.model_copy(update={"buyer": "Meridian Assist plc, 14 Harbour Row, Leith"})
    case = replace(case, settings=case.settings.model_copy(update={"purchase": purchase}))
    write_workbook(Report(figures_of(Reading(case, solve(case)))), tmp_path / "plan.xlsx")
    sheet = opened(tmp_path / "plan.xlsx")["Assumptions"]
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=4, max_row=40) if row[0].value}
    assert rows["policy.max_commitment_usd"][1].value == "140000"
    height = sheet.row_dimensions[rows["purchase.buyer"][0].row].height
    assert height >= 2 * 12  # 42 letters in two columns of 15: two lines


def test_a_note_that_would_be_cut_off_is_wrapped_on_a_sheet_of_its_table(tmp_path: Path) -> None:
    """A note may run over 6 columns of 15: 90 letters. A longer one stands on a sheet of its own, where it wraps."""
    for letters, wrapped in ((90, False), (91, True)):
        pools = [{"pool": "west-m", "region": "west", "note": "n" * letters}]
        case = builders.case(builders.tables(pools=pools))
        write_workbook(Report(figures_of(Reading(case, solve(case)))), tmp_path / "plan.xlsx")
        book = opened(tmp_path / "plan.xlsx")
        assert ("Input pools" in book.sheetnames) is wrapped
        if wrapped:
            (note,) = [c for row in book["Input pools"].iter_rows() for c in row if c.value == "n" * letters]
            assert note.alignment.wrap_text
