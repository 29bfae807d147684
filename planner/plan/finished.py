"""A finished plan with the input it was made from, both read from the plan's directory.

What its files say of cost and rules is taken as it stands: `verify.trusted` checks that too.
"""

from dataclasses import dataclass
from pathlib import Path

from planner.errors import Fault, InputError
from planner.io.directory import read_whole
from planner.plan.audit.totals import sound_tables
from planner.plan.files import read_plan
from planner.plan.manifest import DIRECTORY, INPUT, PLAN, SCALED, TABLES, faults_of_files, read_document
from planner.plan.plan import Plan
from planner.plan.reading import Reading
from planner.readers.load import load
from planner.schema.case import Case
from planner.schema.input_digest import is_input_of

SHOWN = 20  # rows of a changed plan that a message names


@dataclass(frozen=True)
class Finished:
    """What was asked (case) and what was decided (plan)."""

    directory: Path
    case: Case
    plan: Plan


def load_finished(directory: str | Path) -> Finished:
    """Read a plan and its input back from the directory that `planner solve` wrote.

    Raises
    ------
    InputError : a file is missing, damaged or edited, or the input is not the one that the plan was made from.
    """
    return read_whole(directory, DIRECTORY, _load_finished)


def _load_finished(folder: Path) -> Finished:
    try:
        read_document(folder)
    except InputError:
        if folder.is_dir():
            raise
        raise InputError(
            [Fault(str(folder), "there is no such directory of a plan; `planner solve` writes one")]
        ) from None
    plan = read_plan(folder)
    if not (folder / INPUT).is_dir():
        message = "the plan keeps no copy of its input; run `planner solve` again with this version"
        raise InputError([Fault(str(folder / INPUT), message)])
    try:
        case = load(folder / INPUT)
    except InputError as error:
        faults = [Fault(f"{folder / INPUT}/{f.place}", f.message, f.row, f.column, f.value, f.allowed)
                  for f in error.faults]  # fmt: skip
        raise InputError(faults) from None
    if not is_input_of(case, plan.input_digest):
        message = "is not the input that the plan was made from: one of the two was changed"
        raise InputError([Fault(str(folder / INPUT), message, value=case.digest[:16],
                                allowed=f"{plan.input_digest[:16]}..., as {PLAN} says")])  # fmt: skip
    if edited := faults_of_files(folder, only=(*TABLES, SCALED, INPUT)):
        raise InputError(edited)
    _, _, unknown = sound_tables(case, plan, Reading(case, plan).names)
    if unknown:
        raise InputError([Fault(str(folder / PLAN), f"was changed: {finding.message}") for finding in unknown[:SHOWN]])
    return Finished(folder, case, plan)
