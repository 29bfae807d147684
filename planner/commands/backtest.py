"""Replay a history: what each buying rule would have cost, with only what was known at the time.

    planner backtest history --discount 0.3 --term 52 -o backtest
    planner backtest history --pool all --term 52 --replay "as it was" reversed step

Compared with: all on demand, reserve the average, reserve the peak, the 7, 30 and 60 day look-back of the clouds'
recommenders, the planner's forecast, and the clairvoyant plan, which nobody can beat. Writes backtest.csv (every week),
summary.csv, backtest.md and a chart as PNG and SVG.
"""

import argparse
from pathlib import Path

REPLAYS = ("as it was", "reversed", "step")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("history", type=Path, help="history folder, as written by planner ingest")
    parser.add_argument("-o", "--output", type=Path, help="folder for tables and chart (default: terminal only)")
    parser.add_argument("--discount", type=float, default=0.3, help="of a committed hour on the on-demand price (0.3)")
    parser.add_argument("--term", type=int, default=52, metavar="WEEKS", help="length of a commitment (default: 52)")
    parser.add_argument("--every", type=int, default=1, metavar="WEEKS", help="weeks between purchases (default: 1)")
    parser.add_argument("--after", type=int, metavar="WEEKS", help="weeks of history before the first purchase")
    parser.add_argument("--pool", choices=["all", "region", "series"], default="region", help="one pool each (region)")
    parser.add_argument("--replay", nargs="+", choices=REPLAYS, default=["as it was"], help="variants of the history")


def run(arguments: argparse.Namespace) -> int:
    """Replay, print the table, and write it."""
    from planner.demand.engine import require

    require("statsmodels")
    require("scipy")
    import pandas as pd

    from planner.demand.atomic import replace_file
    from planner.demand.backtest.pools import VARIANTS, pools_of, variant_of
    from planner.demand.backtest.told import draw_savings, table_lines, verdict
    from planner.demand.backtest.walk import Terms, backtest, summarise
    from planner.demand.history import load_history
    from planner.demand.series import hourly_series
    from planner.units import HOURS_PER_WEEK

    terms = Terms(arguments.discount, arguments.term, arguments.every, arguments.after)
    series = hourly_series(load_history(arguments.history))
    pools = pools_of(series, arguments.pool)
    _check(arguments, {name: len(values) // HOURS_PER_WEEK for name, values in pools.items()})
    text, ledgers, summaries = [], [], {}
    for replay in arguments.replay:
        changed = {}
        for name, values in pools.items():
            weeks = len(values) // HOURS_PER_WEEK
            changed[name] = variant_of(values, replay, (weeks - terms.start(weeks)) * HOURS_PER_WEEK)
        ledger = backtest(changed, terms)
        summary = summarise(ledger)
        summaries[replay] = summary
        ledgers.append(ledger.assign(replay=replay))
        text += [f"### {replay}: {VARIANTS[replay]}", "", *table_lines(summary), "", verdict(summary), ""]
    ledger = pd.concat(ledgers, ignore_index=True)
    head = (
        f"{ledger['week'].nunique()} weeks, {len(pools)} pool{'s' if len(pools) > 1 else ''}, "
        f"{100 * terms.discount:.0f} % discount, {terms.term_weeks}-week terms, bought every "
        f"{'week' if terms.every_weeks == 1 else f'{terms.every_weeks} weeks'}"
    )
    print(head, "", *text, sep="\n")
    print("A commitment that runs past the history is counted up to its end, for every rule alike.")
    if arguments.output is not None:
        require("matplotlib")
        folder: Path = arguments.output
        both = pd.concat([table.assign(replay=name) for name, table in summaries.items()], ignore_index=True)
        replace_file(folder / "backtest.csv", lambda path: ledger.to_csv(path, index=False))
        replace_file(folder / "summary.csv", lambda path: both.to_csv(path, index=False))
        lines = "\n".join([head, "", *text])
        replace_file(folder / "backtest.md", lambda path: path.write_text(lines, encoding="utf-8"))
        draw_savings(summaries, folder)
        print(f"backtest in {folder}")
    return 0


def _check(arguments: argparse.Namespace, weeks: dict[str, int]) -> None:
    """Refuse what cannot be replayed, all of it at once."""
    from planner.errors import Fault, InputError

    faults = []
    if not 0 <= arguments.discount < 1:
        faults.append(Fault("--discount", "is not a share", value=arguments.discount, allowed="0 to below 1"))
    for name in ("term", "every"):
        if getattr(arguments, name) < 1:
            faults.append(Fault(f"--{name}", "is too short", value=getattr(arguments, name), allowed="1 week or more"))
    least = (arguments.after if arguments.after is not None else 4) + 1
    if arguments.after is not None and arguments.after < 1:
        faults.append(Fault("--after", "is too short", value=arguments.after, allowed="1 week or more"))
    for name, count in weeks.items():
        if count < least:
            faults.append(
                Fault(
                    "history", f"pool {name} has too few whole weeks to replay", value=count, allowed=f"{least} or more"
                )
            )
    if faults:
        raise InputError(faults)
