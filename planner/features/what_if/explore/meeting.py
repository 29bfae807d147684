"""A meeting: what one browser tab has moved, its answers so far, and the cases that it keeps.

A change asks the continuous worker at once. Where nothing has moved for a moment, the same question goes to the worker
for whole units; a newer change ends it. While nobody asks, kept cases that have no plan yet are planned in turn.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from planner.features.what_if.case_change import CaseChange
from planner.features.what_if.explore.drawing import Drawn, ToDraw, ends_of, has_curve, number_of, parameter_of
from planner.features.what_if.explore.levers import (
    Lever,
    Moved,
    Value,
    change_of,
    moved_to,
    near_of,
    words_of,
)
from planner.features.what_if.explore.quick import Picture
from planner.features.what_if.explore.solving import Asked, Curve, Export, Exported, Planned, Points, Quick
from planner.features.what_if.explore.workers import Worker, Workshop
from planner.features.what_if.study import AS_IT_STANDS, Answer

STILL_SECONDS = 0.4  # without a change, before whole units are searched for
CURVE_POINTS = 9
Key = tuple[tuple[str, Value], ...]


@dataclass
class KeptCase:
    """A case that was kept by name. moved None: it comes from the study on disk, where only the change is known."""

    name: str
    change: CaseChange
    moved: dict[str, Value] | None
    picture: Picture | None = None
    answer: Answer | None = None
    saved: bool = False


@dataclass
class CurveShown:
    """A trade-off curve of a lever: first some points, then the exact one.

    ends, values : as the lever counts. total_usd : cost at each of the values so far (None: no plan); None: in work.
    drawn : the exact curve so far; None: in work.
    """

    lever: Lever
    ends: tuple[float, float]
    values: tuple[float, ...]
    total_usd: tuple[float | None, ...] | None = None
    drawn: Drawn | None = None


@dataclass
class Meeting:
    """State of one page. changed : is called after each change of what the page shows, with what changed."""

    levers: Sequence[Lever]
    workshop: Workshop
    kept: list[KeptCase] = field(default_factory=list)
    changed: Callable[[str], None] = lambda what: None
    moved: dict[str, Value] = field(default_factory=dict)
    quick: Quick | None = None
    quick_seconds: float = 0.0
    base: Picture | None = None
    planned: Planned | None = None
    curve: CurveShown | None = None
    exports: list[Exported] = field(default_factory=list)
    viewers: int = 0
    _number: int = 0
    _asked_at: float = 0.0
    _known: dict[Key, Planned] = field(default_factory=dict)
    _continuous: Worker | None = None
    _whole: Worker | None = None
    _busy: "tuple[int, Key, str] | None" = None  # number, question and name of what is being planned
    _to_export: list[Export] = field(default_factory=list)
    _writing: Export | None = None
    _later: asyncio.TimerHandle | None = None
    _drawing: Worker | None = None

    # -- life --------------------------------------------------------------------------------------------------------
    def open(self) -> None:
        """Start to work for a page; the first question is the folder as it stands."""
        self.viewers += 1
        if self._continuous is None or not self._continuous.alive:
            self._continuous = self.workshop.continuous()
            self._continuous.heard = self._heard
            self._ask()

    def leave(self) -> None:
        """One page less; the last one ends the work."""
        self.viewers -= 1
        if self.viewers <= 0:
            self.close()

    def close(self) -> None:
        """Leave the worker for continuous answers to the next page, and end the other; what was found stays."""
        if self._continuous is not None:
            self.workshop.rest(self._continuous)
        if self._whole is not None:
            self._whole.end()
        self._continuous = self._whole = self._busy = None
        self._end_drawing()
        if self._later is not None:
            self._later.cancel()

    # -- questions ---------------------------------------------------------------------------------------------------
    def move(self, key: str, value: Value) -> None:
        """Move one lever, and ask.

        Raises
        ------
        ValueError : it cannot have this value.
        """
        moved = moved_to(self.levers, self.moved, key, value)
        if moved != self.moved:
            self.moved = moved
            self._ask()

    def put(self, moved: Moved) -> None:
        """Move every lever to where a case has it, and ask."""
        if dict(moved) != self.moved:
            self.moved = dict(moved)
            self._ask()

    @property
    def change(self) -> CaseChange:
        """What is asked now."""
        return change_of(self.levers, self.moved, ", ".join(words_of(self.levers, self.moved)) or AS_IT_STANDS.name)

    @property
    def is_answered(self) -> bool:
        """Whether the continuous answer is that of the question."""
        return self.quick is not None and self.quick.number == self._number

    @property
    def planning(self) -> str:
        """Name of the case for which whole units are being searched; blank: none."""
        return "" if self._busy is None else self._busy[2]

    def _ask(self) -> None:
        self._number = self.workshop.number()
        self._asked_at = time.monotonic()
        if self._busy is not None and self._whole is not None:
            self._whole.end()
            self._whole = self._busy = None
            if self._writing is not None:
                self._to_export.insert(0, self._writing)
                self._writing = None
        self._end_drawing()
        self.curve = None if self.curve is None else replace(self.curve, total_usd=None, drawn=None)
        if self._continuous is not None:
            self._continuous.ask(Asked(self._number, self.change, near_of(self.levers, self.moved)))
        known = self._known.get(_key(self.moved))
        self.planned = None if known is None else replace(known, number=self._number)
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self.changed("asked")

    def ask_curve(self, key: str | None) -> None:
        """Ask for the trade-off curve of a lever, everything else as it is moved now; None: none."""
        self._end_drawing()
        lever = next((one for one in self.levers if one.key == key and has_curve(one)), None)
        if lever is None:
            self.curve = None
            self.changed("curve")
            return
        low, high = ends = ends_of(lever, self._signed_usd(lever))
        here = self.moved.get(lever.key, lever.start)
        own = {float(here)} if isinstance(here, int | float) and low <= here <= high else set()
        values = sorted({round(low + (high - low) * k / (CURVE_POINTS - 1), 6) for k in range(CURVE_POINTS)} | own)
        self.curve = CurveShown(lever, ends, tuple(values))
        self._ask_curve()
        self._draw()
        self.changed("curve")

    def _signed_usd(self, lever: Lever) -> float:
        """Return what the folder as it stands commits to: over whole terms, or inside the horizon."""
        if self.base is None:
            return 0.0
        return self.base.to_sign_usd if "whole_term" in lever.key else self.base.parts["reserved_usd"]

    def _draw(self) -> None:
        """Have the exact curve drawn, unless it is; of a question that is not answered yet later."""
        if self.curve is None or self.curve.drawn is not None or self._drawing is not None or not self.is_answered:
            return
        lever = self.curve.lever
        here = self.moved.get(lever.key, lever.start)
        besides = {key: value for key, value in self.moved.items() if key != lever.key}
        asked = ToDraw(self._number, parameter_of(lever, self.curve.ends), change_of(self.levers, besides),
                       number_of(lever, float(here)) if isinstance(here, int | float) else None)  # fmt: skip
        self._drawing = self.workshop.drawing()
        self._drawing.heard = self._heard
        self._drawing.ask(asked)

    def _end_drawing(self) -> None:
        if self._drawing is not None:
            self._drawing.end()
            self._drawing = None

    def _ask_curve(self) -> None:
        if self.curve is None or self._continuous is None or not self.is_answered:
            return  # the answer comes first; then the curve is asked for
        points = []
        for value in self.curve.values:
            moved = moved_to(self.levers, self.moved, self.curve.lever.key, value)
            points.append(Asked(self._number, change_of(self.levers, moved, "point"), near_of(self.levers, moved)))
        self._continuous.ask(Points(self._number, self.curve.lever.key, tuple(points)))

    # -- answers -----------------------------------------------------------------------------------------------------
    def _heard(self, said: Any) -> None:
        """Take what a worker said; of older questions nothing is shown."""
        if isinstance(said, Quick) and said.number == self._number:
            if not self.is_answered:
                self.quick_seconds = time.monotonic() - self._asked_at
            self.quick = said
            if not self.moved and said.picture is not None:
                self.base = said.picture
            self.changed("quick")
            if self._later is not None:
                self._later.cancel()
            still = max(0.0, STILL_SECONDS - self.quick_seconds)
            self._later = asyncio.get_running_loop().call_later(still, self._is_still)
            if self.curve is not None and self.curve.total_usd is None:
                self._ask_curve()
        elif isinstance(said, Curve) and said.number == self._number and self.curve is not None:
            if said.lever == self.curve.lever.key:
                self.curve = replace(self.curve, total_usd=said.total_usd)
                self.changed("curve")
        elif isinstance(said, Drawn):
            if self.curve is not None and said.number == self._number and self._drawing is not None:
                self.curve = replace(self.curve, drawn=said)
                if not said.left:
                    self._end_drawing()
                self.changed("curve")
        elif isinstance(said, Planned):
            self._heard_plan(said)
        elif isinstance(said, Exported):
            self._busy = self._writing = None
            self.exports.append(said)
            self.changed("exported")
            self._plan_next()

    def _heard_plan(self, said: Planned) -> None:
        if self._busy is None or self._busy[0] != said.number:
            return
        _, key, _ = self._busy
        self._known[key] = said
        for case in self.kept:
            if case.answer is None and not said.failed and case.moved is not None and _key(case.moved) == key:
                case.answer = _named(said.answer, case)
        if key == _key(self.moved):
            self.planned = replace(said, number=self._number)
        self._busy = None
        self.changed("planned")
        self._plan_next()

    def _is_still(self) -> None:
        """Nothing moved for a moment: search whole units, and draw the curve that is shown."""
        self._plan_next()
        self._draw()

    def _plan_next(self) -> None:
        """Search whole units of the question, then of kept cases without a plan; then write what is to be exported."""
        if self._busy is not None or self._continuous is None or not self.is_answered:
            return
        if self._whole is None or not self._whole.alive:
            self._whole = self.workshop.whole()
            self._whole.heard = self._heard
        found = self._to_plan()
        if found is not None:
            name, moved, rules = found
            self._busy = (self._number, _key(moved), name)
            self._whole.ask(Asked(self._number, change_of(self.levers, moved, name), {}, rules))
        elif self._to_export:
            self._writing = self._to_export.pop(0)
            self._busy = (self._writing.number, (), self._writing.change.name)
            self._whole.ask(self._writing)
        self.changed("planning")

    def _to_plan(self) -> tuple[str, dict[str, Value], bool] | None:
        """Return the case to plan next, and whether to find what its rules cost: first every plan, then the rules."""
        now = (self.change.name, self.moved)
        cases = [now, (AS_IT_STANDS.name, {}), *((c.name, c.moved) for c in self.kept if c.moved is not None)]
        for name, moved in cases:
            if _key(moved) not in self._known:
                return name, moved, False
        if self._to_export:
            return None
        known = self._known[_key(self.moved)]
        return (*now, True) if known.detail is not None and known.detail.rules is None else None

    # -- kept cases --------------------------------------------------------------------------------------------------
    def keep(self, name: str) -> KeptCase:
        """Keep what is moved now under a name.

        Raises
        ------
        ValueError : the name is blank or taken, or nothing is moved.
        """
        name = name.strip()
        if not self.moved:
            raise ValueError("Nothing is moved: this is the folder as it stands, which every study holds.")
        if not name:
            raise ValueError("A case needs a name.")
        if name == AS_IT_STANDS.name or any(case.name == name for case in self.kept):
            raise ValueError(f"There is a case {name!r} already: choose another name, or forget that one.")
        picture = self.quick.picture if self.quick is not None and self.is_answered else None
        known = self._known.get(_key(self.moved))
        case = KeptCase(name, change_of(self.levers, self.moved, name), dict(self.moved), picture)
        case.answer = None if known is None or known.failed else _named(known.answer, case)
        self.kept.append(case)
        self.changed("kept")
        self._plan_next()
        return case

    def forget(self, name: str) -> None:
        """Keep a case no longer; a study on disk keeps it."""
        self.kept = [case for case in self.kept if case.name != name]
        self.changed("kept")

    @property
    def base_answer(self) -> Answer | None:
        """The plan of the folder as it stands, once it is found."""
        known = self._known.get(())
        return None if known is None or known.failed else replace(known.answer, change=AS_IT_STANDS)

    @property
    def base_plan(self) -> Picture | None:
        """What the folder as it stands comes to in whole units, once it is found."""
        known = self._known.get(())
        return None if known is None or known.detail is None else known.detail.picture

    @property
    def unplanned(self) -> list[str]:
        """Names of the cases of a study that have no plan yet."""
        missing = [] if self.base_answer is not None else [AS_IT_STANDS.name]
        return [*missing, *(case.name for case in self.kept if case.answer is None)]

    def export(self, order: Export) -> None:
        """Write the plan of a case with its workbook, once the worker has nothing else to do."""
        self._to_export.append(order)
        self._plan_next()
        self.changed("exporting")

    @property
    def exporting(self) -> bool:
        """Whether a plan is still to be written."""
        return bool(self._to_export) or self._writing is not None


def _key(moved: Moved) -> Key:
    return tuple(sorted(moved.items()))


def _named(answer: Answer, case: KeptCase) -> Answer:
    return replace(answer, change=case.change)
