"""A plan's workbook and page beside those that its tables give: what anyone can edit, and seal anew, is found."""

import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from planner.errors import InputError
from planner.io.digest import FORMAT
from planner.plan.audit.findings import Finding
from planner.plan.manifest import PAGE, PLAN, WORKBOOK, format_of, read_document
from planner.plan.metrics.metric_tables import Metrics
from planner.schema.case import Case
from planner.units import counted
from planner.verify.alike import same_formula, same_number, same_text
from planner.verify.claims import FIGURE_TOLERANCE
from planner.versions import VERSION
from planner.workbook.book import ExtraSheet
from planner.workbook.html import write_html
from planner.workbook.plan_workbook import write_workbook
from planner.workbook.sheets import changes_sheet
from planner.workbook.stored_cells import StoredCell, stored_cells
from planner.workbook.told_reports import report_as_told

Sheets = Callable[[Case], Sequence[ExtraSheet]]
ELSEWHERE = (changes_sheet.NAME, "Mix")  # sheets that rest on another plan, or on other searches: not compared
OF_THE_COST = 1e-9  # what a difference of two sums may be off, against the plan's cost: sums have 12 digits
_SHOWN = 3  # cells that are told
_TIMES_LARGER, _SPARE_BYTES = 3, 2**20  # what a workbook may unpack to, against the one that is written again
_LONGEST = 60  # characters of a value that is told


def report_findings(directory: Path, metrics: Metrics, sheets: Sheets) -> list[Finding]:
    """Write the workbook and the page of a plan again, from its tables, and say where those that are there differ.

    Every cell is compared (value, formula, number format), and every word of the page; ELSEWHERE is left out. Those
    that another version of planner wrote are not compared.

    Parameters
    ----------
    metrics : every figure of the plan as its tables give it. sheets : those that features hand in.
    """
    document, _ = read_document(directory)
    there = _reports_in(directory)
    if not there or not is_compared(document):
        return []
    try:
        report = report_as_told(metrics, document)
    except InputError as error:
        return [Finding("files", str(fault), math.inf) for fault in error.faults]
    with TemporaryDirectory(prefix="planner-") as scratch:
        again = Path(scratch)
        found = []
        if WORKBOOK in there:
            write_workbook(report, again / WORKBOOK, sheets(report.case))
            least = OF_THE_COST * abs(metrics.reading.plan.judged_usd)
            found += list(_workbook(directory / WORKBOOK, again / WORKBOOK, least))
        if PAGE in there:
            write_html(report, again / PAGE)
            found += list(_page(directory / PAGE, again / PAGE))
    return [Finding("files", message, math.inf) for message in found]


def compared_in_words(directory: Path) -> str:
    """Say what was compared of the words, workbook and page of a plan without findings; blank: it has neither."""
    apart = not_compared_in_words(directory)
    there = _reports_in(directory)
    if apart or not there:
        return apart
    names = " and ".join(there)
    others = f" (sheets that rest on other plans, {' and '.join(ELSEWHERE)}, are not compared)"
    aside = others if WORKBOOK in there else ""
    said = "every cell and word is" if len(there) == 2 else "every cell is" if WORKBOOK in there else "every word is"
    return f"{names}: {said} what the plan's tables, and `reports` in plan.json, give{aside}"


def not_compared_in_words(directory: Path) -> str:
    """Say that another version of planner wrote a plan, so that its words were not compared; blank: this one did."""
    if is_compared(read_document(directory)[0]):
        return ""
    *most, last = [PLAN, *_reports_in(directory)]
    names = f"{', '.join(most)} and {last}" if most else last
    return (f"{names}: written by another version of planner, so words, and figures that only one of the two versions "
            "knows, were not compared with the tables")  # fmt: skip


def _reports_in(directory: Path) -> list[str]:
    return [name for name in (WORKBOOK, PAGE) if (directory / name).is_file()]


def is_compared(document: Mapping[str, Any]) -> bool:
    """Whether this version of planner wrote the plan: another one may lay out its reports otherwise."""
    return document.get("planner") == VERSION and format_of(document) == FORMAT


def _workbook(path: Path, again: Path, least: float) -> Iterator[str]:
    """Say where two workbooks differ; ``least`` : what any number may be off."""
    with zipfile.ZipFile(again) as package:
        most = _TIMES_LARGER * sum(part.file_size for part in package.infolist()) + _SPARE_BYTES
    ours = stored_cells(again, most)
    try:
        theirs = stored_cells(path, most)
    except Exception as error:  # whatever the broken part of a file leads the readers of its parts to
        yield f"{path}: is not the workbook that was written: it cannot be read ({type(error).__name__}: {error})"
        return
    for name in dict.fromkeys((*ours, *theirs)):
        if name in ELSEWHERE:
            continue
        if name not in theirs or name not in ours:
            said = "is missing: the plan's workbook has it" if name in ours else "is none of the plan's sheets"
            yield f"{path}: sheet {name} {said}"
            continue
        differing = [
            place
            for place in dict.fromkeys((*ours[name], *theirs[name]))
            if not _alike(theirs[name].get(place), ours[name].get(place), least)
        ]
        for place in differing[:_SHOWN]:
            told = f"says {_told(theirs[name].get(place))}, the plan's tables give {_told(ours[name].get(place))}"
            yield f"{path}: sheet {name}, cell {place} {told}"
        if len(differing) > _SHOWN:
            yield (
                f"{path}: sheet {name}: "
                f"{counted(len(differing) - _SHOWN, 'more cell is', many='more cells are')} not what the plan's "
                "tables give"
            )


def _alike(one: StoredCell | None, other: StoredCell | None, least: float) -> bool:
    if one is None or other is None:
        return one == other
    if one.number_format != other.number_format or not same_formula(one.formula, other.formula):
        return False
    if isinstance(one.value, float) and isinstance(other.value, float):
        return abs(one.value - other.value) <= least or same_number(one.value, other.value, FIGURE_TOLERANCE)
    if isinstance(one.value, str) and isinstance(other.value, str):
        return same_text(one.value, other.value)
    return one.value == other.value


def _told(cell: StoredCell | None) -> str:
    if cell is None:
        return "nothing"
    value = "nothing" if cell.value is None else f"{cell.value!r}"
    formula = f" by ={cell.formula}" if cell.formula else ""
    form = "" if cell.number_format in ("0", "General") else f" as {cell.number_format!r}"
    return "".join(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…" for text in (value, formula, form))


def _page(path: Path, again: Path) -> Iterator[str]:
    try:
        theirs = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        yield f"{path}: is not the page that was written: it cannot be read ({error})"
        return
    ours = again.read_text(encoding="utf-8").splitlines()
    for number, (one, other) in enumerate(zip(theirs, ours, strict=False), start=1):
        if not same_text(one, other):
            yield f"{path}: line {number} is not what the plan's tables give"
            return
    if len(theirs) != len(ours):
        yield f"{path}: has {counted(len(theirs), 'line')}, the plan's tables give {len(ours)}"
