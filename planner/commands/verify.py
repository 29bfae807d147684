"""Check a finished plan from its files alone: cost, every rule, every stress case, the bound, the figures it tells.

    planner verify data/quickstart reports/quickstart
    planner verify inputs.xlsx reports/2027-q1 --deep

Nothing of what found the plan is used: totals are re-priced from its tables, each rule is re-checked in plain
arithmetic, and each stress case of every hour is proved anew by small programmes of the check's own. --deep also
solves the whole problem, written out flow by flow without size rules, as a second opinion on the bound (small cases
only).
Exit codes: 0 the plan is right, 1 it is not, or its files cannot be read.
"""

import argparse
import json
from pathlib import Path

from planner.errors import EXIT_PLAN, EXIT_WRONG


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    parser.add_argument("plan", type=Path, metavar="PLAN_DIR", help="directory with plan.json and its tables")
    parser.add_argument("--deep", action="store_true", help="also solve the whole problem once more (small cases)")
    parser.add_argument("--json", action="store_true", help="print the result for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, check, tell."""
    from planner.readers import load
    from planner.verify.check import verify

    verdict = verify(load(arguments.input), arguments.plan, deep=arguments.deep)
    plan, findings = verdict.plan, verdict.findings
    if arguments.json:
        found = [{"rule": f.rule, "message": f.message} for f in findings]
        print(json.dumps({"plan": plan.name, "right": not findings, "findings": found}, indent=2, ensure_ascii=False))
        return EXIT_WRONG if findings else EXIT_PLAN
    if findings:
        print(f"{plan.name}: the plan is not right")
        for finding in findings:
            print(f"  {finding}")
        return EXIT_WRONG
    total, bound = plan.totals.total_usd, plan.proof.bound_usd
    print(f"{plan.name}: the plan is right")
    print(f"  cost, re-priced from its tables   {total:,.2f} USD")
    print(f"  proved lower bound, as stated     {bound:,.2f} USD (gap {plan.proof.gap:.2g})")
    if verdict.relaxed_usd is not None:
        print(f"  optimum without size rules        {verdict.relaxed_usd:,.2f} USD, by a second programme")
    print(f"  stress cases                      {verdict.stress_cases}, proved in {verdict.stress_slots:,} hours by "
          f"{verdict.programmes:,} programmes of the check's own")  # fmt: skip
    print("  rules 1-9, sizes, figures         no fault found")
    return EXIT_PLAN
