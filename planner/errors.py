"""Errors that are meant for people, and what they hold as data."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from planner.units import hour_label

EXIT_PLAN, EXIT_WRONG, EXIT_INFEASIBLE, EXIT_STOPPED, EXIT_BROKEN = 0, 1, 2, 3, 4
SHOWN = 20  # shortfalls in the words of one error


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
        whole = f"{text}; allowed: {self.allowed}" if self.allowed else text
        return _ENDLESS.sub(lambda found: f"{found[0][:_SHOWN]}…", whole)


_SHOWN = 100  # characters of a name that never ends: a cell of a workbook holds 32,767
_ENDLESS = re.compile(r"'[^'\n]{400,}'|\S{400,}")


@dataclass(frozen=True)
class Shortfall:
    """One cell of the input that no plan can live with: what it says, and what it would have to say.

    rule : units, failover_share, trust, route, demand, or the family of constraints (quota, budget, egress, ...).
    table, row, column : the cell: ``on_demand``, ``(("region", "r0"), ("model", "m"), ("option", "standard"))``,
        ``tokens_per_minute_quota``; a setting has the table ``plan.yaml`` and no row; a row to be added has no column.
        A rule that no cell is known for has no table and no column: row has the names of its row.
    unit : of ``has`` and ``needs``. has : what the cell says (of a demand: 1, all of it). needs : what is enough.
    pool, meter : of an offer. case : stress case that sets the need ("": ordinary use).
    scenario, period, hour_of_week : the slot that sets it ("", -1: no single one does).
    """

    rule: str
    table: str
    row: tuple[tuple[str, str], ...]
    column: str
    unit: str
    has: float
    needs: float
    pool: str = ""
    meter: str = ""
    case: str = ""
    scenario: str = ""
    period: str = ""
    hour_of_week: int = -1

    @property
    def amount(self) -> float:
        """How much is missing (or too much), in the cell's unit; as decimals, so that no digits come in."""
        return float(abs(Decimal(repr(float(self.needs))) - Decimal(repr(float(self.has)))))

    def document(self) -> dict[str, Any]:
        """Lay out the shortfall for JSON."""
        return {**asdict(self), "row": dict(self.row), "amount": self.amount, "sentence": str(self)}

    def __str__(self) -> str:
        names = dict(self.row)
        if self.rule == "route":
            return f"routes: no route from {names['origin']} to {names['destination']}: add one"
        if self.rule == "trust" and self.has == 0:
            return f"{self.column} 0 counts no on-demand quota while a region is lost; {_number(self.needs)} is enough"
        cell = f"{self.column} {_number(self.has)}"
        if self.rule == "quota":
            option = "" if names["option"] == "standard" else f" ({names['option']})"
            cell = f"on-demand quota of {names['model']}{option} in {names['region']}: {cell}"
        elif self.rule == "units":
            meter = "" if self.meter == "tokens" else f", {self.meter}"
            cell = f"units of {self.pool}{meter}: offer {names['offer']}: {cell}"
        elif self.rule == "scaled_limit":
            cell = f"units of {names['pool']} that run by the hour: {cell}"
        elif self.rule == "demand":
            where = f"{names['workload']} from {names['region']}"
            return f"demand of {where}: nothing may serve {1 - self.needs:.4g} of it: check mix, routes and supply"
        elif names and self.table:
            cell = f"{self.table}, {(' to ' if self.table == 'routes' else ', ').join(names.values())}: {cell}"
        if not self.table:
            where = f" ({', '.join(names.values())})" if names else ""
            cell = f"rule {self.rule}{where}: its limit {_number(self.has)}"
        one = self.amount == 1 and self.unit in ("units", "hours")
        unit = f" {self.unit[:-1] if one else self.unit}" if self.unit not in ("", "share") else ""
        more = {"units": "few", "scaled_limit": "few", "deadline": "short"}.get(self.rule, "small")
        off = more if self.needs > self.has or self.rule == "units" else "large"
        return f"{cell} is {_number(self.amount)}{unit} too {off}; {_number(self.needs)} is enough{self.when}"

    @property
    def when(self) -> str:
        """Stress case and slot that set the need, in brackets after a blank; "" where there is none."""
        if self.hour_of_week < 0:
            slot = f"in {self.period}" if self.period else ""
        else:
            slot = f"{hour_label(self.hour_of_week)} UTC in {self.period}"
        if slot and self.scenario not in ("", "base"):
            slot += f", scenario {self.scenario}"
        told = ", ".join(part for part in (self.case, slot) if part)
        return f" ({told})" if told else ""


