"""Every figure of the first page, worked out again from the plan's files and the input with pandas alone."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from planner.cli import main
from tests.builders.books import opened
from tests.oracle.generate import generate

ROOT = Path(__file__).parents[2]
NAMES = ("origin", "workload", "model", "region", "supply", "scenario", "period")
FOLDERS = {
    "terms, scenarios, whole units": (3, "terms,commitments,scenarios,quota,whole,unreserved"),
    "contracts": (5, "cuts,upfront,prices,spend,scenarios,commitments"),
    "waiting and risk": (8, "batch,risk,commitments"),
    "units by the hour": (2, "scaled,commitments"),
}


@dataclass(frozen=True)
class Files:
    """A plan's directory, its input included."""

    plan: Path

    def table(self, name: str, **blank: Any) -> pd.DataFrame:
        path = self.plan / "input" / f"{name}.csv"
        found = pd.read_csv(path, keep_default_na=False, na_values=[""]) if path.exists() else pd.DataFrame()
        for column, value in blank.items():
            found[column] = found[column].fillna(value) if column in found else value
        return found

    @cached_property
    def result(self) -> dict[str, Any]:
        return json.loads((self.plan / "plan.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    @cached_property
    def settings(self) -> dict[str, Any]:
        text = (self.plan / "input" / "plan.yaml").read_text(encoding="utf-8")
        return yaml.safe_load(text)  # type: ignore[no-any-return]

    @cached_property
    def periods(self) -> pd.DataFrame:
        horizon = self.settings["horizon"]
        first = pd.Timestamp(horizon["start"])
        months = [first + pd.DateOffset(months=k) for k in range(horizon["months"] + 1)]
        days = sorted({*months, *(pd.Timestamp(cut) for cut in horizon.get("cuts") or [])})
        rows = [(f"{a:%Y-%m}" if a in months and b in months else f"{a:%Y-%m-%d}", a, b)
                for a, b in pairwise(days)]  # fmt: skip
        found = pd.DataFrame(rows, columns=["period", "first", "after"]).set_index("period")
        return found.assign(hours=(found["after"] - found["first"]).dt.days * 24)

    @cached_property
    def chance(self) -> pd.DataFrame:
        found = self.table("scenarios", on_demand_price_factor=1.0)
        one = {"scenario": ["base"], "probability": [1.0], "on_demand_price_factor": [1.0]}
        return (found if len(found) else pd.DataFrame(one)).set_index("scenario")

    @cached_property
    def offers(self) -> pd.DataFrame:
        found = self.table("offers", meter="tokens", term_months=1, upfront_usd_per_unit=0.0, usd_per_unit_hour=0.0,
                           term_days=np.nan)  # fmt: skip
        return found.set_index("offer")

    def term(self, offer: str, first: pd.Timestamp) -> pd.Timestamp:
        row = self.offers.loc[offer]
        days = row["term_days"]
        return first + (pd.DateOffset(months=int(row["term_months"])) if pd.isna(days) else pd.Timedelta(days=days))

    @cached_property
    def held(self) -> pd.DataFrame:
        """Units and dollars of commitments by period; what is counted past the horizon; whole terms."""
        rows = []
        lines = [(True, p["offer"], p["units"], self.periods.loc[p["period"], "first"], None)
                 for p in self.result["purchases"]]  # fmt: skip
        lines += [(False, c.offer, c.units, pd.Timestamp(c.start), pd.Timestamp(c.end))
                  for c in self.table("commitments").itertuples()]  # fmt: skip
        for new, offer, units, first, end in lines:
            o = self.offers.loc[offer]
            after = end if end is not None else self.term(offer, first)
            hour = o["usd_per_unit_hour"] + (o["upfront_usd_per_unit"] / ((after - first).days * 24) if new else 0.0)
            for name, p in self.periods.iterrows():
                whole = first <= p["first"] and after >= p["after"]
                inside = max(0, (min(after, p["after"]) - max(first, p["first"])).days) * 24
                paid = inside if new else inside * whole
                rows.append((o["pool"], o["meter"], new, name, units * whole, units * hour * paid, 0.0, 0.0))
            if new:
                past = max(0, (after - self.periods["after"].iloc[-1]).days) * 24
                counted = 1 - self.settings["policy"].get("tail_value", 1.0)
                tail, term = units * hour * past * counted, units * hour * (after - first).days * 24
                rows.append((o["pool"], o["meter"], True, self.periods.index[0], 0.0, 0.0, tail, term))
        return pd.DataFrame(rows, columns=["pool", "meter", "new", "period", "units", "usd", "tail", "term"])

    @cached_property
    def beyond(self) -> pd.DataFrame:
        """Units deployed beyond commitments, and their dollars, by pool, meter and period."""
        keys = ["pool", "meter", "period"]
        price = self.table("pools", usd_per_unreserved_unit_hour=0.0).set_index("pool")["usd_per_unreserved_unit_hour"]
        deployed = pd.DataFrame(self.result["deployments"]).groupby(keys)["units"].sum()
        force = self.held.groupby(keys)["units"].sum().reindex(deployed.index, fill_value=0.0)
        found = (deployed - force).clip(lower=0.0).where(lambda units: units > 1e-6, 0.0).reset_index()
        hours = found["period"].map(self.periods["hours"])
        return found.assign(usd=found["units"] * found["pool"].map(price) * hours)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """The dispatch with what a request weighs: expected, usd on demand, egress_usd, equivalent_usd, reserved."""
        flows = pd.read_parquet(self.plan / "dispatch.parquet").astype(dict.fromkeys(NAMES, str))
        of = self.table("workloads", cache_hit_rate=0.0, cache_write_rate=0.0, on_demand_cache_hit_rate=np.nan,
                        bytes_per_token=4.0, extra_bytes_in=0.0, extra_bytes_out=0.0, burst_factor=1.0)  # fmt: skip
        of["hit"] = of["on_demand_cache_hit_rate"].fillna(of["cache_hit_rate"])
        flows = flows.merge(of, on="workload")
        weight = flows["scenario"].map(self.chance["probability"]) * flows["period"].map(self.periods["hours"]) / 168
        flows["expected"] = flows["requests_per_hour"] * weight
        prices = self.table("on_demand", option="standard", guaranteed=False)
        for column in ("cached_input", "cache_write"):
            name = f"usd_per_mtok_{column}"
            prices[name] = (
                prices[name].fillna(prices["usd_per_mtok_input"]) if name in prices else prices["usd_per_mtok_input"]
            )
        sold = (
            flows.drop(columns=["supply"]).reset_index().merge(prices, on=["region", "model"], suffixes=("", "_slow"))
        )
        if "deadline_hours_slow" in sold:  # an option that answers late is for work that can wait as long
            sold = sold[sold["deadline_hours_slow"].fillna(0) <= sold["deadline_hours"].fillna(0)].copy()
        fresh = sold["input_tokens"] * (1 - sold["hit"] - sold["cache_write_rate"])
        cached, written = sold["input_tokens"] * sold["hit"], sold["input_tokens"] * sold["cache_write_rate"]
        sold["usd"] = fresh * sold["usd_per_mtok_input"] + sold["output_tokens"] * sold["usd_per_mtok_output"]
        sold["usd"] += cached * sold["usd_per_mtok_cached_input"] + written * sold["usd_per_mtok_cache_write"]
        sold["usd"] /= 1e6
        sold["sure"] = sold["guaranteed"].astype(str).str.lower() == "true"
        sold["usd"] *= sold["scenario"].map(self.chance["on_demand_price_factor"])
        best = sold.sort_values(["sure", "usd"], kind="stable").drop_duplicates("index").set_index("index")
        own = sold.merge(flows["supply"].rename("bought"), left_on="index", right_index=True)
        own = own[own["option"] == own["bought"]].set_index("index")
        flows["reserved"] = flows["supply"].isin(self.table("pools")["pool"])
        flows["usd"] = own["usd"].mul(self.factor(own, "bought")).reindex(flows.index).fillna(0.0)
        there_usd = best["usd"].mul(self.factor(best, "option")).reindex(flows.index)
        flows["equivalent"] = np.where(flows["reserved"], there_usd, flows["usd"])
        paths = self.table("routes", usd_per_gb=0.0)
        gb = {(r.origin, r.destination): r.usd_per_gb for r in paths.itertuples()}
        ways = list(zip(flows["origin"], flows["region"], strict=True))
        there = [gb.get(way, 0.0) for way in ways]
        back = [gb.get((d, o), gb.get((o, d), 0.0)) for o, d in ways]
        size_in = flows["input_tokens"] * flows["bytes_per_token"] + flows["extra_bytes_in"]
        size_out = flows["output_tokens"] * flows["bytes_per_token"] + flows["extra_bytes_out"]
        flows["egress"] = (size_in * there + size_out * back) / 1e9
        return flows

    def factor(self, rows: pd.DataFrame, option: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """What price_factors multiply the price of each row by."""
        found = np.ones(len(rows))
        for f in self.table("price_factors").itertuples():
            hours: set[int] = set(range(168))
            if isinstance(getattr(f, "hours_of_week", None), str):
                spans = [part.split("-") for part in f.hours_of_week.split(";")]
                hours = {h for span in spans for h in range(int(span[0]), int(span[-1]) + 1)}
            applies = rows["hour_of_week"].isin(hours).to_numpy().copy()
            for column, of in (("region", "region"), ("model", "model"), ("option", option), ("period", "period")):
                asked = getattr(f, column, None)
                if isinstance(asked, str):
                    applies &= (rows[of] == asked).to_numpy()
            found[applies] *= f.factor
        return found

    @cached_property
    def scaled_usd(self) -> "pd.Series[float]":
        """What units that run by the hour cost, by scenario and period, as if the scenario came true."""
        path = self.plan / "scaled_units.parquet"
        if not path.exists():
            return pd.Series(dtype=float, index=pd.MultiIndex.from_arrays([[], []], names=["scenario", "period"]))
        rows = pd.read_parquet(path)
        pools = self.table("pools", start_hours=0.0).set_index("pool")
        total: dict[tuple[str, str], float] = {}
        for (pool, _, _, scenario, period), own in rows.astype({"pool": str}).groupby(
            ["pool", "meter", "model", "scenario", "period"], observed=True
        ):
            a = np.zeros(168)
            a[own["hour_of_week"].to_numpy(int)] = own["units"]
            paid = a + pools.loc[pool, "start_hours"] * np.maximum(0.0, a - np.roll(a, 1))
            usd = paid.sum() * pools.loc[pool, "usd_per_scaled_unit_hour"] * self.periods.loc[period, "hours"] / 168
            total[str(scenario), str(period)] = total.get((str(scenario), str(period)), 0.0) + usd
        return pd.Series(total, dtype=float)


@pytest.fixture(scope="module", params=[*FOLDERS, "the example"])
def page(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Files, list[list[Any]]]:
    name = request.param
    out = ROOT / "reports" / "example"
    if name in FOLDERS:
        folder, out = tmp_path_factory.mktemp("in") / "in", tmp_path_factory.mktemp("out") / "plan"
        seed, features = FOLDERS[name]
        generate(folder, seed, regions=2, workloads=2, models=1, months=2, features=features)
        assert main(["solve", str(folder), "-o", str(out), "--no-rules-cost", "--gap", "0.01"]) == 0
    rows = opened(out / "plan.xlsx", data_only=True)["Summary"].iter_rows(values_only=True)
    return name, Files(out), [list(row[:7]) for row in rows]


def under(page: list[list[Any]], header: str) -> list[list[Any]]:
    """Rows of the table whose first header cell is `header`, until a blank one."""
    at = next(k for k, row in enumerate(page) if row[0] == header)
    rows = []
    for row in page[at + 1 :]:
        if row[0] is None:
            break
        rows.append(row)
    return rows


def test_the_first_page(page: tuple[str, Files, list[list[Any]]]) -> None:
    name, files, cells = page
    flows, held, beyond = files.flows, files.held, files.beyond
    near = lambda value: pytest.approx(value, rel=1e-6, abs=0.01)  # noqa: E731
    on_demand = float((flows["expected"] * flows["usd"]).sum())
    egress = float((flows["expected"] * flows["egress"]).sum())
    chance = files.chance["probability"]
    scaled = float(sum(usd * chance[s] for (s, _), usd in files.scaled_usd.items()))
    short = files.result["shortfall_usd"]  # worked out in test_money_that_is_not_spent
    units = float(held["usd"].sum() + held["tail"].sum() + beyond["usd"].sum()) + scaled + short
    total, signed = units + on_demand + egress, float(held["term"].sum())
    # the table of strategies: the plan's own row, and all on demand: each request at the price it is sold at there
    ways = {row[0]: row for row in under(cells, "Strategy")}
    assert ways["The plan"][1:5] == [near(units), near(on_demand), near(egress), near(total)]
    equivalent = float((flows["expected"] * flows["equivalent"]).sum())
    owed = float(held.loc[~held["new"], "usd"].sum())
    base = ways["All on demand"]
    if "spend_commitments" not in {p.stem for p in (files.plan / "input").glob("*.csv")}:
        assert base[1:5] == [near(owed), near(equivalent), near(egress), near(owed + equivalent + egress)]
    first = next(iter(ways.values()))
    for row in ways.values():
        assert sum(row[1:4]) == near(row[4])
        assert row[5] == near(1 - row[4] / first[4])
    # the figures in a row
    tiles = dict(zip(*(cells[k] for k in (7, 8)), strict=True))
    assert tiles["Cost of the plan"] == near(total)
    assert tiles["Saving"] == near(first[4] - total)
    assert tiles["Signed for"] == near(signed)
    if name != "units by the hour":  # their share of a pool's work is not told by the dispatch
        covered = float((flows["expected"] * flows["equivalent"])[flows["reserved"]].sum())
        assert tiles["Coverage"] == near(covered / equivalent)
        assert tiles["Utilisation"] == near(utilisation(files))
    paid = total - egress - short
    assert tiles["Effective savings rate"] == near(1 - paid / equivalent)
    # the sentences
    decision, cost = str(cells[3][0]), str(cells[4][0])
    count = len(files.result["purchases"])
    assert dollars(decision)[:1] == ([near(round(signed))] if count else [])
    assert decision.startswith(f"Sign {count} commitment" if count else "Sign nothing new")
    assert dollars(cost)[:2] == [near(round(total)), near(round(first[4]))]
    share = 100 * abs(1 - total / first[4])
    assert f"{share:.1f} %" in cost or "as much as" in cost
    # what to buy, and each month
    bought = under(cells, "What to buy") if count else []
    lines = {(p["offer"], str(files.periods.loc[p["period"], "first"].date())): p for p in files.result["purchases"]}
    for offer, region, amount, _, start, worth, _ in bought:
        line = lines[offer, str(start)[:10]]
        begins = files.periods.loc[line["period"], "first"]
        o, end = files.offers.loc[offer], files.term(offer, begins)
        hours = (end - begins).days * 24
        each = o["usd_per_unit_hour"] * hours + o["upfront_usd_per_unit"]
        assert (amount, worth) == (near(line["units"]), near(line["units"] * each))
        assert region == files.table("pools").set_index("pool").loc[o["pool"], "region"]
    for month, spent_on_units, tokens, data, whole in (row[:5] for row in under(cells, "By month, as planned")):
        own = flows["period"] == month if month != "Total" else flows["period"] != ""
        assert tokens == near(float((flows["expected"] * flows["usd"])[own].sum()))
        assert data == near(float((flows["expected"] * flows["egress"])[own].sum()))
        assert spent_on_units + tokens + data == near(whole)
        if month == "Total":
            assert (spent_on_units, whole) == (near(units), near(total))


def utilisation(files: Files) -> float:
    """Unit-hours used over unit-hours held, each pool and month weighted by what its units cost."""
    keys = ["pool", "meter", "period"]
    rates = files.table("throughput", meter="tokens", input_weight=1.0, cached_input_weight=1.0, output_weight=1.0,
                        cache_write_weight=np.nan)  # fmt: skip
    rates["cache_write_weight"] = rates["cache_write_weight"].fillna(rates["input_weight"])
    used = files.flows[files.flows["reserved"]].merge(rates, left_on=["supply", "model"], right_on=["pool", "model"])
    fresh = 1 - used["cache_hit_rate"] - used["cache_write_rate"]
    tokens = used["input_tokens"] * (
        fresh * used["input_weight"] + used["cache_hit_rate"] * used["cached_input_weight"]
        + used["cache_write_rate"] * used["cache_write_weight"]
    ) + used["output_tokens"] * used["output_weight"]  # fmt: skip
    load = used["burst_factor"] * tokens / (60 * used["tokens_per_minute_per_unit"])
    unit_hours = (used["expected"] * load).groupby([used[key] for key in keys]).sum()
    held = files.held.assign(usd=0.0).groupby(keys)["units"].sum()
    more = files.beyond.groupby(keys)["units"].sum()
    capacity = held.add(more, fill_value=0.0)
    # the tail counts in the month in which a term begins
    cost = months_cost(files)
    hours = pd.Series(capacity.index.get_level_values("period"), capacity.index).map(files.periods["hours"])
    share = unit_hours.reindex(capacity.index, fill_value=0.0) / (capacity * hours)
    weight = cost.reindex(capacity.index, fill_value=0.0)
    return float((share.fillna(0.0) * weight).sum() / cost.sum())


def months_cost(files: Files) -> "pd.Series[float]":
    """What units cost by pool, meter and month."""
    keys = ["pool", "meter", "period"]
    own = files.held.groupby(keys)[["usd", "tail"]].sum().sum(axis=1)
    return own.add(files.beyond.groupby(keys)["usd"].sum(), fill_value=0.0)


def dollars(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\$([\d,]+(?:\.\d+)?)", text)]
