"""Planning folders of any size, the same for the same arguments.

    python -m benchmarks.folders OUT --regions 10 --models 10 [--whole-units ...]
    python -m benchmarks.folders OUT --change work-01 1.1      (its demand, times 1.1)

Every model has a workload and a pool of its own in each region. A region's day is an office day moved to its longitude,
with noise; every on-demand option has a quota, and every offer an end; every region may fail. A unit costs what on
demand would at a use of 45 to 60 %, so that a plan buys the base of the day, in most regions, and leaves its peak.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.size import HOURS, NEIGHBOURS, Size

FIRST_MONTH = "2027-01"


def write_folder(size: Size, folder: Path) -> Path:
    """Write the CSV tables and plan.yaml of a size; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.yaml").write_text(yaml.safe_dump(_plan(size), sort_keys=False), encoding="utf-8")
    for name, table in _tables(size).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def change_demand(folder: Path, workload: str, factor: float) -> None:
    """Multiply the demand of one workload of a folder."""
    demand = pd.read_csv(folder / "demand.csv")
    chosen = demand["workload"] == workload
    demand.loc[chosen, "requests_per_hour"] = (demand.loc[chosen, "requests_per_hour"] * factor).round(3)
    demand.to_csv(folder / "demand.csv", index=False)


def _plan(size: Size) -> dict[str, object]:
    return {
        "name": size.name,
        "horizon": {"start": f"{FIRST_MONTH}-01", "months": size.months},
        "policy": {
            "headroom": 0.2,
            "reserved_headroom": 0.1,
            "whole_units": size.whole_units,
            "failover": {"enabled": size.failover, "share": 0.9, "on_demand_trust": 0.5},
        },
    }


def _tables(size: Size) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(size.seed)
    regions = [f"region-{k:02d}" for k in range(size.regions)]
    models = [f"model-{k:02d}" for k in range(size.models)]
    zone = np.arange(size.regions) * 24 // size.regions
    scale = rng.lognormal(0.0, 0.35, (size.regions, size.models)) * 20_000.0  # requests an hour at the top of the day
    tokens_in = rng.integers(300, 3000, size.models)
    tokens_out = rng.integers(50, 600, size.models)
    usd_in = np.round(rng.uniform(0.2, 3.0, size.models), 2)
    usd_out = np.round(4 * usd_in, 2)
    rate = rng.integers(5, 40, size.models) * 1000  # weighted tokens a minute of one unit
    weighted = tokens_in + 4 * tokens_out
    usd_request = (tokens_in * usd_in + tokens_out * usd_out) / 1e6
    requests_per_unit_hour = 60 * rate / weighted
    pairs = [(r, m) for r in range(size.regions) for m in range(size.models)]
    break_even = rng.uniform(0.45, 0.60, (size.regions, size.models))
    price = np.round(break_even * usd_request * requests_per_unit_hour, 4)
    minute = scale * (tokens_in + tokens_out) / 60
    quota = np.round(minute * rng.uniform(0.7, 1.3, minute.shape), -2)
    most = np.ceil(scale / requests_per_unit_hour * rng.uniform(1.1, 1.7, scale.shape))
    dearer = np.round(rng.uniform(1.0, 1.15, size.regions), 3)
    step = {"min_units": 5, "unit_step": 1} if size.whole_units else {}
    pools = [f"{regions[r]}/{models[m]}" for r, m in pairs]
    routes = [(o, s) for o in range(size.regions) for s in range(size.regions) if o != s and _near(size, o, s)]
    tables = {
        "regions": pd.DataFrame({"region": regions}),
        "models": pd.DataFrame({"model": models, "tier": "mid"}),
        "workloads": pd.DataFrame(
            {
                "workload": [f"work-{k:02d}" for k in range(size.models)],
                "input_tokens": tokens_in,
                "output_tokens": tokens_out,
                "burst_factor": 1.1,
            }
        ),
        "mix": pd.DataFrame(
            [
                (f"work-{k:02d}", models[(k + j) % size.models])
                for k in range(size.models)
                for j in range(min(size.models_per_workload, size.models))
            ],
            columns=["workload", "model"],
        ),
        "pools": pd.DataFrame({"pool": pools, "region": [regions[r] for r, _ in pairs]}),
        "throughput": pd.DataFrame(
            {
                "pool": pools,
                "model": [models[m] for _, m in pairs],
                "tokens_per_minute_per_unit": [rate[m] for _, m in pairs],
                "output_weight": 4,
                **step,
            }
        ),
        "offers": pd.DataFrame(
            {
                "offer": [f"{pool}/1m" for pool in pools],
                "pool": pools,
                "usd_per_unit_hour": [price[at] for at in pairs],
                "max_units": [most[at] for at in pairs],
                **step,
            }
        ),
        "on_demand": pd.DataFrame(
            {
                "region": [regions[r] for r, _ in pairs],
                "model": [models[m] for _, m in pairs],
                "usd_per_mtok_input": [round(usd_in[m] * dearer[r], 4) for r, m in pairs],
                "usd_per_mtok_output": [round(usd_out[m] * dearer[r], 4) for r, m in pairs],
                "tokens_per_minute_quota": [quota[at] for at in pairs],
            }
        ),
        "routes": pd.DataFrame(
            [(regions[o], regions[s], round(float(rng.uniform(0.01, 0.09)), 3)) for o, s in routes],
            columns=["origin", "destination", "usd_per_gb"],
        ),
        "demand": _demand(size, regions, zone, scale, rng),
    }
    if size.scenarios > 1:
        names = [f"scenario-{k}" for k in range(size.scenarios)]
        share = np.round(np.full(size.scenarios, 1 / size.scenarios), 6)
        share[0] = 1 - share[1:].sum()
        tables["scenarios"] = pd.DataFrame({"scenario": names, "probability": share})
    return tables


