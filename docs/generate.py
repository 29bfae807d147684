"""Write the parts of the documentation that the code knows best, between their marks.

    python docs/generate.py           rewrite them all
    python docs/generate.py --check   say which are not current, change nothing

A part stands in a page between `<!-- begin: NAME -->` and `<!-- end -->`. The tests check that all are current.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from planner.cli import COMMANDS
from planner.features.demand.export_findings import RULES
from planner.features.demand.formats import FORMATS
from planner.features.demand.new import ARCHETYPES
from planner.features.mix.mix_tables import MIX_FIGURES
from planner.features.review.review_rules import Rules
from planner.features.review.review_tables import REVIEW_FIGURES
from planner.features.tasks.movement import MOVEMENT_FIGURES
from planner.features.tasks.span import SPREAD, TREND
from planner.features.tasks.task_formula import LABEL, MEANING
from planner.model import objective
from planner.model.columns import columns_of
from planner.model.constraints.stress_rows import stress_columns
from planner.model.family import Cell, Family
from planner.model.index_tables import sets_of
from planner.model.program import FAMILIES, STRESS_FAMILIES
from planner.model.reduce import project_stress as stress_rays
from planner.model.sets import names_of
from planner.plan import files, frames
from planner.plan.audit import bound, findings, totals
from planner.plan.metrics.metric_tables import FIGURES
from planner.plan.waited import IDLE, WAITED
from planner.readers import load
from planner.schema import describe
from planner.solver import assemble, certificate, find, highs, ties, whole
from planner.solver import stress_search as stress
from planner.verify import claims, linear

ROOT = Path(__file__).parents[1]
REST = "What the rules cost"  # from here on the README leaves to reports/example
PART = re.compile(r"(<!-- begin: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
UNIT = re.compile(r"\s+\[([^\[\]]+)\]$", re.MULTILINE)

TOLERANCES: tuple[tuple[Any, str, str], ...] = (
    (highs, "TOLERANCE", "feasibility and optimality of HiGHS, on numbers scaled to order one"),
    (find, "DEFAULT_GAP", "relative gap accepted where units are whole (`--gap`)"),
    (whole, "MASTER_SHARE", "part of that gap that the search of one round may leave open"),
    (whole, "TIE", "most that the rule for equal plans adds to a commitment's price in the search for whole units"),
    (ties, "ZERO", "a reduced cost or dual below this is none, when one of equal plans is chosen"),
    (stress, "SHORT", "a stress slot is served if no more than this share of a peak is left"),
    (stress_rays, "ROUNDING", "every stress row is weakened by this share of its terms, against rounding"),
    (assemble, "DUST", "units below this are the solver's rounding, not a purchase"),
    (certificate, "ERROR", "relative rounding error charged to every reduced cost in the certificate"),
    (findings, "TOLERANCE", "of every limit in the audit: absolute in the rule's unit, and relative"),
    (findings, "BALANCE_TOLERANCE", "served against demand in the audit, requests per hour"),
    (findings, "GRID_TOLERANCE", "of a step, for whole units in the audit"),
    (totals, "BOUND_TOLERANCE", "relative amount by which a bound may exceed the cost"),
    (linear, "FEASIBILITY", "feasibility of the programmes of `planner verify`"),
    (bound, "ROUNDING", "relative difference allowed between the stated bound and the recomputed one"),
    (claims, "FIGURE_TOLERANCE", "relative difference allowed in the figures that plan.json tells"),
    (files, "SIGNIFICANT_DIGITS", "digits of the numbers in plan.json"),
)


@dataclass(frozen=True)
class Told:
    """What the docstring of a family's rows says: what it keeps, algebra, units, where it stands."""

    keeps: str
    algebra: str
    unit: str
    path: str


def told(family: Family) -> Told:
    """Read the docstring of a family's rows: a summary, algebra that ends in [unit], sentences."""
    text = inspect.getdoc(family.rows) or ""
    module = inspect.getmodule(family.rows)
    assert module is not None
    keeps, *rest = text.split("\n\n")
    stated = "\n".join(part for part in rest if UNIT.search(part))
    algebra = textwrap.indent(textwrap.dedent(stated), "    ")
    return Told(
        keeps=keeps.replace("\n", " "),
        algebra=algebra,
        unit=", ".join(dict.fromkeys(UNIT.findall(algebra))),
        path=module.__name__.replace(".", "/") + ".py",
    )


