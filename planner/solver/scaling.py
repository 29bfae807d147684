"""Scaling: every number that the solver sees is of order one (raw dollars per token make HiGHS report false optima)."""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import Columns, kept_purchases
from planner.model.objective import scenario_usd
from planner.model.program import LinearProgram
from planner.model.sets import Floats, Sets


@dataclass(frozen=True)
class Scale:
    """Natural value = column scale x solver's; natural row activity = solver's / row scale; USD = cost x solver's."""

    column: Floats
    row: Floats
    cost: float


def scale_of(program: LinearProgram) -> Scale:
    """Choose powers of two (exact in floats): a need's peak, a deployment's full load, a mean flow's cost are 1."""
    column = column_scale(program.sets, program.columns)
    row = np.concatenate([_equilibrated(rows.count, rows.row, rows.column, rows.value, column)
                          for rows in program.families])  # fmt: skip
    scaled = program.cost * column
    flows = scaled[program.columns.flow_first :]
    positive = flows[flows > 0] if (flows > 0).any() else scaled[scaled > 0]
    return Scale(column, row, float(_power_of_two(positive.mean())) if len(positive) else 1.0)


def column_scale(sets: Sets, at: Columns) -> Floats:
    """Size of a typical value of each column: krph at the need's peak, units that carry all peaks at once."""
    column = np.ones(at.count)
    peak = need_peaks(sets)
    column[at.flow_first :] = peak[sets.arcs["need"].to_numpy(int)[at.flow_arc]]
    for columns in (at.taken, at.backlog, at.credit):
        column[columns[columns >= 0]] = np.broadcast_to(peak[at.queues.need][:, None], columns.shape)[columns >= 0]
    units = deployment_peaks(sets)
    column[at.deployed] = units[:, None]
    for columns in (at.scaled, at.started):
        column[columns[columns >= 0]] = np.broadcast_to(units[:, None], columns.shape)[columns >= 0]
    by_meter = np.zeros(len(sets.meters))
    np.maximum.at(by_meter, sets.deployments["meter_row"].to_numpy(int), units)
    by_meter[by_meter <= 0] = 1.0
    column[at.committed] = by_meter[sets.purchases["meter_row"].to_numpy(int)]
    kept = kept_purchases(sets)
    column[at.more] = column[at.fewer] = column[at.committed[kept]]
    priced = at.unreserved >= 0
    column[at.unreserved[priced]] = np.broadcast_to(by_meter[:, None], priced.shape)[priced]
    if sets.spend is not None and at.short.size:
        there = at.short >= 0
        column[at.short[there]] = np.broadcast_to(np.maximum(sets.spend.usd, 1.0)[:, None], at.short.shape)[there]
    if len(at.threshold):
        usd = scenario_usd(sets, at)[at.flow_first :]
        need = sets.arcs["need"].to_numpy(int)[at.flow_arc]
        ways = np.zeros(sets.demand.shape)
        np.add.at(ways, (need, at.flow_slot), 1.0)
        typical = float((usd * sets.demand[need, at.flow_slot] / ways[need, at.flow_slot]).sum())
        column[[*at.threshold, *at.over[at.over >= 0], *at.under[at.under >= 0]]] = max(
            typical / max(len(sets.chances), 1), 1.0
        )
    return _power_of_two(column)


def need_peaks(sets: Sets) -> Floats:
    """Largest demand of each need over its slots, krph."""
    peak: Floats = sets.demand.max(axis=1, initial=0.0)
    return np.where(peak > 0, peak, 1.0)


def deployment_peaks(sets: Sets) -> Floats:
    """Units of each deployment that the largest single need would load at its peak."""
    need = sets.arcs["need"].to_numpy(int)[sets.loads["arc"].to_numpy(int)]
    load = sets.loads["units"].to_numpy(float) * need_peaks(sets)[need]
    units = np.zeros(len(sets.deployments))
    np.maximum.at(units, sets.loads["deployment"].to_numpy(int), load)
    return np.where(units > 0, units, 1.0)


def _equilibrated(count: int, row: np.ndarray, column: np.ndarray, value: np.ndarray, scale: Floats) -> Floats:
    largest = np.zeros(count)
    np.maximum.at(largest, row, np.abs(value) * scale[column])
    return 1.0 / _power_of_two(np.where(largest > 0, largest, 1.0))


def _power_of_two(values: Floats) -> Floats:
    rounded: Floats = np.exp2(np.round(np.log2(values)))
    return rounded
