"""What a change would do to the plan: questions asked in a meeting, next to the plan as it stands.

    planner what-if my-plan --set failover.enabled=false
    planner what-if my-plan --scale demand=1.4 --name "grow 40 %"
    planner what-if my-plan --scale "demand[workload=chat]=2" --refuse swedencentral
    planner what-if my-plan --grid headroom=0.1:0.5:0.1 -o reports/headroom
    planner what-if my-plan --cases cases.yaml -o reports/meeting
    planner what-if my-plan --refused
    planner what-if my-plan --cases cases.yaml --on dask://10.0.0.5:8786 -o reports/sweep
    planner what-if my-plan --curve headroom=0.1:0.5 -o reports/headroom
    planner what-if my-plan --how-far reports/plan -o reports/meeting
    planner what-if my-plan --make-it-fit
    planner what-if my-plan --nearly-as-good 1% --against reports/last-quarter
    planner what-if my-plan -o reports/meeting --compare reports/last-meeting

--set, --scale, --strike, --refuse, --forbid-term and --certain together make one case; --grid makes one for each value
(of several grids, one for each combination), with the others applied to each. Every case is solved exactly; what a
change does not touch is not solved again. With -o the study is kept: run again with other cases, and they are added.
--curve draws the cost of the cheapest plan against one number, with every breakpoint that matters, for units of any
size; in whole units it solves the values of FROM:TO:STEP, or the ends and the sharpest bends.
--nearly-as-good finds what no change of the folder asks for: plans within 1 % of the best that are better otherwise.
--scale takes demand, on_demand_prices, price_factors, quotas, scaled_prices, scaled_units, offer_prices and discount (a
share below the list price).
Exit codes: 0 answered (a case without a plan is reported in words), 1 wrong use or input, 3 stopped: some case is not
answered; what was answered is shown and kept.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from planner.console.arguments import TimeLimit, count, share, time_limit
from planner.console.screen import Progress
from planner.errors import EXIT_PLAN, EXIT_STOPPED, Fault, InputError, PlannerError

if TYPE_CHECKING:
    from planner.features.what_if.case_change import CaseChange
    from planner.features.what_if.study import Study
    from planner.schema.case import Case
    from planner.solver.find import Options


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    one = parser.add_argument_group("one case")
    one.add_argument("--set", action="append", metavar="KEY=VALUE", default=[], help="a policy value, such as "
                     "failover.on_demand_trust=1; nothing after = removes it")  # fmt: skip
    one.add_argument("--scale", action="append", metavar="WHAT=FACTOR", default=[], help="demand=1.4, "
                     "quotas[region=east]=2, on_demand_prices=0.8, offer_prices=0.9, "
                     "discount[pool=east]=0.1")  # fmt: skip
    one.add_argument("--strike", action="append", metavar="OFFER", default=[], help="an offer that cannot be bought")
    one.add_argument("--refuse", action="append", metavar="REGION", default=[], help="a region without new units")
    one.add_argument("--refuse-pool", action="append", metavar="POOL", default=[], help="a pool without new units")
    one.add_argument("--forbid-term", action="append", type=count, metavar="MONTHS", default=[],
                     help="a term that must not be signed")  # fmt: skip
    one.add_argument("--leave-out", action="append", metavar="REGION", default=[], help="a region that serves nothing")
    one.add_argument("--certain", metavar="SCENARIO", help="treat a scenario as certain")
    one.add_argument("--name", help="what the case is called (default: what it changes)")
    many = parser.add_argument_group("many cases")
    many.add_argument("--grid", action="append", metavar="KEY=FROM:TO:STEP", default=[],
                      help="a case for each value of a policy key, or of what --scale takes; or KEY=A,B,C")  # fmt: skip
    many.add_argument("--band", action="append", metavar="USD:DISCOUNT", default=[], help="a case for each spend band "
                      "that is offered: so much to be spent, at such a discount off on-demand prices, such as "
                      "1000000:0.05")  # fmt: skip
    many.add_argument("--cases", type=Path, metavar="cases.yaml", help="named cases; docs/what-if.md shows the form")
    many.add_argument("--refused", action="store_true", help="a case for each pool from which the plan buys units: the "
                      "provider has none")  # fmt: skip
    many.add_argument("--curve", action="append", metavar="KEY=FROM:TO", default=[], help="the cost against a number: "
                      "headroom, failover.on_demand_trust, guaranteed_share, max_commitment_usd, risk.weight, demand, "
                      "...; FROM:TO:STEP says which values are solved in whole units")  # fmt: skip
    many.add_argument("--every-breakpoint", action="store_true", help="of curves: find also those that hardly move the "
                      "cost")  # fmt: skip
    many.add_argument("--how-far", nargs="?", type=Path, const=Path(), metavar="PLAN_DIR", help="how much demand and "
                      "prices may move before the plan no longer fits, or another is cheaper, and what staying costs: "
                      "of a finished plan of this folder, or of the cheapest")  # fmt: skip
    many.add_argument("--nearly-as-good", nargs="?", type=near_share, const=near_share("1%"), metavar="1%",
                      help="plans that cost so little more than the best (default 1%%) and sign least, have fewest "
                      "lines, need only short terms, or leave out a provider or region")  # fmt: skip
    many.add_argument("--make-it-fit", action="store_true", help="where no plan exists: each single change of the "
                      "input that is enough, and the cheapest plan after it; pairs where none is")  # fmt: skip
    many.add_argument("--against", type=Path, metavar="PLAN_DIR", help="with --nearly-as-good: the last plan, of which "
                      "one keeps most")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="directory to save the study in, or to add to")
    parser.add_argument("--compare", type=Path, metavar="DIR", help="show another study next to this one")
    parser.add_argument("--gap", type=share, default=1e-4, help="relative gap accepted for whole units (default 1e-4)")
    parser.add_argument("--time-limit", type=time_limit, default=TimeLimit(None), metavar="SECONDS",
                        help="for the whole command; each plan gets as much of it")  # fmt: skip
    parser.add_argument("--workers", type=count, metavar="N", help="threads (default: all cores)")
    parser.add_argument("--on", metavar="dask://HOST:PORT", help="solve the cases, and the plans in whole units "
                        "beside curves, on the workers of a Dask cluster, given by its scheduler; --workers is then "
                        "the threads of each case (default 1)")  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="neither read nor write cached answers")
    parser.add_argument("--json", action="store_true", help="print every figure for machines")


def run(arguments: argparse.Namespace) -> int:
    """Solve every case, write the study, print it."""
    from planner.features.what_if.curve_study import add_curves
    from planner.features.what_if.fit_study import print_outcome
    from planner.features.what_if.parameter import parameters_of
    from planner.features.what_if.study import refused_orders, what_if
    from planner.features.what_if.study_files import STUDY, earlier_study, read_study, study_json, write_study
    from planner.features.what_if.study_report import print_comparison, print_study
    from planner.io.cache import FOLDER
    from planner.io.directory import refuse
    from planner.readers import load
    from planner.solver.find import Options

    limit: TimeLimit = arguments.time_limit
    limit.reading()
    case = load(arguments.input)
    changes, base = _asked(arguments)
    parameters = parameters_of(arguments.curve)
    limit.reading_done(len(case.demand), 1 + len(changes) + len(case.pools) * arguments.refused + 4 * len(parameters))
    other = None
    if arguments.compare is not None and (other := read_study(arguments.compare)) is None:
        raise PlannerError(f"{arguments.compare} holds no study (no study.json)")
    earlier = None
    if arguments.output is not None:
        refuse(arguments.output.resolve(), STUDY)
        earlier = earlier_study(arguments.output, case.digest)
    near, last = arguments.nearly_as_good, None
    if arguments.against is not None:
        last = _last_purchases(arguments.against, case, near)
    asked = arguments.refused or arguments.how_far is not None or arguments.make_it_fit or near is not None
    if not changes and not parameters and earlier is None and not asked:
        raise PlannerError(
            "no change was given: name one, such as --set failover.enabled=false or --scale demand=1.4 "
            "(planner what-if --help shows them all)"
        )
    store = None
    if not arguments.fresh:
        beside = Path("reports") if arguments.output is None else arguments.output.absolute().parent
        store = beside.absolute() / FOLDER
    options = Options(arguments.gap, workers=arguments.workers, store=store, until=limit.search_until())
    elsewhere = None
    if arguments.on is not None:
        _only_cases(arguments)
        from planner.features.what_if.cluster import Cluster

        elsewhere = Cluster.of(arguments.on)
    searches = 1 + arguments.refused + 3 * arguments.make_it_fit  # the folder itself: why it has no plan matters less
    now = options.share(searches) if searches > 1 else options
    study = what_if(case, changes, now, Progress, earlier, elsewhere)
    if arguments.refused:
        study = what_if(case, refused_orders(study.base), options, Progress, study, elsewhere)
    if parameters:
        study = add_curves(case, study, parameters, options, base=base, every=arguments.every_breakpoint,
                           progress=Progress, elsewhere=elsewhere)  # fmt: skip
    if arguments.how_far is not None:
        study = _with_how_far(case, study, arguments.how_far, options)
    if near is not None:
        from planner.features.what_if.nearly_study import nearly_as_good

        study = nearly_as_good(case, study, near, options, Progress, last)
    if arguments.make_it_fit:
        from planner.features.what_if.fit_study import make_it_fit

        study = make_it_fit(case, study, options, Progress)
    if arguments.output is not None:
        study = write_study(study, arguments.output, case.settings.horizon.start)
    if arguments.json:
        print(study_json(study), end="")
        return EXIT_STOPPED if study.left_out else EXIT_PLAN
    print_study(study, sys.stdout)
    if arguments.make_it_fit:
        print_outcome(study, sys.stdout)
    if other is not None:
        print()
        print_comparison(study, other, sys.stdout)
    if arguments.output is not None:
        print(f"\nwritten to {arguments.output}")
    return EXIT_STOPPED if study.left_out else EXIT_PLAN


def _only_cases(arguments: argparse.Namespace) -> None:
    """Refuse, with a cluster, what is searched for on this machine."""
    asked = {
        "--how-far": arguments.how_far is not None,
        "--nearly-as-good": arguments.nearly_as_good is not None,
        "--make-it-fit": arguments.make_it_fit,
    }
    if here := [name for name, given in asked.items() if given]:
        raise PlannerError(
            f"--on: only cases are solved on a cluster, and {' and '.join(here)} would be found on this machine. Leave "
            "out --on, or ask for the cases first and then, with the same -o, for the rest without --on"
        )


def _with_how_far(case: "Case", study: "Study", place: Path, options: "Options") -> "Study":
    """Add how far a plan carries: the one in a directory, or the cheapest where none is named."""
    from dataclasses import replace

    from planner.features.what_if.how_far import how_far
    from planner.solver.solve import audited
    from planner.verify.trusted import trusted

    if place != Path():
        finished = trusted(place)
        if finished.case.digest != case.digest:
            raise PlannerError(
                f"{place} holds a plan of another input than this folder: --how-far takes a plan of the folder as it "
                "stands. Run planner what-if on that plan's own input"
            )
        plan = finished.plan
    elif not study.base.possible:
        raise PlannerError("--how-far: the folder as it stands has no plan, so there is none that could carry")
    else:
        with Progress("as it stands") as told:
            plan = audited(case, options, told).plan
    with Progress("how far it carries") as told:
        return replace(study, how_far=how_far(case, plan, options, told))


def _last_purchases(directory: Path, case: "Case", near: float | None) -> "dict[tuple[str, str], float]":
    """Read what the last plan bought that this one could buy too."""
    from planner.features.resolve.keep import last_purchases
    from planner.verify.trusted import trusted

    if near is None:
        raise PlannerError("--against names the last plan for --nearly-as-good, which is not asked for")
    finished = trusted(directory)
    return dict(last_purchases((finished.case, finished.plan), case).units)


def near_share(text: str) -> float:
    """Read a share above 0 and below 1: 1% or 0.01."""
    number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share such as 1% or 0.01 (above 0 and below 100%)")
    return value


def _asked(arguments: argparse.Namespace) -> "tuple[list[CaseChange], CaseChange]":
    """Cases that the options and the file ask for, every fault at once; and the change that each of them makes."""
    from dataclasses import replace

    from planner.features.what_if.asked import band_of, factor_of, grid_cases, grid_of, read_cases, setting_of
    from planner.features.what_if.case_change import CaseChange

    faults: list[Fault] = []
    settings, scale, grids = [], [], []
    for text in arguments.set:
        try:
            settings.append(setting_of(text))
        except ValueError as error:
            faults.append(Fault("--set", str(error)))
    for option, texts in (("--scale", arguments.scale), ("--grid", arguments.grid)):
        for text in texts:
            key, equals, value = text.rpartition("=")
            try:
                if not equals:
                    raise ValueError("has no =: write WHAT=NUMBER")
                if option == "--scale":
                    scale.append(factor_of(key, value))
                else:
                    grids.append((key.strip(), grid_of(value)))
            except ValueError as error:
                faults.append(Fault(option, str(error), value=text))
    cases: list[CaseChange] = []
    for text in arguments.band:
        try:
            cases.append(band_of(text))
        except ValueError as error:
            faults.append(Fault("--band", str(error), value=text))
    if arguments.cases is not None:
        try:
            cases += read_cases(arguments.cases)
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    one = CaseChange("", tuple(settings), tuple(scale), tuple(arguments.strike), tuple(arguments.refuse),
                 tuple(arguments.refuse_pool), tuple(arguments.forbid_term), arguments.certain,
                 leave_out=tuple(arguments.leave_out))  # fmt: skip
    if grids:
        spread = grid_cases(grids, one)
        return [
            *([replace(c, name=f"{arguments.name} {c.name}") for c in spread] if arguments.name else spread),
            *cases,
        ], one
    if one != CaseChange(""):
        return [replace(one, name=arguments.name or str(one)), *cases], one
    if arguments.name:
        raise PlannerError("--name names a case, but no change was given for it")
    return cases, one
