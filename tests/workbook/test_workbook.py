"""plan.xlsx of a plan made by hand: what it says, that it is the same every time, and that text stays text."""

import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from planner.features.tasks import cost_per_task_sheet
from planner.readers.forecast_accuracy import ForecastAccuracy, SeriesAccuracy
from planner.schema.settings import PurchaseHead
from planner.verify.figures import metrics_of
from planner.workbook.book import ExtraSheet
from planner.workbook.plan_workbook import HIDDEN, reading_order, write_workbook
from planner.workbook.report import Report
from tests.builders.books import DIGEST, HOSTILE, hostile, opened, small, small_workbook
from tests.builders.hand_plans import hand_case, hand_plan, on

ORDER = reading_order(cost_per_task_sheet.SHEETS)
# sheets of inputs that have such things, and of what was worked out
ONLY_WHERE = ("Units by the hour", "Spend commitments", "Work that can wait", "What the rules cost")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_workbook(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def book(path: Path):
    book = opened(path, data_only=True)
    yield book
    book.close()


def table(sheet, header: str) -> list[dict[str, object]]:
    """Rows below the header row whose first cell is `header`, up to the first blank row."""
    rows = list(sheet.iter_rows(values_only=True))
    top = next(k for k, row in enumerate(rows) if row[0] == header)
    names = [str(name).replace("\n", " ") for name in rows[top]]
    found = []
    for row in rows[top + 1 :]:
        if row[0] is None:
            break
        found.append(dict(zip(names, row, strict=True)))
    return found


def test_sheets_stand_in_reading_order_and_data_sheets_are_hidden(book) -> None:
    assert book.sheetnames == [name for name, _ in ORDER if name not in ("Forecast", *ONLY_WHERE)] + list(HIDDEN)
    assert [sheet.title for sheet in book if sheet.sheet_state == "hidden"] == list(HIDDEN)
    assert book.active.title == "Summary"


def test_the_forecasts_errors_stand_before_the_assumptions(tmp_path: Path) -> None:
    rows = (
        SeriesAccuracy(region="east", workload="w", model="theta", origins=3, weeks_ahead=2, wape=0.04,
                       wape_seasonal_naive=0.05, bias=-0.01, coverage_p90=0.92),
        SeriesAccuracy(region="all", workload="all", model="seasonal_naive", origins=0, weeks_ahead=0),
    )  # fmt: skip
    accuracy = ForecastAccuracy(rows, ("accuracy.csv, row 4: left out",))
    book = opened(small_workbook(tmp_path, forecast=accuracy), data_only=True)
    assert book.sheetnames == [name for name, _ in ORDER if name not in ONLY_WHERE] + list(HIDDEN)
    assert book.sheetnames.index("Forecast") + 1 == book.sheetnames.index("Assumptions")
    first, total = table(book["Forecast"], "Region")
    assert (first["Region"], first["Error (WAPE)"], first["Hours at or below p90"]) == ("east", 0.04, 0.92)
    assert first["Better by"] == pytest.approx(1 - 0.04 / 0.05)
    assert (total["Region"], total["Workload"], total["Better by"]) == ("all series", "together", None)
    told = [str(row[0]) for row in book["Forecast"].iter_rows(min_row=7, values_only=True) if row[0]]
    assert told[0] == "accuracy.csv, row 4: left out"
    assert told[2] == "Demand of this plan that has no measured forecast: west w."
    book.close()


def test_purchase_order_by_hand(book) -> None:
    # 10 units at 1 USD for 744 hours; 8 requests an hour served, 3 USD each on demand: 8 x 744 x 3 = 17,856 USD
    line = table(book["Purchase order"], "Offer")[0]
    assert (line["Offer"], line["Product"], line["Region"], line["Units"]) == ("east-m-1m", "east-m", "east", 10)
    assert (line["Sign"], str(line["Order by"])[:10]) == ("now", "2027-01-01")
    assert line["A mean month USD"] == pytest.approx(7_440)
    assert line["Whole term USD"] == pytest.approx(7_440)
    line = table(book["Savings by line"], "Offer")[0]
    assert line["Same usage on demand, USD"] == pytest.approx(17_856)
    assert line["Saving USD"] == pytest.approx(17_856 - 7_440)
    assert line["Break-even utilisation"] == pytest.approx(1 / 3)
    assert line["Expected utilisation"] == pytest.approx(0.8)
    assert line["Pays for its term after months"] == pytest.approx(7_440 / 17_856)
    # of the rents, 504 of 744 are by use
    assert line["Reason"] == "68 % paid by use, 32 % by failover west (Mon 09:00 UTC)."
    total = next(row for row in table(book["Purchase order"], "Offer") if row["Offer"] == "Total")
    assert total["Whole term USD"] == pytest.approx(14_880)


def test_the_order_says_who_buys_and_what_is_billed_when(tmp_path: Path) -> None:
    """Three months from January at 1 USD an hour, 10 units in each region; one starts in February: 28 days, 31, 30."""
    purchase = {"buyer": "Acme Ltd", "po_number": 4711, "date": "2026-12-15", "lead_days": 10}
    offers = [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "term_months": 3, "usd_per_unit_hour": 1.0,
               "list_usd_per_unit_hour": 1.25} for r in ("east", "west")]  # fmt: skip
    case = hand_case(policy={"months": 2}, offers=offers)
    case = replace(case, settings=case.settings.model_copy(update={"purchase": PurchaseHead.model_validate(purchase)}))
    bought = [("east-m-1m", "2027-01", 10.0, 14_160.0), ("west-m-1m", "2027-02", 10.0, 6_720.0)]
    plan = on(case, hand_plan(case))
    plan = replace(plan, purchases=pd.DataFrame(bought, columns=["offer", "period", "units", "usd"]))
    write_workbook(Report(metrics_of(case, plan)), tmp_path / "plan.xlsx")
    sheet = opened(tmp_path / "plan.xlsx", data_only=True)["Purchase order"]
    rows = list(sheet.iter_rows(values_only=True))
    head = {row[0]: row[1] for row in rows[2:6]}
    assert head == {"Buyer": "Acme Ltd", "Vendor": None, "Account": None, "PO number": "4711"}
    assert rows[2][5:8] == ("Date", None, "2026-12-15")
    east, west = table(sheet, "Offer")[:2]
    assert (east["Sign"], west["Sign"]) == ("now", "later")
    assert [str(line["Order by"])[:10] for line in (east, west)] == ["2026-12-22", "2027-01-22"]
    assert (east["List price USD/unit-hour"], east["Discount"]) == (1.25, pytest.approx(0.2))
    signed = [row[14] for row in rows if str(row[0]).startswith("of which")]
    assert signed == pytest.approx([10 * 90 * 24, 10 * 89 * 24])
    cash = {row[0]: row[1] for row in rows[16:]}
    assert [cash[m] for m in ("Jan", "Feb", "Mar", "Apr", "May")] == pytest.approx([7_440, 13_440, 14_880, 7_200, 0])
    assert cash["Total"] == pytest.approx(sum(signed))
    assert "Adds up to the whole terms above." in cash


