r"""Write the offer tables of a planning folder from the catalogue.

    planner offers build my-plan --provider azure --types datazone --regions eastus2 \
        --models gpt-6-sol,gpt-5.6-luna --usage-tier tier-1 --discount "azure/ptu/1 year=0.10"
    planner offers build my-plan --request wanted.yaml

Several providers: repeat --provider; each takes the models and regions that it knows. A request file can say more:
discounts and quotes by region and model, quotas of your account, your own GPUs (docs/offers.md). An existing table is
never overwritten without --force; workloads, mix, demand and plan.yaml are only written if they are missing (a made-up
example). The folder's plan.yaml says which months and parts of months are planned, so which terms and promotions count;
a horizon in a request comes first. OFFERS.md says what was left blank, and why.
"""

import argparse
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import EXIT_PLAN, Fault, InputError, PlannerError
from planner.features.catalogue.commands.common import catalogue_of, words
from planner.io.together import changed_together, finish

if TYPE_CHECKING:
    from planner.features.catalogue.published import Catalogue
    from planner.features.catalogue.request import Request

EXPLANATION, SETTINGS_FILE = "OFFERS.md", "plan.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="planning folder to write to")
    parser.add_argument(
        "--request", type=Path, metavar="FILE.yaml", help="what is wanted, instead of the options below"
    )
    parser.add_argument("--provider", action="append", default=[], metavar="NAME", help="may be repeated")
    parser.add_argument("--models", type=words, default=[], metavar="A,B")
    parser.add_argument("--regions", type=words, default=[], metavar="A,B")
    parser.add_argument(
        "--types", type=words, default=["global"], metavar="A,B", help="global, datazone, geo, regional"
    )
    parser.add_argument(
        "--options", type=words, default=["standard"], metavar="A,B", help="on demand: standard, priority, batch, flex"
    )
    parser.add_argument("--usage-tier", metavar="NAME", help="quotas of this tier; without it quotas stay blank")
    parser.add_argument(
        "--discount",
        action="append",
        default=[],
        metavar="PROVIDER[/PRODUCT[/TERM]]=SHARE",
        help="negotiated, 0.1 is 10%%",
    )
    parser.add_argument("--force", action="store_true", help="overwrite the offer tables that are there")


def run(arguments: argparse.Namespace) -> int:
    """Build, and write every table or none."""
    from planner.features.catalogue.build import COLUMNS, build, example_settings, example_tables, explanation
    from planner.features.catalogue.request import read_request, request_faults

    catalogue = catalogue_of(arguments)
    request = read_request(arguments.request) if arguments.request else _from_options(catalogue, arguments)
    place = arguments.request.name if arguments.request else "options"
    if faults := request_faults(catalogue, request, place):
        raise InputError(faults)
    folder: Path = arguments.folder
    finish(folder)
    request = _planned(request, folder / SETTINGS_FILE)
    built = build(catalogue, request)
    if not built.tables["models"]:
        raise PlannerError("none of the models is sold at these endpoints:\n" + "\n".join(f"  {s}" for s in built.left))
    there = [
        f"{name}.csv"
        for name, rows in built.tables.items()
        if not _free(folder / f"{name}.csv", COLUMNS[name][0], rows)
    ]
    if there and not arguments.force:
        raise PlannerError(
            f"{folder} already has {', '.join(there)}; nothing was written. "
            "--force overwrites these tables (never demand, workloads, mix or plan.yaml)"
        )
    texts = {f"{name}.csv": _csv(COLUMNS[name], rows) for name, rows in built.tables.items()}
    texts[EXPLANATION] = explanation(built, folder.name)
    if not (folder / SETTINGS_FILE).exists():
        texts[SETTINGS_FILE] = example_settings(folder.resolve().name, request.horizon)
    examples = []
    if not any((folder / name).exists() for name in ("workloads.csv", "mix.csv", "demand.csv", "demand.parquet")):
        for name, rows in example_tables(built, request.horizon).items():
            texts[f"{name}.csv"] = _csv(tuple(dict.fromkeys(key for row in rows for key in row)), rows)
            examples.append(name)
    _write(folder, texts)
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in built.tables.items())
    print(f"{folder}: {counts}")
    if examples:
        print(f"{', '.join(examples)} hold a made-up example: replace them with yours")
    if built.left:
        print(f"{len(built.left)} things were left blank, left out or assumed; {folder / EXPLANATION} lists them")
    return EXIT_PLAN


