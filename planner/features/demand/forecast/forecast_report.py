"""What `planner forecast` says and keeps: each series' model and its errors on weeks it had not seen."""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from planner.errors import PlannerError
from planner.features.demand.forecast.forecast import Forecast
from planner.features.demand.forecast.one_series import Assumptions
from planner.features.demand.history import History
from planner.schema.settings import Horizon
from planner.units import counted


def report_of(result: Forecast, history: History, assumptions: Assumptions, horizon: Horizon) -> str:
    """Return forecast.json: what it was made from, what was assumed, and the accuracy by series."""
    content = {
        "start": horizon.start.isoformat(),
        "months": horizon.months,
        "cuts": [str(cut) for cut in horizon.cuts or ()],
        "history": {
            "first_hour": str(history.rows["hour"].min()),
            "last_hour": str(history.rows["hour"].max()),
            "format": history.report.get("format"),
            "missing": history.report.get("missing", []),
        },
        "assumptions": dataclasses.asdict(assumptions),
        "accuracy": json.loads(result.accuracy.to_json(orient="records")),
        "mix": json.loads(result.mix.to_json(orient="records")),
        "left_out": json.loads(result.left_out.to_json(orient="records")),
        "notes": list(result.notes),
    }
    return json.dumps(content, indent=2, default=str) + "\n"


def tell(result: Forecast) -> None:
    """Print the accuracy table and the notes."""
    import sys

    from planner.workbook.text_tables import TextTable, console_for

    heads = ("Series", "Model", "WAPE", "Naive", "Bias", "p90 covers", "Held out")
    table = TextTable(heads, left=2, words=(6,))
    for row in result.accuracy.to_dict("records"):
        name = "all together" if row["region"] == row["workload"] == "all" else f"{row['region']} {row['workload']}"
        tried = (
            f"{row['origins']} x {row['weeks_ahead']} week{'s' * (row['weeks_ahead'] > 1)}" if row["origins"] else "-"
        )
        shown = [_percent(row.get(key)) for key in ("wape", "wape_seasonal_naive", "bias", "coverage_p90")]
        table.add(name, str(row["model"]), *shown, tried)
    table.print(console_for(sys.stdout))
    for note in result.notes:
        print(f"note: {note}")


def _percent(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{100 * value:.1f} %"


def left_out_lines(left_out: pd.DataFrame, folder: Path) -> list[str]:
    """Say what of the history's load the forecast leaves out, in requests and dollars on demand."""
    prices = _on_demand_prices(folder) if len(left_out) else {}
    lines = []
    for row in left_out.to_dict("records"):
        usd = prices.get((row["region"], row["workload"]))
        cost = "no on-demand price in the folder yet" if usd is None else f"${usd * row['requests']:,.2f} on demand"
        lines.append(
            f"left out: {row['region']} {row['workload']}: {counted(row['requests'], 'request', ',.0f')}, "
            f"{row['share']:.1%} of its "
            f"history ({cost}); the accuracy above is measured on all of them"
        )
    return lines


def _on_demand_prices(folder: Path) -> Mapping[tuple[str, str], float]:
    """Return the cheapest on-demand price of a request by region and workload, USD; empty where the folder has none."""
    from planner.plan.derived import Derived
    from planner.readers import load

    try:
        options = Derived.of(load(folder)).options
    except PlannerError:
        return {}
    cheapest: dict[tuple[str, str], float] = {}
    for region, workload, usd in zip(options["region"], options["workload"], options["on_demand_usd"], strict=True):
        cheapest[region, workload] = min(usd, cheapest.get((region, workload), math.inf))
    return cheapest
