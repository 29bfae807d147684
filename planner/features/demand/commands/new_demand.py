r"""Make the demand of a new deployment that has no history.

    planner demand new assistant --archetype internal_tools --region swedencentral --time-zone Europe/Stockholm \
        --users 4000 --requests-per-user-day 15 --input-tokens 2500 --output-tokens 400 --model gpt-5-mini -o plan

The mean and the peak of the week are exactly what is asked for. The deployment is added to the planning folder; the
demand of other workloads stays.
"""

import argparse
import math
from pathlib import Path
from typing import Any

DEFAULT_REQUEST = {"input_tokens": 1000.0, "output_tokens": 300.0, "cache_hit_rate": 0.0, "cache_write_rate": 0.0}
REQUESTS_PER_USER_DAY = 10.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("action", choices=["new"], help="new: add a deployment without a history")
    parser.add_argument("workload", help="name of the workload")
    parser.add_argument("-o", "--output", type=Path, required=True, help="planning folder")
    parser.add_argument("--archetype", default="customer_service", help="shape of the week (default: customer_service)")
    parser.add_argument("--region", required=True, help="where the demand arises")
    parser.add_argument("--model", required=True, help="model that serves it")
    parser.add_argument("--time-zone", default="UTC", help="of its users, such as Europe/Berlin (default: UTC)")
    size = parser.add_argument_group("size: one of these")
    size.add_argument("--requests-per-hour", type=float, help="mean over the week")
    size.add_argument("--qps", type=float, help="mean requests per second over the week")
    size.add_argument("--users", type=float, help="users, with --requests-per-user-day")
    parser.add_argument("--requests-per-user-day", type=float, help="mean over seven days (default: 10)")
    parser.add_argument("--peak-over-mean", type=float, help="peak hour over mean hour (default: the archetype's)")
    parser.add_argument("--peak-qps", type=float, help="peak hour's requests per second, instead of --peak-over-mean")
    parser.add_argument("--weekend-share", type=float, help="share of the week's requests on Saturday and Sunday")
    parser.add_argument("--growth", type=float, default=0.0, help="growth per month, as a share (default: 0)")
    parser.add_argument("--ramp", type=int, default=1, metavar="MONTHS", help="months until full use (default: 1)")
    parser.add_argument("--start", help="first month, such as 2027-01 (default: the folder's, else next month)")
    parser.add_argument("--months", type=int, help="months (default: the folder's, else 3)")
    parser.add_argument("--input-tokens", type=float, help="per request (default: the folder's, else 1000)")
    parser.add_argument("--output-tokens", type=float, help="per request (default: the folder's, else 300)")
    parser.add_argument(
        "--deadline-hours", type=int, metavar="HOURS", help="work that can wait: how many hours a request may be late"
    )
    parser.add_argument(
        "--cache-hit-rate", type=float, help="share of input read from cache (default: the folder's, else 0)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the demand and add it to the folder."""
    import pandas as pd

    from planner.features.demand.folder import check_within, cuts_of, horizon_of, known_workload, write_demand
    from planner.features.demand.new import NewDeployment, new_demand

    mean = _checked(arguments)
    start, months = horizon_of(arguments.output, arguments.start, arguments.months)
    check_within(arguments.output, start, months)
    known = known_workload(arguments.output, arguments.workload)
    peak = arguments.peak_over_mean
    if arguments.peak_qps is not None:
        peak = arguments.peak_qps * 3600 / mean
    deployment = NewDeployment(
        workload=arguments.workload,
        region=arguments.region,
        archetype=arguments.archetype,
        mean_requests_per_hour=mean,
        time_zone=arguments.time_zone,
        peak_over_mean=peak,
        weekend_share=arguments.weekend_share,
        growth_per_month=arguments.growth,
        ramp_months=arguments.ramp,
        start=start,
        months=months,
        cuts=cuts_of(arguments.output),
    )
    demand = new_demand(deployment)
    defaults = dict.fromkeys(DEFAULT_REQUEST) if known.there else DEFAULT_REQUEST
    given = {name: getattr(arguments, name, None) for name in DEFAULT_REQUEST}
    tokens = {
        "workload": arguments.workload,
        **{name: defaults[name] if value is None else value for name, value in given.items()},
    }
    if arguments.deadline_hours is not None:
        tokens["deadline_hours"] = arguments.deadline_hours
    mix = pd.DataFrame({"workload": [arguments.workload], "model": [arguments.model]})
    written = write_demand(
        arguments.output, demand, pd.DataFrame(), pd.DataFrame([tokens]), mix, horizon=(start, months)
    )
    first = demand[demand["period"] == demand["period"].iloc[0]]["requests_per_hour"]
    print(
        f"{arguments.workload}: mean {first.mean():,.1f} requests/h ({first.mean() / 3600:,.2f}/s), peak "
        f"{first.max():,.1f}/h ({first.max() / 3600:,.2f}/s) in {demand['period'].iloc[0]}"
    )
    if known.models and arguments.model not in known.models:
        models = ", ".join(known.models)
        print(f"note: {arguments.workload} is served by {models} in mix.csv, and stays so; add {arguments.model} there")
    print(f"wrote {', '.join(written)} in {arguments.output}")
    return 0


def _checked(arguments: argparse.Namespace) -> float:
    """Return the mean requests per hour; every fault of the arguments at once."""
    from zoneinfo import ZoneInfo

    from planner.errors import Fault, InputError
    from planner.features.demand.new import ARCHETYPES
    from planner.units import HOURS_PER_WEEK

    faults: list[Fault] = []

    def fault(option: str, message: str, value: Any, allowed: str) -> None:
        faults.append(Fault(option, message, value=value, allowed=allowed))

    sizes = {name: getattr(arguments, name) for name in ("requests_per_hour", "qps", "users")}
    given = {name: value for name, value in sizes.items() if value is not None}
    if len(given) != 1:
        fault("size", "give exactly one size", ", ".join(given) or "none", "--requests-per-hour, --qps or --users")
    per_day = arguments.requests_per_user_day
    if per_day is not None and "users" not in given:
        fault("--requests-per-user-day", "goes with --users", per_day, "--users, and no other size")
    positive = {**given, "requests_per_user_day": per_day, "peak_over_mean": arguments.peak_over_mean}
    for name, value in {**positive, "peak_qps": arguments.peak_qps}.items():
        if value is not None and not 0 < value < math.inf:
            fault(f"--{name.replace('_', '-')}", "is not a size", value, "a number above 0")
    if arguments.peak_over_mean is not None and arguments.peak_qps is not None:
        fault("--peak-qps", "goes without --peak-over-mean", arguments.peak_qps, "one of the two")
    for name in ("workload", "region", "model"):
        if not getattr(arguments, name).strip():
            fault(name, "needs a name", getattr(arguments, name), "letters, digits, - and _")
    if arguments.archetype not in ARCHETYPES:
        fault("--archetype", "is not known", arguments.archetype, ", ".join(ARCHETYPES))
    try:
        ZoneInfo(arguments.time_zone)
    except Exception:
        fault("--time-zone", "is not a time zone", arguments.time_zone, "a name such as Europe/Berlin")
    share = arguments.weekend_share
    if share is not None and not 0 <= share <= 1:
        fault("--weekend-share", "is not a share", share, "0 to 1")
    for name, least in (("growth", -1.0), ("ramp", 1), ("input_tokens", 0), ("output_tokens", 0)):
        value = getattr(arguments, name)
        if value is not None and not least <= value < math.inf:
            fault(f"--{name.replace('_', '-')}", "is no such number", value, f"{least:g} or more")
    if arguments.deadline_hours is not None and not 0 <= arguments.deadline_hours < HOURS_PER_WEEK:
        fault("--deadline-hours", "is no deadline", arguments.deadline_hours, f"0 to {HOURS_PER_WEEK - 1}")
    if arguments.cache_hit_rate is not None and not 0 <= arguments.cache_hit_rate <= 1:
        fault("--cache-hit-rate", "is not a share", arguments.cache_hit_rate, "0 to 1")
    if faults:
        raise InputError(faults)
    if arguments.users is not None:
        return float(arguments.users * (REQUESTS_PER_USER_DAY if per_day is None else per_day) / 24)
    return float(arguments.requests_per_hour if arguments.qps is None else arguments.qps * 3600)