def test_rents_add_up_to_the_price(book) -> None:
    line = table(book["Why"], "Offer")[0]
    assert line["Price of a unit in the plan, USD"] == pytest.approx(744)
    assert line["paid by use USD"] == pytest.approx(504)
    assert line["paid by headroom and failover, USD"] == pytest.approx(240)
    assert line["Left over USD"] == pytest.approx(0)
    assert line["Shadow price USD/unit-hour"] == pytest.approx(1)
    assert line["Stops paying below a discount of"] == pytest.approx(0.2)


def test_summary_compares_four_strategies(book) -> None:
    rows = table(book["Summary"], "Strategy")
    assert [row["Strategy"] for row in rows] == [
        "All on demand", "Reserved for the peak", "Reserved for the average", "The plan"]  # fmt: skip
    assert rows[0]["Total USD"] == pytest.approx(44_640)
    assert rows[3]["Total USD"] == pytest.approx(23_808)
    assert rows[3]["Saving against the first"] == pytest.approx(1 - 23_808 / 44_640)
    assert book["Summary"]["A4"].value.startswith("Sign 2 commitments worth $14,880 over their terms")
    assert book["Summary"]["A5"].value.endswith(
        "46.7 % less than all on demand ($44,640, which not every rule allows)."
    )


def test_every_audit_line_has_its_tick(book) -> None:
    ticks = [row[5] for row in book["Audit"].iter_rows(min_row=6, values_only=True) if row[5] in ("✓", "✗")]
    assert len(ticks) >= 9
    assert set(ticks) == {"✓"}


