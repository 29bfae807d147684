"""Write an accepted plan as files for machines, to review: Terraform, LiteLLM, and the order of things.

    planner hand-over reports/2027-q1 -o hand-over/2027-q1
    planner hand-over reports/2027-q1 -o /tmp/draft --draft

ORDER.md says what to do month by month: deploy, then reserve, then route. terraform/ holds deployments where a provider
has a resource for them (Azure, and AWS model units); the rest are orders or done by hand, and ORDER.md lists them.
litellm/ holds a router for each month (groups, weights, fallbacks from reserved to on demand) and the flat cost of each
reserved deployment by team. Nothing is executed. docs/hand-over.md explains the files.
Exit codes: 0 written, 1 wrong use or input, or a plan that is not accepted or breaks a rule.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from planner.console.arguments import refuse_unusable
from planner.errors import EXIT_PLAN, PlannerError
from planner.features.hand_over.handed import HandOver, Reserved, handed_over, route_name
from planner.features.hand_over.litellm_config import FLAT_COST, flat_cost_config, router_config, yaml_text
from planner.features.hand_over.order_of_things import order_of_things
from planner.features.hand_over.terraform import terraform_files
from planner.features.ledger.accept import refuse_broken
from planner.features.ledger.chain import read_ledger
from planner.features.ledger.evidence import changed, mark_of_directory
from planner.io.directory import Kind, replaced
from planner.plan.finished import Finished, load_finished
from planner.plan.manifest import NO_PLACE
from planner.workbook.text_tables import clean

KEY, ORDER, TERRAFORM, LITELLM = "hand-over.json", "ORDER.md", "terraform", "litellm"
FORMAT = 1
HAND_OVER = Kind(
    key=KEY,
    ours=frozenset({KEY, ORDER, TERRAFORM, LITELLM}),
    foreign=NO_PLACE | {"study.json", "mix.json", "review.json"},
    signed=frozenset(),
    what="a hand-over",
)


def hand_over(directory: Path, *, draft: bool = False) -> HandOver:
    """Read a plan that is to be handed over.

    Parameters
    ----------
    draft : a plan that nobody has accepted is taken too, and marked in every file.

    Raises
    ------
    PlannerError : nobody accepted it, or not as it stands. AuditError : it breaks a rule, or does not add up.
    InputError : a file is missing, damaged or edited.
    """
    finished = load_finished(directory)
    signed = _signed(finished)
    if signed is None and not draft:
        raise PlannerError(
            f"{directory}: nobody has accepted this plan, so it is not handed over: `planner accept {directory}` signs "
            "it; --draft writes the files all the same, each marked as a draft"
        )
    refuse_broken(finished)
    return handed_over(finished, signed)


def _signed(finished: Finished) -> str | None:
    """Say who signed a plan, from its ledger; None: nobody."""
    directory = finished.directory
    mark = mark_of_directory(directory)
    if mark is None:
        return None
    ledger = mark.ledger_of(directory)
    entry = read_ledger(ledger).find(mark.sha256) if ledger.is_file() else None
    if entry is None:
        raise PlannerError(f"{directory}: {mark.by} signed it on {mark.date} according to its own files, but {ledger} "
                           "has no such entry, so it is not handed over: accept it again")  # fmt: skip
    if wrong := changed(entry, ledger):
        told = "\n".join(f"  {what}" for what in wrong)
        raise PlannerError(f"{directory}: it is no longer what {mark.by} signed, so it is not handed over:\n{told}")
    return f"{clean(entry.by, 80)} on {entry.date}, entry {entry.entry}, head {entry.sha256[:16]}"


def write_hand_over(handed: HandOver, directory: Path) -> None:
    """Write every file of a hand-over; an earlier one in the directory is replaced as a whole.

    Raises
    ------
    PlannerError : the directory is of another kind.
    """
    status = f"accepted by {handed.signed}" if handed.signed else "DRAFT: nobody has accepted this plan"
    plan = clean(handed.finished.plan.name, 120)
    comment = f"# {plan}: {status}.\n# To review; planner has executed nothing. ORDER.md says in which order."
    resources = terraform_files(handed, comment)
    with replaced(directory, HAND_OVER) as new:
        if resources:
            (new / TERRAFORM).mkdir()
        for name, text in resources.items():
            _write(new / TERRAFORM / name, text)
        (new / LITELLM).mkdir()
        _write(new / LITELLM / FLAT_COST, yaml_text(flat_cost_config(handed), comment))
        for month in handed.months:
            _write(new / LITELLM / f"{month}.yaml", yaml_text(router_config(handed, month), comment))
        page = order_of_things(handed, f"**{status[0].upper()}{status[1:]}.** To review.", terraform=bool(resources))
        _write(new / ORDER, page)
        _write(new / KEY, json.dumps(document(handed), indent=2, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def document(handed: HandOver) -> dict[str, Any]:
    """Return what is handed over, for machines: names, units by month, routes with their shares."""
    plan = handed.finished.plan
    return {
        "format": FORMAT,
        "plan": plan.name,
        "input_digest": plan.input_digest,
        "accepted": handed.signed,
        "months": list(handed.months),
        "reserved": [
            {"name": r.name, "pool": r.pool, "region": r.region, "model": r.model, "seller": r.kind.seller,
             "set_up_by": str(r.kind.means), "units": {meter: dict(by) for meter, by in r.units.items()}}
            for r in handed.reserved
        ],
        "on_demand": [
            {"name": b.name, "region": b.region, "model": b.row.model, "option": b.row.option, "seller": b.seller,
             "tokens_per_minute_quota": b.row.tokens_per_minute_quota}
            for b in handed.bought
        ],
        "routes": {
            month: [
                {"group": g.name, "workload": g.route[0], "origin": g.route[1], "model": g.route[2],
                 "share_of_workload": handed.shares[month].get(g.route, 0.0) if g.name == route_name(g.route) else None,
                 "members": [{"deployment": m.deployment.name, "reserved": isinstance(m.deployment, Reserved),
                              "weight": m.weight} for m in g.members],
                 "fallbacks": list(g.fallbacks)}
                for g in groups
            ]
            for month, groups in handed.groups.items()
        },
    }  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("plan", type=Path, metavar="PLAN_DIR", help="directory of an accepted plan (planner accept)")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="directory to write to")
    parser.add_argument("--draft", action="store_true", help="also take a plan that nobody has accepted; every file "
                        "says that it is a draft")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Check, write and say what was written."""
    if arguments.output.resolve().is_relative_to(arguments.plan.resolve()):
        raise PlannerError(f"{arguments.output} lies inside the plan's own directory, which must not change: give -o "
                           "another directory")  # fmt: skip
    refuse_unusable(arguments.output)
    handed = hand_over(arguments.plan, draft=arguments.draft)
    write_hand_over(handed, arguments.output)
    status = f"accepted by {handed.signed}" if handed.signed else "DRAFT: nobody has accepted it"
    print(f"{handed.finished.plan.name}: {status}")
    print(f"{len(handed.reserved)} reserved and {len(handed.bought)} on-demand deployments, {len(handed.months)} "
          f"month{'s' if len(handed.months) > 1 else ''}; {len(handed.lines)} orders")  # fmt: skip
    print(f"written to {arguments.output}; start with {arguments.output / 'ORDER.md'}")
    return EXIT_PLAN
