"""Dual prices of the rows of one slot: what each slot costs at some units, no less than any of them says.

By weak duality what slot τ costs at units x is no less than y · rhs(x, τ) for the dual prices y of any slot with the
same rows and costs; y is per week of a slot.
"""

import numpy as np

from planner.model.program import LinearProgram
from planner.model.reduce.slot_means import numbered
from planner.model.sets import Floats, Ints

MOST_PRICES = 400  # of slots that cost the same
DIGITS = 7  # in which two dual prices differ


class SlotPrices:
    """Dual prices of the rows of one slot, per week of it: those that were met, by kind of slot.

    row : number among the rows of its slot of each literal row; -1: it is none of a single slot. slot : of each row.
    """

    def __init__(self, program: LinearProgram, kind: Ints) -> None:
        self.program, self.kind = program, kind
        self.row, self.slot = np.full(program.row_count, -1), np.zeros(program.row_count, np.int64)
        count = 0
        for rows in program.families:
            if "slot" not in rows.index or not rows.count:
                continue
            names = sorted(set(rows.index) - {"slot"})
            at = slice(program.first_row(rows.family), program.first_row(rows.family) + rows.count)
            own = numbered(*(rows.index[name] for name in names)) if names else np.zeros(rows.count, np.int64)
            self.row[at], self.slot[at] = count + own, rows.index["slot"]
            count += int(own.max()) + 1
        self.of_slot = np.flatnonzero(self.row >= 0)
        lower, upper = program.bounds()
        self.shape = count, len(program.sets.slots)
        self.lower, self.upper = self._table(lower), self._table(upper)
        row, column, value = program.entries()
        own_column = (column < program.columns.flow_first) & (self.row[row] >= 0) & (value != 0)
        self.entries = row[own_column], column[own_column], value[own_column]
        self.known: list[Floats] = [np.zeros((count, 1)) for _ in range(int(kind.max(initial=-1)) + 1)]

    def _table(self, of_row: Floats) -> Floats:
        """Numbers of rows as a table rows of a slot x slots; 0 where there is none, or no bound."""
        table = np.zeros(self.shape)
        rows = self.of_slot
        table[self.row[rows], self.slot[rows]] = np.where(np.isfinite(of_row[rows]), of_row[rows], 0.0)
        return table

    def of_slots(self, duals: Floats) -> Floats:
        """Dual prices of the literal rows as a table rows of a slot x slots, per week."""
        weeks = self.program.sets.slots["weeks"].to_numpy(float)
        found: Floats = np.divide(self._table(duals), weeks, out=np.zeros(self.shape), where=weeks > 0)
        return found

    def add(self, table: Floats) -> None:
        """Remember the prices of every slot."""
        for kind, known in enumerate(self.known):
            if known.shape[1] <= MOST_PRICES:
                both = np.concatenate([known, table[:, self.kind == kind]], axis=1)
                size = np.abs(both).max(axis=1, keepdims=True, initial=0.0)
                told = np.round(both / np.where(size > 0, size, 1.0), DIGITS)
                _, first = np.unique(told, axis=1, return_index=True)
                self.known[kind] = both[:, np.sort(first)]

    def hidden(self, units: Floats, table: Floats) -> tuple[Floats, Ints]:
        """Find what each slot costs more at some units than its own prices say (USD), and which known prices say so.

        -1: none do. units : values of the columns that are no flows. table : the slots' own prices (`of_slots`).
        """
        row, column, value = self.entries
        taken = self._table(np.bincount(row, value * units[column], self.program.row_count).astype(float))
        lower, upper = self.lower - taken, self.upper - taken
        weeks = self.program.sets.slots["weeks"].to_numpy(float)
        own = (np.maximum(table, 0.0) * lower + np.minimum(table, 0.0) * upper).sum(axis=0)
        usd, best = np.zeros(len(weeks)), np.zeros(len(weeks), np.int64)
        for kind, known in enumerate(self.known):
            mine = np.flatnonzero(self.kind == kind)
            if len(mine):
                worth = np.maximum(known, 0.0).T @ lower[:, mine] + np.minimum(known, 0.0).T @ upper[:, mine]
                more = worth.max(axis=0) - own[mine]
                best[mine] = np.where(more > 0, np.argmax(worth, axis=0), -1)
                usd[mine] = np.maximum(more, 0.0) * weeks[mine]
        return usd, best
