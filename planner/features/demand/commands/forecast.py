"""Turn a history into the demand of a planning folder, with the accuracy that was measured on held-out weeks.

    planner forecast history -o plan --start 2027-01 --months 3
    planner forecast history -o plan --holidays eu=DE,us=US --growth 0.05 --events plan/events.csv

Writes demand, scenarios and the token columns of workloads into the folder (made, if it is not there), and
forecast/forecast.json, forecast/accuracy.csv and forecast/hours.parquet (every hour with its quantiles).
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.features.demand.history import History


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("history", type=Path, help="history folder, as written by planner ingest")
    parser.add_argument("-o", "--output", type=Path, required=True, help="planning folder")
    parser.add_argument("--start", help="first month, such as 2027-01 (default: the folder's, else after the history)")
    parser.add_argument("--months", type=int, help="months (default: the folder's, else 3)")
    parser.add_argument("--growth", type=float, help="growth per month as a share, instead of what the models find")
    parser.add_argument("--season", type=Path, help="CSV with month (1-12) and factor: a yearly season that is known")
    parser.add_argument("--holidays", metavar="COUNTRY", help="DE for all regions, or region=DE,region=US-CA@TIME_ZONE")
    parser.add_argument(
        "--events", type=Path, help="CSV of one-time events (default: events.csv of the folder, if any)"
    )
    parser.add_argument(
        "--moves",
        type=Path,
        help="CSV of planned moves: from, to, when, share (default: moves.csv of the folder, if any)",
    )
    parser.add_argument(
        "--cut-at-events",
        action="store_true",
        help="plan each event as periods of its own: writes horizon.cuts into the folder's plan.yaml",
    )
    parser.add_argument("--cap-spikes", action="store_true", help="cut spikes to three times their usual value")
    parser.add_argument("--skip-outages", action="store_true", help="take outages as unknown")
    parser.add_argument(
        "--quiet-hours",
        choices=["auto", "zero", "unknown"],
        default="auto",
        help="hours without a row: zero, unknown, or (auto) zero where silence is usual",
    )
    parser.add_argument(
        "--scenarios", choices=["quantiles", "weeks"], default="quantiles", help="futures (default: quantiles)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Forecast, write the folder, and say how good the forecast is."""
    from planner.features.demand.engine import require

    require("scipy")
    from planner.console.screen import Progress
    from planner.errors import Fault, InputError
    from planner.features.demand.folder import check_within, cuts_of, horizon_of, joined, mix_differences, write_demand
    from planner.features.demand.forecast.dates import load_season
    from planner.features.demand.forecast.events import load_events, proposed_cuts
    from planner.features.demand.forecast.forecast import forecast
    from planner.features.demand.forecast.forecast_report import left_out_lines, report_of, tell
    from planner.features.demand.forecast.one_series import Assumptions
    from planner.features.demand.forecast.planned_moves import load_moves
    from planner.features.demand.history import load_history
    from planner.features.demand.ingest_report import reconciliation_line
    from planner.features.demand.marks import Treatment
    from planner.schema.settings import Horizon, periods_of

    history = load_history(arguments.history)
    last = history.rows["hour"].max()
    start, months = horizon_of(arguments.output, arguments.start, arguments.months, after=last.date())
    check_within(arguments.output, start, months)
    regions, workloads = sorted(set(history.rows["region"])), sorted(set(history.rows["workload"]))
    countries = {}
    if arguments.holidays:
        require("holidays")
        from planner.features.demand.forecast.dates import parse_countries

        countries = parse_countries(arguments.holidays, regions)
    path = arguments.events or arguments.output / "events.csv"
    moves = arguments.moves or arguments.output / "moves.csv"
    lacking = [p for p, asked in ((path, arguments.events), (moves, arguments.moves)) if asked and not p.exists()]
    if lacking:
        raise InputError([Fault(str(p), "does not exist") for p in lacking])
    known = {"region": regions, "workload": workloads, "model": sorted(set(history.rows["model"]))}
    if arguments.growth is not None and not -1 < arguments.growth <= 10:
        raise InputError([Fault("--growth", "is not a share per month", value=arguments.growth, allowed="0.05 is 5 %")])
    assumptions = Assumptions(
        growth_per_month=arguments.growth,
        season=load_season(arguments.season) if arguments.season else {},
        countries=countries,
        events=load_events(path, regions, workloads) if path.exists() else (),
        moves=load_moves(moves, known) if moves.exists() else (),
        real_weeks=arguments.scenarios == "weeks",
        treatment=Treatment(arguments.cap_spikes, arguments.skip_outages),
        quiet_hours=arguments.quiet_hours,
    )
    cuts = cuts_of(arguments.output)
    proposed = proposed_cuts(assumptions.events, periods_of(start, months, cuts))
    if arguments.cut_at_events:
        cuts, proposed = joined(cuts, proposed), ()
    inside = tuple(p.start for p in periods_of(start, months, cuts) if p.start in cuts)
    horizon = Horizon(start=start, months=months, cuts=inside or None)
    with Progress("forecasting") as progress:
        result = forecast(history, start, months, assumptions, progress, inside)
    report = report_of(result, history, assumptions, horizon)
    written = write_demand(
        arguments.output,
        result.demand,
        result.scenarios,
        result.workloads,
        result.mix,
        horizon=(start, months),
        replaced=set(zip(history.rows["region"], history.rows["workload"], strict=True)),
        extras={
            "forecast.json": report,
            "accuracy.csv": result.accuracy,
            "hours.parquet": result.hours,
            **_reconciliation(history, arguments.output),
        },
        cuts=cuts if arguments.cut_at_events else None,
    )
    tell(result)
    models = [move for move in assumptions.moves if move.what == "model"]
    moving = [name for name in workloads if any(move.workload in (None, name) for move in models)]
    for line in mix_differences(arguments.output, result.mix, moving):
        print(f"moves: {line}, where the planned moves of models say otherwise")
    if proposed:
        days = ", ".join(map(str, joined(cuts, proposed)))
        print(f"events: with horizon.cuts: [{days}] in plan.yaml each is periods of its own, for which offers of its "
              "length can be bought; --cut-at-events writes that")  # fmt: skip
    if "reconciliation" in history.report:
        print(reconciliation_line(history.report["reconciliation"]))
    for line in left_out_lines(result.left_out, arguments.output):
        print(line)
    print(f"wrote {', '.join(written)} in {arguments.output}")
    return 0


def _reconciliation(history: "History", folder: Path) -> dict[str, str]:
    """Return forecast/reconciliation.csv, where the history was put beside a bill: the workbook says how it went."""
    told = history.report.get("reconciliation")
    name, header = "reconciliation.csv", "usd_history,usd_bill\n"
    if told is None:  # what an earlier history left says nothing of this one
        return {name: header} if (folder / "forecast" / name).exists() else {}
    return {name: f"{header}{told['usd_history']:.2f},{told['usd_bill']:.2f}\n"}
