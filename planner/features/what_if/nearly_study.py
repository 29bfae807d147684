"""Nearly as good: plans that cost little more than the best and are better in another way.

    signed     the least money to sign, over the whole terms
    lines      the fewest order lines
    changes    the fewest units changed against the last plan (with ``last``)
    terms      short terms only: the shortest for which there is a plan within the share
    regions    nothing signed with a provider or in a region, and nothing served there

The first three are searched among all plans within the share (`solver.nearly`). The others are cases: the cheapest plan
with the change is within the share, or no plan with it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from planner.errors import PlannerError, StoppedError
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.findings import NearFinding, Within, percent_of
from planner.features.what_if.study import Answer, Progress, Study, answer_of
from planner.model.reduce.slots import Line
from planner.model.sets import Keep
from planner.plan.orders import order_lines
from planner.plan.plan import Plan, proved_by
from planner.plan.reading import Reading
from planner.schema.capacity import Offer
from planner.schema.case import Case
from planner.solver.common_master import Aim
from planner.solver.find import Kept, Options, find_if_any, find_plan
from planner.solver.nearly import least_within
from planner.solver.solve import checked
from planner.units import HOURS_PER_DAY, HOURS_PER_MONTH

SHARE = 0.01
FINE_GAP = 1e-7  # of the cheapest plan of purchases that are known
NAMES = {Aim.SIGNED: "least to sign", Aim.LINES: "fewest lines", Aim.CHANGES: "closest to the last plan"}
ROUNDING = 1e-9  # relative


def nearly_as_good(
    case: Case,
    study: Study,
    share: float,
    options: Options,
    progress: Progress,
    last: Mapping[Line, float] | None = None,
) -> Study:
    """Add the plans that are nearly as good to a study of a case; a case of the same name is replaced.

    Parameters
    ----------
    share : how much dearer than the plan as it stands a plan may be (0-1). last : units of the last plan by offer and
        month that this one could buy too (`resolve.keep.last_purchases`). None: there is no last plan.

    Raises
    ------
    PlannerError : there is no plan to be nearly as good as. StoppedError : no time even for the best plan.

    What there was no time for is left out, as other cases are.
    """
    if not study.base.possible:
        raise PlannerError(f"no plan of the folder exists, so none is nearly as good. {study.base.problem}")
    found = {answer.change.name: answer for answer in study.cases}
    left_out = list(study.left_out)
    for step in _Nearly(case, share, options, progress, last).steps():
        try:
            answer = step.find()
            found[answer.change.name] = answer
        except StoppedError:
            left_out.append(step.name)
    return replace(study, cases=tuple(found.values()), left_out=tuple(dict.fromkeys(left_out)))


@dataclass
class _Step:
    """One plan to find, under the name of its case."""

    name: str
    find: Callable[[], Answer]


class _Nearly:
    """The best plan of a case, and how much more another may cost."""

    def __init__(
        self, case: Case, share: float, options: Options, progress: Progress, last: Mapping[Line, float] | None
    ) -> None:
        self.case, self.share, self.options, self.progress, self.last = case, share, options, progress, last
        self.limit = percent_of(share)
        self.best = find_plan(case, options.share(2))
        self.short = False  # whether a plan with short terms only is found
        self.most_usd = self.best.judged_usd * (1 + share)

    def steps(self) -> Iterator[_Step]:
        """List the plans to find, each with its part of the time that is left."""
        aims = [Aim.SIGNED, Aim.LINES, *([] if self.last is None else [Aim.CHANGES])]
        changes, terms = list(self._left_out()), self._terms()
        left = len(aims) + len(terms) + len(changes)
        for aim in aims:
            options, left = self.options.share(left), left - 1
            yield _Step(self._named(aim), partial(self._least, aim, options))
        for change in terms:
            options, left = self.options.share(left), left - 1
            if not self.short:
                yield _Step(change.name, partial(self._short, change, options))
        for change in changes:
            options, left = self.options.share(left), left - 1
            yield _Step(change.name, partial(self._cheapest, change, options))

    # -- searched among all plans within the share ---------------------------------------
    def _named(self, aim: Aim) -> str:
        return f"{NAMES[aim]} within {self.limit}"

    def _least(self, aim: Aim, options: Options) -> Answer:
        name = self._named(aim)
        kept = None if aim is not Aim.CHANGES or self.last is None else Kept(Keep(0.0), self.last)
        start = self._value(aim, self.best)
        with self.progress(name) as told:

            def price(units: Mapping[Line, float]) -> tuple[Plan, float] | None:
                if told is not None:
                    told(0, 1)
                plan = self._limited(aim, units, options)
                return None if plan is None else (plan, self._value(aim, plan))

            least = least_within(self.case, self.most_usd, aim, price, options, kept, start)
        plan = self.best if least.plan is None else proved_by(self.best, least.plan)
        reading = checked(Reading(self.case, plan))
        finding = NearFinding(self.share, Within.YES, aim.name, least.value, least.bound, start)
        answer = answer_of(reading, CaseChange(name, aim=f"of the plans within {self.limit} of the best, {NAMES[aim]}"))
        return replace(answer, near=finding)

    def _limited(self, aim: Aim, units: Mapping[Line, float], options: Options) -> Plan | None:
        """Find the cheapest plan that buys no more than some units, or changes no more."""
        whole = self.case.settings.policy.whole_units
        if aim is Aim.CHANGES and self.last is not None:
            limited = replace(options, kept=Kept(Keep(0.0, limited=True), self.last, dict(units)))
        else:
            limited = replace(options, most=dict(units))
        if aim is not Aim.LINES and whole:
            limited = replace(limited, gap=min(FINE_GAP, limited.gap))
        try:
            return find_if_any(self.case, limited)
        except StoppedError:
            return None

    def _value(self, aim: Aim, plan: Plan) -> float:
        if aim is Aim.LINES:
            return float(len(plan.purchases))
        if aim is Aim.SIGNED:
            return sum(line.term_usd for line in order_lines(self.case, plan))
        units = {(p.offer.offer, p.period): p.units for p in order_lines(self.case, plan)}
        return sum(abs(units.get(line, 0.0) - n) for line, n in (self.last or {}).items())

    # -- the cheapest plan with a change --------------------------------------------------
    def _cheapest(self, change: CaseChange, options: Options) -> Answer:
        with self.progress(change.name) as told:
            variant = changed(self.case, change)
            plan = find_if_any(variant, options, told)
            if plan is None:
                near = NearFinding(self.share, Within.NONE)
                return Answer(change, variant.digest, problem="No plan with this change exists.", near=near)
            answer = answer_of(checked(Reading(variant, plan)), change)
        claimed = max(plan.proof.bound_usd, plan.proof.tree_bound_usd or 0.0)
        if plan.judged_usd <= self.most_usd * (1 + ROUNDING):
            within = Within.YES
        else:
            within = Within.NO if claimed > self.most_usd else Within.OPEN
        return replace(answer, near=NearFinding(self.share, within))

    def _short(self, change: CaseChange, options: Options) -> Answer:
        answer = self._cheapest(change, options)
        self.short = answer.near is not None and answer.near.within is Within.YES
        return answer

    def _terms(self) -> list[CaseChange]:
        """List limits of the terms, from no commitment at all to one less long than the best plan's longest."""
        lengths = {o.offer: _months(o) for o in self.case.offers}
        used = {lengths[line.offer.offer] for line in order_lines(self.case, self.best)}
        found = []
        for months in [0.0, *sorted({n for n in lengths.values() if n < max(used)})] if used else []:
            gone = tuple(sorted(name for name, n in lengths.items() if n > months))
            name = f"no term over {months:.3g} month{'' if months == 1 else 's'}" if months else "nothing signed"
            found.append(CaseChange(name, strike=gone))
        return found

    def _left_out(self) -> Iterator[CaseChange]:
        """List providers and regions with which the best plan signs, or in which it serves."""
        provider = {r.region: r.provider for r in self.case.regions}
        signed = {line.region for line in order_lines(self.case, self.best)}
        region = {p.pool: p.region for p in self.case.pools}
        selling = {region[o.pool] for o in self.case.offers}
        serving = set(self.best.dispatch["region"].astype(str))
        groups: dict[str, tuple[str, ...]] = {}
        named = sorted({p for p in provider.values() if p is not None})
        if len({*provider.values()}) > 1:
            groups |= {p: tuple(sorted(r for r, q in provider.items() if q == p)) for p in named}
        groups |= {r: (r,) for r in sorted(signed | serving)}
        for name, regions in groups.items():
            if signed & {*regions} and selling - {*regions}:
                yield CaseChange(f"nothing signed in {name}", refuse=regions)
            if serving & {*regions} and {*provider} - {*regions}:
                yield CaseChange(f"without {name}", leave_out=regions)


def _months(offer: Offer) -> float:
    return float(offer.term_months) if offer.term_days is None else offer.term_days * HOURS_PER_DAY / HOURS_PER_MONTH
