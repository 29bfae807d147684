"""Why no plan exists: what would have to change in the input, all of it together, checked by applying it.

`solver.elastic` finds the least change of the cells that limit a plan. Where none of them helps (nothing may serve a
workload while a region is lost), routes that would help are looked for, and on-demand trust where it is 0. The answer
is rounded up to figures that a person would write, applied to the case, and solved again.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

import numpy as np

from planner.errors import InfeasibleError, Shortfall, StoppedError
from planner.model.family import SETTINGS, Asked
from planner.model.index_tables import sets_of
from planner.model.reduce.components import spanning, split
from planner.model.sets import Sets
from planner.schema.case import Case
from planner.solver.component import any_plan, begin_component
from planner.solver.elastic import NEAR, Elastic
from planner.solver.highs import Clock
from planner.solver.input_change import InputChange, apply_changes
from planner.solver.limits import Limit, LimitChange
from planner.solver.single import solve_sizes
from planner.units import HOURS_PER_WEEK

Change = tuple[Elastic, LimitChange]


def shortfall_of(case: Case, sets: Sets, change: LimitChange) -> Shortfall:
    """Name the cell of a change, what it would have to say, and the slot that sets it."""
    limit, cell = change.limit, change.limit.cell
    names = [f"name {k + 1}" for k in range(len(limit.key))] if cell is None else [column for column, _ in cell.key]
    offer = next((o for o in case.offers if limit.rule == "units" and o.offer == limit.key[0]), None)
    slot = sets.slots.iloc[change.slot] if change.slot >= 0 else None
    needs = limit.has - change.amount if limit.lowered else limit.has + change.amount
    return Shortfall(
        rule=limit.rule,
        table="" if cell is None else cell.table,
        row=tuple(zip(names, limit.key)),
        column="" if cell is None else cell.column,
        unit="" if cell is None else cell.unit,
        has=limit.has,
        needs=needs if change.value is None else change.value,
        pool="" if offer is None else offer.pool,
        meter="" if offer is None else offer.meter,
        case=change.case,
        scenario="" if slot is None else str(slot["scenario"]),
        period="" if slot is None else sets.periods[int(slot["period"])],
        hour_of_week=-1 if slot is None else int(slot["hour_of_week"]),
    )


def can_apply(shortfalls: Iterable[Shortfall]) -> bool:
    """Whether each shortfall is a cell of the input; the bound of a row of a family that names no cell is not."""
    return all(s.table for s in shortfalls)


def apply(case: Case, shortfalls: Iterable[Shortfall]) -> Case:
    """Return the case with what the shortfalls ask for, exactly."""
    return apply_changes(case, map(InputChange.of, shortfalls))


LAST = (Asked.FAILOVER, Asked.DEMAND)  # changed only where no limit helps
TRUST = "trust"  # looked at by itself: it only helps if the other limits do not
LONGEST_HOURS = HOURS_PER_WEEK - 1  # of a deadline
SHARE_DIGITS = 4  # decimals of a share that is asked for
GRAIN = 5e-3  # changes are rounded up by no more than this share: 97 % of them is still too little
NUDGES = (0.0, 1e-7, 1e-6, 1e-5, 1e-4)  # what a change grows by where the solver's tolerances were too kind
SMALL = 300_000  # columns of an elastic programme up to which alternatives are looked for too
SOME_TRUST = 0.01
ONE_KIND_SECONDS = 20.0  # for changes of one kind, which are said beside the least of all kinds
HALVINGS = 12  # of the share of a change that is enough
ANY_GAP = 0.99  # of a search that is content with any plan


def explain(case: Case, parts: Sequence[Sets], clock: Clock) -> InfeasibleError:
    """Return the error that says what would have to change.

    Parameters
    ----------
    parts : the components without a plan.
    """
    name = case.settings.name
    stuck = {pair for part in parts for pair in zip(part.needs["origin"], part.needs["workload"])}
    try:
        found = ChangeSearch(case, stuck, clock).answers()
    except StoppedError:  # that there is no plan is certain all the same
        return InfeasibleError(name, (), out_of_time=True)
    except ArithmeticError:
        return InfeasibleError(name, ())
    return InfeasibleError(name, found[0], found[1:]) if found else InfeasibleError(name, ())


class ChangeSearch:
    """Elastic programmes of the parts of a case that hold some origins' workloads, which cannot be planned."""

    def __init__(self, case: Case, stuck: AbstractSet[tuple[str, str]], clock: Clock) -> None:
        self.case, self.stuck, self.clock = case, stuck, clock

    @cached_property
    def programmes(self) -> list[Elastic]:
        """Elastic programmes of the case as it is."""
        return self._programmes(self.case)

    @cached_property
    def limits(self) -> tuple[str, ...]:
        """Kinds of limits that the buyer or a seller would have to change, but trust."""
        return tuple(rule for rule in self._rules(Asked.BUYER, Asked.SELLER) if rule != TRUST)

    @cached_property
    def promises(self) -> tuple[str, ...]:
        """Kinds of limits that are promised to those who are served."""
        return (*self._rules(Asked.PROMISE), *self._rules(Asked.FAILOVER))

    @property
    def all(self) -> tuple[str, ...]:
        """All kinds of limits but trust, with demand."""
        return (*self.limits, *self.promises, *self._rules(Asked.DEMAND))

    def _rules(self, *asked: Asked) -> list[str]:
        """Kinds of limits of which somebody is asked to give way, in the order of their names."""
        return sorted({limit.rule for e in self.programmes for limit in e.limits if limit.asked in asked})

    def answers(self) -> list[tuple[Shortfall, ...]]:
        """List sets of changes, each enough by itself; the first is the least."""
        try:
            found = self._structural() or [self._least()]
        except ArithmeticError:
            found = []
        kinds = {s.rule for s in found[0]} if found else set()
        if sum(e.program.columns.count for e in self.programmes) <= SMALL:
            with suppress(StoppedError):  # the other answers stand
                for rule in (*self.limits, TRUST, *self.promises):
                    if kinds != {rule}:
                        found += self._only(rule)
                with suppress(ArithmeticError):
                    found += self._longer_deadlines()
                    found += self._less_spare_while_lost()
        return list(dict.fromkeys(found))

    def _programmes(self, case: Case, open_trust: bool = False) -> list[Elastic]:
        return [Elastic(part, self.clock, open_trust) for part in self.parts(case)]

    def parts(self, case: Case) -> list[Sets]:
        """Parts of a case that cannot be planned, or that rules tie to them."""
        sets = sets_of(case)
        tied = bool(spanning(sets))
        return [
            part
            for part in split(sets)
            if tied or not self.stuck.isdisjoint(zip(part.needs["origin"], part.needs["workload"]))
        ]

    def has_plan(self, case: Case, *, sized: bool = True) -> bool:
        """Whether a changed case can be planned, by the search that makes plans: the first that it finds will do.

        ``sized`` : in whole units, where the case has them.
        """
        return all(self.part_has_plan(part, self.clock, sized=sized) for part in self.parts(case))

    @staticmethod
    def part_has_plan(part: Sets, clock: Clock, *, sized: bool = True) -> bool:
        """Whether a part can be planned; that it can is no reason to hurry with what is asked next."""
        if not (sized and part.has_size_rules):
            return any_plan(part, clock)
        solve = begin_component(part, clock.again())
        return solve is not None and solve_sizes(solve, ANY_GAP, solve.session.clock) is not None

    def _least(self) -> tuple[Shortfall, ...]:
        found = _changes(self.programmes, self.all)
        if found is None:
            raise ArithmeticError("no change of the input makes a plan")
        return self.checked(self.case, self.programmes, found)

    def _only(self, rule: str) -> list[tuple[Shortfall, ...]]:
        """Look for changes of one kind that are enough; a search that takes long is given up."""
        soon = Clock.of(ONE_KIND_SECONDS, self.clock.deadline)
        for elastic in self.programmes:
            elastic.keep_to(soon)
        try:
            found = _changes(self.programmes, (rule,))
            return [] if not found else [self.checked(self.case, self.programmes, found)]
        except (ArithmeticError, StoppedError):  # other answers stand, for a change that is not enough too
            self.clock.left()
            return []
        finally:
            for elastic in self.programmes:
                elastic.keep_to(self.clock)

    def _longer_deadlines(self) -> list[tuple[Shortfall, ...]]:
        """Find the least hours by which work that cannot be planned would have to wait longer; none may be enough."""
        short = {workload for _, workload in self.stuck}
        waits = [w for w in self.case.workloads if w.workload in short and w.can_wait]
        hours = {w.workload: w.deadline_hours for w in waits}

        def longer(more: int, names: Collection[str]) -> tuple[Shortfall, ...]:
            then = {name: min(LONGEST_HOURS, hours[name] + more) for name in names}
            return tuple(
                Shortfall("deadline", "workloads", (("workload", name),), "deadline_hours", "hours", hours[name], n)
                for name, n in then.items()
                if n > hours[name]
            )

        def enough(more: int, names: Collection[str]) -> bool:
            asked = longer(more, names)
            return bool(asked) and self.has_plan(apply(self.case, asked))

        least, most = 0, LONGEST_HOURS
        names = list(hours)
        if not enough(most, names):
            return []
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (least, middle) if enough(middle, names) else (middle, most)
        for name in list(hours):  # who need not wait longer
            others = [other for other in names if other != name]
            if enough(most, others):
                names = others
        return [longer(most, names)]

    def _less_spare_while_lost(self) -> list[tuple[Shortfall, ...]]:
        """Find by how much failover.headroom is too large, if lowering it alone is enough."""
        failover = self.case.settings.policy.failover
        spare = failover.headroom if failover.enabled else 0.0

        def lower(change: float) -> tuple[Shortfall, ...]:
            then = max(0.0, round(spare - change, SHARE_DIGITS))
            return (Shortfall("headroom", SETTINGS, (), "policy.failover.headroom", "share", spare, then),)

        def enough(change: float) -> bool:
            return self.has_plan(apply(self.case, lower(change)))

        if spare == 0 or not enough(spare):
            return []
        least, most = 0.0, spare
        while most - least > max(GRAIN * most, 10.0**-SHARE_DIGITS):
            middle = (least + most) / 2
            least, most = (least, middle) if enough(middle) else (middle, most)
        return [lower(most)]

    def _structural(self) -> list[tuple[Shortfall, ...]]:
        """Where limits alone do not help: trust that is 0, or routes; what may be lowered instead is an alternative."""
        if all(e.can_change((*self.limits, *self._rules(Asked.PROMISE))) for e in self.programmes):
            return []
        failover = self.case.settings.policy.failover
        if failover.enabled and failover.on_demand_trust == 0:
            opened = self._programmes(self.case, open_trust=True)
            found = _changes(opened, (TRUST,))
            if found is not None:
                return [
                    self.checked(self.case, opened, found or [(opened[0], LimitChange(_trust(opened), SOME_TRUST))])
                ]
        added: list[Shortfall] = []
        case, programmes = self.case, self.programmes
        for route in self._helpful_routes():
            wider = apply(case, [route])
            tried = self._programmes(wider)
            before, now = (_lowered(_changes(p, self.all)) for p in (programmes, tried))
            if now < before - 1e-6:
                added.append(route)
                case, programmes = wider, tried
        if not added:
            return []
        found = _changes(programmes, self.all) or []
        rest = self.checked(case, programmes, found) if found else ()
        return [(*added, *rest)]

    def _helpful_routes(self) -> list[Shortfall]:
        """List routes that are not there, to regions that could serve what no limit helps, in the order of names."""
        found = _changes(self.programmes, self.all) or []
        short = {c.limit.key[-1] for _, c in found if c.limit.asked in LAST}
        supplied = {(o.region, o.model) for o in self.case.on_demand}
        home = {pool.pool: pool.region for pool in self.case.pools}
        supplied |= {(home[t.pool], t.model) for t in self.case.throughput}
        models: dict[str, set[str]] = {}
        for m in self.case.mix:
            models.setdefault(m.workload, set()).add(m.model)
        routes: dict[tuple[str, str], Shortfall] = {}
        for origin, name in sorted(self.stuck):
            w = next(w for w in self.case.workloads if w.workload == name)
            for region in sorted(r.region for r in self.case.regions):
                pair = (("origin", origin), ("destination", region))
                allowed = w.allowed_regions is None or region in w.allowed_regions
                useful = any((region, model) in supplied for model in models.get(name, ()))
                if name in short and allowed and useful and not self.case.may_serve(w, origin, region):
                    routes.setdefault((origin, region), Shortfall("route", "routes", pair, "", "", 0.0, 1.0))
        return list(routes.values())

    def checked(self, case: Case, programmes: Sequence[Elastic], changes: Sequence[Change]) -> tuple[Shortfall, ...]:
        """Write changes as cells of the input, rounded up, and apply them: there must be a plan, and none with 97 %."""
        for nudge in NUDGES:
            found = _written(case, changes, nudge)
            if not can_apply(found):
                return found
            if self.has_plan(apply(case, found)):
                return self._shrunk(case, changes, found, max(e.sizes.least_share for e in programmes))
        raise ArithmeticError("what was found to be enough is not, once it is in the input")

    def _shrunk(
        self, case: Case, changes: Sequence[Change], found: tuple[Shortfall, ...], too_little: float
    ) -> tuple[Shortfall, ...]:
        """Take the least share of all changes with which there is a plan; ``too_little`` : a share that is not enough.

        More of a change never hurts, so that shares are bisected; out of time, what was found is still enough.
        """
        enough = 1.0
        with suppress(StoppedError):
            for _ in range(HALVINGS):
                if enough <= too_little * (1 + NEAR):
                    break
                share = math.sqrt(too_little * enough) if too_little > 0 else enough / 2
                less = _written(case, [(e, shrunk(c, e.sets, share)) for e, c in changes], 0.0)
                if self.has_plan(apply(case, less)):
                    enough, found = share, less
                else:
                    too_little = share
        return found


