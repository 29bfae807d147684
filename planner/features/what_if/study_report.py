"""A study on the terminal: the cases side by side, the lines that differ, and two studies compared."""

from __future__ import annotations

from typing import IO

from planner.features.what_if.curve_files import print_curve
from planner.features.what_if.findings import Within
from planner.features.what_if.fit_study import print_fits
from planner.features.what_if.how_far_report import print_how_far
from planner.features.what_if.near_report import print_near
from planner.features.what_if.study import SAME_USD, Answer, Study, decide_by, differences
from planner.features.what_if.study_files import difference_usd
from planner.units import counted
from planner.workbook.text_tables import LOST, Styled, TextTable, amount, clean, console_for, percent, usd

_PROBLEM, _LINES = 900, 8


def print_study(study: Study, stream: IO[str]) -> None:
    """Print every case beside the plan as it stands, then what each would buy otherwise."""
    console = console_for(stream)
    span = study.months[0] if len(study.months) == 1 else f"{study.months[0]} to {study.months[-1]}"
    console.print(f"{clean(study.name, 80)}: what if, {span}\n")
    risky = any(answer.tail_usd is not None for answer in study.answers)
    heads = ("Case", "total", "against as\nit stands", "", "to sign", "on demand", "coverage", "least\nmargin")
    table = TextTable((*heads, *(["dearest\nscenarios"] if risky else [])))
    for answer in study.answers:
        if answer.possible:
            table.add(answer.change.name, usd(answer.total_usd or 0.0), *_difference(study, answer),
                    usd(answer.to_sign_usd or 0.0), usd((answer.parts or {})["on_demand_usd"]),
                    _share(answer.coverage), _share(answer.least_margin),
                    *([usd(answer.tail_usd or 0.0)] if risky else []))  # fmt: skip
        else:
            table.add(answer.change.name, Styled("no plan", LOST), *[""] * (7 if risky else 6))
    table.print(console)
    for answer in study.answers:
        if not answer.possible and answer.near is None:
            console.print(f"\n{clean(answer.change.name, 80)}: no plan.", style="bold")
            for line in answer.problem.splitlines():
                console.print(clean(line, _PROBLEM), soft_wrap=True)
    print_near(console, study)
    print_fits(console, study)
    if study.base.possible:
        for answer in study.cases:
            if answer.possible and (answer.near is None or answer.near.within is Within.YES):
                _print_lines(console, study.base, answer)
    if study.left_out:
        names = ", ".join(clean(name, 80) for name in study.left_out)
        console.print(f"\nNot answered, because the time limit ran out before there was a plan: {names}", style="bold",
                      soft_wrap=True)  # fmt: skip
    for curve in study.curves:
        print_curve(console, curve)
    if study.how_far is not None:
        print_how_far(console, study.how_far)
    near = any(answer.near is not None for answer in study.cases)
    unless = ", or what its name says of it" if near else ""
    console.print(f"\nEvery case is a plan of its own: the cheapest with that change{unless}, proved and audited.")


def _print_lines(console: object, base: Answer, answer: Answer) -> None:
    lines = differences(base, answer)
    show = console.print  # type: ignore[attr-defined]
    name = clean(answer.change.name, 80)
    what = str(answer.change)
    show(f"\n{name}" + (f" ({clean(what, 120)})" if what != answer.change.name else ""), style="bold", soft_wrap=True)
    if not lines:
        show("- buys the same as the plan as it stands")
    if answer.change.refuse_pools:
        show(f"- decide by {decide_by(base, answer)}, the first day on which the order is another")
    for d in lines[:_LINES]:
        show(f"- {clean(d.offer, 120)} from {d.period}: {amount(d.units_before)} → {counted(amount(d.units), 'unit')}, "
             f"{usd(d.usd_before)} → {usd(d.usd)} to sign", soft_wrap=True)  # fmt: skip
    if len(lines) > _LINES:
        show(f"- and {counted(len(lines) - _LINES, 'more line')} (all of them in study_lines.csv and with --json)")


def _difference(study: Study, answer: Answer) -> tuple[str, str]:
    dollars = difference_usd(study, answer)
    if dollars is None or abs(dollars) < SAME_USD:
        return "", ""
    base = study.base.total_usd or 0.0
    sign = "+" if dollars > 0 else ""
    return f"{sign}{usd(dollars)}", f"{sign}{percent(dollars / base)}" if base > 0 else ""


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)


def print_comparison(this: Study, other: Study, stream: IO[str]) -> None:
    """Print two studies side by side, a row for each case that either has."""
    console = console_for(stream)
    console.print(f"{clean(this.name, 120)} beside {clean(other.name, 120)}\n")
    table = TextTable(("Case", "total", "other\ntotal", "difference", "to sign", "other\nto sign", "difference"))
    mine = {answer.change.name: answer for answer in this.answers}
    theirs = {answer.change.name: answer for answer in other.answers}
    for name in dict.fromkeys([*mine, *theirs]):
        a, b = mine.get(name), theirs.get(name)
        table.add(name, _money(a, "total_usd"), _money(b, "total_usd"), _more(a, b, "total_usd"),
                _money(a, "to_sign_usd"), _money(b, "to_sign_usd"), _more(a, b, "to_sign_usd"))  # fmt: skip
    table.print(console)
    moved = [name for name in mine.keys() & theirs.keys() if str(mine[name].change) != str(theirs[name].change)]
    for name in sorted(moved):
        console.print(f"- {clean(name, 120)} is not the same change in both: {clean(mine[name].change, 120)}; "
                      f"{clean(theirs[name].change, 120)}", soft_wrap=True)  # fmt: skip


def _money(answer: Answer | None, name: str) -> str:
    if answer is None:
        return "not asked"
    value = getattr(answer, name)
    return "no plan" if value is None else usd(value)


def _more(a: Answer | None, b: Answer | None, name: str) -> str:
    one, two = (None if x is None else getattr(x, name) for x in (a, b))
    if one is None or two is None:
        return ""
    return "" if abs(one - two) < SAME_USD else f"{'+' if one > two else ''}{usd(one - two)}"
