"""Check a finished plan from its files alone: cost, every rule, every stress case, the bound, the figures it states.

    planner verify data/quickstart reports/quickstart
    planner verify inputs.xlsx reports/2027-q1 --deep

Nothing of what found the plan is used: totals are re-priced from its tables, each rule is re-checked in plain
arithmetic, each stress case of every hour is proved again by small programmes of verify's own, and so is the lower
bound, from the plan's prices: the first line says in dollars how far the plan can be from the cheapest possible one.
Files that were edited, taken away or added are found. Workbook and page are written again from the plan's tables and
compared, cell by cell and line by line: one that was edited is found, although every digest was made to fit. Those of a
plan that another version of planner wrote are not compared, and the first line says so (--json: right is null).
--deep also searches for a cheaper plan with the whole problem written out flow by flow, sizes and all (small cases
only).
Exit codes: 0 nothing is wrong with the plan, 1 something is, or its files cannot be read.
"""

import argparse
import json
import math
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import EXIT_PLAN, EXIT_WRONG, PlannerError
from planner.units import counted
from planner.workbook.text_tables import clean, joined

if TYPE_CHECKING:
    from planner.schema.case import Case
    from planner.verify.verification import Verification


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    parser.add_argument("plan", type=Path, metavar="PLAN_DIR", help="directory with plan.json and its tables")
    parser.add_argument("--deep", action="store_true", help="also solve the whole problem once more (small cases)")
    parser.add_argument("--json", action="store_true", help="print the result for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, check and print."""
    from planner.features.tasks.cost_per_task_sheet import sheets_for
    from planner.io.directory import read_whole
    from planner.plan.manifest import DIRECTORY
    from planner.readers import load
    from planner.verify.verification import verify
    from planner.workbook.as_written import compared_in_words, not_compared_in_words, report_findings

    reports = partial(report_findings, sheets=sheets_for)
    case = load(arguments.input)

    def checked(plan: Path) -> "tuple[Verification, str, str]":
        verdict = verify(case, plan, deep=arguments.deep, reports=reports)
        return verdict, not_compared_in_words(plan), compared_in_words(plan)

    verdict, apart, compared = read_whole(arguments.plan, DIRECTORY, checked)
    if arguments.json:
        print(json.dumps(_plain(verdict, apart), indent=2, ensure_ascii=False))
    elif verdict.findings:
        print(f"{clean(verdict.plan.name, 200)}: the plan is not right")
        for finding in verdict.findings:
            print(f"  {clean(finding)}")
        if any(finding.rule == "input" for finding in verdict.findings):
            _tell_own_input(case, arguments.plan)
    else:
        _tell(verdict, apart, compared)
    return EXIT_WRONG if verdict.findings else EXIT_PLAN


def _tell_own_input(case: "Case", plan: Path) -> None:
    """Name the tables in which a plan's own input differs: that of an order has the prices that were agreed on."""
    from planner.readers import load

    own = plan / "input"
    try:
        made_for = load(own)
    except PlannerError:  # what is wrong with it is said above, or nothing is there
        return
    names = {"settings": "plan.yaml"}
    differ = [
        names.get(f.name, f.name)
        for f in fields(case)
        if not (
            case.demand.equals(made_for.demand)
            if f.name == "demand"
            else getattr(case, f.name) == getattr(made_for, f.name)
        )
    ]
    if differ:
        print(
            f"The plan's own input, {clean(own)}, differs in {joined(differ)}, as that of an order with its own prices "
            f"does: planner verify {clean(own)} {clean(plan)} checks the plan against it."
        )


def _plain(verdict: "Verification", apart: str) -> dict[str, Any]:
    found = [{"rule": f.rule, "message": f.message} for f in verdict.findings]
    told: dict[str, Any] = {
        "plan": verdict.plan.name,
        "right": False if found else None if apart else True,
        "total_usd": verdict.plan.totals.total_usd,
        "above_best_usd": verdict.above_best_usd if math.isfinite(verdict.bound_usd) else None,
        "proved_bound_usd": verdict.bound_usd if math.isfinite(verdict.bound_usd) else None,
        "findings": found,
        "not_compared": apart or None,
    }
    if verdict.searched is not None:
        told["second_search"] = {"best_usd": verdict.searched.best_usd, "least_usd": verdict.searched.least_usd}
    return told


def _tell(verdict: "Verification", apart: str, compared: str) -> None:
    plan, most = verdict.plan, verdict.above_best_usd
    total, proof = plan.judged_usd, plan.proof
    share = f" ({most / abs(total):.2%})" if total else ""
    name = clean(plan.name, 200)
    if apart:
        print(
            f"{name}: every rule is kept, its cost follows from its tables, but its words were not compared with them"
        )
        print(f"  {apart}")
    else:
        print(f"{name}: every rule is kept, every figure follows from its tables, every file is as listed")
    print(f"  at most {most:,.2f} USD{share} more than the cheapest possible plan: proved here from the plan's prices")
    if compared and not apart:
        print(f"  {compared}")
    if verdict.searched is not None:
        best = verdict.searched.best_usd
        print(f"  a search by verify itself finds no plan below {verdict.searched.least_usd:,.2f} USD, and one of "
              f"{best:,.2f} USD")  # fmt: skip
    if proof.tree_bound_usd is not None:
        least = max(0.0, total - proof.tree_bound_usd)
        print(f"  at most {least:,.2f} USD more according to the solver's search (tree_bound_usd), which is not "
              "checked here")  # fmt: skip
    print(f"  cost, re-priced from its tables   {plan.totals.total_usd:,.2f} USD")
    if plan.risk is not None:
        print(f"  mean of the dearest scenarios     {plan.risk.cvar_usd:,.2f} USD")
        print(f"  both weighed (objective_usd)      {total:,.2f} USD")
    print(f"  proved lower bound                {verdict.bound_usd:,.2f} USD")
    print(f"  stress cases                      {verdict.stress_cases}, proved in "
        f"{counted(verdict.stress_slots, 'hour', ',')} by "
          f"{verdict.programmes:,} programmes of verify's own")  # fmt: skip
