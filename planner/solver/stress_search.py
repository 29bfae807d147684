"""Find stress slots that the deployed units cannot serve, the rays that say so, and routings that prove the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import highspy
import numpy as np

from planner.model.reduce.project_stress import (
    NetworkTables,
    SlotTree,
    StressNetwork,
    StressRay,
    network,
    network_tables,
    ray_of,
    slot_tree,
)
from planner.model.sets import Floats, Ints, Sets
from planner.solver.highs import INF, OPTIMAL, Clock, quiet_highs, run, set_options

ROUNDING = 1e-6  # above it, an unserved share must have a row that says so
_FEW = 4  # routings that are kept
DIFFERENCE = 1e-12  # relative: rounding of a row's right-hand side, with room to spare
SHORT = 1e-8  # a slot is served when no more than this share of a class's peak is left unserved


@dataclass(frozen=True)
class Cut:
    """A row of one period: Σ units[d] · v[d, period] ≥ need, set by one slot of one case."""

    case: int
    period: int
    slot: int
    ray: StressRay
    need: float

    @property
    def units(self) -> Floats:
        """π, one for each deployment."""
        return self.ray.units


@dataclass(frozen=True)
class Routing:
    """A routing that serves a group of slots of a case: flow (krph) for each arc of the case's network."""

    case: int
    period: int
    slots: Ints
    envelope: Floats  # demand by need (krph, before the case's scale) that it serves
    flow: Floats
    net: StressNetwork


