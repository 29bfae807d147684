"""A study as files: study.json (read back when cases are added), study.csv, study_lines.csv and study.xlsx."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError, PlannerError
from planner.features.what_if import curve_files, fit_study, how_far_report, near_report, study_sheet
from planner.features.what_if.case_change import CaseChange
from planner.features.what_if.case_factors import Factor
from planner.features.what_if.curve import Curve
from planner.features.what_if.curve_sheet import NAME as CURVES
from planner.features.what_if.curve_sheet import write_curves
from planner.features.what_if.findings import NearFinding, Within, fit_of
from planner.features.what_if.study import Answer, Study, StudyLine, decide_by, differences
from planner.io.atomic import locked, write_csv, write_text
from planner.io.digest import read_json, seal_of, sealed
from planner.io.directory import Kind, recover, replaced
from planner.plan.manifest import NO_PLACE
from planner.plan.plan import Totals
from planner.workbook.book import new_book

JSON, TABLE, LINES, WORKBOOK = "study.json", "study.csv", "study_lines.csv", "study.xlsx"
FORMAT = 1
CASE_COLUMNS = ("case", "change", "possible", "total_usd", "difference_usd", "bound_usd", "to_sign_usd",
                *Totals.names(), "coverage", "utilisation", "least_margin_share", "dearest_scenarios_usd", "problem",
                "finding", "decide_by")  # fmt: skip
LINE_COLUMNS = ("case", "offer", "region", "period", "units_before", "units", "usd_before", "usd")


STUDY = Kind(
    key=JSON,
    ours=frozenset({JSON, TABLE, LINES, WORKBOOK, curve_files.TABLE, *curve_files.DRAWINGS, how_far_report.TABLE}),
    foreign=NO_PLACE,
    signed=frozenset(),
    what="a study",
)


def write_study(study: Study, directory: Path, created: dt.date) -> Study:
    """Write every file into a directory, as a whole, and return the study as it is kept there.

    Cases that another process has added to the directory since this one read it are kept too.

    Parameters
    ----------
    created : date of the workbook; no clock is asked.

    Raises
    ------
    PlannerError : the directory is of another kind, or holds a study of another input by now.
    """
    place = directory.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(place.parent):
        study = _joined(study, earlier_study(place, study.input_digest))
        with replaced(place, STUDY, held=True) as new:
            book = new_book(str(new / WORKBOOK), study.name, created, "What if", f"input {study.input_digest[:16]}")
            study_sheet.write(book.add_sheet(study_sheet.NAME), study)
            study_sheet.write_lines(book.add_sheet(study_sheet.LINES), study)
            if study.curves:
                write_curves(book.add_sheet(CURVES), study.curves)
                write_csv(new / curve_files.TABLE, curve_files.curve_table(study.curves))
                curve_files.draw_curves(study.curves, new)
            if study.how_far is not None:
                how_far_report.write_how_far(book.add_sheet(how_far_report.NAME), study.how_far)
                write_csv(new / how_far_report.TABLE, how_far_report.how_far_table(study.how_far))
            near_report.add(book, study)
            fit_study.add_sheet(book, study)
            book.close()
            for name, frame in ((TABLE, case_table(study)), (LINES, line_table(study))):
                write_csv(new / name, frame)
            write_text(new / JSON, study_json(study))
    return study


def earlier_study(directory: Path, input_digest: str) -> Study | None:
    """Read the study of an input that a directory holds; None: it holds none.

    Raises
    ------
    PlannerError : it is of another input.
    """
    study = read_study(directory)
    if study is not None and study.input_digest != input_digest:
        raise PlannerError(
            f"{directory} holds a study of another input ({study.name}): its cases "
            "cannot be combined with these. Write to another directory with -o DIR, and compare the two with --compare."
        )
    return study


def _joined(study: Study, other: Study | None) -> Study:
    """Return a study with the cases of another that it does not have."""
    mine = {answer.change.name for answer in study.cases}
    added = () if other is None else tuple(a for a in other.cases if a.change.name not in mine)
    curves = () if other is None else other.curves
    reach = study.how_far or (None if other is None else other.how_far)
    return with_curves(replace(study, cases=(*study.cases, *added), how_far=reach), study.curves, curves)


def with_curves(study: Study, curves: Sequence[Curve], earlier: Sequence[Curve]) -> Study:
    """Return a study with curves, and with earlier ones of other numbers or beside other changes."""
    mine = {(curve.parameter.key, curve.change) for curve in curves}
    kept = [curve for curve in earlier if (curve.parameter.key, curve.change) not in mine]
    return replace(study, curves=(*kept, *curves))


def case_table(study: Study) -> pd.DataFrame:
    """One row a case, the plan as it stands first: columns CASE_COLUMNS. USD over the horizon; shares 0-1."""
    rows = []
    for answer in study.answers:
        rows.append({
            "case": answer.change.name,
            "change": str(answer.change),
            "possible": answer.possible,
            "total_usd": answer.total_usd,
            "difference_usd": difference_usd(study, answer),
            "bound_usd": answer.bound_usd,
            "to_sign_usd": answer.to_sign_usd,
            **(answer.parts or {}),
            "coverage": answer.coverage,
            "utilisation": answer.utilisation,
            "least_margin_share": answer.least_margin,
            "dearest_scenarios_usd": answer.tail_usd,
            "problem": answer.problem,
            "finding": "" if answer.near is None else str(answer.near),
            "decide_by": decide_by(study.base, answer),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(CASE_COLUMNS))


def line_table(study: Study) -> pd.DataFrame:
    """Lines of each case that differ from the plan as it stands: columns LINE_COLUMNS; usd over the whole term."""
    rows = [
        {"case": answer.change.name, **asdict(line)}
        for answer in study.cases
        if answer.possible
        for line in differences(study.base, answer)
    ]
    return pd.DataFrame(rows, columns=list(LINE_COLUMNS))


def difference_usd(study: Study, answer: Answer) -> float | None:
    """Return what a case costs more than the plan as it stands (USD); None where either has no plan."""
    if answer.total_usd is None or study.base.total_usd is None:
        return None
    return answer.total_usd - study.base.total_usd


def study_json(study: Study) -> str:
    """Render the whole study; a later run reads it back with `read_study`."""
    document = {
        "format": FORMAT,
        "name": study.name,
        "input_digest": study.input_digest,
        "months": list(study.months),
        "base": _document(study, study.base),
        "cases": [_document(study, answer) for answer in study.cases],
        "left_out": list(study.left_out),
        "curves": [curve_files.document_of(curve) for curve in study.curves],
        "how_far": None if study.how_far is None else how_far_report.document_of(study.how_far),
    }
    if study.not_enough is not None and study.not_enough.any_size:
        document["enough_for_units_of_any_size"] = [str(fit) for fit in study.not_enough.any_size]
    return sealed(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _document(study: Study, answer: Answer) -> dict[str, Any]:
    lines = [] if answer is study.base or not answer.possible else differences(study.base, answer)
    return {
        **asdict(answer),
        "difference_usd": difference_usd(study, answer),
        "least_margin_share": answer.least_margin,
        "finding": "" if answer.near is None else str(answer.near),
        "decide_by": None if answer is study.base else decide_by(study.base, answer),
        "lines_that_differ": [asdict(line) for line in lines],
    }


def read_study(directory: Path) -> Study | None:
    """Read a study back; None where the directory has none.

    Raises
    ------
    InputError : study.json cannot be read, or is of a format that this version does not know.
    """
    path = directory / JSON
    if not path.exists():
        recover(directory.resolve(), STUDY)
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8")
        document, seal = read_json(text), seal_of(text)
        if document["format"] != FORMAT:
            raise InputError([Fault(str(path), "was written by another version of planner", value=document["format"],
                                    allowed=f"format {FORMAT}; write to another directory")])  # fmt: skip
        if seal is not None and seal[0] != seal[1]:  # planners of before wrote none
            raise InputError([Fault(str(path), "was edited: it no longer has the digest that it states; write to "
                                    "another directory")])  # fmt: skip
        return Study(
            name=str(document["name"]),
            input_digest=str(document["input_digest"]),
            months=tuple(map(str, document["months"])),
            base=_answer(document["base"]),
            cases=tuple(_answer(item) for item in document["cases"]),
            curves=tuple(curve_files.curve_from(item) for item in document.get("curves", ())),
            how_far=how_far_report.how_far_from(document["how_far"]) if document.get("how_far") else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            [Fault(str(path), f"cannot be read as a study ({error}); write to another directory")]
        ) from None


def _answer(item: dict[str, Any]) -> Answer:
    change = item["change"]
    return Answer(
        change=CaseChange(
            str(change["name"]),
            tuple((str(key), str(value)) for key, value in change["set"]),
            tuple(
                Factor(str(f["what"]), float(f["factor"]), tuple((str(c), str(n)) for c, n in f["where"]))
                for f in change["scale"]
            ),
            tuple(map(str, change["strike"])),
            tuple(map(str, change["refuse"])),
            tuple(map(str, change["refuse_pools"])),
            tuple(map(int, change["forbid_terms"])),
            change["certain"],
            tuple((str(contract), str(usd)) for contract, usd in change.get("spend", ())),
            tuple(map(str, change.get("leave_out", ()))),
            str(change.get("aim", "")),
        ),
        purchases=tuple(StudyLine(**purchase) for purchase in item["purchases"]),
        tail_usd=item.get("tail_usd"),
        near=_near(item.get("near")),
        fit=fit_of(item.get("fit")),
        **{name: item[name] for name in ("input_digest", "problem", "total_usd", "bound_usd", "to_sign_usd", "parts",
                                         "coverage", "utilisation", "margins")},
    )  # fmt: skip


def _near(item: dict[str, Any] | None) -> NearFinding | None:
    return None if item is None else NearFinding(**{**item, "within": Within(item["within"])})
