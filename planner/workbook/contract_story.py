"""Spend commitments and scenarios in sentences: Summary, terminal and web page say the same."""

from dataclasses import dataclass
from typing import Any

from planner.plan.plan import Status
from planner.workbook.proof_story import CENT, far_from_bound
from planner.workbook.report import Report, rows_of
from planner.workbook.story import SAME, break_even_words, ways
from planner.workbook.text_tables import clean, joined, percent, usd

_SHOWN = 6
_NOTHING_USD = 0.005


def while_money_must_be_spent(report: Report) -> list[str]:
    """Say of each spend commitment what is spent, what will be lost, and what a dollar is worth meanwhile.

    A dollar's worth is that of the bound's prices: where these are not the plan's, it is left out, and that is said.
    """
    lines, unknown = [], not worth_is_known(report)
    for row in rows_of(report.metrics.spend):
        name = clean(str(row.contract), 120)
        told = f"{name}: {usd(row.spent_usd)} of {usd(row.usd)} will be spent"
        if row.lost_usd > _NOTHING_USD:
            worst = f", {usd(row.most_lost_usd)} in the worst scenario" if row.most_lost_usd > row.lost_usd + 1 else ""
            told += f"; {usd(row.lost_usd)} is expected to be paid for nothing{worst}"
        else:
            told += "; nothing will be lost"
        saved = float(row.saved_per_usd)  # by the bound's prices: they are this plan's where nothing is cheaper
        known = not unknown and report.plan.proof.status is Status.OPTIMAL
        if saved > _NOTHING_USD and (row.lost_usd > _NOTHING_USD or known):
            costs = "nothing: it" if 1 - saved <= _NOTHING_USD else f"only {usd(1 - saved, 2)}: the rest"
            told += f". One more dollar spent on it costs {costs} would be paid anyway"
        lines.append(f"{told}.")
    if unknown and len(report.metrics.meanwhile):
        lines.append(
            "Left out is where offers break even while money must be spent anyway: the prices that tell are those of "
            f"the bound, and {percent(report.plan.proof.gap)} of what the plan costs is above it."
        )
    for row in worth_meanwhile(report):
        if abs(row.break_even_meanwhile - row.break_even_utilisation) > SAME:
            now = break_even_words(float(row.break_even_meanwhile))
            lines.append(
                f"{clean(str(row.offer), 120)} breaks even at {percent(row.break_even_utilisation)} of its capacity; "
                f"while money must be spent anyway, {now}."
            )
    return lines


def worth_meanwhile(report: Report) -> list[Any]:
    """Return what offers are worth while money must be spent anyway; nothing where that is not known."""
    return rows_of(report.metrics.meanwhile) if worth_is_known(report) else []


def worth_is_known(report: Report) -> bool:
    """Whether the bound's prices tell what a dollar is worth: the plan is near the bound, or money is lost anyway."""
    lost = report.metrics.spend["lost_usd"]
    return not far_from_bound(report) or bool((lost > _NOTHING_USD).all())


@dataclass(frozen=True)
class ScenarioRow:
    """A scenario and what the plan costs in it; `dearer_usd` than expected; whether it is part of the worst tail."""

    scenario: str
    probability: float
    usd: float
    dearer_usd: float
    in_tail: bool


def scenario_rows(report: Report) -> list[ScenarioRow]:
    """Return the likely scenarios, the dearest first; none where there is one only."""
    expected = report.plan.totals.total_usd
    rows = [
        ScenarioRow(str(row.scenario), float(row.probability), float(row.usd), _or_none(float(row.usd) - expected),
                    bool(row.in_tail))
        for row in rows_of(report.metrics.scenarios)
        if row.probability > 0
    ]  # fmt: skip
    return rows if len(rows) > 1 else []


def signed_usd(usd_more: float) -> str:
    """Show a difference with its sign; a dash where there is none."""
    return "–" if usd_more == 0 else f"{'+' if usd_more > 0 else '-'}{usd(abs(usd_more))}"


def _or_none(usd: float) -> float:
    """Return an amount; what would be shown as -0.00 is 0."""
    return usd if abs(usd) >= _NOTHING_USD else 0.0


def scenario_lines(report: Report) -> list[str]:
    """Say with a weight on risk what the dearest scenarios cost on average, and what was minimised."""
    rows, risk, policy = scenario_rows(report), report.plan.risk, report.case.settings.policy.risk
    if not rows or risk is None:
        return []
    dearest = [clean(row.scenario, 120) for row in rows if row.in_tail]
    names = joined(dearest[:_SHOWN]) + (f" and {len(dearest) - _SHOWN} more" if len(dearest) > _SHOWN else "")
    return [
        f"Worst tail: the dearest {percent(1 - policy.level)} of the probability ({names}) cost {usd(risk.cvar_usd)} "
        f"on average, weighed {percent(policy.weight)} against the expected {usd(report.plan.totals.total_usd)}: "
        f"{usd(risk.objective_usd)} is what was minimised.{_less_expected(report)}"
    ]


def _less_expected(report: Report) -> str:
    """Name the way to serve the usage that is expected to cost less than the plan, after a blank; "" if none does."""
    total = report.plan.totals.total_usd
    less = [way for way in ways(report) if way.possible and way.total_usd < total - CENT]
    if not less:
        return ""
    least = min(less, key=lambda way: way.total_usd)
    return f" {least.name} has a lower expected cost ({usd(least.total_usd)}), which is not all that is minimised."
