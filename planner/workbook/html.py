"""The summary as one self-contained web page with its charts, for mail and wikis: no script, no request to anywhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.io.atomic import written_beside
from planner.plan.hours import served_weeks
from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.plan import UNIT_PARTS
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, WEEKDAYS
from planner.workbook import contract_story, proof_story, rules_story, scaled_story, story, waiting_story
from planner.workbook.report import Report, hour_text, rows_of, text_of
from planner.workbook.svg import Series, areas, bars, columns
from planner.workbook.text_tables import amount, clean, four_digits, percent, usd
from planner.workbook.theme import BLUE, GREEN, GREY, INK, ORANGE, SKY

CHART_WIDTH, MANY_MONTHS_WIDTH = 600, 760  # pixels: the text of a narrow chart can still be read on a telephone
MONTHS_SIDE_BY_SIDE = 8  # whose figures have room in the narrow one
_MONTH_PARTS = (
    ("Units", BLUE, UNIT_PARTS),
    ("On demand", ORANGE, ("on_demand_usd",)),
    ("Egress", GREEN, ("egress_usd",)),
)


def write_html(report: Report, path: str | Path) -> None:
    """Write the page (UTF-8); it is written beside and renamed."""
    with written_beside(path) as beside:
        beside.write_text(_page(report), encoding="utf-8")


@dataclass(frozen=True)
class PageTable:
    """A table whose first `left` columns are text; with `total`, its last row is a sum."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int
    total: bool = False