class StressCaseProblem:
    """The feasibility problem of one stress case, alive in HiGHS: least unserved demand for given units and demand."""

    def __init__(
        self, sets: Sets, number: int, peaks: Floats, units: Floats, clock: Clock, tables: NetworkTables | None = None
    ) -> None:
        self.sets, self.number, self.clock = sets, number, clock
        self.net: StressNetwork = network(sets, sets.cases[number], tables)
        net = self.net
        self.demand = net.class_demand(sets.demand, sets.slot_period)
        top = np.bincount(net.class_of, peaks * net.case.demand_scale, net.classes)
        self.class_scale = np.where(top > 0, top, 1.0)
        self.unit_scale = units
        self.rays: list[StressRay] = []
        self.highs = self._model()
        self._units: Floats | None = None

    def _model(self) -> highspy.Highs:
        """Columns: arcs, then unserved demand by class. Rows: balance, deployments, quotas, two a bounded share."""
        net = self.net
        arcs, classes = len(net.arcs), net.classes
        deployments, quotas, shares = len(self.sets.deployments), len(self.sets.quotas), len(net.share_low)
        scale = self.class_scale[net.arc_class]
        arc = np.arange(arcs)
        limit_scale = np.ones(quotas)
        np.maximum.at(limit_scale, net.limit_quota, net.limit_tpm * scale[net.limit_arc])
        self.limit_scale = limit_scale
        first_quota = classes + deployments
        first_low, first_high = first_quota + quotas, first_quota + quotas + shares
        rows = [net.arc_class, np.arange(classes), classes + net.load_deployment, first_quota + net.limit_quota]
        columns = [arc, arcs + np.arange(classes), net.load_arc, net.limit_arc]
        values = [
            np.ones(arcs),
            np.ones(classes),
            net.load_units * scale[net.load_arc] / self.unit_scale[net.load_deployment],
            net.limit_tpm * scale[net.limit_arc] / limit_scale[net.limit_quota],
        ]
        for k in range(shares):  # own flow - low x all flow >= 0, high x all flow - own flow >= 0
            of_class = np.flatnonzero(net.arc_class == net.share_class[k])
            own = (net.share_arc[of_class] == k).astype(float)
            rows += [np.full(len(of_class), first_low + k), np.full(len(of_class), first_high + k)]
            columns += [of_class, of_class]
            values += [own - net.share_low[k], net.share_high[k] - own]
        row, column, value = (np.concatenate(x) for x in (rows, columns, values))
        kept = value != 0
        row, column, value = row[kept], column[kept], value[kept]
        order = np.argsort(column, kind="stable")
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = arcs + classes, first_high + shares
        lp.col_cost_ = np.concatenate([np.zeros(arcs), np.ones(classes)])
        lp.col_lower_, lp.col_upper_ = np.zeros(arcs + classes), np.full(arcs + classes, INF)
        limit = np.append(net.quota_tpm, 0.0)[:quotas] / limit_scale
        lp.row_lower_ = np.concatenate([np.zeros(classes), np.full(deployments + quotas, -INF), np.zeros(2 * shares)])
        lp.row_upper_ = np.concatenate([np.zeros(classes), np.zeros(deployments), limit, np.full(2 * shares, INF)])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=arcs + classes))])
        lp.a_matrix_.index_, lp.a_matrix_.value_ = row[order], value[order]
        h = quiet_highs()
        set_options(h, presolve="off", solver="simplex")
        h.passModel(lp)
        return h

    def renew(self, sets: Sets) -> None:
        """Take the demand and quotas of sets whose network is the same (`Separator.renew`)."""
        case = sets.cases[self.number]
        scale = case.quota_scale if case.quota_scale > 0 else 1.0
        tpm = sets.quotas["tokens_per_minute"].to_numpy(float) * scale
        if not np.array_equal(tpm, self.net.quota_tpm):
            first = self.net.classes + len(sets.deployments)
            row = np.arange(first, first + len(tpm), dtype=np.int32)
            self.highs.changeRowsBounds(len(tpm), row, np.full(len(tpm), -INF), tpm / self.limit_scale)
        self.sets, self.net = sets, replace(self.net, case=case, quota_tpm=tpm)
        self.demand = self.net.class_demand(sets.demand, sets.slot_period)

    def set_units(self, units: Floats) -> None:
        """Set the deployed units (natural, by deployment) that the next `unserved` calls count on."""
        if self._units is not None and np.array_equal(units, self._units):
            return
        n = len(units)
        row = np.arange(self.net.classes, self.net.classes + n, dtype=np.int32)
        self.highs.changeRowsBounds(n, row, np.full(n, -INF), np.maximum(units, 0.0) / self.unit_scale)
        self._units = units.copy()

    def unserved(self, class_demand: Floats) -> float:
        """Least unserved demand for a demand by class (krph), as a share of the classes' peaks."""
        n = self.net.classes
        rhs = class_demand / self.class_scale
        self.highs.changeRowsBounds(n, np.arange(n, dtype=np.int32), rhs, rhs)
        status = run(self.highs, self.clock)
        if status != OPTIMAL:
            self.highs.clearSolver()
            run(self.highs, self.clock)
        return float(self.highs.getInfo().objective_function_value)

    def flow(self) -> Floats:
        """Flow of each arc (krph) of the last `unserved`."""
        values = np.array(self.highs.getSolution().col_value)[: len(self.net.arcs)]
        found: Floats = np.maximum(values, 0.0) * self.class_scale[self.net.arc_class]
        return found

    def routing(self, period: int, slots: Ints, envelope: Floats) -> Routing:
        """Record the flows of the last `unserved` as the routing of some slots."""
        return Routing(self.number, period, slots, envelope, self.flow(), self.net)

    def ray(self) -> StressRay:
        """Ray that the duals of the last `unserved` give."""
        net = self.net
        dual = np.array(self.highs.getSolution().row_dual)
        classes, deployments, quotas = net.classes, len(self.sets.deployments), len(self.sets.quotas)
        shares = len(net.share_low)
        at = np.cumsum([0, classes, deployments, quotas, shares, shares])
        _, unit, quota, low, high = (dual[a:b] for a, b in pairwise(at))
        of_share = self.class_scale[net.share_class]
        ray = ray_of(
            net,
            self.number,
            units=-unit / self.unit_scale,
            quota=-quota / self.limit_scale,
            low=low / of_share,
            high=high / of_share,
        )
        largest = ray.units.max(initial=0.0)
        return ray.scaled(1 / largest) if largest > 0 else ray  # one unit of the dearest deployment counts 1

    def lent(self, rays: Sequence[StressRay]) -> StressRay:
        """Make a ray of this case of other cases' highest prices; what cannot serve here is not counted."""
        net = self.net
        units, quota = np.zeros_like(rays[0].units), np.zeros_like(rays[0].quota)
        for ray in rays:  # of two cases: neither has prices where its lost region is
            units[net.load_deployment] = np.maximum(units, ray.units)[net.load_deployment]
            quota[net.limit_quota] = np.maximum(quota, ray.quota)[net.limit_quota]
        none = np.zeros(len(net.share_low))
        return ray_of(net, self.number, units=units, quota=quota, low=none, high=none)


