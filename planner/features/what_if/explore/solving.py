"""What the two worker processes of a page do: continuous answers from a warm start, and plans in whole units.

Both run in processes of their own, so that the page stays live whatever they do: the first hears of a newer question
between two runs of HiGHS and drops the older one; the second is ended at once when the question changes.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from planner.console.arguments import write_report
from planner.errors import InfeasibleError, PlannerError, StoppedError
from planner.features.tasks import cost_per_task_sheet
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.case_factors import with_signed_apart
from planner.features.what_if.explore.details import Detail, detail_of
from planner.features.what_if.explore.levers import caps, change_of, far_ups, levers_of, near_of, warm_ups
from planner.features.what_if.explore.quick import Picture, against_in_words, picture_of
from planner.features.what_if.rules_cost_study import BUDGET_SECONDS, rules_cost
from planner.features.what_if.study import Answer, answer_of
from planner.plan.metrics.metric_tables import Metrics
from planner.plan.reading import Reading
from planner.plan.rules_cost import Nothing, RulesCost
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.highs import Clock
from planner.solver.infeasible import explain
from planner.solver.solve import audited
from planner.solver.starts import Starts
from planner.solver.warm import NoAnswer, WarmCases
from planner.solver.warm_part import Near
from planner.verify.figures import figures_of
from planner.workbook.report import Report

MOST_PLANS, NICE = 3, 5
MOST_ANSWERS = 200  # for units of any size, that are remembered
EXPLAIN_SECONDS = 60.0
LEARN_SECONDS = 20.0  # a continuous answer that is likely to be asked may take so long, no longer
LEARN_ALL_SECONDS = 300.0  # of processor time, for all of them together


@dataclass(frozen=True)
class Asked:
    """A question: its number (larger is newer), what is changed, and where that stands among others.

    rules : of a plan in whole units, whether to find what its rules cost, too.
    """

    number: int
    change: CaseChange
    near: Near
    rules: bool = False


@dataclass(frozen=True)
class Points:
    """A curve of a lever that is asked for: a question for each of its points."""

    number: int
    lever: str
    points: tuple[Asked, ...]


@dataclass(frozen=True)
class Export:
    """A plan that is to be written with its workbook."""

    number: int
    change: CaseChange
    directory: Path


@dataclass(frozen=True)
class Quick:
    """The continuous answer to a question; `picture` None: no plan exists, or `problem` says what is wrong.

    against : what cannot be kept together, in words, where no plan exists.
    """

    number: int
    picture: Picture | None
    problem: str = ""
    against: str = ""


@dataclass(frozen=True)
class Curve:
    """Total cost at each point of a curve of a lever so far, from the first on (USD; None: there is no plan)."""

    number: int
    lever: str
    total_usd: tuple[float | None, ...]


@dataclass(frozen=True)
class Planned:
    """The audited plan of a question; `detail` None: there is no plan, or (`failed`) it could not be looked for."""

    number: int
    answer: Answer
    detail: Detail | None
    failed: bool = False


@dataclass(frozen=True)
class Exported:
    """A plan was written; `problem` : why it was not."""

    number: int
    directory: Path
    problem: str = ""


# -- continuous answers ----------------------------------------------------------------------------------------------
class _Inbox:
    """The newest question, and how often one came; a thread reads, so that a newer one stops the older."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._came = threading.Condition()
        self._next: Asked | Points | None = None
        self._closed = False
        self._clock: Clock | None = None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                asked = self._pipe.recv()
            except (EOFError, OSError):
                asked = None
            with self._came:
                self._closed = asked is None
                self._next = asked
                if self._clock is not None:
                    self._clock.stop()
                self._came.notify()
            if asked is None:
                return

    def take(self, wait: bool) -> Asked | Points | None:
        """Return the newest question; without `wait`, None where there is none. None at the end, too."""
        with self._came:
            while wait and self._next is None and not self._closed:
                self._came.wait()
            found, self._next = self._next, None
            return found

    @property
    def closed(self) -> bool:
        """Whether nobody asks any more."""
        return self._closed

    def clock(self, seconds: float | None = None) -> Clock:
        """Start a clock that a newer question stops."""
        with self._came:
            self._clock = replace(Clock.of(seconds), heeded=True)
            if self._next is not None or self._closed:
                self._clock.stop()
            return self._clock


def continuous_worker(case: Case, pipe: Connection) -> None:
    """Answer questions for units of any size, the newest first; learn what is likely to be asked while nobody asks."""
    inbox, warm, levers = _Inbox(pipe), WarmCases(), levers_of(case)
    case = with_signed_apart(case.with_policy(whole_units=False))
    answered: dict[CaseChange, Quick] = {}
    waiting, learnt, left = warm_ups(levers), False, LEARN_ALL_SECONDS
    curve: _Curve | None = None
    while not inbox.closed:
        asked = inbox.take(wait=not waiting and curve is None)
        try:
            if isinstance(asked, Asked):
                curve = None
                key = replace(asked.change, name="")
                if key not in answered:
                    answered[key] = _quick(case, asked, warm, inbox, pipe.send)
                    while len(answered) > MOST_ANSWERS:
                        del answered[next(iter(answered))]
                    if key == CaseChange("") and not learnt:
                        stands, learnt = answered[key].picture, True
                        waiting += [] if stands is None else caps(levers, stands.parts["reserved_usd"])
                        waiting += far_ups(levers)
                pipe.send(replace(answered[key], number=asked.number))
            elif isinstance(asked, Points):
                curve = _Curve(asked)
            elif curve is not None:
                curve = curve.stepped(case, warm, inbox, pipe.send)
            elif waiting:
                likely, began = waiting[0], time.process_time()
                try:
                    _cost(case, change_of(levers, likely), near_of(levers, likely), warm, inbox.clock(LEARN_SECONDS))
                    waiting.pop(0)
                finally:
                    left -= time.process_time() - began
                    if left <= 0:
                        waiting.clear()
        except StoppedError:
            if asked is None and curve is None and waiting and not inbox.closed:
                waiting.append(waiting.pop(0))
        except (BrokenPipeError, EOFError):
            return


