"""Every figure of a plan with its margins, broken rules and what trust decides: what a report is written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.errors import PlannerError
from planner.plan import frames
from planner.plan.audit import audit
from planner.plan.audit.findings import BROKEN, BrokenRule, broken_rules
from planner.plan.flows import Floats
from planner.plan.metrics import Metrics, collect
from planner.plan.metrics.strategies import COMPARED, UNTRIED
from planner.plan.plan import NO_COST, Plan, Proof, Status
from planner.plan.reading import Reading
from planner.plan.warnings.traps import Caution, listed
from planner.schema.case import Case
from planner.schema.input_digest import is_input_of
from planner.verify.growth_margins import asked_of, broken_cases, margins_of


def metrics_of(case: Case, plan: Plan) -> Metrics:
    """Compute every figure of a plan; `broken` lists the rules that it does not keep.

    Raises
    ------
    PlannerError : the plan was made from another input.
    """
    if not is_input_of(case, plan.input_digest):
        raise PlannerError(
            f"the plan {plan.name} was made from another input ({plan.input_digest[:12]}) than this one "
            f"({case.digest[:12]}): read both with load_plan, or solve again"
        )
    return figures_of(Reading(case, plan))


@dataclass(frozen=True)
class LeftOut:
    """What the time limit left out of a plan's figures when it was written.

    cases : names of the stress cases whose margins were found. untried : strategies not tried in every stress case.
    """

    cases: frozenset[str]
    untried: frozenset[str]

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> "LeftOut":
        """Read it from the figures of plan.json."""
        rows, compared = (_rows(summary.get(key)) for key in ("stress", "strategies"))
        return cls(
            frozenset(str(row.get("case")) for row in rows),
            frozenset(str(row.get("strategy")) for row in compared if UNTRIED in str(row.get("note"))),
        )


def _rows(told: object) -> list[Mapping[str, Any]]:
    return [row for row in told if isinstance(row, Mapping)] if isinstance(told, list) else []


def figures_of(
    reading: Reading, *, audited: bool = False, deadline: float = np.inf, left_out: LeftOut | None = None
) -> Metrics:
    """Compute every figure of a plan that was read with its case; `audited`: its audit found nothing, just now.

    deadline : in seconds of time.monotonic. Margins that are not found by then are left out, and a caution says so; so
        only with `audited`.
    left_out : leave out what it says: figures as they were when time ran out.
    """
    findings = [] if audited else audit(reading.case, reading.plan, witness=False, reading=reading)

    asked = asked_of(reading, deadline)

    tried = iter(COMPARED)

    def unserved(units: Floats) -> list[str] | None:
        skipped = next(tried) in (left_out.untried if left_out is not None else ())
        return None if skipped else broken_cases(reading, asked, units, deadline)

    margins = margins_of(reading, asked=asked, deadline=deadline)
    if left_out is not None:
        margins = tuple(m for m in margins if m.case.name in left_out.cases)
    return collect(reading, margins, findings, unserved)


def rules_broken(reading: Reading) -> tuple[BrokenRule, ...]:
    """List the rules that a plan does not keep, as `figures_of` does, without the figures."""
    findings = audit(reading.case, reading.plan, witness=False, reading=reading)
    return broken_rules(findings, margins_of(reading, workloads=False), reading.names)


def trust_that_decides(case: Case) -> list[Caution]:
    """Warn where on demand alone serves the loss of a region if trusted in full, and as trusted it does not.

    Not even with today's commitments, each at every model's service at once. Then units are bought for
    `failover.on_demand_trust` alone, which is a guess until somebody has measured it.
    """
    failover = case.settings.policy.failover
    if case.demand.empty or not failover.enabled or not 0 < failover.on_demand_trust < 1:
        return []
    trusted = case.with_policy(failover=failover.model_copy(update={"on_demand_trust": 1.0}))
    short = _unserved(case, held=True)
    decided = sorted(short - _unserved(trusted, held=False)) if short else []
    if not decided:
        return []
    said = f"is {failover.on_demand_trust:g}" + (", its default value" if failover.has_default_trust else "")
    message = (
        f"on_demand_trust {said}: it decides whether units are bought for the loss of {listed(decided)}. With 1, on "
        "demand alone serves it"
    )
    remedy = "Measure it (the share of quota that was served while others failed over too), or ask the seller"
    return [Caution("trust-decides", "risk", "policy.failover", message, remedy)]


def _unserved(case: Case, *, held: bool) -> set[str]:
    """Regions whose loss cannot be served on demand, or with today's commitments too."""
    nothing = Plan(
        case.settings.name, case.digest, NO_COST, Proof(Status.GIVEN, 0.0, 0.0),
        frames.PURCHASES.empty(), frames.DEPLOYMENTS.empty(), frames.DISPATCH.empty(),
    )  # fmt: skip
    reading = Reading(case, nothing)
    names, earlier = reading.names, reading.derived.earlier_units
    units = np.array([
        [earlier.get((pool, meter, period), 0.0) if held else 0.0 for period in names.periods]
        for pool, meter, _ in names.deployments
    ]).reshape(len(names.deployments), len(names.periods))  # fmt: skip
    found = margins_of(reading, units, workloads=False)
    return {m.case.failed for m in found if m.case.failed and m.slot >= 0 and m.growth < 1 - BROKEN}
