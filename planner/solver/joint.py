"""Columns that belong to no part of a case: shortfalls of contracts, and what scenarios cost above a threshold.

They follow from the others: they are as small as the rows allow, and the threshold is the best one.
"""

import numpy as np

from planner.model.columns import Columns
from planner.model.constraints.risk import risk
from planner.model.constraints.spend import spend
from planner.model.program import LinearProgram
from planner.model.sets import Floats, Ints, Sets

JOINT = ("spend", "risk")  # families whose rows have such columns


def joint_columns(at: Columns) -> Ints:
    """Numbers of the columns that belong to no part."""
    found: Ints = np.concatenate([columns[columns >= 0] for columns in (at.short, at.threshold, at.over, at.under)])
    return found


def settle_joint(sets: Sets, at: Columns, values: Floats) -> Floats:
    """Return the values with these columns as good as the rows allow, whatever they are."""
    found = values.copy()
    found[joint_columns(at)] = 0.0
    if at.short.size:
        rows = spend(sets, at)
        spent = np.bincount(rows.row, rows.value * found[rows.column], rows.count)
        short = at.short[rows.index["contract"], rows.index["future"]]
        found[short] = np.maximum(rows.lower - spent, 0.0)
    if len(at.threshold) and sets.risk is not None:
        rows = risk(sets, at)
        usd = np.asarray(np.bincount(rows.row, rows.value * found[rows.column], rows.count), float)
        likely = rows.index["future"]
        threshold = quantile(usd, sets.chance[likely], sets.risk.level)
        found[at.threshold] = threshold
        found[at.over[likely]] = np.maximum(usd - threshold, 0.0)
        found[at.under[likely]] = np.maximum(threshold - usd, 0.0)
    return found


def cost_settled(program: LinearProgram, values: Floats) -> float:
    """Cost of some values of all columns (USD), with these columns as good as the rows allow."""
    return float(program.cost @ settle_joint(program.sets, program.columns, values))


def quantile(usd: Floats, chance: Floats, level: float) -> float:
    """Return the least cost that is not exceeded with a probability of ``level``."""
    order = np.argsort(usd, kind="stable")
    reached = np.cumsum(chance[order]) >= level * chance.sum() - 1e-12
    return float(usd[order][int(np.argmax(reached))]) if len(order) else 0.0


def largest_joint(sets: Sets, at: Columns, usd: float) -> Floats:
    """Largest value of each column in a plan of no more than ``usd``; 0 for columns of parts.

    No scenario of it costs more than usd / probability, for the expected cost is no more than usd.
    """
    largest = np.zeros(at.count)
    chance = np.broadcast_to(sets.chance, at.short.shape)
    if sets.spend is not None and at.short.size:
        there = at.short >= 0
        largest[at.short[there]] = np.broadcast_to(np.maximum(sets.spend.usd, 0.0)[:, None], chance.shape)[there]
    if len(at.threshold):
        there = at.over >= 0
        most = usd / sets.chance[there]
        largest[at.threshold] = most.max()
        largest[at.over[there]] = most
        largest[at.under[there]] = most.max()
    return largest