def _near(size: Size, o: int, s: int) -> bool:
    apart = abs(o - s)
    return not size.sparse or min(apart, size.regions - apart) <= NEIGHBOURS


def _demand(
    size: Size, regions: list[str], zone: np.ndarray, scale: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Demand rows by region, workload, scenario, month and hour: an office day with noise, growing by the month."""
    hour = np.arange(HOURS)
    local = (hour[None, :] + zone[:, None]) % HOURS
    day, clock = local // 24, local % 24
    office = np.exp(-(((clock - 13.5) / 4.2) ** 2))
    shape = (0.15 + 0.85 * office) * np.where(day < 5, 1.0, 0.35)
    parts = []
    months = pd.period_range(FIRST_MONTH, periods=size.months, freq="M").astype(str)
    for s in range(size.scenarios):
        more = (
            1 + 0.25 * (s - (size.scenarios - 1) / 2) / max(1, (size.scenarios - 1) / 2) if size.scenarios > 1 else 1.0
        )
        for p, month in enumerate(months):
            noise = rng.uniform(0.9, 1.1, (size.regions, size.models, HOURS))
            requests = scale[:, :, None] * shape[:, None, :] * noise * more * 1.03**p
            frame = pd.DataFrame(
                {
                    "region": np.repeat(regions, size.models * HOURS),
                    "workload": np.tile(np.repeat([f"work-{k:02d}" for k in range(size.models)], HOURS), size.regions),
                    "hour_of_week": np.tile(hour, size.regions * size.models),
                    "requests_per_hour": requests.ravel().round(3),
                }
            )
            if size.scenarios > 1:
                frame.insert(2, "scenario", f"scenario-{s}")
            if size.months > 1:
                frame.insert(2, "period", month)
            parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Write the folder of a size, or change the demand of one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folders", description="write a planning folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--change", nargs=2, metavar=("WORKLOAD", "FACTOR"))
    for name, default in (
        ("regions", 3),
        ("models", 3),
        ("months", 1),
        ("scenarios", 1),
        ("models-per-workload", 1),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("whole-units", "no-failover", "sparse"):
        parser.add_argument(f"--{name}", action="store_true")
    a = vars(parser.parse_args())
    folder, change = a.pop("folder"), a.pop("change")
    if change:
        change_demand(folder, change[0], float(change[1]))
    else:
        write_folder(replace(Size(a.pop("regions"), a.pop("models")), failover=not a.pop("no_failover"), **a), folder)


if __name__ == "__main__":
    main()
