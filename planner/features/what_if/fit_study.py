"""When nothing fits: each single change of the input that is enough, with the cheapest plan after it.

Where no single change is enough, pairs. Every change is put into the folder exactly as it is printed, and planned.

What would make a folder fit: on the terminal, and as the sheet of study.xlsx.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import IO

from rich.console import Console

from planner.errors import InfeasibleError, StoppedError
from planner.features.what_if.case_change import CaseChange
from planner.features.what_if.findings import Fit, NotEnough
from planner.features.what_if.study import Answer, Progress, Study, answer_of
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.highs import Clock
from planner.solver.input_change import apply_changes
from planner.solver.parallel import interruptible
from planner.solver.single_changes import single_changes
from planner.solver.solve import audited
from planner.workbook.book import Book, Column, Value
from planner.workbook.text_tables import LOST, Styled, TextTable, clean, console_for, percent, usd

NAME = "Make it fit"
TOP = 3
COLUMNS = (
    Column("change", "Change that is enough", "text:wrap", 60),
    Column("share", "Size of\nthe change", "percent", 12),
    Column("total", "Cost of the\nplan after it, USD", "usd", 17),
    Column("sign", "To sign\nUSD", "usd", 14),
    Column("note", "", "text", 22),
)
NONE_FOUND = "No change of one or two cells of the input was found that is enough."
NOT_SETTLED = (
    "Whole units: not settled in the time. "
    "For units of any size, to the rounding of the figures, each of these is enough"
)
UNPLANNED = "Each of these is enough; there was no time for the cheapest plan after it"
AT_LEAST = " and no less is: whole units need at least as much"


def print_fits(console: Console, study: Study) -> None:
    """Print the changes, the smallest first, and which is the smallest and which the cheapest."""
    fits = _fits(study)
    if not fits:
        return
    console.print()
    table = TextTable((_head(fits), "size", "the plan\nthen costs", "to sign", ""))
    for answer in fits:
        assert answer.fit is not None
        share = answer.fit.share
        size = "" if share is None else percent(share)
        if answer.possible:
            money = (usd(answer.total_usd or 0.0), usd(answer.to_sign_usd or 0.0))
            table.add(clean(str(answer.fit), 110), size, *money, _note(fits, answer))
        else:
            table.add(clean(str(answer.fit), 110), size, Styled("no plan", LOST), "", "")
    table.print(console)
    console.print()
    for what, best in (("smallest", smallest(fits)), ("cheapest", cheapest(fits))):
        if best is not None:
            console.print(f"The {what} of these: {clean(str(best.fit), 300)}; the plan then costs "
                          f"{usd(best.total_usd or 0.0)}.", soft_wrap=True)  # fmt: skip


def print_outcome(study: Study, stream: IO[str]) -> None:
    """Say so where nothing had to change, or nothing was found."""
    if study.base.possible:
        print("\nThe folder has a plan as it stands: nothing has to change.", file=stream)
        return
    console, never = console_for(stream), study.not_enough or NotEnough()
    none = not _fits(study) and not never.unplanned
    if none:
        console.print(f"\n{NONE_FOUND}")
    one, two = _by_count(never.any_size)
    for head, fits in ((UNPLANNED, never.unplanned), (NOT_SETTLED + AT_LEAST, one), (NOT_SETTLED, two)):
        if fits:
            console.print(f"\n{head}:", style="bold", soft_wrap=True)
        for fit in fits:
            console.print(f"- {clean(str(fit), 300)}", soft_wrap=True)
    if none and never.single:
        names = "; ".join(clean(name, 110) for name in never.single)
        pairs = f", nor are {never.pairs:,} pairs" if never.pairs else ""
        console.print(f"\nProved not to be enough by itself, however large{pairs}: {names}.", soft_wrap=True)


def _by_count(fits: Sequence[Fit]) -> tuple[list[Fit], list[Fit]]:
    """Part single changes from pairs."""
    return [fit for fit in fits if len(fit.changes) == 1], [fit for fit in fits if len(fit.changes) > 1]


def _fits(study: Study) -> list[Answer]:
    return [answer for answer in study.cases if answer.fit is not None]


def _head(fits: list[Answer]) -> str:
    kinds = {len(a.fit.changes) for a in fits if a.fit is not None and not a.fit.asks_less}
    if 1 in kinds or not kinds:
        return "Each of these alone makes it fit"
    less = any(a.fit is not None and a.fit.asks_less for a in fits)
    return f"No single change{' but less demand' if less else ''} does; each of these does"


def _note(fits: list[Answer], answer: Answer) -> str:
    told = [what for what, best in (("smallest", smallest(fits)), ("cheapest", cheapest(fits))) if best is answer]
    return ", ".join(told)


def add_sheet(book: Book, study: Study) -> None:
    """Add the sheet where such changes were asked for."""
    fits = _fits(study)
    if not fits:
        return
    sheet = book.add_sheet(NAME)
    text = f"{_head(fits)}. Each was put into the folder exactly as it stands here, and planned."
    sheet.heading(NAME, text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    rows: list[Mapping[str, Value]] = [
        {"change": str(a.fit), "share": a.fit.share if a.fit is not None else None, "total": a.total_usd,
         "sign": a.to_sign_usd, "note": _note(fits, a) if a.possible else "no plan"}
        for a in fits
    ]  # fmt: skip
    block = sheet.table(TOP, COLUMNS, rows)
    sheet.printed(block.last, len(COLUMNS) - 1, freeze=(TOP + 1, 1))


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
