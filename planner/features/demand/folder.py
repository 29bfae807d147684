"""Writes demand into a planning folder: demand, scenarios, and the token columns of workloads.

What the folder already says about names, headroom, residency or mix stays; rows that are missing are added. A folder
that does not exist yet gets the tables that follow from the history; offers, pools and prices are the planner's.

The months to plan: what the command line says, else the folder's plan.yaml, else the months to come.

The cuts of a planning folder's horizon: what its plan.yaml says, and writing others into it.

plan.yaml is the planner's own file, with comments and an order of its own: only the value of `horizon.cuts` changes.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import TypeAdapter, ValidationError

from planner.errors import Fault, InputError, PlannerError
from planner.features.demand.batch_marks import with_deadlines
from planner.io.together import changed_together, finish
from planner.io.yaml_text import load_yaml
from planner.schema.base import Days
from planner.schema.settings import add_months

_DAYS: TypeAdapter[tuple[dt.date, ...] | None] = TypeAdapter(Days)


def cuts_of(folder: Path) -> tuple[dt.date, ...]:
    """Return the cuts of a folder's horizon; none where it has no plan.yaml.

    Raises
    ------
    InputError : plan.yaml is no YAML, or its cuts are no dates.
    """
    path = folder / "plan.yaml"
    if not path.exists():
        return ()
    try:
        content = load_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError([Fault(str(path), f"is not readable YAML: {error}")]) from error
    horizon = content.get("horizon") if isinstance(content, dict) else None
    told: Any = horizon.get("cuts") if isinstance(horizon, dict) else None
    try:
        return _DAYS.validate_python(told) or ()
    except ValidationError:
        message = "are no dates"
        raise InputError(
            [Fault(str(path), message, None, "horizon.cuts", told, "dates such as [2027-01-12]")]
        ) from None


def with_cuts(text: str, cuts: Sequence[dt.date]) -> str:
    """Return the text of a plan.yaml with these cuts of its horizon, everything else as it stands.

    Raises
    ------
    InputError : there is no block `horizon` to write them into.
    """
    new = f"[{', '.join(map(str, cuts))}]"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    horizon = _value(root, "horizon")
    if not isinstance(horizon, yaml.MappingNode) or not horizon.value:
        raise InputError([Fault("plan.yaml", f"has no block horizon to write cuts: {new} into")])
    there = _value(horizon, "cuts")
    if there is not None:
        start, end = there.start_mark.index, _end(there)
        return f"{text[:start]}{' ' * (start == end)}{new}{text[end:]}"
    key, last = horizon.value[-1]
    end = _end(last)
    if horizon.flow_style:
        return f"{text[:end]}, cuts: {new}{text[end:]}"
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    return f"{text[:stop]}\n{' ' * key.start_mark.column}cuts: {new}{text[stop:]}"


def joined(cuts: Iterable[dt.date], more: Iterable[dt.date]) -> tuple[dt.date, ...]:
    """Return all cuts, in order, each once."""
    return tuple(sorted({*cuts, *more}))


def _value(block: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(block, yaml.MappingNode):
        return None
    return next((value for key, value in block.value if key.value == name), None)


def _end(node: yaml.Node) -> int:
    """Position behind a node's text: that of a block of items ends with its last one."""
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)


REQUEST_COLUMNS = ("input_tokens", "output_tokens", "cache_hit_rate", "cache_write_rate", "burst_factor")
DEMAND_COLUMNS = ("region", "workload", "scenario", "period", "hour_of_week", "requests_per_hour")
DEMAND_FILES = ("demand.csv", "demand.parquet")  # one of them
PARQUET_ROWS = 200_000  # above this, demand is written as Parquet


