"""Show the break-even utilisation of reserved units (u*), for your workloads or at any mix of tokens.

    planner offers breakeven my-plan
    planner offers breakeven --provider azure --regions eastus2 --models gpt-6-sol --cache 0,0.8 --ratio 10,input
    planner offers breakeven my-plan --price-cut 0.5 --cut-after 6 --csv u.csv --chart u.svg --xlsx u.xlsx

u* = price of a unit-hour / on-demand value of what a unit serves in an hour. Above 100% an offer never pays.
"discount needed" is the further discount at which a unit that is busy --utilisation of the time breaks even.
"after cut" is u* over the term if on-demand prices fall by --price-cut after --cut-after months.
A quote where no price is published: --quote "google/gsu-anthropic/1 month=3.6986" (USD per unit-hour).
"""

import argparse
import csv
import io
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import EXIT_PLAN, Fault, InputError, PlannerError
from planner.features.catalogue.commands.common import (
    catalogue_of,
    day,
    names_known,
    print_table,
    today_of,
    words,
    write_new,
)

if TYPE_CHECKING:
    from planner.features.catalogue.break_even import Axes, BreakEven


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", type=Path, nargs="?", metavar="FOLDER|FILE.xlsx", help="its offers and workloads")
    parser.add_argument("--provider", action="append", default=[], metavar="NAME", help="of the catalogue, instead")
    parser.add_argument(
        "--models", type=words, default=[], metavar="A,B", help="all that the provider rates, if left out"
    )
    parser.add_argument("--regions", type=words, default=[], metavar="A,B")
    parser.add_argument(
        "--types", type=words, default=["global"], metavar="A,B", help="global, datazone, geo, regional"
    )
    parser.add_argument(
        "--cache", type=_shares, default=(0.0, 0.5, 0.8), metavar="SHARES", help="cache rates, 0,0.5,0.8"
    )
    parser.add_argument(
        "--ratio", type=_ratios, default=(10.0,), metavar="IN:OUT", help="10,3,input (input: no output)"
    )
    parser.add_argument("--quote", action="append", default=[], metavar="PROVIDER/PRODUCT/TERM=USD")
    parser.add_argument("--utilisation", type=_share, default=1.0, metavar="SHARE",
                        help="utilisation for the column discount needed (default 1)")  # fmt: skip
    parser.add_argument("--price-cut", type=_share, default=0.0, metavar="SHARE", help="fall of on-demand prices")
    parser.add_argument("--cut-after", type=_months, default=0.0, metavar="MONTHS", help="months into the term (0)")
    parser.add_argument("--against", default="standard", metavar="OPTION", help="on-demand option to compare with")
    parser.add_argument("--today", type=day, metavar="DATE", help="for promotions")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--csv", type=Path, metavar="FILE")
    parser.add_argument("--xlsx", type=Path, metavar="FILE", help="a workbook with the table and a chart")
    parser.add_argument("--chart", type=Path, metavar="FILE.svg")


def run(arguments: argparse.Namespace) -> int:
    """Compute, print and write what was asked for."""
    from planner.features.catalogue.break_even import Axes

    if (arguments.input is None) == (not arguments.provider):
        raise PlannerError("name a planning folder, or a provider of the catalogue with --provider (not both)")
    a = arguments
    axes = Axes(a.cache, a.ratio, a.utilisation, a.price_cut, a.cut_after, a.against)
    rows = _of_catalogue(arguments, axes) if arguments.provider else _of_folder(arguments, axes)
    if arguments.csv:
        write_new(arguments.csv, _csv(rows))
    if arguments.chart:
        from planner.features.catalogue.break_even_report import break_even_chart

        write_new(arguments.chart, break_even_chart(rows))
    if arguments.xlsx:
        from planner.features.catalogue.break_even_report import write_break_even

        write_break_even(rows, arguments.xlsx, today_of(arguments))
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _print(rows, axes)
    return EXIT_PLAN


def _of_folder(arguments: argparse.Namespace, axes: "Axes") -> "list[BreakEven]":
    from planner.features.catalogue.break_even_report import folder_rows
    from planner.readers import load

    return folder_rows(load(arguments.input), axes)


