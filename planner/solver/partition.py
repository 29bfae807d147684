"""A large part by its slots' means: groups of slots are split only where the prices of their members differ.

On the programme of `model.reduce.slot_means`, again and again:

1. Its optimum, for units of any size or whole: a bound on every plan's cost, and units x.
2. What slot τ costs at units x is, by weak duality, no less than y · rhs(x, τ) at any dual prices y of a slot that
   costs the same. Of all such prices that were met, the best for τ is held against those of τ's own group: what is
   missing adds up to what the group hides. Groups that hide most are split, each by which prices are best for its
   members.
3. Where little is hidden, the flows of every literal slot are found for units x, a period at a time: a plan, at its
   true cost, and the true prices of every slot.

It ends when plan and bound are within the gap. The certificate is that of the literal programme, whose dual prices
those of the means are; the tree's bound rests on `SlotMeans.hold`.
"""

import time
from dataclasses import dataclass, field, replace

import highspy
import numpy as np

from planner.errors import StoppedError
from planner.model.program import LinearProgram, families_of, program_of
from planner.model.reduce.slot_means import SlotMeans, halved, mean_slots, numbered, priced_alike
from planner.model.sets import Floats, Ints, Sets
from planner.model.structure import prices_on_sizes, rules_on_sizes
from planner.plan.plan import gap_of
from planner.solver.certificate import certify, price_table
from planner.solver.component import ComponentPlan, plan_of
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.highs import Clock, Session
from planner.solver.joint import joint_columns
from planner.solver.scaling import deployment_peaks, need_peaks
from planner.solver.single import solve_sizes
from planner.solver.slot_prices import SlotPrices
from planner.solver.stress_search import Cut, Separator
from planner.solver.ties import choose_by_rule, equal_offers_by_rule

LARGE = 150_000  # columns from which it pays (measured)
DEPTH = 3  # halvings of the slots of a period and price to begin with: 8 groups
ROUNDS = 20  # of splitting, for units of any size
SEARCHES = 8  # of whole units
PARTS = 6  # that a group is split into, at most
ANY_SIZE_GAP = 1e-8  # relative gap asked of units of any size
HIDDEN = 0.2  # share of the gap asked that groups may hide
SEARCHED = 0.4  # share of it that a search of whole units may leave open
RESERVE = 3.0  # times what the flows took the last time: left for them where the time is limited


def may_be_grouped(program: LinearProgram) -> bool:
    """Whether a programme is large, decides nothing by the hour but flows, and ties flows of one period at most."""
    sets, at = program.sets, program.columns
    if at.count < LARGE or at.hours_first < at.flow_first or (at.scaled >= 0).any():
        return False
    if len(joint_columns(at)) or sets.tolls is not None:
        return False
    period = sets.slot_period
    for rows in program.families:
        flow = rows.column >= at.flow_first
        if "slot" in rows.index or not flow.any():
            continue
        of = period[at.flow_slot[rows.column[flow] - at.flow_first]]
        low, high = np.full(rows.count, len(sets.periods)), np.full(rows.count, -1)
        np.minimum.at(low, rows.row[flow], of)
        np.maximum.at(high, rows.row[flow], of)
        if (high > low).any():
            return False
    return True


def solve_by_means(part: Sets, program: LinearProgram, gap: float, clock: Clock) -> ComponentPlan | None:
    """Find the plan of a part from its reduced programme; None: it has to be found another way.

    ``gap`` : relative gap asked of plan and bound in whole units.

    Raises
    ------
    StoppedError : the time ran out before there was a plan.
    """
    asked = gap if program.sets.has_size_rules else ANY_SIZE_GAP
    return _Partition(part, program, asked, clock).plan() if may_be_grouped(program) else None


@dataclass
class _Proof:
    """What the optimum of the means proves: cost (USD), dual prices of the literal rows, those of the stress rows."""

    usd: float
    duals: Floats
    cut_duals: Floats
    cuts: list[Cut]


