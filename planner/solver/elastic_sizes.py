"""Sizes that are for sale in an elastic programme: from the optimum for units of any size to whole units.

Deployments rounded up, and then the purchases that cover them, mostly come so near the linear programme's optimum,
which no answer in whole units is below, that no search is needed; HiGHS's takes minutes over the flows of all hours.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import highspy
import numpy as np

from planner.model.columns import Columns, sizes_beside
from planner.model.sets import Floats, Ints
from planner.solver.highs import set_options
from planner.solver.scaling import Scale

LEAST = 1e-9  # units, or changes of the objective, below are none


class ElasticSizes:
    """The sizes of an elastic programme.

    Parameters
    ----------
    settle : solves the programme, stress rows included; the values of all columns, None where it has no solution.

    least_share : what is below this share of the last answer is not enough, whatever it is.
    """

    def __init__(
        self, highs: highspy.Highs, columns: Columns, scale: Scale, settle: Callable[..., Floats | None]
    ) -> None:
        self.highs, self.at, self.scale, self.settle = highs, columns, scale, settle
        self.least_share = 1.0
        bought = np.isin(columns.sized, columns.committed)
        self.deployments, self.purchases = np.flatnonzero(~bought), np.flatnonzero(bought)

    def found(self, values: Floats, near: float, *, search: bool) -> Floats | None:
        """Go from the linear programme's values to whole units; None where there is no answer in whole units.

        Sizes rounded up are the answer if they are within ``near`` of the linear programme's objective, and if no
        search is asked for; else they are where HiGHS's search begins. `least_share` says how near the answer is.
        """
        bound = self.highs.getInfo().objective_function_value
        enough = near if math.isinf(near) else bound + near * abs(bound) + LEAST
        rounded = self._rounded_up(values, enough)
        if rounded is None or (search and rounded[1] > enough):
            self.least_share = 1 / (1 + near)
            return self._searched(None if rounded is None else rounded[0], near)
        self.least_share = bound / rounded[1] if rounded[1] > LEAST else 1.0
        return rounded[0]

    def _searched(self, start: Floats | None, near: float) -> Floats | None:
        """Search by HiGHS, from some values if there are any."""
        whole = np.flatnonzero(self.at.integer)
        h, kinds, columns = self.highs, highspy.HighsVarType, whole.astype(np.int32)
        set_options(h, presolve="choose", solver="choose", mip_rel_gap=near, mip_feasibility_tolerance=1e-9)
        h.changeColsIntegrality(len(whole), columns, np.full(len(whole), kinds.kInteger))
        try:
            if start is not None:
                solution = highspy.HighsSolution()
                solution.col_value = start.tolist()
                h.setSolution(solution)
            values = self.settle(whole=True)
        finally:  # out of time too: the next question finds the linear programme
            h.changeColsIntegrality(len(whole), columns, np.full(len(whole), kinds.kContinuous))
            set_options(h, presolve="on", solver="simplex")
        if values is None:
            return None
        with self._fixed(whole, np.round(values[whole] * self.scale.column[whole])):
            return self.settle()

    def _rounded_up(self, values: Floats, enough: float) -> tuple[Floats, float] | None:
        """Round deployments up to sizes that are for sale, then the purchases that cover them; values and objective.

        While the objective is above ``enough``, each deployment is tried at the next smaller size, once.
        """
        mine, step = self.deployments, self.at.size_step[self.deployments]
        low, used = self.at.size_low[mine], self._units(mine, values)
        sizes = _for_sale(used, low, step)
        best = self._covered(sizes)
        smaller = np.where(sizes - step >= np.maximum(low, LEAST), sizes - step, 0.0)
        for k in np.argsort(used - sizes, kind="stable"):
            if best is None or best[1] <= enough:
                break
            less = np.where((np.arange(len(sizes)) == k) & (step > 0), smaller, sizes)
            found = self._covered(less) if less[k] < sizes[k] else None
            if found is not None and found[1] < best[1]:
                best, sizes = found, less
        return best

    def _covered(self, sizes: Floats) -> tuple[Floats, float] | None:
        """Values and objective with deployments of some sizes, and purchases of the linear programme rounded up."""
        mine = self.purchases
        with self._sized(self.deployments, sizes):
            values = self.settle()
            if values is None:
                return None
            bought = _for_sale(self._units(mine, values), self.at.size_low[mine], self.at.size_step[mine])
            with self._sized(mine, bought):
                values = self.settle()
                return None if values is None else (values, float(self.highs.getInfo().objective_function_value))

    def _units(self, which: Ints, values: Floats) -> Floats:
        columns = self.at.sized[which]
        units: Floats = values[columns] * self.scale.column[columns]
        return units

    @contextmanager
    def _sized(self, which: Ints, sizes: Floats) -> Iterator[None]:
        """Keep some of the sized quantities to sizes that are for sale, for a while."""
        at = self.at
        stepped, switched = at.size_steps[which] >= 0, at.size_on[which] >= 0
        over = (sizes - at.size_low[which])[stepped] / at.size_step[which][stepped]
        columns = np.concatenate([at.size_steps[which][stepped], at.size_on[which][switched]])
        with self._fixed(columns, np.concatenate([np.maximum(np.round(over), 0.0), sizes[switched] > 0])):
            yield

    @contextmanager
    def _fixed(self, columns: Ints, numbers: Floats) -> Iterator[None]:
        """Keep columns at whole numbers, in their own units, for a while."""
        scale, which = self.scale.column[columns], columns.astype(np.int32)
        self.highs.changeColsBounds(len(which), which, numbers / scale, numbers / scale)
        try:
            yield
        finally:
            self.highs.changeColsBounds(len(which), which, np.zeros(len(which)), self.at.upper[columns] / scale)


def _for_sale(units: Floats, low: Floats, step: Floats) -> Floats:
    """Smallest size that is for sale and not below some units: none, or ``low`` plus a whole number of steps."""
    used = np.where(units > LEAST, units * (1 - LEAST), 0.0)
    return sizes_beside(used, low, step)[1]
