"""A study of the model mix on the terminal and as files: mix.json, mix.csv and a workbook with the sheet Mix."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pandas as pd

from planner.features.mix import mix_sheet as mix
from planner.features.mix.mix_sheet import CAUTION
from planner.features.mix.mix_tables import ALL, TIERS, MixStudy, MixVariant
from planner.io.atomic import write_csv, write_text
from planner.io.directory import Kind, replaced
from planner.plan.manifest import NO_PLACE
from planner.workbook.book import new_book
from planner.workbook.report import rows_of
from planner.workbook.text_tables import LOST, Styled, TextTable, clean, console_for, percent, task_usd, usd

if TYPE_CHECKING:
    from rich.console import Console


JSON, TABLE, WORKBOOK = "mix.json", "mix.csv", "mix.xlsx"
COLUMNS = ("mix", "workload", "possible", *(f"{tier}_share" for tier in TIERS), "tasks", "total_usd", "usd_per_task",
           "difference_usd", "difference_share")  # fmt: skip


MIX = Kind(
    key=JSON,
    ours=frozenset({JSON, TABLE, WORKBOOK}),
    foreign=NO_PLACE,
    signed=frozenset(),
    what="a study of mixes",
)


def write_mix(study: MixStudy, directory: str | Path, created: dt.date) -> None:
    """Write the three files into a directory, as a whole.

    Parameters
    ----------
    created : date of the workbook; no clock is asked.

    Raises
    ------
    PlannerError : the directory is of another kind.
    """
    with replaced(directory, MIX) as new:
        book = new_book(str(new / WORKBOOK), study.name, created, "Model mix", f"input {study.input_digest[:16]}")
        mix.write(book.add_sheet(mix.NAME), study)
        book.close()
        write_csv(new / TABLE, table(study))
        write_text(new / JSON, mix_json(study))


def mix_json(study: MixStudy) -> str:
    """Render every figure of the study; null where one is not defined."""
    dearest = float("nan") if study.all_frontier is None else study.all_frontier.total_usd
    document = {
        "name": study.name,
        "input_digest": study.input_digest,
        "months": list(study.months),
        "variants": [_variant(v, dearest) for v in study.variants],
        "left_out": [{"mix": m.name, "reason": m.reason} for m in study.left_out],
        "caution": mix.CAUTION,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def table(study: MixStudy) -> pd.DataFrame:
    """One row a variant and workload, and one for all workloads: columns COLUMNS."""
    rows: list[dict[str, Any]] = []
    for v in study.variants:
        name = v.target.name
        rows.append({"mix": name, "workload": ALL, "possible": v.possible, **_tiers(v, ALL), "total_usd": v.total_usd,
                     "difference_usd": v.difference_usd, "difference_share": v.difference_share})  # fmt: skip
        for row in v.workloads.to_dict("records"):
            workload = str(row["workload"])
            rows.append({"mix": name, "possible": True, **_tiers(v, workload), **{str(k): x for k, x in row.items()}})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _tiers(variant: MixVariant, workload: str) -> dict[str, float]:
    own = variant.tiers[variant.tiers["workload"] == workload]
    return {f"{tier}_share": float(share) for tier, share in zip(own["tier"], own["share"], strict=True)}


def _variant(v: MixVariant, dearest: float) -> dict[str, Any]:
    figures = ("total_usd", "bound_usd", "reserved_usd", "scaled_usd", "shortfall_usd", "on_demand_usd", "egress_usd",
               "difference_usd", "difference_share")  # fmt: skip
    return {
        "mix": v.target.name,
        "target": None if v.target.shares is None else dict(v.target.shares),
        "possible": v.possible,
        "problem": v.problem or None,
        "shortfalls": [shortfall.document() for shortfall in v.shortfalls],
        **{name: _plain(getattr(v, name)) for name in figures},
        "against_all_frontier_usd": _plain(v.total_usd - dearest),
        **{name: _records(getattr(v, name)) for name in ("workloads", "tiers", "held", "commitments")},
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _plain(x) for k, x in row.items()} for row in frame.astype(object).to_dict("records")]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value


_NAME, _PROBLEM, _HELD = 28, 600, 12


def print_mix(study: MixStudy, stream: IO[str]) -> None:
    """Print each variant, each workload in it, and which were held back."""
    console = console_for(stream)
    span = study.months[0] if len(study.months) == 1 else f"{study.months[0]} to {study.months[-1]}"
    console.print(f"{clean(study.name, 80)}: what another model mix would cost, {span}\n")
    parts = cost_parts(study)
    table = TextTable(("Mix", *TIERS, *parts.values(), "total", "against as is", "", "commits"))
    for v in study.variants:
        if v.possible:
            table.add(v.target.name, *_shares(v, ALL), *(usd(getattr(v, part)) for part in parts), usd(v.total_usd),
                 *_difference(v.difference_usd, v.difference_share),
                 usd(float(v.commitments["usd"].sum())))  # fmt: skip
        else:
            table.add(v.target.name, *[""] * (len(TIERS) + len(parts)), Styled("no plan", LOST), *[""] * 3)
    table.print(console)
    for v in study.variants:
        if not v.possible:
            console.print(f"{v.target.name}: no plan. {clean(v.problem, _PROBLEM)}", soft_wrap=True, style=LOST)
    for m in study.left_out:
        console.print(f"{m.name}: left out, {clean(m.reason, _PROBLEM)}.", soft_wrap=True)
    _print_against_frontier(console, study)
    console.print()
    _workloads(study).print(console)
    _print_held(console, study)
    console.print(f"\n{CAUTION}", soft_wrap=True)


def cost_parts(study: MixStudy) -> dict[str, str]:
    """Name the parts of the cost that the terminal shows; what no mix pays is left out, but reserved and on demand."""
    names = {"reserved_usd": "reserved", "scaled_usd": "by the hour", "shortfall_usd": "shortfall",
             "on_demand_usd": "on demand"}  # fmt: skip
    rare = {"scaled_usd", "shortfall_usd"}
    return {key: name for key, name in names.items()
            if key not in rare or any(v.possible and getattr(v, key) > 0 for v in study.variants)}  # fmt: skip


def _shares(v: MixVariant, workload: str) -> list[str]:
    own = v.tiers[v.tiers["workload"] == workload]
    if own.empty:  # what nobody's requests bear: unspent commitments
        return [""] * len(TIERS)
    return [percent(float(share), 0) for share in own["share"]]


def _difference(dollars: float, share: float) -> tuple[str, str]:
    if abs(dollars) < 0.005:
        return "", ""
    return f"{'+' if dollars > 0 else ''}{usd(dollars)}", f"{'+' if dollars > 0 else ''}{percent(share)}"


def _workloads(study: MixStudy) -> TextTable:
    table = TextTable(("Workload", "mix", *TIERS, "per task", "total", "against as is", ""), left=2)
    names = dict.fromkeys(str(row.workload) for v in study.variants for row in rows_of(v.workloads))
    for name in names:
        for v in study.variants:
            for row in rows_of(v.workloads):
                if row.workload == name:
                    table.add(name, v.target.name, *_shares(v, name), task_usd(float(row.usd_per_task)),
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
            shares = ", ".join(f"{r.tier} {percent(float(r.share), 0)} instead of {percent(float(r.target_share), 0)}"
                               for r in rows)  # fmt: skip
            limits = "; ".join(str(r.limit) for r in rows if r.limit)
            lines.append(f"- {v.target.name}: {clean(workload, 120)}: {shares} ({clean(limits, 160)})")
    if lines:
        console.print("\nLimited by the allowed shares of a workload (table mix); nearest permitted "
                      "share instead of the one asked for:",
                      style="bold")  # fmt: skip
    for line in lines[:_HELD]:
        console.print(line, soft_wrap=True)
    if len(lines) > _HELD:
        console.print(f"- and {len(lines) - _HELD} more; --json and mix.xlsx have them all")
