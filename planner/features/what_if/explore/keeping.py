"""What a meeting leaves on disk: the study, as `planner what-if -o` writes it, and plans of single cases."""

from pathlib import Path

from planner.console.arguments import folder_name
from planner.errors import PlannerError
from planner.features.what_if.explore.meeting import KeptCase, Meeting
from planner.features.what_if.study import Study
from planner.features.what_if.study_files import read_study, write_study
from planner.schema.case import Case

PLANS = "plans"  # folder in the study's, of exported plans


def kept_before(case: Case, directory: Path) -> list[KeptCase]:
    """Read the cases of a study that the directory holds; none where it holds none.

    Raises
    ------
    PlannerError : it holds a study of another input, or one that cannot be read.
    """
    study = read_study(directory)
    if study is None:
        return []
    if study.input_digest != case.digest:
        raise PlannerError(
            f"{directory} holds a study of another input ({study.name}): choose another directory with -o DIR"
        )
    return [KeptCase(a.change.name, a.change, None, None, a, saved=True) for a in study.cases]


def save(meeting: Meeting, case: Case, directory: Path) -> Study:
    """Write the kept cases as a study, beside those that others have saved there.

    Raises
    ------
    PlannerError : some case has no plan yet; or somebody saved another case under the same name meanwhile.
    """
    base, kept = meeting.base_answer, list(meeting.kept)
    if meeting.unplanned or base is None:
        raise PlannerError(f"still to be planned: {', '.join(meeting.unplanned)}")
    there = read_study(directory)
    theirs = {} if there is None else {a.change.name: a.change for a in there.cases}
    clash = [c.name for c in kept if not c.saved and c.name in theirs and theirs[c.name] != c.change]
    if clash:
        raise PlannerError(
            f"the study already has another case of the same name: {', '.join(clash)}. Keep yours under another name"
        )
    months = tuple(period.name for period in case.periods)
    cases = tuple(c.answer for c in kept if c.answer is not None)
    study = write_study(
        Study(case.settings.name, case.digest, months, base, cases), directory, case.settings.horizon.start
    )
    for one in kept:
        one.saved = True
    return study


def plan_directory(directory: Path, name: str) -> Path:
    """Where the plan of a case is written: inside the study's directory."""
    return directory / PLANS / folder_name(name)