def _written(case: Case, changes: Sequence[Change], nudge: float) -> tuple[Shortfall, ...]:
    """Write changes as cells of the input, one a cell, rounded up."""
    return merged([rounded(shortfall_of(case, e.sets, c), nudge, exact=c.value is not None) for e, c in changes])


def shrunk(change: LimitChange, sets: Sets, share: float) -> LimitChange:
    """Return a share of a change; units that an offer sells are rounded up to a size that it sells."""
    if change.value is None:
        return replace(change, amount=change.amount * share)
    has = change.limit.has
    offer = sets.purchases[sets.purchases["offer"] == change.limit.key[0]].iloc[0]
    low, step = float(offer["min_units"]), float(offer["unit_step"])
    steps = math.ceil((has + share * (change.value - has) - low) / step - 1e-9)
    return replace(change, value=min(change.value, low + max(steps, 0) * step))


def _changes(programmes: Sequence[Elastic], rules: Sequence[str]) -> list[Change] | None:
    """Least changes of some rules over all programmes; None where for one of them none is enough."""
    found: list[Change] = []
    for elastic in programmes:
        changes = elastic.least_change(rules)
        if changes is None:
            return None
        found += [(elastic, change) for change in changes]
    return found


def _lowered(changes: list[Change] | None) -> float:
    """How much has to be given up of what no limit helps."""
    return math.inf if changes is None else sum(c.amount for _, c in changes if c.limit.asked in LAST)


