"""The plan on one screen: readable on a terminal and, without colour, in a pipe or a log."""

from __future__ import annotations

import math
from typing import IO, TYPE_CHECKING

from planner.plan.metrics.metric_tables import HORIZON
from planner.workbook import contract_story, proof_story, rules_story, scaled_story, story, waiting_story
from planner.workbook.report import Report, hour_text, rows_of, text_of
from planner.workbook.text_tables import (
    LOST,
    Styled,
    TextTable,
    amount,
    bold,
    clean,
    console_for,
    four_digits,
    percent,
    show,
    task_usd,
    usd,
)

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_NAME_WIDTH = 120
_MONTHS, _BUY, _STRESS, _CAUTIONS, _TASKS, _BETS = 6, 8, 4, 6, 3, 4
_SCENARIOS = 8
_PARTS = (
    ("New commitments", "reserved_usd"),
    ("Counted past the horizon", "tail_usd"),
    ("Beyond commitments", "unreserved_usd"),
    ("Run by the hour", "scaled_usd"),
    ("Shortfall of spend commitments", "shortfall_usd"),
    ("Earlier commitments", "sunk_usd"),
    ("On demand", "on_demand_usd"),
    ("Egress", "egress_usd"),
    ("Total", "total_usd"),
)


def print_report(report: Report, stream: IO[str]) -> None:
    """Print the decision, its cost and proof to `stream`."""
    console = console_for(stream)
    console.print(bold(f"{clean(report.plan.name, 80)}: reservation plan for {report.horizon}"))
    for line in story.banner(report):
        console.print(line, style=LOST)
    for sentence in story.decision(report):
        console.print(sentence)
    for part in (_costs(report), _strategies(report), _buy(report), _use(report), _tasks(report), _stress(report)):
        console.print()
        show(console, part)
    if report.rules is not None:
        console.print()
        console.print(bold("What the rules cost"))
        for line in rules_story.rule_lines(report):
            console.print(f"- {line}")
    if hourly := scaled_story.scaled_lines(report):
        console.print()
        console.print(bold("Units that run by the hour"))
        for line in hourly:
            console.print(f"- {line}")
    waiting = waiting_story.waiting_lines(report)
    if waiting:
        console.print()
        console.print(bold("Work that can wait"))
        for line in waiting:
            console.print(f"- {line}")
    if scenarios := _scenarios(report):
        console.print()
        show(console, scenarios)
        for line in contract_story.scenario_lines(report):
            console.print(line)
    if spent := contract_story.while_money_must_be_spent(report):
        console.print()
        console.print(bold("Spend commitments"))
        for line in spent:
            console.print(f"- {line}")
    _cautions(console, report)
    for bet in report.bets[:_BETS]:
        console.print(f"- {clean(str(bet), 1_000)}")
    console.print()
    for line in proof_story.proof(report):
        console.print(line, style="dim")


def _costs(report: Report) -> TextTable:
    months = {str(row.period): row for row in rows_of(report.metrics.months)}
    names = [p.name for p in report.case.periods]
    shown = [*(names if len(names) <= _MONTHS else []), HORIZON]
    table = TextTable(("USD", *("all months" if name == HORIZON else name for name in shown)))
    for label, column in _PARTS:
        values = [float(getattr(months[name], column)) for name in shown]
        if any(abs(value) > 0.005 for value in values) or column == "total_usd":
            table.add(label, *map(usd, values), style="bold" if column == "total_usd" else "")
    return table


def _scenarios(report: Report) -> TextTable | None:
    rows = contract_story.scenario_rows(report)
    if not rows:
        return None
    table = TextTable(("What each scenario costs", "Probability", "Cost", "Against\nexpected", ""), words=(4,))
    for row in rows[:_SCENARIOS]:
        more = contract_story.signed_usd(row.dearer_usd)
        tail = "worst tail" if row.in_tail and report.plan.risk is not None else ""
        table.add(clean(row.scenario, 120), percent(row.probability), usd(row.usd), more, tail)
    if len(rows) > _SCENARIOS:
        rest = sum(row.probability for row in rows[_SCENARIOS:])
        table.add(f"and {len(rows) - _SCENARIOS} cheaper ones", percent(rest), "", "", "")
    table.add("Expected", "100.0 %", usd(report.plan.totals.total_usd), "", "", style="bold")
    if report.plan.risk is not None:
        level = report.case.settings.policy.risk.level
        table.add("Worst tail, on average", percent(1 - level), usd(report.plan.risk.cvar_usd), "", "", style="bold")
    return table