@dataclass(frozen=True)
class PageChart:
    """A picture, and what its colours are: name and colour."""

    svg: str
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page, top to bottom: text, chart, note, table, list of sentences. What is blank is left out."""

    title: str
    text: str = ""
    chart: PageChart | None = None
    note: str = ""
    table: PageTable | None = None
    lines: Sequence[str] = ()


def _told(title: str, lines: list[str]) -> list[Section]:
    """Make a section of some sentences, if there are any."""
    return [Section(title, lines=lines)] if lines else []


def _page(report: Report) -> str:
    from jinja2 import Environment, PackageLoader

    from planner.workbook import theme

    environment = Environment(
        loader=PackageLoader("planner", "workbook"), autoescape=True, finalize=_shown, keep_trailing_newline=True
    )
    sections = [
        _strategies(report),
        _buy(report),
        _months(report),
        *_week(report),
        _stress(report),
        *([Section("What the rules cost", lines=rules_story.rule_lines(report))] if report.rules is not None else []),
        *_told("Units that run by the hour", scaled_story.scaled_lines(report)),
        *(
            [Section("Work that can wait", lines=waiting_story.waiting_lines(report))]
            if report.waited is not None
            else []
        ),
        *_scenarios(report),
        *(
            [Section("Spend commitments", lines=spent)]
            if (spent := contract_story.while_money_must_be_spent(report))
            else []
        ),
        Section("Key risks", lines=story.risks(report)),
        Section("Proof", lines=proof_story.proof(report)),
    ]
    return environment.get_template("plan_page.html.j2").render(
        title=f"{report.plan.name}: reservation plan for {report.horizon}",
        name=report.plan.name,
        dated=story.dated(report),
        banner=story.banner(report),
        lead=" ".join(story.decision(report)),
        figures=_figures(report),
        sections=sections,
        theme=theme,
    )


def _shown(value: object) -> object:
    """Return text that is safe to show; pictures stay markup."""
    return value if hasattr(value, "__html__") else clean(value) if isinstance(value, str) else value


def _picture(svg: str, legend: Sequence[tuple[str, str]] = ()) -> PageChart:
    from markupsafe import Markup

    return PageChart(Markup(svg), legend)


def _figures(report: Report) -> list[tuple[str, str, str]]:
    """Name, value and meaning of the figures on top."""
    k, total, base = story.kpis(report), report.plan.totals.total_usd, story.compared_with(report)
    tiles = [("Cost of the plan", usd(total))]
    if base is not None:
        tiles.append(("Saving", usd(base.usd - total)))
    tiles.append(("Signed for", usd(sum(line.term_usd for line in report.lines))))
    names = (("Coverage", "coverage"), ("Utilisation", "utilisation"), ("Vacancy", "vacancy"),
             ("Effective savings rate", "effective_savings_rate"))  # fmt: skip
    tiles += [(label, percent(k[key])) for label, key in names]
    return [(label, value, story.DEFINITIONS[label]) for label, value in tiles]


def _strategies(report: Report) -> Section:
    ways = story.ways(report)
    drawn = [
        (way.name, way.total_usd, BLUE if way is ways[-1] else GREY) for way in ways if math.isfinite(way.total_usd)
    ]
    notes = [
        f"{way.name} is not possible: {way.note}" if way.note else f"{way.name} is not possible"
        for way in ways
        if not way.possible
    ]
    chart = _picture(bars(drawn, alt="Total cost of each strategy, USD", width=CHART_WIDTH))
    note = "; ".join(notes) + "." if notes else ""
    between = story.from_one_saving_to_the_other(report)
    return Section("Ways to serve the same usage", chart=chart, note=note, lines=[between] if between else ())


def _buy(report: Report) -> Section:
    if not report.lines:
        return Section("What to buy", text="Nothing: on demand and today's commitments serve this usage.")
    rows = [
        (
            n.offer.offer,
            n.region,
            amount(n.units),
            n.offer.term_in_months,
            str(n.start),
            four_digits(n.usd_per_unit_hour),
            usd(n.term_usd),
        )
        for n in report.lines
    ]
    rows.append(("Total", "", "", "", "", "", usd(sum(n.term_usd for n in report.lines))))
    headers = ("Offer", "Region", "Units", "Months", "Start", "USD/unit-hour", "Whole term")
    return Section("What to buy", table=PageTable(headers, rows, 2, total=True))


def _months(report: Report) -> Section:
    frame = report.metrics.months[report.metrics.months["period"] != HORIZON]
    labels = [str(name) for name in frame["period"]]
    series = [
        Series(name, colour, tuple(float(v) for v in frame[list(parts)].sum(axis=1)))
        for name, colour, parts in _MONTH_PARTS
    ]
    width = CHART_WIDTH if len(labels) <= MONTHS_SIDE_BY_SIDE else MANY_MONTHS_WIDTH
    chart = columns(labels, series, alt="Cost of each month, USD: units, on demand, egress", width=width)
    return Section("Cost by month", chart=_picture(chart, [(s.name, s.colour) for s in series]))


def _week(report: Report) -> list[Section]:
    weeks = served_weeks(report.reading)
    if not weeks:
        return []
    week = max(weeks, key=lambda w: sum(w.demand_rph))
    served = [Series("Reserved", SKY, tuple(week.reserved_rph))]
    if week.scaled_rph is not None:
        served.append(Series("By the hour", GREEN, tuple(week.scaled_rph)))
    served.append(Series("On demand", ORANGE, tuple(week.on_demand_rph)))
    level = Series("Reserved capacity at the hour's mix (dashed)", INK, tuple(week.capacity_rph))
    chart = areas(
        served,
        level,
        [(day * HOURS_PER_DAY, WEEKDAYS[day]) for day in range(DAYS_PER_WEEK)],
        alt=f"Requests per hour over the week (UTC): {', '.join(s.name.lower() for s in served)}",
        width=CHART_WIDTH,
    )
    return [
        Section(
            f"The busiest deployment: {week.model} in {week.region}, {week.period}",
            text="Requests per hour, hour of the week in UTC.",
            chart=_picture(chart, [(s.name, s.colour) for s in (*served, level)]),
        )
    ]


def _scenarios(report: Report) -> list[Section]:
    rows = contract_story.scenario_rows(report)
    if not rows:
        return []
    risk, level = report.plan.risk, report.case.settings.policy.risk.level
    table = [
        (row.scenario, "worst tail" if row.in_tail and risk is not None else "", percent(row.probability), usd(row.usd),
         contract_story.signed_usd(row.dearer_usd))
        for row in rows
    ]  # fmt: skip
    table.append(("Expected", "", "100.0 %", usd(report.plan.totals.total_usd), ""))
    if risk is not None:
        more = risk.cvar_usd - report.plan.totals.total_usd
        table.append(("Worst tail, on average", "", percent(1 - level), usd(risk.cvar_usd), f"+{usd(more)}"))
    heads = ("Scenario", "", "Probability", "Cost", "Against expected")
    lines = contract_story.scenario_lines(report)
    return [Section("What each scenario costs", table=PageTable(heads, table, 2), lines=lines)]


def stress_table(report: Report) -> tuple[Sequence[str], Sequence[Sequence[str]]] | None:
    """Heads and rows of the stress cases and their margins; None: there are none, or they were not worked out."""
    ranked = report.metrics.stress.sort_values("margin_share", kind="stable")  # as on terminal and sheet
    rows = [_stress_row(row) for row in rows_of(ranked)]
    return (("Stress case", "Binding hour (UTC)", "Need/hour", "Capacity/hour", "Margin"), rows) if rows else None


def _stress(report: Report) -> Section:
    table = stress_table(report)
    if table is None:
        return Section("Headroom and failover", text=report.without_margins)
    return Section("Headroom and failover", table=PageTable(*table, 2))


def _stress_row(row: Any) -> tuple[str, ...]:
    capacity = float(row.capacity_rph)
    finite = math.isfinite(capacity)
    return (
        str(row.case),
        f"{text_of(row.period)} {hour_text(row.hour_of_week)}",
        f"{float(row.need_rph):,.0f}",
        f"{capacity:,.0f}" if finite else "no limit",
        percent(float(row.margin_share)) if finite else "–",
    )
