"""What another model mix would cost: a complete plan at other shares of small, mid and frontier models.

    planner mix data/quickstart
    planner mix data/quickstart --shares small=0.7,mid=0.25,frontier=0.05 --shares frontier=1 -o reports/mix

Compares the mix as it is (the optimum within each workload's allowed shares) with 70/25/5, all frontier and all small,
or with each --shares. A workload whose min_share and max_share do not permit a target gets the nearest permitted
shares, and the output names the limit. Quality is not in the numbers. docs/cost-per-task.md explains it.
Exit codes: 0 compared (a target without a plan is listed with the reason), 1 wrong use or input, 2 no plan as things
are, 3 stopped.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from planner.console.arguments import TimeLimit, count, share, time_limit
from planner.console.screen import Progress
from planner.errors import EXIT_PLAN

if TYPE_CHECKING:
    from planner.features.mix.mix_tables import MixTarget

_SAME = 1e-6


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    parser.add_argument(
        "--shares", type=target, action="append", metavar="TIER=SHARE,...", help="shares of small, mid and frontier, "
        "together 1; can be repeated (default: 70/25/5, all frontier, all small)",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="directory for mix.json, mix.csv and mix.xlsx")
    parser.add_argument("--gap", type=share, default=1e-4, help="relative gap accepted for whole units (default 1e-4)")
    parser.add_argument("--time-limit", type=time_limit, default=TimeLimit(None), metavar="SECONDS",
                        help="for the whole command; each plan gets as much of it")  # fmt: skip
    parser.add_argument("--workers", type=count, metavar="N", help="threads (default: all cores)")
    parser.add_argument("--fresh", action="store_true", help="neither read nor write cached answers")
    parser.add_argument("--json", action="store_true", help="print every figure for machines")


def run(arguments: argparse.Namespace) -> int:
    """Solve each mix, compare, write and print."""
    from planner.features.mix.mix_report import MIX, mix_json, print_mix, write_mix
    from planner.features.mix.mix_study import DEFAULT_TARGETS, mix_study
    from planner.io.cache import FOLDER
    from planner.io.directory import refuse
    from planner.readers import load
    from planner.solver.find import Options

    limit: TimeLimit = arguments.time_limit
    targets = arguments.shares or DEFAULT_TARGETS
    limit.reading()
    case = load(arguments.input)
    limit.reading_done(len(case.demand), 1 + len(targets))
    if arguments.output is not None:
        refuse(arguments.output.resolve(), MIX)
    beside = Path("reports") if arguments.output is None else arguments.output.absolute().parent
    store = None if arguments.fresh else beside.absolute() / FOLDER
    options = Options(arguments.gap, workers=arguments.workers, store=store, until=limit.search_until())
    study = mix_study(case, targets, options, Progress)
    if arguments.output is not None:
        write_mix(study, arguments.output, case.settings.horizon.start)
    if arguments.json:
        print(mix_json(study), end="")
        return EXIT_PLAN
    print_mix(study, sys.stdout)
    if arguments.output is not None:
        print(f"\nwritten to {arguments.output}")
    return EXIT_PLAN


def target(text: str) -> "MixTarget":
    """Read ``small=0.7,mid=0.25,frontier=0.05``; a tier that is not named has 0."""
    from planner.features.mix.mix_tables import TIERS, MixTarget

    shares = dict.fromkeys(TIERS, 0.0)
    named: set[str] = set()
    for part in text.split(","):
        tier, _, number = (piece.strip() for piece in part.partition("="))
        if tier not in shares or tier in named:
            problem = "appears twice" if tier in named else "is not a tier"
            raise argparse.ArgumentTypeError(f"{tier!r} in {text!r} {problem}; write small=0.7,mid=0.25,frontier=0.05")
        try:
            shares[tier] = float(number)
        except ValueError:
            shares[tier] = -1.0
        if not 0 <= shares[tier] <= 1:
            raise argparse.ArgumentTypeError(f"{part.strip()!r} is not a share from 0 to 1, such as {tier}=0.25")
        named.add(tier)
    if abs(sum(shares.values()) - 1) > _SAME:
        raise argparse.ArgumentTypeError(f"the shares of {text!r} add up to {sum(shares.values()):g}, not to 1")
    name = "/".join(f"{100 * shares[tier]:g}" for tier in TIERS)
    return MixTarget(name, shares)
