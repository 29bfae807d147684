"""When nothing fits: each single change of the input that is enough, with the cheapest plan after it.

Where no single change is enough, pairs. Every change is put into the folder exactly as it is printed, and planned.
"""

from collections.abc import Sequence
from dataclasses import replace

from planner.errors import InfeasibleError, StoppedError
from planner.features.what_if.case_change import CaseChange
from planner.features.what_if.fit import Fit, NotEnough
from planner.features.what_if.study import Answer, Progress, Study, answer_of
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.highs import Clock
from planner.solver.input_change import apply_changes
from planner.solver.parallel import interruptible
from planner.solver.single_changes import single_changes
from planner.solver.solve import audited

MOST = 60  # changes of which the plan is found: the smallest first
OTHERS = "further changes of the input"
SEARCH = 1.5  # the search takes two thirds of the time at most, the plans the rest
LATE = 1.1  # but ten elevenths where nothing was found till then: there are few plans to make


def make_it_fit(case: Case, study: Study, options: Options, progress: Progress) -> Study:
    """Add to the study of a case without a plan what would make it fit, each with its cheapest plan.

    A case that has a plan needs no change: the study is returned as it is. What there is no time for is left out.
    """
    if study.base.possible:
        return study
    left_out = list(study.left_out)
    with progress("changes that are enough") as told:
        clock = Clock.of(None, options.share(SEARCH).until)
        late = Clock.of(None, options.share(LATE).until)
        found = interruptible(lambda: single_changes(case, clock, told or (lambda done, total: None), late))
    fits = sorted((Fit(changes) for changes in found.found), key=_order)
    left_out += found.undecided
    if len(fits) > MOST:
        left_out.append(OTHERS)
    cases = {answer.change.name: answer for answer in study.cases}
    unplanned: list[Fit] = []
    for k, fit in enumerate(fits[:MOST]):
        try:
            answer = _after(case, fit, options.share(min(len(fits), MOST) - k), progress)
            cases[answer.change.name] = answer
        except StoppedError:
            left_out.append(str(fit))
            unplanned.append(fit)
    any_size = tuple(map(Fit, found.any_size))
    never = NotEnough(tuple(found.impossible), found.impossible_pairs, any_size, tuple(unplanned))
    return replace(study, cases=tuple(cases.values()), left_out=tuple(dict.fromkeys(left_out)), not_enough=never)


def _order(fit: Fit) -> tuple[bool, bool, float]:
    share = fit.share
    return fit.asks_less, share is None, 0.0 if share is None else share


def _after(case: Case, fit: Fit, options: Options, progress: Progress) -> Answer:
    """Find the cheapest plan after a change."""
    change = CaseChange(str(fit), aim=str(fit))
    variant = apply_changes(case, fit.changes)
    with progress(change.name[:60]) as told:
        try:
            found = answer_of(audited(variant, options, told), change)
        except InfeasibleError as error:
            found = Answer(change, variant.digest, problem=error.reason)
    return replace(found, fit=fit)


def smallest(answers: Sequence[Answer]) -> Answer | None:
    """Return the smallest change: of those with a size that leave demand alone, where there are any."""
    sized = [a for a in answers if a.possible and a.fit is not None and a.fit.share is not None]
    return min(sized, key=lambda a: _order(a.fit) if a.fit is not None else (True, True, 0.0), default=None)


def cheapest(answers: Sequence[Answer]) -> Answer | None:
    """Return the change with the cheapest plan after it, of those that leave demand alone, where there are any."""
    fits = [a for a in answers if a.possible and a.fit is not None]
    fits = [a for a in fits if a.fit is not None and not a.fit.asks_less] or fits
    return min(fits, key=lambda a: a.total_usd or 0.0, default=None)
