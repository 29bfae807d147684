"""Where to start: bases and stress rows of optima found before, for programmes of the same shape.

A case that differs in a policy value, a quota or a price has its optimum near that of the case it was made from, and
the simplex method goes on from there. A start changes how long a solve takes, never what is found: every stress row is
worked out anew for the new demand and quotas, and only if the network that its ray was found on is the same.
"""

from dataclasses import dataclass, field

import highspy
import numpy as np

from planner.model.reduce.project_stress import StressNetwork
from planner.model.sets import Sets
from planner.solver.continuous import LinearSolve
from planner.solver.stress_search import Cut

Shape = tuple[object, ...]
# of a stress network, what its rays depend on: everything but demand and what is left of quotas
STRESS_TABLES = ("class_of", "arcs", "arc_class", "load_arc", "load_deployment", "load_units", "limit_arc",
                 "limit_quota", "limit_tpm", "share_arc", "share_class", "share_low", "share_high")  # fmt: skip


@dataclass(frozen=True)
class _Start:
    """An optimum: its basis (status of columns, rows and stress rows), stress rows, and networks by lost region."""

    columns: list[highspy.HighsBasisStatus]
    rows: list[highspy.HighsBasisStatus]
    cuts: tuple[Cut, ...]
    networks: dict[str | None, StressNetwork]


@dataclass
class Starts:
    """Optima by shape of their programmes. frozen : whether new ones are kept no more."""

    known: dict[Shape, _Start] = field(default_factory=dict)
    frozen: bool = False

    def fixed(self) -> "Starts":
        """Return the optima known now, for solves side by side: none of them may start from another."""
        return Starts(dict(self.known), frozen=True)

    def keep(self, part: Sets, solve: LinearSolve) -> None:
        """Keep an optimum, unless one is known for its shape."""
        shape = _shape(part, solve)
        if self.frozen or shape in self.known:
            return
        basis = solve.session.highs.getBasis()
        networks = {problem.net.case.failed: problem.net for problem in solve.separator.problems}
        self.known[shape] = _Start(list(basis.col_status), list(basis.row_status), tuple(solve.cuts), networks)

    def begin(self, part: Sets, solve: LinearSolve) -> None:
        """Start a programme that is stated, and not solved yet, from the known optimum of its shape, if any."""
        start = self.known.get(_shape(part, solve))
        if start is None:
            return
        number = {problem.net.case.failed: k for k, problem in enumerate(solve.separator.problems)}
        first, added = solve.program.row_count, []
        rows = start.rows[:first]
        networks = list(start.networks.items())
        for k, cut in enumerate(start.cuts):
            failed, net = networks[cut.case]
            new = number.get(failed)
            if new is not None and same_network(net, solve.separator.problems[new].net):
                added.append(solve.separator.renewed(cut, new))
                rows.append(start.rows[first + k])
        solve.add(added)
        basis = highspy.HighsBasis()
        basis.col_status, basis.row_status = start.columns, rows
        basis.valid, basis.alien = True, len(added) < len(start.cuts)
        solve.session.highs.setBasis(basis)


def part_shape(part: Sets) -> Shape:
    """Tell which part of one case answers to which of another: its needs, pools and periods."""
    return (tuple(part.needs["origin"]), tuple(part.needs["workload"]), tuple(part.meters["pool"]), part.periods)


def _shape(part: Sets, solve: LinearSolve) -> Shape:
    """Tell which programmes have the same columns and rows, stress rows aside."""
    program = solve.program
    return (*part_shape(part), program.columns.count, tuple((rows.family, rows.count) for rows in program.families))


def same_network(old: StressNetwork, new: StressNetwork) -> bool:
    """Whether a ray of one network is one of another: everything but demand and what is left of quotas is the same."""
    if old.classes != new.classes or not np.array_equal(np.isfinite(old.quota_tpm), np.isfinite(new.quota_tpm)):
        return False
    return all(np.array_equal(getattr(old, name), getattr(new, name)) for name in STRESS_TABLES)