def write_demand(
    folder: Path,
    demand: pd.DataFrame,
    scenarios: pd.DataFrame,
    workloads: pd.DataFrame,
    mix: pd.DataFrame,
    horizon: tuple[dt.date, int] | None = None,
    extras: Mapping[str, Any] | None = None,
    replaced: Collection[tuple[str, str]] = (),
    cuts: Sequence[dt.date] | None = None,
) -> list[str]:
    """Write the tables into ``folder`` and return the names of the files written.

    Parameters
    ----------
    demand : ``DEMAND_COLUMNS``; blank scenario or period: all.
    scenarios : scenario, probability.
    workloads : workload and ``REQUEST_COLUMNS`` (blank: left as it is); deadline_hours, if that is known.
    mix : workload, model, for workloads that have no model yet.
    horizon : first day and months, for a folder without plan.yaml.
    extras : name -> text or DataFrame, written into the folder's ``forecast`` folder.
    replaced : (region, workload) whose demand in the folder goes, also where ``demand`` has none of it.
    cuts : of the horizon, to be written into plan.yaml; None: it stays as it is.

    Raises
    ------
    PlannerError : ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise PlannerError(
            f"{folder} is a file, and demand is written into a planning folder: name a folder with -o, then copy its "
            "demand.csv, workloads.csv and mix.csv into the sheets of a workbook"
        )
    with changed_together(folder, "demand", gone=DEMAND_FILES) as stage:
        _stage(
            stage,
            folder,
            demand=demand,
            scenarios=scenarios,
            workloads=workloads,
            mix=mix,
            horizon=horizon,
            replaced=replaced,
        )
        if cuts is not None:
            _cut(stage, folder, cuts)
        for extra, content in (extras or {}).items():
            _write(stage / "forecast" / extra, content)
        written = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    return [str(name) for name in written]


def _stage(
    stage: Path,
    folder: Path,
    *,
    demand: pd.DataFrame,
    scenarios: pd.DataFrame,
    workloads: pd.DataFrame,
    mix: pd.DataFrame,
    horizon: tuple[dt.date, int] | None,
    replaced: Collection[tuple[str, str]],
) -> None:
    table = _with_others(folder, demand.reindex(columns=list(DEMAND_COLUMNS)), scenarios, replaced)
    if len(table) > PARQUET_ROWS:
        table.to_parquet(stage / "demand.parquet", index=False)
    else:
        _write(stage / "demand.csv", table.assign(requests_per_hour=table["requests_per_hour"].round(6)))
    if not scenarios.empty:
        _write(stage / "scenarios.csv", scenarios)
    _write(stage / "workloads.csv", _workloads(folder, workloads))
    for table_name, rows in (
        ("regions", pd.DataFrame({"region": sorted(demand["region"].unique())})),
        ("models", pd.DataFrame({"model": sorted(mix["model"].unique())})),
        ("mix", mix[["workload", "model"]]),
    ):
        key = list(rows.columns)
        merged = _with_missing(_existing(folder / f"{table_name}.csv"), rows, key[:1] if table_name == "mix" else key)
        if merged is not None:
            _write(stage / f"{table_name}.csv", merged)
    if horizon is not None and not (folder / "plan.yaml").exists():
        start, months = horizon
        settings = {"name": folder.resolve().name, "horizon": {"start": start, "months": months}}
        _write(stage / "plan.yaml", yaml.safe_dump(settings, sort_keys=False))


def _cut(stage: Path, folder: Path, cuts: Sequence[dt.date]) -> None:
    """Stage plan.yaml with these cuts of its horizon."""
    there = stage / "plan.yaml" if (stage / "plan.yaml").exists() else folder / "plan.yaml"
    if cuts_of(there.parent) != tuple(cuts):
        _write(stage / "plan.yaml", with_cuts(there.read_text(encoding="utf-8-sig"), cuts))


def _with_others(
    folder: Path, demand: pd.DataFrame, scenarios: pd.DataFrame, replaced: Collection[tuple[str, str]]
) -> pd.DataFrame:
    """Keep the folder's demand of other workloads and regions, such as a new deployment's next to a forecast."""
    path, columns = folder / "demand.csv", folder / "demand.parquet"
    if columns.exists():
        path, there = columns, pd.read_parquet(columns)
    elif path.exists():
        there = pd.read_csv(path, dtype={"scenario": str, "period": str})
    else:
        return demand
    mine = {*demand[["region", "workload"]].drop_duplicates().itertuples(index=False, name=None), *replaced}
    others = there[[pair not in mine for pair in zip(there["region"], there["workload"], strict=True)]]
    if others.empty:
        return demand
    others = others.reindex(columns=list(DEMAND_COLUMNS))
    if not scenarios.empty:
        lost = sorted(set(others["scenario"].dropna()) - set(scenarios["scenario"]))
        if lost:
            raise InputError(
                [
                    Fault(
                        str(path),
                        f"other workloads' demand names scenarios that would no longer exist ({', '.join(lost)}); "
                        "leave their scenario blank (all scenarios), or write into a new folder",
                        column="scenario",
                    )
                ]
            )
    return pd.concat([others, demand], ignore_index=True)


@dataclass(frozen=True)
class KnownWorkload:
    """What a folder says of a workload: whether it has its requests' tokens, and the models that serve it."""

    there: bool
    models: tuple[str, ...]