class Separator:
    """All stress cases of a component: the rows that given units violate, or routings that prove every slot."""

    def __init__(self, sets: Sets, peaks: Floats, units: Floats, clock: Clock) -> None:
        self.sets = sets
        self.short = SHORT
        # units that served a case in a period, and how: so do no fewer
        self._served: dict[tuple[int, int], tuple[Floats, list[Routing] | None]] = {}
        self._guessed = False
        self._groups: dict[tuple[int, int], list[int]] = {}  # nodes that were served last, each at once
        self._renewed = False
        tables = network_tables(sets)
        self.problems = [StressCaseProblem(sets, k, peaks, units, clock, tables) for k in range(len(sets.cases))]
        period = sets.slot_period
        self.trees: dict[int, SlotTree] = {}
        scaled = sets.demand / peaks[:, None]
        for p in range(len(sets.periods)):
            slots = np.flatnonzero(period == p)
            if len(slots):
                self.trees[p] = slot_tree(scaled, slots)

    def renew(self, sets: Sets) -> None:
        """Take sets that differ in demand and quotas alone (which of them are zero or blank is the same).

        Rays stay, and the groups of slots that one routing served are looked at first. The order of the slots was made
        for the demand before: it decides how soon a search ends, not what it finds.
        """
        self.sets, self._renewed = sets, True
        self._served.clear()
        for problem in self.problems:
            problem.renew(sets)
            problem.rays = [self.renewed_ray(ray, problem.number) for ray in problem.rays]

    def stranded(self) -> bool:
        """Whether some need with demand has nothing that could serve it in some stress case."""
        asked = np.any(self.sets.demand > 0, axis=1)
        return any(bool(np.any(asked[problem.net.stranded()])) for problem in self.problems)

    def without_units(self, lent: bool = False) -> list[Cut]:
        """Rows that no units at all would break, one a case and period, from its slot of most demand: a first guess.

        None when it is asked for again: they are known by then. ``lent`` : a case takes the prices of the first two,
        where they make a row: as valid, not as sharp, and quicker than a search.
        """
        cuts: list[Cut] = []
        if self._guessed:
            return cuts
        self._guessed = True
        found: list[StressRay] = []
        for problem in self.problems:
            problem.set_units(np.zeros(len(self.sets.deployments)))
            taken = problem.lent(found) if lent and len(found) > 1 else None
            for p, tree in self.trees.items():
                known = None if taken is None else self._cut(problem, taken, p, tree)
                if taken is not None and known is not None and known.need > 0 and taken.units.any():
                    problem.rays.append(taken)
                    cuts.append(known)
                    continue
                if self._all_at_once(problem, p, tree):
                    continue
                demand = problem.demand[:, tree.order]
                busiest = int(np.argmax(demand.sum(axis=0)))
                if problem.unserved(demand[:, busiest]) > ROUNDING:
                    problem.rays.append(problem.ray())
                    cuts.append(self._cut(problem, problem.rays[-1], p, tree))
                    found = (found + problem.rays[-1:])[:2]
        return cuts

    def _all_at_once(self, problem: StressCaseProblem, p: int, tree: SlotTree) -> bool:
        """Whether the units that are set serve the largest demand of each need at once: so all slots of a period."""
        envelope = tree.envelope(0, self.sets.demand)
        if problem.unserved(problem.net.class_demand(envelope, p)) > self.short:
            return False
        units = np.zeros(len(self.sets.deployments))
        self._served[problem.number, p] = (units, [problem.routing(p, tree.slots(0), envelope)])
        return True

    def violated(self, deployed: Floats, most: int = 8) -> list[Cut]:
        """Rows that the units (deployments x periods) violate, at most a few a case and period; none: all is served."""
        cuts: list[Cut] = []
        for problem in self.problems:
            for p, tree in self.trees.items():
                if not self._is_served(problem, p, deployed[:, p]):
                    known = self._from_known_rays(problem, p, tree, deployed[:, p])
                    cuts += known or self._search(problem, p, tree, deployed[:, p], most)[0]
        return cuts

    def routings(self, deployed: Floats) -> tuple[list[Cut], list[Routing]]:
        """Routings that prove every case, slot by slot or in groups; rows where there is none."""
        cuts: list[Cut] = []
        routings: list[Routing] = []
        for problem in self.problems:
            for p, tree in self.trees.items():
                known = self._is_served(problem, p, deployed[:, p])
                proved = self._served[problem.number, p][1] if known else None
                if proved is None:
                    found, proved = self._search(problem, p, tree, deployed[:, p], 10**9)
                    cuts += found
                routings += proved
        return cuts, routings

    def _is_served(self, problem: StressCaseProblem, p: int, units: Floats) -> bool:
        """Whether a case was found served in a period by no more units than these: so routings of it are theirs."""
        served = self._served.get((problem.number, p))
        return served is not None and not bool(np.any(units < served[0]))

    def _from_known_rays(self, problem: StressCaseProblem, p: int, tree: SlotTree, units: Floats) -> list[Cut]:
        """Rows of rays found before, in another period or for other units, that these units violate."""
        cuts = []
        for ray in problem.rays:
            cut = self._cut(problem, ray, p, tree)
            rounding = DIFFERENCE * (abs(cut.need) + ray.quota_value)  # the need is what quotas leave of the demand
            if cut.need - float(ray.units @ units) > self.short * (abs(cut.need) + 1e-12) + rounding:
                cuts.append(cut)
        return cuts

    def row_of(self, problem: StressCaseProblem, ray: StressRay, period: int) -> Cut:
        """Return the row that a ray gives in a period."""
        return self._cut(problem, ray, period, self.trees[period])

    def renewed(self, cut: Cut, case: int) -> Cut:
        """Work out the row of a ray that was found on an equal network, for this case's demand and quotas."""
        problem = self.problems[case]
        ray = self.renewed_ray(cut.ray, case)
        problem.rays.append(ray)
        return self.row_of(problem, ray, cut.period)

    def again(self, cut: Cut) -> Cut:
        """Work out a row once more, after `renew`."""
        return self.row_of(self.problems[cut.case], self.renewed_ray(cut.ray, cut.case), cut.period)

    def renewed_ray(self, ray: StressRay, case: int) -> StressRay:
        """Return a ray that was found on an equal network, as one of this case and its quotas."""
        quota = np.where(ray.quota > 0, self.problems[case].net.quota_tpm, 0.0)
        return replace(ray, case=case, quota_value=float((ray.quota * quota).sum()) * (1 + 1e-12))

    @staticmethod
    def _cut(problem: StressCaseProblem, ray: StressRay, p: int, tree: SlotTree) -> Cut:
        need = ray.need(problem.demand[:, tree.order])
        worst = int(np.argmax(need))
        return Cut(ray.case, p, int(tree.order[worst]), ray, float(need[worst]))

    def _search(
        self, problem: StressCaseProblem, p: int, tree: SlotTree, units: Floats, most: int
    ) -> tuple[list[Cut], list[Routing]]:
        problem.set_units(units)
        cuts: list[Cut] = []
        routings: list[Routing] = []
        todo = list(self._groups.get((problem.number, p), (0,))) if self._renewed else [0]
        groups: list[int] = []
        while todo and len(cuts) < most:
            node = todo.pop()
            envelope = tree.envelope(node, self.sets.demand)
            leaf = tree.left[node] < 0
            short = problem.unserved(problem.net.class_demand(envelope, p))
            if short <= self.short:
                groups.append(node)
                routings.append(problem.routing(p, tree.slots(node), envelope))
            elif leaf:
                ray = problem.ray()
                cut = self._cut(problem, ray, p, tree)
                if cut.need <= float(ray.units @ units):
                    if short > ROUNDING:
                        raise ArithmeticError("a stress slot is not served, and no row says why")
                    groups.append(node)
                    routings.append(problem.routing(p, tree.slots(node), envelope))
                    continue
                problem.rays.append(ray)
                cuts.append(cut)
            else:
                todo += [int(tree.right[node]), int(tree.left[node])]
        if not cuts:  # of many routings only that there are some: they take memory
            self._groups[problem.number, p] = groups
            self._served[problem.number, p] = (units.copy(), routings if len(routings) <= _FEW else None)
        return cuts, routings