def test_changes_against_today_and_against_an_earlier_plan(tmp_path: Path, book) -> None:
    assert table(book["Changes"], "Region")[0]["Change units"] == 10
    metrics = small()
    plan = metrics.reading.plan
    fewer = plan.purchases.assign(units=[6.0, 10.0], usd=[4_464.0, 7_440.0])
    previous = type(plan)(**{**plan.__dict__, "name": "signed", "purchases": fewer})
    write_workbook(Report(metrics, previous), tmp_path / "plan.xlsx")
    sheet = opened(tmp_path / "plan.xlsx", data_only=True)["Changes"]
    rows = table(sheet, "Offer")
    assert (rows[0]["Change units"], rows[0]["Change USD"], rows[0]["What happens"]) == (4, 2_976, "more")
    assert rows[1]["What happens"] == "unchanged"


def test_week_shows_the_busiest_deployment(book) -> None:
    sheet = book["Week"]
    assert (sheet["B4"].value, sheet["B5"].value, sheet["B6"].value) == ("east", "m", "2027-01")
    assert sheet["B11"].value == 10  # demand of Monday 00:00
    assert book["Week data"]["D2"].value == 8  # capacity: 10 units with 20 % kept, one request/hour each


def test_pandas_reads_stored_values(path: Path) -> None:
    frame = pd.read_excel(path, sheet_name="Purchase order", header=10)
    assert frame["Whole term\nUSD"].tolist()[:3] == pytest.approx([7_440, 7_440, 14_880])


def test_same_plan_gives_the_same_bytes(tmp_path: Path, path: Path) -> None:
    assert small_workbook(tmp_path).read_bytes() == path.read_bytes()


def test_no_order_of_a_set_reaches_the_workbook(tmp_path: Path) -> None:
    """The bytes do not depend on how this process happens to hash its strings."""
    script = (
        "import sys; from pathlib import Path; from tests.builders.books import small_workbook;"
        "import hashlib; print(hashlib.sha256(small_workbook(Path(sys.argv[1])).read_bytes()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", script, str(tmp_path)]
    digests = set()
    for seed in ("5", "7"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True, env=environment)
        digests.add(done.stdout)
    assert len(digests) == 1


def test_properties_name_plan_date_and_input(book) -> None:
    p = book.properties
    assert (p.title, p.creator) == ("tiny", "planner")
    assert str(p.created.date()) == "2026-11-20"  # the latest as_of of the input, not today
    assert DIGEST[:16] in p.keywords


def test_charts_have_alternative_text(path: Path) -> None:
    with zipfile.ZipFile(path) as package:
        drawings = [n for n in package.namelist() if n.startswith("xl/drawings/drawing")]
        assert len(drawings) >= 3
        for name in drawings:
            xml = package.read(name).decode()
            assert xml.count("<xdr:graphicFrame") == xml.count(" descr=")


def test_an_earlier_workbook_survives_a_failure(tmp_path: Path) -> None:
    path = small_workbook(tmp_path)
    before = path.read_bytes()
    unreadable = ExtraSheet("Broken", "#000000", "Egress", lambda sheet, report: [report.nothing])  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        write_workbook(Report(small()), path, [unreadable])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["plan.xlsx"]


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    write_workbook(Report(hostile()), tmp_path / "plan.xlsx", [*cost_per_task_sheet.SHEETS])
    with zipfile.ZipFile(tmp_path / "plan.xlsx") as package:
        assert not [n for n in package.namelist() if "externalLink" in n]
        for name in (n for n in package.namelist() if n.startswith("xl/worksheets/_rels")):
            assert b"hyperlink" not in package.read(name)
    book = opened(tmp_path / "plan.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    texts = {cell.value for cell in cells if cell.data_type == "s"}
    for name in HOSTILE:
        shown = name.replace("\u202e", "")  # an order override would let a name read backwards
        assert any(shown in text for text in texts), name
    assert formulas(book) == formulas(opened(small_workbook(tmp_path)))  # no name is part of a formula


def formulas(book) -> list[tuple[str, str, str]]:
    return [(sheet.title, cell.coordinate, cell.value)
            for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]  # fmt: skip
