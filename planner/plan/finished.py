"""A finished plan with the input it was made from, both read from the plan's directory."""

from dataclasses import dataclass
from pathlib import Path

from planner.errors import Fault, InputError
from planner.plan.files import PLAN, read_plan
from planner.plan.plan import Plan
from planner.plan.snapshot import INPUT
from planner.readers.load import load
from planner.schema.case import Case


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
    InputError : a file is missing, damaged, or the input is not the one that the plan was made from.
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise InputError([Fault(str(folder), "there is no such directory of a plan; `planner solve` writes one")])
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
    if case.digest != plan.input_digest:
        message = "is not the input that the plan was made from: one of the two was changed"
        raise InputError([Fault(str(folder / INPUT), message, value=case.digest[:16],
                                allowed=f"{plan.input_digest[:16]}..., as {PLAN} says")])  # fmt: skip
    return Finished(folder, case, plan)
