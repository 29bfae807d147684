"""A study: the plan as it stands and every case beside it, each solved exactly and audited.

Components that a change does not touch keep their answer (`solver.store`): a case costs only what it changes.
"""

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from planner.errors import Fault, InfeasibleError, InputError, StoppedError
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.curve import Curve
from planner.features.what_if.findings import Fit, NearFinding, NotEnough
from planner.features.what_if.how_far import HowFar
from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.orders import order_lines
from planner.plan.pricing import scenario_costs_of
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import audited
from planner.verify.figures import figures_of

AS_IT_STANDS = CaseChange("as it stands")
SAME_USD = 0.005  # differences below half a cent are rounding

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None] | None]]


@dataclass(frozen=True)
class StudyLine:
    """Units bought under an offer at the start of a period; usd: what the whole term is signed for."""

    offer: str
    pool: str
    region: str
    period: str
    term_months: int
    units: float
    usd: float
    term_days: int | None = None  # of a term in days, in place of term_months


@dataclass(frozen=True)
class Answer:
    """What one case comes to. Where there is no plan, `problem` says why and the figures are None.

    total_usd : over the horizon, the sum of `parts` (USD by name of `Totals`). bound_usd : no plan of the case costs
    less. to_sign_usd : what the purchases are signed for, over their whole terms. margins : by stress case, the
    share by which demand may still grow; None: nothing limits it. coverage, utilisation :
    shares 0-1; None where not defined. tail_usd : mean cost of the dearest scenarios (policy.risk.level); None: there
    is one scenario. near : of a plan that is nearly as good, what was found.
    fit : of a plan after what makes a folder fit, the changes.
    """

    change: CaseChange
    input_digest: str
    problem: str = ""
    total_usd: float | None = None
    bound_usd: float | None = None
    to_sign_usd: float | None = None
    parts: Mapping[str, float] | None = None
    coverage: float | None = None
    utilisation: float | None = None
    margins: Mapping[str, float | None] | None = None
    purchases: tuple[StudyLine, ...] = ()
    tail_usd: float | None = None
    near: NearFinding | None = None
    fit: Fit | None = None

    @property
    def possible(self) -> bool:
        """Whether the case has a plan."""
        return self.total_usd is not None

    @property
    def least_margin(self) -> float | None:
        """The smallest margin of the stress cases."""
        known = [m for m in (self.margins or {}).values() if m is not None]
        return min(known) if known else None


