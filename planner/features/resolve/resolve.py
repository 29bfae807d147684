"""Re-solve: the new plan, line by line against the last one, and why the cost changed."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from planner.errors import StoppedError
from planner.features.resolve.attribution import AUTO, NONE, Attribution, attribute
from planner.features.resolve.change_lines import change_lines
from planner.features.resolve.changes import Changes, Keeping
from planner.features.resolve.keep import keep_purchases, last_purchases
from planner.features.resolve.signed_since import Signed, unlisted, with_owed
from planner.plan.finished import Finished
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import solve

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Resolved:
    """The case as it was solved (with purchases counted as signed), its plan, and what changed."""

    case: Case
    plan: Plan
    changes: Changes


def resolve(
    case: Case,
    last: Finished,
    options: Options,
    *,
    owed_before: dt.date | None = None,
    keep_usd: float | None = None,
    detail: str = AUTO,
    on_solve: Progress | None = None,
    on_cause: Progress | None = None,
) -> Resolved:
    """Solve a case again against the last plan.

    Parameters
    ----------
    case, last : what is asked now; the last plan with its input. options : how to solve.
    owed_before : purchases of the last plan that start before this day count as signed (None: only what the case lists
        among its commitments). keep_usd : see `studies.keep`; None: the plan is free to move.
    detail : see `studies.attribution`; "none": the cost is attributed to no causes.

    Raises
    ------
    InfeasibleError : no plan meets every rule. StoppedError : out of time before there was a plan.
    """
    notes = []
    if owed_before is not None:
        signed = unlisted(last, case, owed_before)
        case = with_owed(case, last, signed)
        notes += [f"counted as signed: {_told(s)}" for s in signed]
    elif signed := unlisted(last, case, case.settings.horizon.start):
        notes.append(
            "the last plan bought these before this plan's months, and they are not among the commitments "
            f"(--owed counts them as signed): {'; '.join(_told(s) for s in signed)}"
        )
    plan = solve(
        case,
        solver=options.solver,
        gap=options.gap,
        time_limit_seconds=options.time_limit_seconds,
        workers=options.workers,
        store=options.store,
        progress=on_solve,
    )
    old, kept = (last.case, last.plan), None
    if keep_usd is not None:
        plan, kept, told = _kept(case, old, keep_usd, plan, options, on_solve)
        notes += told
    why = Attribution((), 0.0, 0)
    if detail != NONE:
        try:
            why = attribute(old, (case, plan), options, detail, on_cause)
        except StoppedError:
            notes.append(
                "the change of cost is not attributed to causes: one of the mixtures of old and new ran out of time; "
                "give more with --time-limit, or try --causes groups"
            )
    periods = last.case.periods
    changes = Changes(
        previous_name=last.plan.name,
        previous_digest=last.plan.input_digest,
        previous_horizon=(periods[0].name, periods[-1].name),
        before=last.plan.totals,
        after=plan.totals,
        lines=change_lines(old, (case, plan)),
        causes=why.causes,
        exact_to_usd=why.exact_to_usd,
        solves=why.solves,
        kept=kept,
        notes=tuple(notes),
    )
    return Resolved(case, plan, changes)


def _kept(
    case: Case, old: tuple[Case, Plan], usd: float, free: Plan, options: Options, progress: Progress | None
) -> tuple[Plan, Keeping | None, list[str]]:
    last = last_purchases(old, case)
    if not last.units:
        return free, None, ["--keep has nothing to keep: no offer and month is for sale in both plans"]
    plan, kept = keep_purchases(case, last, usd, free, options, progress)
    return plan, kept, []


def _told(signed: Signed) -> str:
    return f"{signed.units:g} units of {signed.offer.offer} from {signed.start} to {signed.end}"