def known_workload(folder: Path, workload: str) -> KnownWorkload:
    """Look a workload up in a planning folder, which need not exist."""
    requests, mix = _existing(folder / "workloads.csv"), _existing(folder / "mix.csv")
    there = requests is not None and workload in set(requests["workload"])
    models = () if mix is None else tuple(mix.loc[mix["workload"] == workload, "model"])
    return KnownWorkload(there, models)


def mix_differences(folder: Path, mix: pd.DataFrame, workloads: Collection[str]) -> list[str]:
    """Say where a folder's own mix.csv, which stays, has other models for workloads than they would have by ``mix``."""
    there, told = _existing(folder / "mix.csv"), []
    for name in sorted(set(workloads) & set(there["workload"] if there is not None else ())):
        own, wanted = set(known_workload(folder, name).models), set(mix.loc[mix["workload"] == name, "model"])
        parts = [
            f"{word} {', '.join(sorted(models))}"
            for word, models in (("lacks", wanted - own), ("still has", own - wanted))
            if models
        ]
        if parts:
            told.append(f"mix.csv of the folder stays as it is; for {name} it {' and '.join(parts)}")
    return told


def _existing(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else None


def _with_missing(there: pd.DataFrame | None, rows: pd.DataFrame, key: list[str]) -> pd.DataFrame | None:
    """Add the rows whose key is not there; None where nothing changes."""
    if there is None:
        return rows
    known = set(there[key].itertuples(index=False, name=None))
    new = rows[[name not in known for name in rows[key].itertuples(index=False, name=None)]]
    return None if new.empty else pd.concat([there, new.astype(str)], ignore_index=True).fillna("")


def _workloads(folder: Path, measured: pd.DataFrame) -> pd.DataFrame:
    there = _existing(folder / "workloads.csv")
    columns = [*REQUEST_COLUMNS, *(name for name in ("deadline_hours",) if name in measured)]
    shown = measured.reindex(columns=["workload", *columns]).round(6)
    if there is None:
        return with_deadlines(shown, list(shown["workload"]))
    known = set(there["workload"])
    table = there.set_index("workload")
    for row in shown.set_index("workload").itertuples():
        for name in columns:
            value = getattr(row, name)
            if pd.notna(value):
                table.loc[str(row.Index), name] = f"{value:.12g}"
    new = [name for name in shown["workload"] if name not in known]
    return with_deadlines(table.fillna("").reset_index(), new)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path, index=False) if path.suffix == ".parquet" else content.to_csv(path, index=False)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")


DEFAULT_MONTHS = 3


def horizon_of(
    folder: Path, start: str | None = None, months: int | None = None, after: dt.date | None = None
) -> tuple[dt.date, int]:
    """Return first day and number of months.

    Parameters
    ----------
    folder : planning folder; its plan.yaml gives what the options leave open.
    start, months : options; a start such as 2027-01 or 2027-01-01.
    after : where nothing says the start, the first month that begins after this day (default: today).
    """
    finish(folder)
    there: dict[str, Any] = {}
    path = folder / "plan.yaml"
    if path.exists():
        try:
            content = load_yaml(path)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError([Fault(str(path), f"is not readable YAML: {error}")]) from error
        found = content.get("horizon") if isinstance(content, dict) else None
        there = found if isinstance(found, dict) else {}
    first = _day(start, "--start") if start else None
    if first is None and there.get("start"):
        first = _day(str(there["start"]), str(path))
    if first is None:
        first = add_months((after or dt.datetime.now(dt.UTC).date()).replace(day=1), 1)
    count = months if months is not None else int(there.get("months") or DEFAULT_MONTHS)
    if not 1 <= count <= 120:
        raise InputError([Fault("--months", "is not a number of months", value=count, allowed="1 to 120")])
    return first.replace(day=1), count


def check_within(folder: Path, start: dt.date, months: int) -> None:
    """Refuse months that a folder's plan.yaml does not plan: their demand could not be read.

    Raises
    ------
    InputError
        naming both horizons.
    """
    if not (folder / "plan.yaml").exists():
        return
    first, count = horizon_of(folder)
    if start < first or add_months(start, months) > add_months(first, count):
        asked, planned = (f"{s:%Y-%m}, {n} months" for s, n in ((start, months), (first, count)))
        message = "the folder plans other months; leave out --start and --months, or change its horizon first"
        raise InputError([Fault(str(folder / "plan.yaml"), message, value=asked, allowed=planned)])


def _day(text: str, place: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text if len(text) > 7 else f"{text}-01")
    except ValueError:
        raise InputError([Fault(place, "is not a month", value=text, allowed="2027-01 or 2027-01-01")]) from None
