"""A study of the model mix as files: mix.json, mix.csv and a workbook with the sheet Mix."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd

from planner.features.mix import mix_sheet as mix
from planner.features.mix.mix_tables import ALL, TIERS, MixStudy, MixVariant
from planner.io.atomic import written_beside
from planner.workbook.book import new_book

JSON, TABLE, WORKBOOK = "mix.json", "mix.csv", "mix.xlsx"
COLUMNS = ("mix", "workload", "possible", *(f"{tier}_share" for tier in TIERS), "tasks", "total_usd", "usd_per_task",
           "difference_usd", "difference_share")  # fmt: skip


def write_mix(study: MixStudy, directory: str | Path, created: dt.date) -> None:
    """Write the three files into a directory; each is written beside and renamed.

    Parameters
    ----------
    created : date of the workbook; no clock is asked.
    """
    folder = Path(directory)
    with written_beside(folder / WORKBOOK) as beside:
        book = new_book(str(beside), study.name, created, "Model mix", f"input {study.input_digest[:16]}")
        mix.write(book.add_sheet(mix.NAME), study)
        book.raw.close()
    with written_beside(folder / TABLE) as beside:
        table(study).to_csv(beside, index=False, lineterminator="\n")
    with written_beside(folder / JSON) as beside:
        beside.write_text(mix_json(study), encoding="utf-8", newline="\n")


def mix_json(study: MixStudy) -> str:
    """Render every figure of the study; null where one is not defined."""
    dearest = float("nan") if study.all_frontier is None else study.all_frontier.total_usd
    document = {
        "name": study.name,
        "input_digest": study.input_digest,
        "months": list(study.months),
        "variants": [_variant(v, dearest) for v in study.variants],
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
    figures = ("total_usd", "bound_usd", "reserved_usd", "on_demand_usd", "egress_usd", "difference_usd",
               "difference_share")  # fmt: skip
    return {
        "mix": v.target.name,
        "target": None if v.target.shares is None else dict(v.target.shares),
        "possible": v.possible,
        "problem": v.problem or None,
        **{name: _plain(getattr(v, name)) for name in figures},
        "against_all_frontier_usd": _plain(v.total_usd - dearest),
        **{name: _records(getattr(v, name)) for name in ("workloads", "tiers", "held", "commitments")},
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _plain(x) for k, x in row.items()} for row in frame.astype(object).to_dict("records")]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