def families() -> list[Family]:
    """All families in reading order, those of the stress cases last."""
    return [*FAMILIES, *STRESS_FAMILIES]


def families_table() -> Iterable[str]:
    """One row a family: its declaration, and what the docstring of its rows says."""
    yield from (
        "| rule | family | keeps | unit of a row | its dual | spans | relaxed by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    )
    for f in families():
        t, cell = told(f), f.relaxed_by
        relaxed = f"`{cell.column}`" if isinstance(cell, Cell) else "demand" if f.of_demand else ""
        yield (
            f"| {f.rule} | [`{f.name}`](../{t.path}) | {t.keeps} | {t.unit} | {f.dual} | {f.spans.name.lower()} "
            f"| {relaxed} |"
        )


def algebra() -> Iterable[str]:
    """One block a family, as its docstring states it."""
    yield "```text"
    for k, f in enumerate(families()):
        yield from ([""] if k else [])
        yield f.name
        yield from told(f).algebra.splitlines()
    yield "```"


def prices_table() -> Iterable[str]:
    """One row for the prices of a family, and what names them, read from its rows."""
    yield from ("| kind | the rule it prices | identified by |", "| --- | --- | --- |")
    sets = sets_of(load(ROOT / "planner" / "readers" / "starter"))
    at = stress_columns(sets, columns_of(sets))
    where = ("scenario", "period", "hour_of_week")
    yield f"| `stress` | the row of a ray of rule 8 | ray, case, {', '.join(where)} |"
    for f in families():
        kinds = ", ".join(f"`{kind}`" for kind in f.price_kinds if kind)
        index = {
            name: numbers[:0]
            for name, numbers in f.rows(sets, at).index.items()
            if name not in ("case", "sized", "queue")
        }
        names = dict.fromkeys((*(("ray", "case") if f.of_stress else ()), *names_of(sets, index)))
        names |= dict.fromkeys(where if "slot" in index and not f.of_stress else ())
        if kinds:
            yield f"| {kinds} | {f.rule}: {told(f).keeps} | {', '.join(names)} |"


def objective_table() -> Iterable[str]:
    """One row a cost term."""
    yield from ("| term | USD | prices | part of the cost | spans |", "| --- | --- | --- | --- | --- |")
    for term in objective.TERMS:
        stated, part = inspect.getdoc(term.usd) or "", f"`{term.part}`" if term.part else ""
        spans = term.spans.name.lower()
        yield f"| [`{term.name}`](../planner/model/objective.py) | {stated} | {term.prices} | {part} | {spans} |"


def tolerances_table() -> Iterable[str]:
    """One row a constant."""
    yield from ("| constant | value | what it is for |", "| --- | --- | --- |")
    for module, name, meaning in TOLERANCES:
        room, path = module.__name__.removeprefix("planner."), module.__name__.replace(".", "/")
        yield f"| [`{room}.{name}`](../{path}.py) | {getattr(module, name):g} | {meaning} |"


def commands_table() -> Iterable[str]:
    """One row a command."""
    yield from ("| command | what it does |", "| --- | --- |")
    for name, _, line in COMMANDS:
        yield f"| `planner {name}` | {line} |"


def formats_table() -> Iterable[str]:
    """Return the usage exports that `planner ingest` reads."""
    yield "| format | source | finest bucket | cached tokens are inside input | not in it |"
    yield "| --- | --- | --- | --- | --- |"
    for one in FORMATS:
        inside = "as the map says" if one.name == "table" else "yes" if one.cached_in_input else "no"
        yield f"| `{one.name}` | {one.title} | {one.finest} | {inside} | {'; '.join(one.lacks)} |"


def rules_table() -> Iterable[str]:
    """Return the rules for bad rows of a usage export."""
    yield "| rule | what happens | what it says |"
    yield "| --- | --- | --- |"
    for name, (action, meaning) in RULES.items():
        yield f"| `{name}` | {action} | {meaning} |"


def archetypes_table() -> Iterable[str]:
    """Return the shapes of demand without a history."""
    yield "| archetype | peak over mean | weekend share | meaning |"
    yield "| --- | ---: | ---: | --- |"
    for one in ARCHETYPES.values():
        yield f"| `{one.name}` | {one.peak_over_mean:g} | {100 * one.weekend_share:.0f} % | {one.meaning} |"


def review_rules_table() -> Iterable[str]:
    """Return the thresholds of a review."""
    yield "| threshold | default | meaning |"
    yield "| --- | ---: | --- |"
    for name, field in Rules.model_fields.items():
        yield f"| `{name}` | {field.default:g} | {field.description} |"


def task_factors_table() -> Iterable[str]:
    """Return the factors that move the cost of a task."""
    yield "| factor | what it is |"
    yield "| --- | --- |"
    for name, meaning in MEANING.items():
        yield f"| {LABEL[name]} | {meaning} |"


def input_tables() -> Iterable[str]:
    """Return every input table, as `planner schema --markdown` prints it."""
    yield "\n\n".join(describe.as_markdown(part) for part in describe.parts().values())


def frame_table(frame: frames.Frame) -> Iterable[str]:
    """Return the columns of one of the plan's tables."""
    yield from ("| column | type | unit | meaning |", "| --- | --- | --- | --- |")
    for column in frame.declared:
        kind = f"{column.kind}, optional" if column.name in frame.optional else column.kind
        yield f"| `{column.name}` | {kind} | {column.unit} | {column.meaning} |"


def figures_tables() -> Iterable[str]:
    """Return every table of figures."""
    named = [(f"metrics.{frame.name}", frame) for frame in FIGURES]
    named += [(f"report.waited.{name}", frame) for name, frame in (("workloads", WAITED), ("idle", IDLE))]
    named += [(f"tasks.{frame.name}", frame) for frame in (TREND, SPREAD)]
    named += [(f"movement.{frame.name}", frame) for frame in MOVEMENT_FIGURES]
    named += [(f"mix.{frame.name}", frame) for frame in MIX_FIGURES]
    named += [(f"review.{frame.name}", frame) for frame in REVIEW_FIGURES]
    for name, frame in named:
        yield from (
            f"### {name}",
            "",
            f"{frame.row[0].upper()}{frame.row[1:]}.",
            "",
            *frame_table(frame),
            "",
        )


FRAMES = (frames.PURCHASES, frames.DEPLOYMENTS, frames.DISPATCH, frames.STRESS, frames.STRESS_RENTS, frames.CERTIFICATE)


def terminal_block() -> Iterator[str]:
    """Show what `planner solve data/quickstart` prints, as kept in reports/example, up to what the rules cost."""
    kept = (ROOT / "reports" / "example-terminal.txt").read_text(encoding="utf-8")
    shown = kept.partition(REST)[0].rstrip().splitlines()[1:]  # without the command
    yield from ("```text", *shown, "```")


PARTS: dict[str, Callable[[], Iterable[str]]] = {
    "families": families_table,
    "algebra": algebra,
    "objective": objective_table,
    "prices": prices_table,
    "figures": figures_tables,
    "tolerances": tolerances_table,
    "terminal": terminal_block,
    "commands": commands_table,
    "formats": formats_table,
    "rules": rules_table,
    "archetypes": archetypes_table,
    "review-rules": review_rules_table,
    "task-factors": task_factors_table,
    "input-tables": input_tables,
    **{f"frame-{frame.name.replace('_', '-')}": partial(frame_table, frame) for frame in FRAMES},
}
PAGES = (
    "README.md",
    "docs/model.md",
    "docs/demand.md",
    "docs/review.md",
    "docs/cost-per-task.md",
    "docs/input.md",
    "docs/plan-files.md",
)


def current(page: str) -> str:
    """Return a page with every part as the code says it."""
    text = (ROOT / page).read_text(encoding="utf-8")

    def written(found: re.Match[str]) -> str:
        part = PARTS.get(found[2])
        return found[0] if part is None else "\n".join([found[1].rstrip("\n"), *part(), found[3]])

    return PART.sub(written, text)


def main(words: Sequence[str]) -> int:
    """Rewrite or check."""
    stale = [page for page in PAGES if (ROOT / page).read_text(encoding="utf-8") != current(page)]
    for page in stale:
        if "--check" not in words:
            (ROOT / page).write_text(current(page), encoding="utf-8", newline="\n")
        print(f"{page}: {'not current' if '--check' in words else 'rewritten'}")
    return 1 if stale and "--check" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
