"""Replay a history: what each buying rule would have cost, with only what was known at the time.

    planner backtest history --discount 0.3 --term 52 -o backtest
    planner backtest history --pool all --term 52 --replay "as it was" reversed step

Compared with: all on demand, reserve the average, reserve the peak, the 7, 30 and 60 day look-back of the clouds'
recommenders, the fractile of the last 52 weeks, planner (what a plan buys that `planner forecast` fills and `planner
solve` decides), and the clairvoyant plan, which nobody can beat.
Writes backtest.csv (every week), summary.csv, backtest.md and a chart as PNG and SVG.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from planner.units import counted

if TYPE_CHECKING:
    import numpy as np

    from planner.features.demand.backtest.walk import PurchaseTerms

REPLAYS = ("as it was", "reversed", "step")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("history", type=Path, help="history folder, as written by planner ingest")
    parser.add_argument("-o", "--output", type=Path, help="folder for tables and chart (default: terminal only)")
    parser.add_argument("--discount", type=float, default=0.3, help="of a committed hour on the on-demand price (0.3)")
    parser.add_argument("--term", type=int, default=52, metavar="WEEKS", help="length of a commitment (default: 52)")
    parser.add_argument(
        "--step", choices=["week", "day"], help="how often to look (default: week; day where there are under 5 weeks)"
    )
    parser.add_argument("--every", type=int, default=1, metavar="STEPS", help="steps between purchases (default: 1)")
    parser.add_argument(
        "--months",
        type=int,
        help="months that each of the planner's plans looks ahead (default: the term's, 12 at most)",
    )
    parser.add_argument("--after", type=int, metavar="WEEKS", help="weeks of history before the first purchase")
    parser.add_argument(
        "--quiet-hours",
        choices=["auto", "zero", "unknown"],
        default="auto",
        help="hours without a row: zero, unknown, or (auto) zero where silence is usual",
    )
    parser.add_argument("--pool", choices=["all", "region", "series"], default="region", help="one pool each (region)")
    parser.add_argument("--replay", nargs="+", choices=REPLAYS, default=["as it was"], help="variants of the history")


def run(arguments: argparse.Namespace) -> int:
    """Replay, print the table, and write it."""
    from planner.features.demand.engine import require

    require("scipy")
    import pandas as pd

    from planner.console.screen import Progress
    from planner.features.demand.backtest.backtest_report import LEGEND, draw_savings, meaning, table_lines, verdict
    from planner.features.demand.backtest.walk import (
        LONGEST_GAP_WEEKS,
        VARIANTS,
        PurchaseTerms,
        after_long_gap,
        backtest,
        choose_step,
        pools_of,
        summarise,
        variant_of,
    )
    from planner.features.demand.history import load_history
    from planner.features.demand.series import hourly_series
    from planner.io.atomic import write_csv
    from planner.io.together import changed_together

    series = hourly_series(load_history(arguments.history), arguments.quiet_hours)
    whole = pools_of(series, arguments.pool)
    every_pool = {name: after_long_gap(values) for name, values in whole.items()}
    step = arguments.step or choose_step(every_pool)
    terms = PurchaseTerms(arguments.discount, arguments.term, arguments.every, arguments.after, step, arguments.months)
    pools = _replayable(arguments, terms, every_pool)
    notes = [
        *series.notes,
        *(f"{name} is left out: too short to replay" for name in every_pool if name not in pools),
        *(
            f"{name}: what lies before a gap of over {LONGEST_GAP_WEEKS} weeks is left out"
            for name, values in pools.items()
            if len(values) < len(whole[name])
        ),
    ]
    text, ledgers, summaries = [], [], {}
    for replay in arguments.replay:
        changed = {n: variant_of(values, replay, terms.replayed_hours(len(values))) for n, values in pools.items()}
        with Progress(f"replaying {replay}") as progress:
            ledger = backtest(changed, terms, progress)
        summary = summarise(ledger)
        summaries[replay] = summary
        ledgers.append(ledger.assign(replay=replay))
        text += [f"### {replay}: {VARIANTS[replay]}", "", *table_lines(summary), "", verdict(summary), ""]
    ledger = pd.concat(ledgers, ignore_index=True)
    count = ledger[step].nunique()
    head = (
        f"{count} {step}{'s' if count > 1 else ''}, {len(pools)} pool{'s' if len(pools) > 1 else ''}, "
        f"{100 * terms.discount:.0f} % discount, {terms.term_weeks}-week terms, bought every "
        f"{step if terms.every_steps == 1 else f'{terms.every_steps} {step}s'}; planner's plans look "
        f"{terms.months} month{'s' if terms.months > 1 else ''} ahead"
    )
    if terms.term_steps < terms.every_steps:
        notes.append(
            f"terms of {counted(terms.term_weeks, 'week')} end before the next purchase: nothing is in force in between"
        )
    text += [LEGEND, meaning(count * terms.step_hours, terms.term_weeks), *(f"note: {note}" for note in notes)]
    print(head, "", *text, sep="\n")
    if arguments.output is not None:
        require("matplotlib")
        folder: Path = arguments.output
        both = pd.concat([table.assign(replay=name) for name, table in summaries.items()], ignore_index=True)
        with changed_together(folder, "backtest") as new:
            write_csv(new / "backtest.csv", ledger)
            write_csv(new / "summary.csv", both)
            (new / "backtest.md").write_text("\n".join([head, "", *text, ""]), encoding="utf-8")
            draw_savings(summaries, new)
        print(f"backtest in {folder}")
    return 0


def _replayable(
    arguments: argparse.Namespace, terms: "PurchaseTerms", pools: "dict[str, np.ndarray]"
) -> "dict[str, np.ndarray]":
    """Return the pools that are long enough; every fault of the arguments at once, and none that is left."""
    from planner.errors import Fault, InputError
    from planner.units import HOURS_PER_DAY

    faults = []
    if not 0 <= arguments.discount < 1:
        faults.append(Fault("--discount", "is not a share", value=arguments.discount, allowed="0 to below 1"))
    for name, unit in (("term", "week"), ("every", "step"), ("after", "week"), ("months", "month")):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            faults.append(Fault(f"--{name}", "is too short", value=value, allowed=f"1 {unit} or more"))
    if faults:
        raise InputError(faults)
    long_enough = {name: values for name, values in pools.items() if terms.replayed_hours(len(values)) > 0}
    if not long_enough:
        days = max((len(values) for values in pools.values()), default=0) / HOURS_PER_DAY
        least = (terms.start(0) + 1) * terms.step_hours / HOURS_PER_DAY
        seen = terms.start(0) * terms.step_hours // HOURS_PER_DAY
        message = (
            f"is too short to replay: {counted(seen, 'day comes', many='days come')} before the first "
            f"purchase, and a {terms.step} after it"
        )
        raise InputError(
            [
                Fault(
                    "history",
                    message,
                    value=counted(days, "day", ".1f"),
                    allowed=f"{counted(least, 'day', '.0f')} or more",
                )
            ]
        )
    return long_enough
