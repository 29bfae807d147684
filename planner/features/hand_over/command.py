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
from pathlib import Path

from planner.console.arguments import refuse_unusable
from planner.errors import EXIT_PLAN, PlannerError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("plan", type=Path, metavar="PLAN_DIR", help="directory of an accepted plan (planner accept)")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="directory to write to")
    parser.add_argument("--draft", action="store_true", help="also take a plan that nobody has accepted; every file "
                        "says that it is a draft")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Check, write and say what was written."""
    from planner.features.hand_over.hand_over_files import hand_over, write_hand_over

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
