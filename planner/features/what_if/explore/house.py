"""The house of all meetings about one folder: each browser tab has one of its own, which outlives a reload."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from planner.features.what_if.explore.levers import Lever, levers_of
from planner.features.what_if.explore.meeting import KeptCase, Meeting
from planner.features.what_if.explore.workers import Workshop
from planner.schema.case import Case
from planner.solver.find import Options

MOST_MEETINGS = 12  # each has processes of its own


@dataclass
class House:
    """One folder, one study directory, and the meetings by tab.

    options : of plans in whole units; its store lies in the directory. kept : cases that the study holds already.
    """

    case: Case
    directory: Path
    options: Options
    kept: list[KeptCase] = field(default_factory=list)
    meetings: dict[str, Meeting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.levers: tuple[Lever, ...] = levers_of(self.case)
        self.workshop = Workshop(self.case, self.options)

    def meeting(self, tab: str) -> Meeting | None:
        """Return the meeting of a tab; None: there are too many at once."""
        if tab not in self.meetings:
            if sum(1 for one in self.meetings.values() if one.viewers > 0) >= MOST_MEETINGS:
                return None
            self.meetings[tab] = Meeting(self.levers, self.workshop, [replace(case) for case in self.kept])
        return self.meetings[tab]

    def close(self) -> None:
        """End all processes."""
        for meeting in self.meetings.values():
            meeting.close()
        self.workshop.close()