def _quick(case: Case, asked: Asked, warm: WarmCases, inbox: _Inbox, send: Callable[[Any], None]) -> Quick:
    """Answer; where no plan exists, `send` that first, and return why, unless a newer question comes."""
    try:
        asked_case = changed(case, asked.change).with_policy(whole_units=False)
        found = warm.solve(asked_case, asked.near, inbox.clock())
        if not isinstance(found, NoAnswer):
            return Quick(asked.number, picture_of(found))
        against = against_in_words(found.against)
        send(Quick(asked.number, None, against=against))
        why = explain(asked_case, found.stuck, inbox.clock(EXPLAIN_SECONDS))
        return Quick(asked.number, None, str(why), against)
    except StoppedError:
        raise
    except (PlannerError, ArithmeticError) as error:
        return Quick(asked.number, None, str(error))


def _cost(case: Case, change: CaseChange, near: Near, warm: WarmCases, clock: Clock) -> float | None:
    try:
        found = warm.solve(changed(case, change).with_policy(whole_units=False), near, clock)
    except StoppedError:
        raise
    except (PlannerError, ArithmeticError):
        return None
    return None if isinstance(found, NoAnswer) else found.totals.total_usd


class _Curve:
    """A curve that is worked out point by point, so that a question may come between."""

    def __init__(self, asked: Points) -> None:
        self._asked = asked
        self._found: list[float | None] = []

    def stepped(
        self, case: Case, warm: WarmCases, inbox: _Inbox, send: Callable[[Any], None]
    ) -> "_Curve | None":  # fmt: skip
        """Work out the next point, and send all so far; None: it was the last."""
        point = self._asked.points[len(self._found)]
        self._found.append(_cost(case, point.change, point.near, warm, inbox.clock()))
        send(Curve(self._asked.number, self._asked.lever, tuple(self._found)))
        return self if len(self._found) < len(self._asked.points) else None


# -- plans in whole units --------------------------------------------------------------------------------------------
class _Plans:
    """Audited plans of the last few questions: what is asked of one of them next needs no new search."""

    def __init__(self, case: Case, options: Options) -> None:
        self.case, self.options = case, options
        self._known: dict[CaseChange, tuple[Reading, Metrics]] = {}

    def of(self, change: CaseChange) -> tuple[Reading, Metrics]:
        """Find the audited plan of a change, and its figures.

        Raises
        ------
        PlannerError : there is none.
        """
        key = replace(change, name="")
        if key not in self._known:
            reading = audited(changed(self.case, change), replace(self.options, starts=Starts()))
            self._known[key] = reading, figures_of(reading, audited=True)
            while len(self._known) > MOST_PLANS:
                del self._known[next(iter(self._known))]
        return self._known[key]

    def rules(self, reading: Reading) -> RulesCost:
        """Find what each rule of a plan costs, for units of any size."""
        try:
            asked = replace(self.options, starts=Starts())
            return rules_cost(reading, asked, whole=False, budget_seconds=BUDGET_SECONDS)
        except PlannerError as error:
            return RulesCost((), Nothing(None, tried=False), skipped=f"Not worked out: {error}")


def whole_worker(case: Case, options: Options, pipe: Connection) -> None:
    """Find audited plans, one question after another, what their rules cost, and write them."""
    if hasattr(os, "nice"):
        os.nice(NICE)  # continuous answers come first
    plans = _Plans(case, options)
    while True:
        try:
            asked = pipe.recv()
            pipe.send(_exported(plans, asked) if isinstance(asked, Export) else _planned(plans, asked))
        except (EOFError, OSError):
            return


def _planned(plans: _Plans, asked: Asked) -> Planned:
    try:
        reading, metrics = plans.of(asked.change)
    except InfeasibleError as error:
        digest = changed(plans.case, asked.change).digest
        return Planned(asked.number, Answer(asked.change, digest, problem=str(error)), None)
    except (PlannerError, ArithmeticError) as error:
        return Planned(asked.number, Answer(asked.change, "", problem=str(error)), None, failed=True)
    rules = plans.rules(reading) if asked.rules else None
    return Planned(asked.number, answer_of(reading, asked.change), detail_of(Report(metrics, rules=rules)))


def _exported(plans: _Plans, asked: Export) -> Exported:
    try:
        reading, metrics = plans.of(asked.change)
        rules = plans.rules(reading)
        sheets = cost_per_task_sheet.sheets_for(reading.case)
        write_report(Report(metrics, rules=rules), asked.directory, sheets)
    except (PlannerError, ArithmeticError, OSError) as error:
        return Exported(asked.number, asked.directory, str(error))
    return Exported(asked.number, asked.directory)