@dataclass(frozen=True)
class Study:
    """The folder as it stands, and its cases in the order in which they were first asked.

    left_out : names of cases that were asked now and for which the time limit ran out; the rest was answered.
    not_enough : what was proved not to make it fit, where that was asked now.
    """

    name: str
    input_digest: str
    months: tuple[str, ...]
    base: Answer
    cases: tuple[Answer, ...]
    left_out: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    how_far: HowFar | None = None
    not_enough: NotEnough | None = None

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The plan as it stands, then the cases."""
        return (self.base, *self.cases)


Elsewhere = Callable[[Case, Sequence[CaseChange], Options, Progress], Mapping[str, Answer]]  # answers by name


def what_if(
    case: Case,
    changes: Sequence[CaseChange],
    options: Options | None = None,
    progress: Progress | None = None,
    earlier: Study | None = None,
    elsewhere: Elsewhere | None = None,
) -> Study:
    """Solve a case as it stands and with each change.

    Parameters
    ----------
    changes : the cases; a name stands once.
    progress : of a case's name: a context that is given (parts solved, all parts).
    earlier : a study of the same input: its cases stay, one of the same name is replaced.
    elsewhere : who answers the cases; None: this machine, one after the other, each on all cores.

    Raises
    ------
    InputError : a change names what the folder does not have; every fault of every change at once, before any work.
    StoppedError : the time limit ran out before there was a plan of the folder as it stands. (Cases are left out.)

    The folder as it stands, or a case, that has no plan says so in its answer.
    """
    shown = progress if progress is not None else lambda _: nullcontext(None)
    cases = all_changed(case, changes)
    with tempfile.TemporaryDirectory(prefix="planner-what-if-") as own:
        options = options or Options()
        if options.store is None:
            options = replace(options, store=Path(own))
        there: Mapping[str, Answer] = {}
        if elsewhere is not None:
            asked = [*([AS_IT_STANDS] if earlier is None else []), *changes]
            there = elsewhere(case, asked, options, shown)
        if earlier is not None:
            base = earlier.base
        elif elsewhere is not None:
            if AS_IT_STANDS.name not in there:
                raise StoppedError(f"case {AS_IT_STANDS.name!r}: the time limit ran out before there was a plan")
            base = there[AS_IT_STANDS.name]
        else:
            base = _answer(case, AS_IT_STANDS, options.share(1 + len(changes)), shown)
        left_out = list(earlier.left_out if earlier is not None else ())
        found = {answer.change.name: answer for answer in (earlier.cases if earlier is not None else ())}
        for k, (change, variant) in enumerate(zip(changes, cases, strict=True)):
            if elsewhere is not None:
                if change.name in there:
                    found[change.name] = there[change.name]
                else:
                    left_out.append(change.name)
                continue
            try:
                found[change.name] = _answer(variant, change, options.share(len(changes) - k), shown)
            except StoppedError:
                left_out.append(change.name)
    months = tuple(period.name for period in case.periods)
    study = Study(case.settings.name, case.digest, months, base, tuple(found.values()), tuple(left_out))
    return study if earlier is None else replace(study, curves=earlier.curves, how_far=earlier.how_far)


def refused_orders(base: Answer) -> list[CaseChange]:
    """Make a case for each pool of which the plan buys units: none are to be had, at any term or by the hour.

    What is owed of it stays in force. Quota is not capacity: a seller may refuse an order.
    """
    pools = dict.fromkeys(purchase.pool for purchase in base.purchases)
    return [CaseChange(f"{pool} refused", refuse_pools=(pool,)) for pool in pools]


def all_changed(case: Case, changes: Sequence[CaseChange]) -> list[Case]:
    """Make every change, and gather the faults of all of them.

    Raises
    ------
    InputError : with every fault.
    """
    made: list[Case] = []
    faults: list[Fault] = []
    names = [change.name for change in changes]
    for change in changes:
        if names.count(change.name) > 1 or change.name == AS_IT_STANDS.name:
            faults.append(Fault("cases", "each case needs a name of its own", value=change.name))
        try:
            made.append(changed(case, change))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(list(dict.fromkeys(faults)))
    return made


def answer_alone(case: Case, change: CaseChange, options: Options) -> Answer:
    """Answer one change of a case, as `what_if` does among others.

    Raises
    ------
    StoppedError : the time limit ran out.
    """
    variant = case if change == AS_IT_STANDS else changed(case, change)
    return _answer(variant, change, options, lambda _: nullcontext(None))


def _answer(case: Case, change: CaseChange, options: Options, shown: Progress) -> Answer:
    with shown(change.name) as told:
        try:
            reading = audited(case, options, told)
        except InfeasibleError as error:
            return Answer(change, case.digest, problem=error.reason)
        except StoppedError as error:
            raise StoppedError(f"case {change.name!r}: {error}") from None
    return answer_of(reading, change)


def _tail_usd(reading: Reading) -> float | None:
    """Mean cost of the dearest scenarios."""
    case, plan = reading.case, reading.plan
    if len(case.scenarios) < 2:
        return None
    costs = scenario_costs_of(
        case, reading.derived, reading.names, reading.dispatch[0], plan.purchases, plan.deployments
    )
    return costs.cvar_usd(case.settings.policy.risk.level)


def answer_of(reading: Reading, change: CaseChange) -> Answer:
    """Put together what a plan comes to."""
    case, plan = reading.case, reading.plan
    metrics = figures_of(reading, audited=True)
    lines = order_lines(case, plan)
    whole = metrics.savings[metrics.savings["period"] == HORIZON].iloc[0]
    margins = {str(name): _known(m) for name, m in zip(metrics.stress["case"], metrics.stress["margin_share"])}
    return Answer(
        change=change,
        input_digest=case.digest,
        total_usd=plan.totals.total_usd,
        bound_usd=plan.proof.bound_usd,
        to_sign_usd=sum(line.term_usd for line in lines),
        parts=plan.totals.parts(),
        coverage=_known(whole["coverage"]),
        utilisation=_known(whole["utilisation"]),
        tail_usd=_tail_usd(reading),
        margins=margins,
        purchases=tuple(
            StudyLine(
                line.offer.offer,
                line.offer.pool,
                line.region,
                line.period,
                line.offer.term_months,
                line.units,
                line.term_usd,
                line.offer.term_days,
            )
            for line in lines
        ),
    )


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True)
class LineDifference:
    """One line of an order beside the same line of the plan as it stands."""

    offer: str
    region: str
    period: str
    units_before: float
    units: float
    usd_before: float
    usd: float


def differences(base: Answer, other: Answer) -> list[LineDifference]:
    """Lines that differ from the plan as it stands: in units, or in dollars at the same units."""
    before = {(p.offer, p.period): p for p in base.purchases}
    after = {(p.offer, p.period): p for p in other.purchases}
    found = []
    for key in sorted(before.keys() | after.keys(), key=lambda k: (k[1], k[0])):
        old, new = before.get(key), after.get(key)
        units = (old.units if old else 0.0, new.units if new else 0.0)
        usd = (old.usd if old else 0.0, new.usd if new else 0.0)
        if abs(units[1] - units[0]) > 1e-6 or abs(usd[1] - usd[0]) > SAME_USD:
            region = (new or old).region  # type: ignore[union-attr]
            found.append(LineDifference(key[0], region, key[1], units[0], units[1], usd[0], usd[1]))
    return found


def decide_by(base: Answer, other: Answer) -> str | None:
    """First day on which the order of a case differs from that of the plan as it stands; None: it never does.

    Until then either may be signed: the day by which to know whether, say, a provider refuses. A period's first day
    is its name, or of a whole month its first.
    """
    if not base.possible or not other.possible:
        return None
    starts = [line.period for line in differences(base, other)]
    return min((start if len(start) > len("2027-01") else f"{start}-01" for start in starts), default=None)