def _number(value: float) -> str:
    """Write a number in full, with separators of thousands and no more digits than it has."""
    sure = f"{value:.15g}"  # digits beyond the 15th are noise
    text = f"{Decimal(sure):,.10f}" if abs(value) < 1e12 else sure
    whole, _, part = text.partition(".")
    digits = part.rstrip("0")
    if not digits and value and abs(value) < 1e-9:
        return f"{value:.10g}"
    return f"{whole}.{digits}" if digits else whole


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
    """No plan keeps every rule.

    shortfalls : what would have to change, all of it together: with these cells there is a plan, and with 97 % of
        each change there is none. Empty where the time limit ran out before the reason was found.
    alternatives : other sets of changes, each of which is enough by itself. next_step : what to do now, in words.
    out_of_time : the search for the reason was cut off; else, where there are no shortfalls, it found none.
    """

    exit_code = EXIT_INFEASIBLE
    next_step = ""

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *([self.next_step] if self.next_step else [])])

    def __init__(
        self,
        name: str,
        shortfalls: Sequence[Shortfall],
        alternatives: Sequence[Sequence[Shortfall]] = (),
        *,
        out_of_time: bool = False,
    ) -> None:
        self.name = name
        self.out_of_time = out_of_time
        self.shortfalls = tuple(shortfalls)
        self.alternatives = tuple(tuple(found) for found in alternatives)
        super().__init__("\n".join(self._lines("; nothing was written")))

    @property
    def reason(self) -> str:
        """What is said of one case among others, which writes nothing anyway."""
        return "\n".join([*self._lines(), *([self.next_step] if self.next_step else [])])

    def document(self) -> dict[str, Any]:
        """Lay out everything for JSON, nothing left out."""
        return {
            "name": self.name,
            "status": "infeasible",
            "shortfalls": [shortfall.document() for shortfall in self.shortfalls],
            "alternatives": [[shortfall.document() for shortfall in found] for found in self.alternatives],
        }

    def _lines(self, besides: str = "") -> list[str]:
        start = f"No plan of '{self.name}' exists{besides}."
        if not self.shortfalls and self.out_of_time:
            return [f"{start} Time ran out before the reason was found: a longer time limit, or none, may find it."]
        if not self.shortfalls:
            return [
                f"{start} The reason was not found: the numbers are too far apart, or changing single cells is not "
                "enough."
            ]
        every = "This would have to change, all of it" if len(self.shortfalls) > 1 else "This would have to change"
        lines = [f"{start} {every}:", *_shown(self.shortfalls)]
        for found in self.alternatives:
            lines += ["or instead:", *_shown(found)]
        return lines


def _shown(shortfalls: Sequence[Shortfall]) -> list[str]:
    lines = [f"  {shortfall}" for shortfall in shortfalls[:SHOWN]]
    more = len(shortfalls) - SHOWN
    return [*lines, f"  ... and {more} more (--json lists them all)"] if more > 0 else lines


class StoppedError(PlannerError):
    """Interrupted, or out of time, before there was a plan."""

    exit_code = EXIT_STOPPED


class DiskFullError(PlannerError, OSError):
    """What is to be written to a place does not fit there; ``why`` in words. Its draft is gone."""

    def __init__(self, place: object, why: str) -> None:
        self.why = why
        super().__init__(
            f"{place}: {why}. Nothing was put in place, and what was there before is as it was. Free some space, or "
            "write to another disk (of solve and most commands: -o DIR), and run again."
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the most similar known name: ``; did you mean 'eu-west'?``, or nothing where none is close."""
    names = {option.casefold(): option for option in known}
    close = difflib.get_close_matches(name.casefold()[:80], names, n=1, cutoff=0.6)
    return f"; did you mean {names[close[0]]!r}?" if close else ""
