"""What a plan's workbook and page say that does not follow from its tables: kept in plan.json, as `reports`.

With it, both can be written again from a plan's directory alone, and `planner verify` compares them with those that
are there. It is data that other searches found (what each rule costs), or that a command was given; nothing here is
proved.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from planner.errors import Fault, InputError
from planner.plan.files import rounded
from planner.plan.manifest import PLAN
from planner.plan.metrics.cautions import Advice
from planner.plan.metrics.metric_tables import Metrics
from planner.plan.rules_cost import RulesCost
from planner.readers.forecast_accuracy import ForecastAccuracy
from planner.workbook.report import Report

KEY = "reports"


@dataclass(frozen=True)
class ToldReports:
    """The fields of a Report that its figures do not hold; ``retiring`` : sentence and remedy of each."""

    notice_days: int
    columns: dict[str, tuple[str, ...]]
    rules: RulesCost | None = None
    least_break: bool | None = None
    forecast: ForecastAccuracy | None = None
    retiring: tuple[tuple[str, str], ...] = ()


_FORM = TypeAdapter(ToldReports)


def told_of(report: Report) -> dict[str, Any]:
    """Return what plan.json keeps of a report."""
    retiring = tuple((str(advice), advice.remedy) for advice in report.retiring)
    told = ToldReports(report.notice_days, dict(report.columns), report.rules, report.least_break, report.forecast,
                       retiring)  # fmt: skip
    kept: dict[str, Any] = rounded(_FORM.dump_python(told, mode="json"))
    return kept


def report_as_told(metrics: Metrics, document: Mapping[str, Any]) -> Report:
    """Return the report that a plan's workbook and page were written from; only the plan before it is not known.

    Raises
    ------
    InputError : plan.json does not hold what `told_of` gave.
    """
    try:
        told = _FORM.validate_json(json.dumps(document[KEY]))
    except (KeyError, ValidationError, TypeError, ValueError):
        message = "lacks what the workbook was written with (older builds of planner did not keep it): solve it again"
        fault = Fault(PLAN, message, column=KEY)
        raise InputError([fault]) from None
    retiring = tuple(Advice(*advice) for advice in told.retiring)
    return Report(metrics, None, told.forecast, told.notice_days, told.rules, told.least_break, retiring, told.columns)
