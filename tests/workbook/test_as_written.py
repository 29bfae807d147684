"""A workbook and a page that were edited are found, although every digest was made to fit: both are written again."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.cli import main
from planner.console.arguments import write_report
from planner.io.digest import sealed
from planner.plan.finished import load_finished
from planner.plan.manifest import digests_in
from planner.plan.metrics import Metrics
from planner.plan.metrics.cautions import Advice
from planner.plan.reading import Reading
from planner.plan.rules_cost import Nothing, RuleCost, RulesCost
from planner.readers.forecast_accuracy import BillCheck, ForecastAccuracy, SeriesAccuracy
from planner.verify.alike import same_formula, same_text
from planner.verify.figures import figures_of
from planner.workbook.as_written import report_findings
from planner.workbook.html import write_html
from planner.workbook.report import Report
from planner.workbook.stored_cells import stored_cells
from tests.builders import case as case_of
from tests.builders import two_regions

RULES = RulesCost(
    (RuleCost("without failover", 1 / 3e-3, 1e3 / 7, 5.0, 2.0),), Nothing(1e5 / 7, ("headroom",), 3.0, 4.0, 5.0)
)
FORECAST = ForecastAccuracy(
    (SeriesAccuracy(region="all", workload="all", model="ets", wape=0.1),), (), BillCheck(90.0, 100.0)
)
WITH_ALL = {"notice_days": 12, "rules": RULES, "forecast": FORECAST, "retiring": (Advice("It retires.", "Ask."),)}


@pytest.fixture(scope="module")
def as_written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan with all that its reports can say beside the tables: rules, forecast, notice, models that retire."""
    folder = tmp_path_factory.mktemp("written") / "q"
    case = case_of(two_regions(), whole_units=True)
    report = Report(planner.metrics_of(case, planner.solve(case)), **WITH_ALL)
    write_report(report, folder, also={"plan.html": lambda path: write_html(report, path)})
    return folder


@pytest.fixture
def folder(as_written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(as_written, tmp_path / "q"))


@pytest.fixture(scope="module")
def metrics(as_written: Path) -> Metrics:
    """The plan as it is read back, from its own copy of the input: its figures are those of 12 digits."""
    finished = load_finished(as_written)
    return figures_of(Reading(finished.case, finished.plan), audited=True)


def findings(folder: Path, metrics: Metrics) -> list[str]:
    return [str(f) for f in report_findings(folder, metrics, lambda case: [])]


def seal(folder: Path) -> None:
    path = folder / "plan.json"
    told = json.loads(path.read_text("utf-8"))
    told.pop("sha256", None)
    told["files"] = digests_in(folder)
    path.write_text(sealed(json.dumps(told, indent=2, ensure_ascii=False) + "\n"), "utf-8")


def part_of(folder: Path, sheet: str) -> str:
    names = list(stored_cells(folder / "plan.xlsx", 2**30))
    return f"xl/worksheets/sheet{names.index(sheet) + 1}.xml"


def edit(folder: Path, part: str, old: str, new: str) -> None:
    """Replace the first such text in a part of the workbook, byte for byte otherwise."""
    path = folder / "plan.xlsx"
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert old.encode() in parts[part], (part, old)
    parts[part] = parts[part].replace(old.encode(), new.encode(), 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)


def number_in(folder: Path, sheet: str) -> tuple[str, str, str]:
    """The part of a sheet, a stored number of a formula in it, and the next one."""
    part = part_of(folder, sheet)
    with zipfile.ZipFile(folder / "plan.xlsx") as package:
        text = package.read(part).decode()
    value = next(v for v in re.findall(r"</f><v>(.*?)</v>", text) if v[0].isdigit() and float(v) > 0)
    return part, f"</f><v>{value}</v>", f"</f><v>{float(value) * 1.0001}</v>"


def test_what_was_written_is_what_the_tables_give(folder: Path, metrics: Metrics) -> None:
    assert findings(folder, metrics) == []


def cell(folder: Path) -> None:
    edit(folder, *number_in(folder, "Purchase order"))


def formula(folder: Path) -> None:
    part = part_of(folder, "Summary")
    with zipfile.ZipFile(folder / "plan.xlsx") as package:
        told = package.read(part).decode().split("<f>")[1].split("</f>")[0]
    edit(folder, part, f"<f>{told}</f>", f"<f>{told}+1</f>")


