"""The exact trade-off curve of one lever and plans in whole units beside it, worked out in a process of their own.

The process is started once nothing has moved for a moment, and ended at the next move, whatever it does: answers to
moves come first.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from planner.errors import PlannerError, StoppedError
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.curve import Curve, Dot
from planner.features.what_if.curve_study import values_of_dots
from planner.features.what_if.explore.levers import Kind, Lever
from planner.features.what_if.parameter import Parameter
from planner.features.what_if.study import answer_of
from planner.features.what_if.trade_off import trade_off, weighed_by
from planner.model.index_tables import sets_of
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import audited
from planner.solver.starts import Starts

NICE = 10
SECONDS = 600.0  # for the curve; one that takes longer is asked for with planner what-if
MORE = 1.25  # times what is signed now: how far the curve of a cap goes
CAPS = ("set max_commitment_usd", "set max_commitment_whole_term_usd")


@dataclass(frozen=True)
class ToDraw:
    """A curve that is asked for: its number, what is changed besides, and where its lever stands (None: nowhere)."""

    number: int
    parameter: Parameter
    base: CaseChange
    here: float | None


@dataclass(frozen=True)
class Drawn:
    """A curve so far; `left` : plans in whole units that are still to come; `curve` None: `problem` says why."""

    number: int
    curve: Curve | None
    left: int = 0
    problem: str = ""


def has_curve(lever: Lever) -> bool:
    """Whether there is a trade-off curve of a lever."""
    return lever.kind is Kind.SLIDER or lever.key in CAPS


def ends_of(lever: Lever, signed_usd: float) -> tuple[float, float]:
    """Return the ends of a lever's curve, as the lever counts; ``signed_usd``: what is signed now."""
    if lever.kind is Kind.SLIDER:
        return lever.low, lever.high
    cap = float(lever.start) if isinstance(lever.start, int | float) else 0.0
    return 0.0, float(f"{MORE * max(signed_usd, cap, 1000.0):.2g}")


def parameter_of(lever: Lever, ends: tuple[float, float]) -> Parameter:
    """Return the number that a lever moves, between two of its values."""
    first, last = (number_of(lever, value) for value in ends)
    return Parameter(lever.key.partition(" ")[2], first, last)


def number_of(lever: Lever, value: float) -> float:
    """Return the number of the input for a value of a lever: 0.3 for 30 %, 1.2 for +20 %."""
    if lever.kind is Kind.AMOUNT:
        return value
    return round(value / 100 + (1.0 if lever.key.startswith("scale ") else 0.0), 12)


def value_of(lever: Lever, number: float) -> float:
    """Return the value of a lever for a number of the input."""
    if lever.kind is Kind.AMOUNT:
        return number
    return 100 * (number - (1.0 if lever.key.startswith("scale ") else 0.0))


def drawing_worker(case: Case, options: Options, pipe: Connection) -> None:
    """Draw curves, one after another."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    while True:
        try:
            for drawn in _drawn(case, options, pipe.recv()):
                pipe.send(drawn)
        except (EOFError, OSError):
            return


def _drawn(case: Case, options: Options, asked: ToDraw) -> Iterator[Drawn]:
    """Draw one curve: first the curve, then with each plan in whole units."""
    base = None if replace(asked.base, name="") == CaseChange("") else asked.base
    try:
        curve = trade_off(case, asked.parameter, base=base, until=time.monotonic() + SECONDS)
    except StoppedError:
        yield Drawn(asked.number, None, problem="It takes too long here: draw it with planner what-if --curve.")
        return
    except (PlannerError, ArithmeticError) as error:
        yield Drawn(asked.number, None, problem=str(error))
        return
    curve = replace(curve, now=asked.here, now_slope_usd=None)
    stands = case if base is None else changed(case, base)
    values = values_of_dots(curve, sets_of(stands).has_size_rules)
    if asked.here in values:  # known by now, or soon
        values = [asked.here, *(v for v in values if v != asked.here)]
    yield Drawn(asked.number, curve, len(values))
    for k, value in enumerate(values):
        dot = _dot(case, asked.parameter, value, base, options)
        curve = replace(curve, dots=tuple(sorted((*curve.dots, *dot), key=lambda one: one.value)))
        yield Drawn(asked.number, curve, len(values) - k - 1)


def _dot(case: Case, parameter: Parameter, value: float, base: CaseChange | None, options: Options) -> tuple[Dot, ...]:
    """Find the plan in whole units at a value; none where there is no plan."""
    change = parameter.change(value, base)
    try:
        answer = answer_of(audited(changed(case, change), replace(options, starts=Starts())), change)
    except (PlannerError, ArithmeticError):
        return ()
    if answer.total_usd is None:
        return ()
    own = value if parameter.base_key == "risk.weight" else weighed_by(case, base)
    more = 0.0 if answer.tail_usd is None else own * (answer.tail_usd - answer.total_usd)
    return (Dot(value, answer.total_usd + more, answer.bound_usd or 0.0),)
