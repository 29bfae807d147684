"""The terminal's report: one screen, plain in a pipe, and names never read as markup."""

import io
from dataclasses import replace

from planner.plan.metrics import Metrics
from planner.plan.plan import Totals
from planner.workbook import html, terminal
from planner.workbook.report import TOTAL_NAMES, Report
from planner.workbook.terminal import print_report
from tests.builders.books import hostile, small


def printed(metrics: Metrics) -> str:
    stream = io.StringIO()
    print_report(Report(metrics), stream)
    return stream.getvalue()


def test_it_says_what_to_sign_what_it_costs_and_how_sure_it_is() -> None:
    text = printed(small())
    assert "Sign 2 commitments worth $14,880 over their terms" in text
    assert "46.7 % less than all on demand ($44,640, which not every rule allows)" in " ".join(text.split())
    assert "Coverage 80.0 % · utilisation 80.0 %" in text
    assert "failover east" in text
    assert "proved in exact arithmetic" in " ".join(text.split())


def test_no_report_forgets_a_part_of_the_cost() -> None:
    parts = sorted(Totals.names())
    assert sorted(TOTAL_NAMES) == parts
    assert sorted(column for _, column in terminal._PARTS) == sorted([*parts, "total_usd"])
    assert sorted(name for *_, names in html._MONTH_PARTS for name in names) == parts


def test_a_plan_that_saves_nothing_costs_as_much_as_on_demand() -> None:
    """Equal to the cent: neither "0.0 % more" nor "-0.0 %"."""
    metrics = small()
    usd = metrics.reading.plan.totals.total_usd * (1 + 1e-13)
    strategies = metrics.strategies.assign(total_usd=[usd, *metrics.strategies["total_usd"].iloc[1:]])
    text = printed(replace(metrics, strategies=strategies))
    assert "as much as all on demand ($23,808, which not every rule allows)" in " ".join(text.split())
    assert "-0.0 %" not in text


def test_it_is_plain_and_one_screen_in_a_pipe() -> None:
    text = printed(small())
    assert "\x1b" not in text
    lines = text.splitlines()
    assert len(lines) < 48
    assert max(map(len, lines)) <= 100


def test_names_are_not_markup_and_do_not_push_figures_away() -> None:
    text = printed(hostile())
    assert "%s {0} {units}: reservation plan" in text
    assert "{=1}" in text
    assert text.count("$7,440") == 2
