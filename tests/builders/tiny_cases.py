"""Tiny cases for every room's tests: tables as plain rows, a Case in memory, or a folder of files.

The smallest case has numbers that a person can follow: a request has 60 input tokens and a unit serves 1 token a
minute, so that one request per hour needs one unit, which costs 1 USD per hour; on demand a request costs 3 USD.

    tables()                                    one region `west`, model `m`, workload `w`, 10 requests every hour
    tables(demand=profile("west", "w", 5.0))    other demand
    case(tables(), headroom=0.2)                a Case, with a policy
    write_folder(tables(), tmp_path / "in")     the same as files
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import yaml

from planner.schema.case import BASE_SCENARIO, DEMAND_COLUMNS, TABLES, Case
from planner.schema.settings import PlanSettings
from planner.schema.workloads import Demand, Scenario
from planner.units import HOURS_PER_WEEK

Tables = dict[str, list[dict[str, Any]]]


def profile(
    region: str,
    workload: str,
    requests_per_hour: float | Sequence[float],
    scenario: str | None = None,
    period: str | None = None,
) -> list[dict[str, Any]]:
    """Rows of demand for a whole week: one number for every hour, or a sequence that is repeated to 168."""
    values = [requests_per_hour] if isinstance(requests_per_hour, (int, float)) else list(requests_per_hour)
    row: dict[str, Any] = {"region": region, "workload": workload}
    if scenario is not None:
        row["scenario"] = scenario
    if period is not None:
        row["period"] = period
    return [{**row, "hour_of_week": h, "requests_per_hour": values[h % len(values)]} for h in range(HOURS_PER_WEEK)]


def tables(**changes: list[dict[str, Any]]) -> Tables:
    """Rows of the smallest case (see the module), with some tables replaced; an empty list leaves a table out."""
    base: Tables = {
        "regions": [{"region": "west"}],
        "models": [{"model": "m", "tier": "mid"}],
        "workloads": [{"workload": "w", "input_tokens": 60, "output_tokens": 0}],
        "mix": [{"workload": "w", "model": "m"}],
        "demand": profile("west", "w", 10.0),
        "pools": [{"pool": "west-m", "region": "west"}],
        "throughput": [{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        "offers": [{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 1.0}],
        "on_demand": [{"region": "west", "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0}],
    }
    unknown = set(changes) - {table.name for table in TABLES}
    if unknown:
        raise KeyError(f"no such tables: {sorted(unknown)}")
    return {name: rows for name, rows in {**base, **changes}.items() if rows}


def two_regions(**changes: list[dict[str, Any]]) -> Tables:
    """The smallest case in each of two regions, `east` and `west`, with routes both ways."""
    both = ("east", "west")
    base: Tables = {
        "regions": [{"region": r} for r in both],
        "demand": [row for r in both for row in profile(r, "w", 10.0)],
        "pools": [{"pool": f"{r}-m", "region": r} for r in both],
        "throughput": [{"pool": f"{r}-m", "model": "m", "tokens_per_minute_per_unit": 1} for r in both],
        "offers": [{"offer": f"{r}-m-1m", "pool": f"{r}-m", "usd_per_unit_hour": 1.0} for r in both],
        "on_demand": [
            {"region": r, "model": "m", "usd_per_mtok_input": 50_000.0, "usd_per_mtok_output": 0.0} for r in both
        ],
        "routes": [{"origin": "east", "destination": "west"}, {"origin": "west", "destination": "east"}],
    }
    return tables(**{**base, **changes})


def two_models_on_sizes(owed: tuple[float, float] | None = None) -> Case:
    """Two regions, each asked for 5 requests/hour of model m and 3 of n, a unit each; sizes 5, 8, 11 ... of each model.

    Each region may lose the other. ``owed`` : units in force in east and west (None: nothing is owed).
    """
    both, models = ("east", "west"), {"w": ("m", 5.0), "v": ("n", 3.0)}
    held = () if owed is None else zip(both, owed, strict=True)
    rows = two_regions(
        models=[{"model": m} for m, _ in models.values()],
        workloads=[{"workload": w, "input_tokens": 60, "output_tokens": 0} for w in models],
        mix=[{"workload": w, "model": m} for w, (m, _) in models.items()],
        demand=[row for r in both for w, (_, rph) in models.items() for row in profile(r, w, rph)],
        throughput=[{"pool": f"{r}-m", "model": m, "tokens_per_minute_per_unit": 1, "min_units": 5, "unit_step": 3}
                    for r in both for m, _ in models.values()],
        on_demand=[],
        commitments=[{"offer": f"{r}-m-1m", "units": n, "start": "2027-01-01", "end": "2027-02-01"} for r, n in held],
    )  # fmt: skip
    return case(rows, whole_units=True, failover={"enabled": True})


def settings(
    name: str = "tiny", start: str = "2027-01-01", months: int = 1, cuts: str | None = None, **policy: Any
) -> PlanSettings:
    """Settings without headroom, failover or whole units, unless `policy` asks for them.

    January 2027 has 744 hours; each hour of the week occurs 31 / 7 times.
    """
    chosen = {"headroom": 0.0, "whole_units": False, "failover": {"enabled": False}} | policy
    horizon = {"start": start, "months": months, "cuts": cuts}
    return PlanSettings.model_validate({"name": name, "horizon": horizon, "policy": chosen})


def case(rows: Mapping[str, Iterable[Mapping[str, Any]]] | None = None, **options: Any) -> Case:
    """A Case in memory: `rows` as `tables()` gives them, `options` as `settings()` takes them."""
    rows = tables() if rows is None else rows
    chosen = settings(**options)
    parts: dict[str, Any] = {"settings": chosen}
    for table in TABLES:
        if table.name != "demand":
            valid = [table.row.model_validate(dict(row)) for row in rows.get(table.name, ())]
            parts[table.name] = tuple(
                sorted(valid, key=lambda r: [getattr(r, k) for k in table.key] or [r.model_dump_json()])
            )
    parts["scenarios"] = parts["scenarios"] or (Scenario(scenario=BASE_SCENARIO, probability=1.0),)
    spread = []
    for row in rows.get("demand", ()):
        d = Demand.model_validate(dict(row))
        for s in [d.scenario] if d.scenario else [s.scenario for s in parts["scenarios"]]:
            for p in [d.period] if d.period else [p.name for p in chosen.horizon.periods]:
                if d.requests_per_hour > 0:
                    spread.append((d.region, d.workload, s, p, d.hour_of_week, d.requests_per_hour))
    demand = pd.DataFrame(sorted(spread), columns=list(DEMAND_COLUMNS))
    for column, table in (("region", "regions"), ("workload", "workloads"), ("scenario", "scenarios")):
        names = [getattr(row, column) for row in parts[table]]
        demand[column] = pd.Categorical(demand[column], categories=names)
    periods = [p.name for p in chosen.horizon.periods]
    demand["period"] = pd.Categorical(demand["period"], categories=periods)
    parts["demand"] = demand.astype({"hour_of_week": "int64", "requests_per_hour": "float64"})
    return Case(**parts)


def write_folder(rows: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path, **options: Any) -> Path:
    """Write `rows` as CSV files and `settings(**options)` as plan.yaml; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = settings(**options).model_dump(mode="json")
    (folder / "plan.yaml").write_text(yaml.safe_dump(chosen, sort_keys=False), encoding="utf-8")
    for name, table in rows.items():
        header = list(dict.fromkeys(column for row in table for column in row))
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(table)
    return folder


def write_workbook(rows: Mapping[str, Sequence[Mapping[str, Any]]], path: Path, **options: Any) -> Path:
    """Write `rows` and `settings(**options)` as the sheets of a workbook, as plainly as can be; returns the path."""
    book = openpyxl.Workbook()
    plan = book.active
    plan.title = "plan"
    plan.append(["key", "value"])
    for key, value in _dotted(settings(**options).model_dump()):
        plan.append([key, value])
    for name, table in rows.items():
        sheet = book.create_sheet(name)
        header = list(dict.fromkeys(column for row in table for column in row))
        sheet.append(header)
        for row in table:
            sheet.append([row.get(column) for column in header])
    book.save(path)
    return path


def _dotted(block: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