def _of_catalogue(arguments: argparse.Namespace, axes: "Axes") -> "list[BreakEven]":
    from planner.features.catalogue.break_even import break_even_rows
    from planner.features.catalogue.request import deployment_types, endpoints_of, make_request

    catalogue = catalogue_of(arguments)
    names_known(arguments.provider, [p.provider for p in catalogue.providers], "provider")
    mine = set(arguments.provider)
    names_known(arguments.models, sorted({m.model for m in catalogue.models if m.provider in mine}), "model")
    names_known(arguments.regions, sorted({r.region for r in catalogue.regions if r.provider in mine}), "region")
    names_known(
        arguments.types, [k for p in arguments.provider for k in deployment_types(catalogue, p)], "deployment type"
    )
    rows = []
    for provider in arguments.provider:
        known = [m.model for m in catalogue.models if m.provider == provider]
        places = {r.region for r in catalogue.regions if r.provider == provider}
        told = {
            "provider": provider,
            "models": [m for m in arguments.models if m in known] if arguments.models else known,
            "regions": [r for r in arguments.regions if r in places] or sorted(places)[:1],
            "deployment_types": [k for k in arguments.types if k in deployment_types(catalogue, provider)],
        }
        if not told["models"] or not told["deployment_types"]:
            continue
        request = make_request({"providers": [told], "quotes": list(map(_quote, arguments.quote))}, "options")
        for at in endpoints_of(catalogue, request.providers[0]):
            models = request.providers[0].models
            rows += break_even_rows(
                catalogue, at, models=models, axes=axes, terms=request.terms, today=today_of(arguments)
            )
    return rows


def _print(rows: "list[BreakEven]", axes: "Axes") -> None:
    header = [
        "offer",
        "model",
        "meter",
        "term",
        "mix",
        "cached",
        "USD/unit-h",
        "u*",
        "discount needed",
        "verdict",
        "status",
    ]
    if axes.price_cut:
        header.insert(8, "after cut")
    lines = []
    for r in rows:
        line = [r.offer, r.model, r.meter, r.term, r.mix, _percent(r.cache_hit_rate), _fine(r.usd_per_unit_hour),
                _percent(r.break_even_utilisation), _percent(r.discount_needed), r.verdict, r.status]  # fmt: skip
        if axes.price_cut:
            line.insert(8, _percent(r.after_price_cut))
        lines.append(line)
    print_table("Break-even utilisation", header, lines)
    if not rows:
        print("no offer to compare: there is no unit rating or no on-demand price")
    never = {r.offer for r in rows if r.verdict == "never pays"} - {r.offer for r in rows if r.verdict != "never pays"}
    if never:
        print(f"never pays at these mixes, however busy: {', '.join(sorted(never))}")
    for note in dict.fromkeys(f"{r.offer}, {r.model}: {r.note}" for r in rows if "promotion" in r.note):
        print(f"note: {note}")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _fine(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _csv(rows: "list[BreakEven]") -> str:
    from planner.features.catalogue.break_even import BreakEven

    out = io.StringIO()
    names = [field.name for field in fields(BreakEven)]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        cells = [getattr(row, name) for name in names]
        writer.writerow(["" if c is None else f"{c:.10g}" if isinstance(c, float) else c for c in cells])
    return out.getvalue()


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to 1")
    return value


def _months(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1200:
        raise argparse.ArgumentTypeError(f"{text} is not a number of months")
    return value


def _shares(text: str) -> tuple[float, ...]:
    return tuple(map(_share, words(text)))


def _ratios(text: str) -> tuple[float | None, ...]:
    found = tuple(None if word == "input" else float(word.removesuffix(":1")) for word in words(text))
    if any(ratio is not None and not 0 <= ratio <= 1e6 for ratio in found):
        raise argparse.ArgumentTypeError(f"{text} holds a ratio below 0 or above a million")
    return found


def _quote(text: str) -> dict[str, object]:
    scope, _, usd = text.rpartition("=")
    parts = scope.split("/")
    try:
        return {"provider": parts[0], "product": parts[1], "term": parts[2], "usd_per_unit_hour": float(usd)}
    except (IndexError, ValueError):
        allowed = 'PROVIDER/PRODUCT/TERM=USD per unit-hour, such as "google/gsu-anthropic/1 month=3.7"'
        raise InputError([Fault("options", "--quote", value=text, allowed=allowed)]) from None
