"""Findings: what an audit says, the worst first, and how much it tolerates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.plan.flows import Bools, Floats

TOLERANCE = 1e-6  # absolute (in the rule's own unit) and relative, of every limit
BALANCE_TOLERANCE = 1e-5  # of what is served against demand, requests per hour
GRID_TOLERANCE = 1e-5  # of a step
SHOWN = 5  # findings of one rule that are spelled out; the rest are counted


@dataclass(frozen=True)
class Finding:
    """One broken rule: which, where and by how much in words; ``excess`` is relative, to put the worst first.

    ``places`` : how many places the finding stands for; more than one where they are counted, not spelled out.
    """

    rule: str
    message: str
    excess: float
    places: int = 1

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


def over(value: Floats, limit: Floats | float) -> Bools:
    """Whether a value is above its limit by more than the tolerance; NaN is."""
    value = np.asarray(value, dtype=float)
    size = np.maximum(np.abs(value), np.abs(limit))
    with np.errstate(invalid="ignore"):
        room = np.where(np.isposinf(limit), np.inf, limit + TOLERANCE + TOLERANCE * size)
        above: Bools = ~(value <= room)
    return above


def worst(
    rule: str, broken: Bools, amount: Floats, limit: Floats | float, describe: Callable[[int], str]
) -> list[Finding]:
    """Spell out the worst broken places of a rule and count the others.

    Parameters
    ----------
    broken : one flag a place; ``amount`` by how much it is broken, ``limit`` what it is compared with (for the order).
    describe : words for a place.
    """
    places = np.flatnonzero(broken)
    if not len(places):
        return []
    scale = np.maximum(np.abs(np.broadcast_to(limit, np.shape(broken)).ravel()[places]), 1.0)
    excess = np.nan_to_num(np.abs(np.ravel(amount)[places]) / scale, nan=np.inf, posinf=np.inf)
    order = np.argsort(-excess, kind="stable")
    found = [Finding(rule, describe(int(places[k])), float(excess[k])) for k in order[:SHOWN]]
    rest = len(places) - len(found)
    if rest:
        found.append(Finding(rule, f"and in {rest} more places", float(excess[order[SHOWN]]), rest))
    return found
