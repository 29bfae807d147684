"""A study of the model mix on the terminal."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from planner.features.mix.mix_sheet import CAUTION
from planner.features.mix.mix_tables import ALL, TIERS, MixStudy, MixVariant
from planner.workbook.report import rows_of
from planner.workbook.text import clean, percent, task_usd, usd
from planner.workbook.wide_tables import add_row, wide_console, wide_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_NAME, _PROBLEM, _HELD = 28, 600, 12


def print_mix(study: MixStudy, stream: IO[str]) -> None:
    """Print each variant, each workload in it, and which were held back."""
    console = wide_console(stream)
    span = study.months[0] if len(study.months) == 1 else f"{study.months[0]} to {study.months[-1]}"
    console.print(f"{clean(study.name, 80)}: what a shift of the model mix is worth, {span}\n")
    table = wide_table(
        "Mix", *TIERS, "reserved", "on demand", "total", "against as is", "", "commits", left=1, widest=_NAME
    )
    for v in study.variants:
        if v.possible:
            add_row(table, v.target.name, *_shares(v, ALL), usd(v.reserved_usd), usd(v.on_demand_usd), usd(v.total_usd),
                 *_difference(v.difference_usd, v.difference_share),
                 usd(float(v.commitments["usd"].sum())))  # fmt: skip
        else:
            add_row(table, v.target.name, *[""] * 5, "no plan", *[""] * 3)
    console.print(table)
    for v in study.variants:
        if not v.possible:
            console.print(f"{v.target.name}: no plan. {clean(v.problem, _PROBLEM)}", soft_wrap=True)
    _print_against_frontier(console, study)
    console.print()
    console.print(_workloads(study))
    _print_held(console, study)
    console.print(f"\n{CAUTION}", soft_wrap=True)


def _shares(v: MixVariant, workload: str) -> list[str]:
    own = v.tiers[v.tiers["workload"] == workload]
    return [percent(float(share), 0) for share in own["share"]]


def _difference(dollars: float, share: float) -> tuple[str, str]:
    if abs(dollars) < 0.005:
        return "", ""
    return f"{'+' if dollars > 0 else ''}{usd(dollars)}", f"{'+' if dollars > 0 else ''}{percent(share)}"


def _workloads(study: MixStudy) -> Table:
    table = wide_table("Workload", "mix", *TIERS, "a task", "total", "against as is", "", left=2, widest=_NAME)
    names = dict.fromkeys(str(row.workload) for v in study.variants for row in rows_of(v.workloads))
    for name in names:
        for v in study.variants:
            for row in rows_of(v.workloads):
                if row.workload == name:
                    add_row(table, name, v.target.name, *_shares(v, name), task_usd(float(row.usd_per_task)),
                         usd(float(row.total_usd)),
                         *_difference(float(row.difference_usd), float(row.difference_share)))  # fmt: skip
    return table


def _print_against_frontier(console: Console, study: MixStudy) -> None:
    top = study.all_frontier
    for v in study.variants if top is not None else ():
        if top is not None and v is not top and v.possible and top.total_usd > 0:
            less = top.total_usd - v.total_usd
            word = "less" if less >= 0 else "more"
            console.print(f"{clean(v.target.name, _NAME)} costs {usd(abs(less))} {word} than {top.target.name} "
                          f"({percent(abs(less) / top.total_usd)}).")  # fmt: skip


def _print_held(console: Console, study: MixStudy) -> None:
    """One line a workload and variant: the nearest permitted shares, and the limits."""
    lines = []
    for v in study.variants:
        for workload, own in v.held.groupby("workload"):
            rows = rows_of(own)
            shares = ", ".join(f"{r.tier} {percent(float(r.share), 0)} for {percent(float(r.target_share), 0)}"
                               for r in rows)  # fmt: skip
            limits = "; ".join(str(r.limit) for r in rows if r.limit)
            lines.append(f"- {v.target.name}: {clean(workload, 60)}: {shares} ({clean(limits, 160)})")
    if lines:
        console.print("\nHeld back by the allowed shares of a workload (table mix); nearest permitted for asked:",
                      style="bold")  # fmt: skip
    for line in lines[:_HELD]:
        console.print(line, soft_wrap=True)
    if len(lines) > _HELD:
        console.print(f"- and {len(lines) - _HELD} more; --json and mix.xlsx have them all")
