"""Planning folders of any size, the same for the same arguments.

    python -m benchmarks.folders OUT --regions 10 --models 10

Every model has a workload and a pool of its own in each region. A region's day is an office day moved to its longitude,
with noise; every on-demand option has a quota, and every offer an end; every region may fail. A unit costs what on
demand would at a use of 45 to 60 %, so that a plan buys the base of the day, in most regions, and leaves its peak.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

HOURS = 168
FIRST_MONTH = "2027-01"
NEIGHBOURS = 3  # each side, where routes are sparse


@dataclass(frozen=True)
class Size:
    """What a folder holds.

    models_per_workload : above 1, a workload may be served by that many models (itself and the next ones).
    sparse : routes to the nearest regions only, in place of all pairs.
    """

    regions: int
    models: int
    months: int = 1
    scenarios: int = 1
    whole_units: bool = False
    failover: bool = True
    sparse: bool = False
    models_per_workload: int = 1
    seed: int = 1

    @property
    def name(self) -> str:
        """A name for tables and directories."""
        parts = [f"{self.regions}x{self.models}"]
        parts += [f"{self.months}m"] if self.months > 1 else []
        parts += [f"{self.scenarios}s"] if self.scenarios > 1 else []
        parts += ["whole"] if self.whole_units else []
        parts += ["no-n1"] if not self.failover else []
        parts += ["sparse"] if self.sparse else []
        parts += [f"mix{self.models_per_workload}"] if self.models_per_workload > 1 else []
        return "-".join([*parts, *([f"seed{self.seed}"] if self.seed != 1 else [])])

    def literal_columns(self) -> int:
        """Serving variables of the literal programme: priced, with headroom, and with each region lost in turn."""
        reach = min(2 * NEIGHBOURS + 1, self.regions) if self.sparse else self.regions
        one = self.regions * reach * self.models * self.models_per_workload * 2 * HOURS * self.months * self.scenarios
        lost = self.regions * (1 - 1 / self.regions) if self.failover else 0.0
        return round(one * (2 + lost))


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


def parsed(arguments: list[str] | None = None) -> tuple[Size, Path]:
    """Read a size and where to write it from a command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folders", description="write a planning folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--regions", type=int, default=3)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--months", type=int, default=1)
    parser.add_argument("--scenarios", type=int, default=1)
    parser.add_argument("--models-per-workload", type=int, default=1)
    parser.add_argument("--whole-units", action="store_true")
    parser.add_argument("--no-failover", action="store_true")
    parser.add_argument("--sparse", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    a = vars(parser.parse_args(arguments))
    folder = a.pop("folder")
    return replace(Size(a.pop("regions"), a.pop("models")), failover=not a.pop("no_failover"), **a), folder


if __name__ == "__main__":
    write_folder(*parsed())
