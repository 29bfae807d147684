"""Errors that are meant for people. Imports nothing of ours."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_PLAN, EXIT_WRONG, EXIT_INFEASIBLE, EXIT_STOPPED = 0, 1, 2, 3


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the input, and where.

    ``place`` is a file or sheet; ``row`` the line or sheet row as the user's editor counts them (header = 1).
    """

    place: str
    message: str
    row: int | None = None
    column: str | None = None
    value: object = None
    allowed: str | None = None

    def __str__(self) -> str:
        where = self.place
        if self.row is not None:
            where += f", row {self.row}"
        if self.column is not None:
            where += f", column {self.column}"
        text = f"{where}: {self.message}"
        if self.value is not None:
            shown = str(self.value)
            text += f" (found {shown[:80]!r}{'...' if len(shown) > 80 else ''})"
        return f"{text}; allowed: {self.allowed}" if self.allowed else text


class PlannerError(Exception):
    """Something the user can act on; the command line prints it and exits with ``exit_code``."""

    exit_code = EXIT_WRONG


class InputError(PlannerError):
    """The input is wrong; ``faults`` lists everything that is, not the first thing only."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class AuditError(PlannerError):
    """A finished plan breaks a rule or does not add up: it is never written."""


class InfeasibleError(PlannerError):
    """No plan meets every rule; the text says which rule, where, when and by how much."""

    exit_code = EXIT_INFEASIBLE


class StoppedError(PlannerError):
    """Interrupted, or out of time, before there was a plan."""

    exit_code = EXIT_STOPPED


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the most similar known name: ``; did you mean 'eu-west'?``, or nothing where none is close."""
    names = {option.casefold(): option for option in known}
    close = difflib.get_close_matches(name.casefold()[:80], names, n=1, cutoff=0.6)
    return f"; did you mean {names[close[0]]!r}?" if close else ""
