"""Show what a history looks like: hour of week, peaks, outages, cache and mix; make scenarios of real weeks.

    planner profile history -o profile
    planner profile history --scenarios plan --weeks 8   (writes demand.csv and scenarios.csv of a planning folder)

Writes profile.csv (by hour of week), marks.csv (gaps, outages, spikes), profile.json, and a heat map and a curve as
PNG and SVG.
"""

import argparse
import sys
from pathlib import Path

from planner.units import counted

WIDTH = 100  # of the week on a terminal
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("history", type=Path, help="history folder, as written by planner ingest")
    parser.add_argument("-o", "--output", type=Path, help="folder for tables and charts (default: terminal only)")
    parser.add_argument("--region", help="this region only")
    parser.add_argument("--workload", help="this workload only")
    parser.add_argument("--cap-spikes", action="store_true", help="cut spikes to three times their usual value")
    parser.add_argument("--skip-outages", action="store_true", help="take outages as unknown")
    parser.add_argument(
        "--quiet-hours",
        choices=["auto", "zero", "unknown"],
        default="auto",
        help="hours without a row: zero, unknown, or (auto) zero where silence is usual",
    )
    parser.add_argument("--scenarios", type=Path, metavar="FOLDER", help="write real weeks as scenarios of this folder")
    parser.add_argument("--weeks", type=int, metavar="N", help="only the last N weeks as scenarios")
    parser.add_argument("--week-starts", choices=DAYS, default=DAYS[0], help="first day of the scenarios' weeks")


def run(arguments: argparse.Namespace) -> int:
    """Profile, print, and write what was asked for."""
    import json

    from planner.errors import Fault, InputError
    from planner.features.demand.charts import print_curve, print_heat_map
    from planner.features.demand.history import History, load_history
    from planner.features.demand.ingest_report import profile_lines
    from planner.features.demand.marks import Treatment
    from planner.features.demand.profile import profile
    from planner.io.atomic import write_csv
    from planner.io.together import changed_together
    from planner.workbook.text_tables import console_for

    history = load_history(arguments.history)
    rows = history.rows
    for name in ("region", "workload"):
        wanted = getattr(arguments, name)
        if wanted is not None:
            if wanted not in set(rows[name]):
                allowed = ", ".join(sorted(set(rows[name])))
                raise InputError([Fault(str(arguments.history), f"has no {name}", value=wanted, allowed=allowed)])
            rows = rows[rows[name] == wanted]
    history = History(rows, history.report)
    treatment = Treatment(arguments.cap_spikes, arguments.skip_outages)
    result = profile(history, treatment, arguments.quiet_hours)
    console = console_for(sys.stdout)
    console.width = WIDTH
    print_heat_map(result.together, console)
    print_curve(result.together, console)
    for line in profile_lines(result):
        console.print(line, soft_wrap=True)
    for mark, count in result.marks["mark"].value_counts().sort_index().items():
        kept = {
            "gap": "unknown",
            "outage": "taken as unknown"
            if treatment.skip_outages
            else "counted (--skip-outages takes them as unknown)",
            "spike": "cut to three times the usual" if treatment.cap_spikes else "counted (--cap-spikes cuts them)",
        }
        console.print(f"{mark}: {counted(count, 'series-hour', ',')}, {kept[str(mark)]}")
    for note in result.notes:
        console.print(f"note: {note}")
    if arguments.output is not None:
        from planner.features.demand.charts import draw_curve, draw_heat_map
        from planner.features.demand.engine import require

        require("matplotlib")
        folder: Path = arguments.output
        with changed_together(folder, "profile") as new:
            write_csv(new / "profile.csv", result.weeks)
            write_csv(new / "marks.csv", result.marks)
            text = json.dumps(result.as_dict(), indent=2, default=str) + "\n"
            (new / "profile.json").write_text(text, encoding="utf-8")
            title = "Requests per hour, mean by day and hour (UTC)"
            draw_heat_map(result.together, title, new, "heat_map")
            draw_curve(result.together, "Requests per hour over the week (UTC)", new, "week")
        console.print(f"profile in {folder}")
    if arguments.scenarios is not None:
        _write_scenarios(history, arguments)
    return 0


def _write_scenarios(history: object, arguments: argparse.Namespace) -> None:
    """Write each real week as a scenario of a planning folder."""
    import pandas as pd

    from planner.errors import Fault, InputError
    from planner.features.demand.folder import write_demand
    from planner.features.demand.history import History
    from planner.features.demand.profile import model_mix, request_shape, scenario_weeks
    from planner.features.demand.series import hourly_series

    assert isinstance(history, History)
    folder, weeks, first_day = arguments.scenarios, arguments.weeks, DAYS.index(arguments.week_starts)
    if weeks is not None and weeks < 1:
        raise InputError([Fault("--weeks", "is too few", value=weeks, allowed="1 or more")])
    table = scenario_weeks(history, weeks, first_day, arguments.quiet_hours)
    if table.empty:
        message = f"has no full week without a gap, from {DAYS[first_day].capitalize()} 00:00 UTC; see --week-starts"
        raise InputError([Fault("history", message)])
    rows = hourly_series(history).rows
    shapes = [{"workload": name, **request_shape(group)} for name, group in rows.groupby("workload")]
    written = write_demand(
        folder,
        table,
        table[["scenario", "probability"]].drop_duplicates(),
        pd.DataFrame(shapes),
        model_mix(rows),
    )
    print(f"{table['scenario'].nunique()} real weeks as scenarios in {folder}: {', '.join(written)}")
