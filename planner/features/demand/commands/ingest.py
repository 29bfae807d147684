"""Turn usage exports, logs or a database into an hourly history.

    planner ingest litellm_spendlogs dump.csv.gz -o history
    planner ingest may/*.json june/*.json -o history          (the format is recognised)
    planner ingest postgresql://reader@db/litellm -o history  (runs inside the database)
    planner ingest http://prometheus:9090 -o history

The history folder holds history.parquet (hour, region, workload, model, requests, tokens) and history.json (what was
missing, kept out or repaired, by named rules). `planner profile` and `planner forecast` go on from there.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.features.demand.history import History


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "sources", nargs="+", metavar="[FORMAT] SOURCE", help="a format's name, then files, folders or a URL"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("history"), help="history folder (default: history)")
    parser.add_argument(
        "--map", type=Path, metavar="FILE", help="YAML: columns, names, defaults, time zone (docs/demand.md)"
    )
    parser.add_argument("--region", help="region of what has none")
    parser.add_argument("--workload", help="workload of what has none")
    parser.add_argument("--table", help="table of the database, with its schema if need be (default: LiteLLM's)")
    parser.add_argument("--window", metavar="START/END", help="the span that one scrape of counters stands for")
    parser.add_argument(
        "--against",
        metavar="BILL",
        help="the provider's bill: a CSV with a cost (month and model, too), or a total in USD",
    )
    parser.add_argument(
        "--catalogue", type=Path, metavar="FOLDER", help="prices for --against (default: the installed)"
    )
    parser.add_argument(
        "--explain", action="store_true", help="say how it would be read and why, with its totals; write nothing"
    )
    parser.add_argument("--since", metavar="TIME", help="keep rows before this out (a Prometheus server: 90 days ago)")
    parser.add_argument("--until", metavar="TIME", help="keep rows after this out (default: now)")


def run(arguments: argparse.Namespace) -> int:
    """Ingest, write the history folder, and say what was found."""
    from planner.features.demand.engine import is_url, require

    require("duckdb")
    require("ibis")
    from planner.errors import Fault, InputError
    from planner.features.demand.focus_billing import ingest_focus, is_focus, write_commitments
    from planner.features.demand.formats import FORMAT
    from planner.features.demand.history import save_history
    from planner.features.demand.ingest import IngestOptions, ingest
    from planner.features.demand.ingest_report import explain_history, moment, tell_commitments, tell_history, window
    from planner.features.demand.names import load_names
    from planner.features.demand.source_files import look_into

    first, *rest = arguments.sources
    known = [*FORMAT, "focus"]
    format_name = first if first in known and (rest or not Path(first).exists()) else None
    sources = rest if format_name else arguments.sources
    if not sources:
        raise InputError([Fault("command line", f"{format_name} needs a source: files, folders or a database URL")])
    if format_name is None and not is_url(first) and not Path(first).exists() and "." not in first and "/" not in first:
        raise InputError(
            [Fault("command line", "is neither a format nor a file", value=first, allowed=", ".join(known))]
        )
    bills = [] if format_name else [source for source in sources if not is_url(source) and is_focus(source, look_into)]
    if bills and len(bills) < len(sources):
        raise InputError([Fault(name, "is FOCUS billing data: ingest it apart from usage exports") for name in bills])
    if format_name == "focus" or bills:
        names = load_names(arguments.map)
        report = ingest_focus(sources, names.decimal)
        if not arguments.explain:
            write_commitments(report, arguments.output)
        tell_commitments(report, None if arguments.explain else arguments.output)
        return 0
    options = IngestOptions(
        names=load_names(arguments.map, arguments.region, arguments.workload),
        table_name=arguments.table,
        window=window(arguments.window),
        since=moment(arguments.since, "--since"),
        until=moment(arguments.until, "--until"),
    )
    history = ingest(sources, format_name, options)
    if arguments.against is not None:
        history = _beside_bill(history, arguments)
    if arguments.explain:
        explain_history(history)
        return 0
    save_history(history, arguments.output)
    tell_history(history, arguments.output)
    return 0


def _beside_bill(history: "History", arguments: argparse.Namespace) -> "History":
    """Return the history with its reconciliation in its report."""
    from planner.features.catalogue.published import catalogue_folder, read_catalogue
    from planner.features.demand.reconcile import reconcile

    prices = read_catalogue(arguments.catalogue or catalogue_folder())
    found = reconcile(history, arguments.against, prices)
    return replace(history, report={**history.report, "reconciliation": found.as_dict()})