@dataclass
class _Partition:
    """The groups of a part's slots, the programme of their means, and what is known so far."""

    part: Sets
    program: LinearProgram
    gap: float
    clock: Clock
    usd: float = np.inf
    values: Floats = field(default_factory=lambda: np.empty(0))
    tree_usd: float = -np.inf
    proof: _Proof | None = None
    flow_seconds: float = 0.0
    last: LinearSolve | None = None
    means: SlotMeans = field(init=False)

    def __post_init__(self) -> None:
        self.sets = self.program.sets
        self.period = numbered(self.sets.slots["period"].to_numpy(int))
        alike = priced_alike(self.sets)
        self.prices = SlotPrices(self.program, alike)
        self.group_of = halved(self.sets, numbered(self.period, alike), DEPTH)
        peaks = need_peaks(self.sets), deployment_peaks(self.sets)
        self.separator = Separator(self.sets, *peaks, self.clock)
        self.cuts: list[Cut] = []
        names = {
            rows.family for rows in self.program.families if (rows.column >= self.program.columns.flow_first).any()
        }
        self.of_flows = tuple(family for family in families_of(self.sets) if family.name in names)
        self.flow_number = self.program.columns.flow_numbers(self.sets)
        self.whole = self.sets.has_size_rules

    def plan(self) -> ComponentPlan | None:
        """Find the plan."""
        if not self._any_size():
            return None
        try:
            if self.whole and not self._sizes():
                return None
        except StoppedError:
            if not np.isfinite(self.usd):
                raise
        self.clock.deadline = np.inf  # what is found in time is finished
        return self._finished() if np.isfinite(self.usd) and self.means.hold() else None

    def _solve(self) -> bool:
        """Find the optimum of the means for units of any size; False where there is none.

        It starts from the last one's basis: each group from that of the group it was part of.
        """
        program = program_of(mean_slots(self.sets, self.group_of))
        means = SlotMeans.of(self.program, program, self.group_of)
        solve = LinearSolve(program, Session(program, self.clock), self.separator)
        if self.last is not None:
            self.cuts = list(self.last.cuts)
        solve.add(self.cuts)
        if self.last is not None:
            column, row = np.zeros(program.columns.count, np.int64), np.full(program.row_count, -1)
            column[means.column] = self.means.column
            row[means.row] = self.means.row
            basis = self.last.session.highs.getBasis()
            _begin_from(solve.session, basis, column[program.columns.flow_first :], row, self.last.program.row_count)
        self.means, self.solve, self.last = means, solve, solve
        found = solve_linear(solve)
        self.cuts = list(solve.cuts)
        return found

    def _any_size(self) -> bool:
        """Split groups until they hide little of what units of any size cost; False where that does not end well."""
        first = self.program.columns.flow_first
        for _ in range(ROUNDS):
            if not self._solve():
                return False
            session, rows = self.solve.session, self.solve.program.row_count
            duals = session.row_duals()
            usd = session.objective()
            self.proof = _Proof(usd, self.means.duals(duals[:rows]), duals[rows:], list(self.cuts))
            units = np.maximum(session.values()[:first], 0.0)
            may_hide = HIDDEN * self.gap * abs(usd)
            if self._split(units, duals[:rows], may_hide):
                continue
            if self.whole:  # what the prices of every slot say, not those of the groups alone
                self._flows(units, plan=False)
                if not self._split(units, duals[:rows], may_hide):
                    return solve_linear(self.solve)
                continue
            own = np.maximum(choose_by_rule(self.solve)[:first], 0.0)
            for chosen in (own, units):
                if self._flows(chosen) is not None and self.usd - usd <= self.gap * abs(self.usd):
                    return True
            if not self._split(units, duals[:rows], may_hide) and not self._halve():
                return False
        return False

    def _sizes(self) -> bool:
        """Search whole units; False where there are none."""
        first = self.program.columns.flow_first
        for _ in range(SEARCHES):
            left_for_flows = self.clock.deadline - RESERVE * self.flow_seconds
            quiet = replace(self.clock, tell=None, deadline=left_for_flows)
            found = solve_sizes(self.solve, SEARCHED * self.gap, quiet)
            if found is None or not np.isfinite(found.usd):
                return False
            self.tree_usd = max(self.tree_usd, found.bound_usd)
            counted = rules_on_sizes(self.solve.program.sets) or prices_on_sizes(self.solve.program.sets)
            values = found.values if counted else equal_offers_by_rule(self.solve, found.values)
            units = np.maximum(values[:first], 0.0)
            duals = self._flows(units)
            if duals is not None:
                self.clock.found(gap_of(self.usd, self.tree_usd), self.usd, self.tree_usd)
            if self.usd - self.tree_usd <= self.gap * abs(self.usd):
                return True
            split = duals is not None and self._split(units, duals, HIDDEN * self.gap * abs(found.usd))
            if not (split or self._halve()) or not self._solve():
                break
        return bool(np.isfinite(self.usd))

    def _fixed(self, units: Floats) -> tuple[Floats, highspy.HighsBasis] | None:
        """Solve the means at some units: their rows' dual prices, and the basis; None where these do not serve."""
        session, column = self.solve.session, np.arange(len(units))
        session.set_column_bounds(column, units, units)
        found = (
            (session.row_duals()[: self.solve.program.row_count], session.highs.getBasis()) if session.solve() else None
        )
        session.set_column_bounds(column, np.zeros(len(units)), self.solve.program.columns.upper[column])
        return found

    def _split(self, units: Floats, duals: Floats, may_hide: float) -> bool:
        """Split the groups that hide most of what some units cost, until the rest hides little; whether any was."""
        table = self.prices.of_slots(self.means.duals(duals))
        self.prices.add(table)
        usd, best = self.prices.hidden(units, table)
        hidden = np.bincount(self.group_of, usd)
        order = np.argsort(-hidden, kind="stable")
        above = np.searchsorted(np.cumsum(hidden[order]), hidden.sum() - may_hide) + 1 if hidden.sum() > may_hide else 0
        part = np.zeros(len(self.group_of), np.int64)
        for group in order[:above]:
            mine = np.flatnonzero(self.group_of == group)
            _, which = np.unique(best[mine], return_inverse=True)
            rank = np.argsort(np.argsort(-np.bincount(which, usd[mine]), kind="stable"), kind="stable")
            part[mine] = np.minimum(rank[which], PARTS - 1)
        return self._grouped(part)

    def _halve(self) -> bool:
        """Halve the groups of periods in which the last units did not serve every slot; whether any was."""
        part = np.zeros(len(self.group_of), np.int64)
        for group in np.unique(self.group_of[np.isin(self.period, self.lost)]):
            mine = np.flatnonzero(self.group_of == group)
            asked = self.sets.demand[:, mine].sum(axis=0)
            part[mine[np.argsort(-asked, kind="stable")[: len(mine) // 2]]] = 1
        return self._grouped(part)

    def _grouped(self, part: Ints) -> bool:
        """Split groups into parts; whether that makes more of them."""
        groups = int(self.group_of.max()) + 1
        self.group_of = numbered(self.group_of, part)
        return int(self.group_of.max()) + 1 > groups

    def _flows(self, units: Floats, plan: bool = True) -> Floats | None:
        """Find the flows of every literal slot at some units, and keep them if they are a plan that costs less.

        Each slot starts from the basis of its group at these units, which only its demand may break.

        Parameters
        ----------
        units : values of the columns that are no flows. plan : whether they keep to their sizes.

        Returns
        -------
        Dual prices of the means' rows at these units; None where some slot is not served.
        """
        first, began = self.program.columns.flow_first, time.monotonic()
        values, duals = np.zeros(self.program.columns.count), np.zeros(self.program.row_count)
        values[:first] = units
        of_means, basis = self._fixed(units) or (None, None)
        self.lost: list[int] = []
        for p in np.unique(self.period).tolist():
            slots = np.flatnonzero(self.period == p)
            program = program_of(self._of_slots(slots), families=self.of_flows)
            at, rows = program.columns, self._rows(p, program)
            session = Session(program, self.clock)
            session.set_column_bounds(np.arange(first), units, units)
            column = self.flow_number[at.flow_arc, slots[at.flow_slot]]
            if basis is not None:
                _begin_from(session, basis, self.means.column[column], np.append(self.means.row, -1)[rows])
            if not session.solve():
                self.lost.append(p)
                continue
            values[column] = np.maximum(session.values()[at.flow_first :], 0.0)
            duals[rows[rows >= 0]] = session.row_duals()[rows >= 0]
        self.prices.add(self.prices.of_slots(duals))
        self.flow_seconds = time.monotonic() - began
        if self.lost:
            return None
        usd = float(self.program.cost @ values)
        if plan and usd < self.usd:
            self.usd, self.values = usd, values
        return of_means

    def _of_slots(self, slots: Ints) -> Sets:
        """Take some slots."""
        members = tuple(self.sets.members[t] for t in slots)
        own = self.sets.slots.iloc[slots].reset_index(drop=True)
        return replace(self.sets, slots=own, demand=self.sets.demand[:, slots], members=members)

    def _rows(self, period: int, program: LinearProgram) -> Ints:
        """Find the literal row of each row of a period's programme; -1 where it is none of a single slot."""
        found = np.full(program.row_count, -1)
        for own in program.families:
            if "slot" not in own.index:
                continue
            of, first = self.program.family(own.family), program.first_row(own.family)
            rows = np.flatnonzero(self.period[of.index["slot"]] == period) + self.program.first_row(own.family)
            if len(rows) == own.count:  # the same rows in the same order
                found[first : first + own.count] = rows
        return found

    def _finished(self) -> ComponentPlan | None:
        """State the plan of the literal programme; None where a rule sees more than a period's flows at a time."""
        proof = self.proof
        assert proof is not None
        duals = np.concatenate([proof.duals, proof.cut_duals])
        certificate = certify(self.program, duals, proof.cuts, self.usd)
        networks = [problem.net for problem in self.separator.problems]
        prices = price_table(self.program, certificate, proof.cuts, networks, self.part)
        tree = max(self.tree_usd, certificate.bound_usd) if self.whole else certificate.bound_usd
        literal = LinearSolve(self.program, self.solve.session, self.separator, proof.cuts)
        bound = min(tree, self.usd)
        try:
            return plan_of(
                literal, self.values, usd=self.usd, tree_bound=bound, certificate=certificate, duals=duals,
                prices=prices,
            )  # fmt: skip
        except ArithmeticError:
            return None


def _begin_from(session: Session, basis: highspy.HighsBasis, column: Ints, row: Ints, rows: int | None = None) -> None:
    """Start from a basis of the means: ``column``, ``row`` of the means for each flow and row, -1: none.

    ``rows`` : of the means, after which their stress rows follow, which are this session's too. None: all units are
    fixed.
    """
    basic, fixed = highspy.HighsBasisStatus.kBasic, highspy.HighsBasisStatus.kLower
    columns, known = np.array(basis.col_status, dtype=object), np.array([*basis.row_status, basic], dtype=object)
    own = session.program.columns.flow_first
    start = highspy.HighsBasis()
    start.col_status = ([fixed] * own if rows is None else columns[:own].tolist()) + columns[column].tolist()
    start.row_status = known[row].tolist() + ([] if rows is None else known[rows:-1].tolist())
    start.valid, start.alien = True, True
    session.highs.setBasis(start)