def words(folder: Path) -> None:
    edit(folder, "xl/sharedStrings.xml", "Without failover", "With failover")


def form(folder: Path) -> None:
    edit(folder, "xl/styles.xml", 'formatCode="#,##0', 'formatCode="7,##0')


def hidden_name(folder: Path) -> None:
    edit(folder, "xl/workbook.xml", 'name="Summary"', 'name="Sumnary"')


def no_workbook(folder: Path) -> None:
    (folder / "plan.xlsx").write_bytes(b"PK")


def page(folder: Path) -> None:
    path = folder / "plan.html"
    path.write_text(path.read_text("utf-8").replace("<h2>", "<h2>All approved. ", 1), "utf-8")


def shorter_page(folder: Path) -> None:
    path = folder / "plan.html"
    path.write_text("\n".join(path.read_text("utf-8").splitlines()[:-1]), "utf-8")


def kept(folder: Path) -> None:
    """What plan.json keeps for the reports is not what they say."""
    path = folder / "plan.json"
    told = json.loads(path.read_text("utf-8"))
    told["reports"]["rules"]["rules"][0]["saves_usd"] = 6.0
    path.write_text(json.dumps(told), "utf-8")
    seal(folder)


def kept_no_more(folder: Path) -> None:
    path = folder / "plan.json"
    told = json.loads(path.read_text("utf-8"))
    del told["reports"]
    path.write_text(json.dumps(told), "utf-8")
    seal(folder)


EDITS: list[tuple[Callable[[Path], None], str]] = [
    (cell, "sheet Purchase order, cell"),
    (formula, "sheet Summary, cell"),
    (words, "sheet What the rules cost, cell A5 says 'With failover'"),
    (form, "cell"),
    (hidden_name, "sheet Summary is missing"),
    (no_workbook, "cannot be read"),
    (page, "plan.html: line"),
    (shorter_page, "plan.html: has"),
    (kept, "sheet What the rules cost, cell C5"),
    (kept_no_more, "lacks what the workbook was written with"),
]


@pytest.mark.parametrize(("change", "said"), EDITS, ids=[change.__name__ for change, _ in EDITS])
def test_an_edit_is_found(folder: Path, metrics: Metrics, change: Callable[[Path], None], said: str) -> None:
    change(folder)
    found = findings(folder, metrics)
    assert any(said in text for text in found), found


def test_one_that_is_sealed_anew_is_neither_right_nor_signed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell(folder)
    seal(folder)
    assert main(["verify", str(folder / "input"), str(folder)]) == 1
    assert "sheet Purchase order, cell" in capsys.readouterr().out
    assert main(["accept", str(folder), "--by", "Ada"]) == 1
    assert "Purchase order" in capsys.readouterr().err
    assert not (folder / "signatures.json").exists()


def test_a_workbook_of_another_version_is_not_called_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell(folder)
    path = folder / "plan.json"
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(told | {"planner": "0.0.9"}, indent=2), "utf-8")
    seal(folder)
    assert main(["verify", str(folder / "input"), str(folder)]) == 0
    assert "were not compared" in capsys.readouterr().out


ALIKE = [
    ("Sign $12 of 7", "Sign $13 of 7", True),  # 12.5 may be rounded either way
    ("Sign $12 of 7", "Sign $14 of 7", False),
    ("Sign $12 of 7", "Sign $12 of 8", False),
    ("2.5 %", "2.6 %", True),
    ("2.5 %", "2.7 %", False),
    ("a 1.0", "b 1.0", False),
]


@pytest.mark.parametrize(("one", "other", "same"), ALIKE)
def test_only_the_last_digit_of_a_rounded_figure_may_differ(one: str, other: str, same: bool) -> None:
    assert same_text(one, other) == same


def test_a_formula_may_differ_by_rounding_but_not_by_a_row() -> None:
    assert same_formula("0+$E$16*31020.51072", "0+$E$16*31020.5107200001")
    assert same_formula('"costs $"&FIXED($E$16,0)&" of $12"', '"costs $"&FIXED($E$16,0)&" of $13"')
    assert not same_formula("$E$16", "$E$17")
    assert not same_formula("A1*2", "A1*3")
