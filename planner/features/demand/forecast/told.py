"""What `planner forecast` says and keeps: each series' model and its errors on weeks it had not seen."""

import dataclasses
import datetime as dt
import json
import math

from planner.features.demand.forecast.forecast import Assumptions, Forecast
from planner.features.demand.history import History


def report_of(result: Forecast, history: History, assumptions: Assumptions, start: dt.date, months: int) -> str:
    """Return forecast.json: what it was made from, what was assumed, and the accuracy by series."""
    content = {
        "start": start.isoformat(),
        "months": months,
        "history": {
            "first_hour": str(history.rows["hour"].min()),
            "last_hour": str(history.rows["hour"].max()),
            "format": history.report.get("format"),
            "missing": history.report.get("missing", []),
        },
        "assumptions": dataclasses.asdict(assumptions),
        "accuracy": json.loads(result.accuracy.to_json(orient="records")),
        "notes": list(result.notes),
    }
    return json.dumps(content, indent=2, default=str) + "\n"


def tell(result: Forecast) -> None:
    """Print the accuracy table and the notes."""
    print(f"{'series':<40} {'model':<15} {'WAPE':>7} {'naive':>7} {'bias':>7} {'p90 covers':>10}  held out")
    for row in result.accuracy.to_dict("records"):
        name = (
            "all together" if row["region"] == row["workload"] == "all" else f"{row['region']} {row['workload']}"[:40]
        )
        tried = (
            f"{row['origins']} x {row['weeks_ahead']} week{'s' * (row['weeks_ahead'] > 1)}" if row["origins"] else "-"
        )
        shown = [_percent(row.get(key)) for key in ("wape", "wape_seasonal_naive", "bias", "coverage_p90")]
        print(f"{name:<40} {row['model']:<15} {shown[0]:>7} {shown[1]:>7} {shown[2]:>7} {shown[3]:>10}  {tried}")
    for note in result.notes:
        print(f"note: {note}")


def _percent(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{100 * value:.1f} %"