def _planned(request: "Request", settings_file: Path) -> "Request":
    """Return the request with the horizon of the folder, unless it names its own or the folder has no settings."""
    if "horizon" in request.model_fields_set or not settings_file.exists():
        return request
    from planner.readers.settings_file import read_settings, read_yaml

    raw, faults = read_yaml(settings_file)
    settings, more = read_settings(raw)
    if settings is None or faults:
        raise InputError([*faults, *more])
    return request.model_copy(update={"horizon": settings.horizon})


def _free(path: Path, key: str, rows: list[dict[str, Any]]) -> bool:
    """Tell whether nothing is lost where a table is written: there is none, or it only lists names that come again.

    Such are the lists of regions and models that `planner forecast` writes.
    """
    if not path.exists():
        return True
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    return header == [key] and {line[0] for line in lines if line} <= {str(row[key]) for row in rows}


def _csv(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write the files into a folder, new or not, together."""
    with changed_together(folder, "offers") as new:
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8", newline="")


def _from_options(catalogue: "Catalogue", arguments: argparse.Namespace) -> "Request":
    """Make a request of the options: each provider takes the models and regions that it knows."""
    from planner.features.catalogue.request import deployment_types, make_request

    known = {p: {m.model for m in catalogue.models if m.provider == p} for p in arguments.provider}
    places = {p: {r.region for r in catalogue.regions if r.provider == p} for p in arguments.provider}
    faults = []
    for what, names, sets in (("models", arguments.models, known), ("regions", arguments.regions, places)):
        everything = set().union(*sets.values())
        faults += [
            Fault("options", f"--{what}: no named provider has it", value=name)
            for name in names
            if name not in everything
        ]
    kinds = {p: set(deployment_types(catalogue, p)) for p in arguments.provider}
    for kind in arguments.types:
        if kinds and not any(kind in sold for sold in kinds.values()):
            allowed = ", ".join(sorted(set().union(*kinds.values())))
            faults.append(Fault("options", "--types: no named provider sells it", value=kind, allowed=allowed))
    options = {p: {r.option for r in catalogue.on_demand if r.provider == p} for p in arguments.provider}
    for option in arguments.options:
        if options and not any(option in sold for sold in options.values()):
            allowed = ", ".join(sorted(set().union(*options.values())))
            faults.append(Fault("options", "--options: no named provider sells it", value=option, allowed=allowed))
    if faults:
        raise InputError(faults)
    tiers = {(q.provider, q.usage_tier) for q in catalogue.quotas}
    providers = [
        {
            "provider": p,
            "models": [m for m in arguments.models if m in known[p]],
            "regions": [r for r in arguments.regions if r in places[p]],
            "deployment_types": [kind for kind in arguments.types if kind in kinds[p]],
            "options": [option for option in arguments.options if option in options[p]],
            "usage_tier": arguments.usage_tier if (p, arguments.usage_tier) in tiers else None,
        }
        for p in arguments.provider
    ]
    return make_request({"providers": providers, "discounts": list(map(_discount, arguments.discount))}, "options")


def _discount(text: str) -> dict[str, Any]:
    scope, _, share = text.rpartition("=")
    parts = [*scope.split("/"), "", ""]
    try:
        number = float(share)
    except ValueError:
        number = -1.0
    if not scope or len(parts) > 5 or not 0 <= number < 1:
        raise InputError(
            [
                Fault(
                    "options",
                    "--discount",
                    value=text,
                    allowed='PROVIDER/PRODUCT/TERM=SHARE, such as "azure/ptu/1 year=0.1"',
                )
            ]
        )
    return {"provider": parts[0], "product": parts[1], "term": parts[2], "discount": number}
