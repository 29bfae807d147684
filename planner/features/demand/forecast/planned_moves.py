"""Launches and migrations that are planned: demand that moves between regions, workloads or models, from ``moves.csv``.

Columns: from, to, when (a day or moment, UTC), share (0 to 1), and which of ``region``, ``workload`` or ``model`` moves
(``what``; blank: region); ``workload`` (blank: all) narrows a move of regions or models. From ``when`` on, that share
of what the source would have had is the target's instead; a launch is a move from what serves it today. Moves are made
in the order of the file. The total stays what was forecast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError

COLUMNS = ("from", "to", "when", "share", "what", "workload")
WHAT = ("region", "workload", "model")
LEVELS = ("mean", "p10", "p90", "p98")


@dataclass(frozen=True)
class PlannedMove:
    """A share of one region's, workload's or model's demand that becomes another's; ``workload`` None: of all."""

    source: str
    target: str
    when: pd.Timestamp
    share: float
    what: str
    workload: str | None


def load_moves(path: Path, known: Mapping[str, Sequence[str]]) -> tuple[PlannedMove, ...]:
    """Read moves.csv; every fault at once.

    Parameters
    ----------
    known : the history's regions, workloads and models. A target may be new; a source may not.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError([Fault(str(path), f"cannot be read: {error}")]) from error
    faults = [
        Fault(str(path), "is no column of moves", column=name, allowed=", ".join(COLUMNS))
        for name in table.columns
        if name not in COLUMNS
    ]
    faults += [Fault(str(path), "the column is missing", column=n) for n in COLUMNS[:4] if n not in table.columns]
    if faults:
        raise InputError(faults)
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    moves = []
    for row, record in enumerate(table.to_dict("records"), start=2):
        cells = {str(key): str(value).strip() for key, value in record.items()}
        found = _move(path.name, row, cells, known)
        faults += [item for item in found if isinstance(item, Fault)]
        moves += [item for item in found if isinstance(item, PlannedMove)]
    if faults:
        raise InputError(faults)
    return tuple(moves)


def _move(place: str, row: int, cells: dict[str, str], known: Mapping[str, Sequence[str]]) -> list[PlannedMove | Fault]:
    faults: list[PlannedMove | Fault] = []
    what = cells["what"] or WHAT[0]
    if what not in WHAT:
        faults.append(Fault(place, "is nothing that moves", row, "what", what, ", ".join(WHAT)))
    elif cells["from"] not in known[what]:
        allowed = ", ".join(known[what])
        faults.append(Fault(place, f"is no {what} of the history", row, "from", cells["from"], allowed))
    if not cells["to"] or cells["to"] == cells["from"]:
        faults.append(Fault(place, "must be another name", row, "to", cells["to"] or None, f"not {cells['from']}"))
    if cells["workload"] and (cells["workload"] not in known["workload"] or what == "workload"):
        allowed = "blank, where workloads move" if what == "workload" else ", ".join(known["workload"])
        faults.append(Fault(place, "is not allowed", row, "workload", cells["workload"], allowed))
    when = pd.to_datetime(cells["when"], utc=True, errors="coerce", format="ISO8601")
    if not isinstance(when, pd.Timestamp):
        faults.append(Fault(place, "is not a moment", row, "when", cells["when"], "2027-03-01 or 2027-03-01T08:00Z"))
    try:
        share = float(cells["share"])
    except ValueError:
        share = float("nan")
    if not 0.0 < share <= 1.0:
        faults.append(Fault(place, "is not a share", row, "share", cells["share"], "above 0, to 1"))
    if faults:
        return faults
    assert isinstance(when, pd.Timestamp)
    return [PlannedMove(cells["from"], cells["to"], when, share, what, cells["workload"] or None)]


def moved_hours(hours: pd.DataFrame, moves: Sequence[PlannedMove]) -> pd.DataFrame:
    """Return the forecast's hours (region, workload, hour, and levels) after the moves of regions and workloads."""
    for move in (m for m in moves if m.what != "model"):
        rows = (hours[move.what] == move.source) & (hours["hour"] >= move.when)
        if move.workload is not None:
            rows &= hours["workload"] == move.workload
        if not rows.any():
            continue
        gone = hours[rows].copy()
        gone[move.what] = move.target
        gone[list(LEVELS)] *= move.share
        left = hours.copy()
        left.loc[rows, list(LEVELS)] *= 1.0 - move.share
        others = [name for name in hours.columns if name not in (*LEVELS, "region", "workload", "hour")]
        both = pd.concat([left, gone], ignore_index=True)
        sums = both.groupby(["region", "workload", "hour"], as_index=False, sort=False)
        hours = sums.agg({**dict.fromkeys(LEVELS, "sum"), **dict.fromkeys(others, "first")})[list(hours.columns)]
    return hours


def moved_mix(mix: pd.DataFrame, moves: Sequence[PlannedMove], end: pd.Timestamp) -> pd.DataFrame:
    """Return the mix (workload, model, share) at the end of the horizon; a model that all has moved from is gone."""
    for move in (m for m in moves if m.what == "workload"):
        same = mix[mix["workload"] == move.source]
        new = same[~same["model"].isin(mix.loc[mix["workload"] == move.target, "model"])]
        mix = pd.concat([mix, new.assign(workload=move.target)], ignore_index=True)
    for move in (m for m in moves if m.what == "model" and m.when < end):
        rows = mix["model"] == move.source
        if move.workload is not None:
            rows &= mix["workload"] == move.workload
        gone = mix[rows].assign(model=move.target, share=mix.loc[rows, "share"] * move.share)
        left = mix.assign(share=np.where(rows, mix["share"] * (1.0 - move.share), mix["share"]))
        both = pd.concat([left, gone], ignore_index=True)
        mix = both.groupby(["workload", "model"], as_index=False, sort=False)[["share"]].sum()
        mix = mix[mix["share"] > 0].reset_index(drop=True)
    return mix


def moved_shapes(shapes: pd.DataFrame, moves: Sequence[PlannedMove]) -> pd.DataFrame:
    """Return the requests' shapes by workload; a new workload's requests are like those of the one it comes from."""
    for move in (m for m in moves if m.what == "workload"):
        if move.target not in set(shapes["workload"]):
            like = shapes[shapes["workload"] == move.source].assign(workload=move.target)
            shapes = pd.concat([shapes, like], ignore_index=True)
    return shapes


def late_moves(moves: Sequence[PlannedMove], end: pd.Timestamp) -> list[str]:
    """Name the moves that come after the horizon."""
    return [f"{move.source} to {move.target}" for move in moves if move.when >= end]