def _strategies(report: Report) -> TextTable:
    table = TextTable(("Ways to serve this usage", "Cost", "Saving", ""), words=(3,))
    ways, base = story.ways(report), story.compared_with(report)
    for k, way in enumerate(ways):
        note = "" if way.possible else Styled("not possible", LOST)
        cost = usd(way.total_usd) if math.isfinite(way.total_usd) else "–"
        saving = percent(1 - way.total_usd / base.usd) if base is not None else "–"
        table.add(clean(way.name, 120), cost, saving, note, style="bold" if k == len(ways) - 1 else "")
    return table


def _buy(report: Report) -> TextTable | RenderableType:
    if not report.lines:
        return bold("Nothing to buy.")
    heads = ("To buy", "Region", "Units", "Months", "From", "USD per\nunit-hour", "Whole term")
    table = TextTable(heads, left=2)
    shown, rest = story.largest(report, _BUY)
    for line in shown:
        offer = line.offer
        table.add(
            clean(offer.offer, 120), clean(line.region, 120), amount(line.units), offer.term_in_months,
            f"{line.start}", four_digits(line.usd_per_unit_hour), usd(line.term_usd),
        )  # fmt: skip
    if rest:
        table.add(f"and {len(rest)} more", "", "", "", "", "", usd(sum(n.term_usd for n in rest)))
    return table


def _use(report: Report) -> str:
    k = story.kpis(report)
    told = story.from_one_saving_to_the_other(report)
    figures = (
        f"Coverage {percent(k['coverage'])} · utilisation {percent(k['utilisation'])} · "
        f"vacancy {percent(k['vacancy'])} · effective savings rate {percent(k['effective_savings_rate'])}"
    )
    return f"{figures}\n{told}" if told else figures


def _tasks(report: Report) -> str:
    """Cost of a task of the dearest workloads."""
    frame = report.metrics.by_workload
    rows = rows_of(frame[frame["requests"] > 0].sort_values("total_usd", ascending=False, kind="stable"))
    told = [f"{clean(row.workload, _NAME_WIDTH)} {task_usd(float(row.usd_per_task))}" for row in rows]
    rest = f" and {len(told) - _TASKS} more" if len(told) > _TASKS else ""
    return f"A task costs: {' · '.join(told[:_TASKS])}{rest}" if told else "No tasks."


def _stress(report: Report) -> TextTable | str:
    frame = report.metrics.stress
    if frame.empty:
        return report.without_margins
    heads = (
        "Stress case",
        "Binding hour (UTC)",
        "Need\nper hour",
        "Capacity\nper hour",
        "Margin",
        "Makes the\nplan buy",
    )
    table = TextTable(heads, left=2, words=(5,))
    for row in rows_of(frame.sort_values("margin_share", kind="stable").head(_STRESS)):
        capacity, margin = float(row.capacity_rph), float(row.margin_share)
        finite = math.isfinite(capacity)
        shown = percent(margin) if finite else "–"
        table.add(
            clean(row.case, 120), f"{text_of(row.period)} {hour_text(row.hour_of_week)}", f"{float(row.need_rph):,.0f}",
            f"{capacity:,.0f}" if finite else "no limit", Styled(shown, LOST) if margin < 0 else shown,
            "yes" if row.sets_units else "no",
        )  # fmt: skip
    if len(frame) > _STRESS:
        table.add(f"and {len(frame) - _STRESS} more, with larger margins", "", "", "", "", "")
    return table


def _cautions(console: Console, report: Report) -> None:
    cautions = [*story.first_cautions(report), *report.metrics.cautions]
    if not cautions:
        return
    console.print()
    console.print(bold("Read before signing"))
    for text in cautions[:_CAUTIONS]:
        console.print(f"- {clean(text, 1_000)}")
    if len(cautions) > _CAUTIONS:
        console.print(f"- and {len(cautions) - _CAUTIONS} more on the sheet Warnings")
