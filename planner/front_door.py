"""What `import planner` offers, with plain arguments: paths or what `load`, `load_plan` and `solve` return.

The commands do the same with their options, progress and files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from planner.features.demand.history import History, load_history
from planner.features.order.order import PricedOrder, price_order
from planner.features.order.order_reader import read_purchase_order
from planner.features.resolve.attribution import AUTO
from planner.features.resolve.resolve import Resolved
from planner.features.resolve.resolve import resolve as resolve_against
from planner.features.review.review_study import review as review_of
from planner.plan import files
from planner.plan.expiries import NOTICE_DAYS
from planner.plan.finished import Finished
from planner.plan.manifest import WORKBOOK
from planner.plan.metrics import Metrics, summary_of
from planner.solver.find import Options
from planner.verify.trusted import trusted

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.features.review.review_rules import Rules
    from planner.features.review.review_tables import Review
    from planner.plan.plan import Plan
    from planner.schema.case import Case
    from planner.workbook.report import Report


def load_plan(directory: str | Path) -> Finished:
    """Read a plan and its input back from the directory that `planner solve` or `write_plan` wrote.

    Returns
    -------
    Finished : `case` is what was asked, `plan` what was decided.

    Raises
    ------
    InputError : a file is missing or damaged, or the input is not the one that the plan was made from.
    AuditError : its figures do not follow from its input and tables.
    """
    return trusted(directory)


def price(
    case: Case, order: pd.DataFrame | str | Path, *, gap: float = 1e-4, time_limit_seconds: float | None = None
) -> PricedOrder:
    """Price a purchase order: its units and prices as given, everything else decided as well as it can be.

    Parameters
    ----------
    order : workbook of a plan whose purchase order was edited; or a table with the columns offer, period (month,
        2027-01), units and usd_per_unit_hour.
    gap : relative gap accepted for whole units. time_limit_seconds : of the search.

    Returns
    -------
    PricedOrder : `plan` is the order as a plan of `case` at the order's prices, `broken` the rules that it breaks.

    Raises
    ------
    InputError : the order cannot be read, or names what the case does not know.
    InfeasibleError : demand cannot be served with these units, not even without headroom and failover.
    """
    lines = order if isinstance(order, pd.DataFrame) else read_purchase_order(order)
    return price_order(case, lines, Options(gap, time_limit_seconds))


def resolve(
    case: Case,
    last: Finished | str | Path,
    *,
    keep_usd: float | None = None,
    causes: str = AUTO,
    gap: float = 1e-4,
    time_limit_seconds: float | None = None,
) -> Resolved:
    """Solve a case against the last plan: what changes line by line, and why the cost changed.

    Parameters
    ----------
    last : what `load_plan` returns, or the directory of the last plan.
    keep_usd : USD that a unit changed must save; inf: change only what must; None: the plan is free to move.
    causes : auto, each, groups or none: how finely the change of cost is attributed.

    Returns
    -------
    Resolved : the `case` as solved, its `plan`, and the `changes`.

    Raises
    ------
    InfeasibleError : no plan meets every rule. StoppedError : out of time before there was a plan.
    """
    finished = last if isinstance(last, Finished) else trusted(last)
    options = Options(gap, time_limit_seconds)
    return resolve_against(case, finished, options, keep_usd=keep_usd, detail=causes)


def review(last: Finished | str | Path, history: History | str | Path, *, rules: Rules | None = None) -> Review:
    """Set a finished plan against what happened: what was paid, what would have been best, what to do.

    Parameters
    ----------
    last : what `load_plan` returns, or the directory of the plan.
    history : hourly history that `planner ingest` wrote, or its directory. rules : thresholds; None: the defaults.

    Raises
    ------
    InputError : a file cannot be read, or the history has no hour of the plan's months.
    """
    finished = last if isinstance(last, Finished) else trusted(last)
    seen = history if isinstance(history, History) else load_history(Path(history))
    return review_of(finished.case, finished.plan, seen, rules=rules)


def write_plan(
    metrics: Metrics,
    directory: str | Path,
    *,
    workbook: bool = False,
    previous: Plan | None = None,
    notice_days: int = NOTICE_DAYS,
) -> None:
    """Write a plan's directory as a whole: plan.json, its tables, a copy of its input.

    Parameters
    ----------
    metrics : what `metrics_of(case, plan)` returns; it holds both.
    workbook : also write plan.xlsx, as one of the plan's files; a file that is put there later is none of them, and
        `planner verify` says so. previous, notice_days : as in `write_workbook`.

    Raises
    ------
    PlannerError : the directory holds a signed plan, or is a planning folder.
    """
    also: dict[str, Callable[[Path], object]] = {}
    reports = None
    if workbook:
        from planner.workbook.told_reports import told_of

        also[WORKBOOK] = lambda path: write_workbook(metrics, path, previous=previous, notice_days=notice_days)
        reports = told_of(_report(metrics, previous, notice_days))
    plan, case = metrics.reading.plan, metrics.reading.case
    files.write_plan(plan, case, directory, summary_of(metrics), also, reports=reports)


def write_workbook(
    metrics: Metrics, path: str | Path, *, previous: Plan | None = None, notice_days: int = NOTICE_DAYS
) -> None:
    """Write a plan's workbook (.xlsx); an earlier file of that name stays whole on failure.

    Parameters
    ----------
    metrics : what `metrics_of(case, plan)` returns; it holds both.
    previous : the last signed plan, for the sheet Changes; None: today's commitments.
    notice_days : days before its end by which a commitment is to be decided on.
    """
    from planner.features.tasks import cost_per_task_sheet
    from planner.workbook import plan_workbook

    sheets = cost_per_task_sheet.sheets_for(metrics.reading.case)
    plan_workbook.write_workbook(_report(metrics, previous, notice_days), path, sheets)


def _report(metrics: Metrics, previous: Plan | None, notice_days: int) -> Report:
    from planner.features.catalogue.retiring import retiring
    from planner.workbook.report import Report

    about = retiring(metrics.reading.case, metrics.reading.plan)
    return Report(metrics, previous, None, notice_days, retiring=about)