def _trust(programmes: Sequence[Elastic]) -> Limit:
    return next(limit for limit in programmes[0].limits if limit.rule == TRUST)


def merged(found: Sequence[Shortfall]) -> tuple[Shortfall, ...]:
    """Keep one shortfall a cell, the largest: a workload's cell may stand in several parts."""
    best: dict[tuple[object, ...], Shortfall] = {}
    for s in found:
        cell = (s.table, s.row, s.column)
        if cell not in best or s.amount > best[cell].amount:
            best[cell] = s
    return tuple(best.values())


def rounded(s: Shortfall, nudge: float, *, exact: bool) -> Shortfall:
    """Round what is needed to a figure that a person would write, on the safe side; sizes of whole units are exact."""
    if exact and s.rule == "units":
        return replace(s, needs=float(np.round(s.needs, 9)))
    up, amount = s.needs > s.has, s.amount * (1 + nudge)
    step = 10.0 ** math.floor(math.log10(amount * GRAIN))
    exactly = s.has + amount if up else s.has - amount
    steps = exactly / step
    whole = math.ceil(steps - 1e-6) if up else math.floor(steps + 1e-6)
    needs = float(np.round(whole * step, max(0, round(-math.log10(step)))))
    if not s.table:  # a bound of a row, which may be negative
        return replace(s, needs=needs)
    return replace(s, needs=min(needs, 1.0) if s.unit == "share" else max(needs, 0.0))
