"""What changes.json claims of the new plan: held against that plan. What it says of the last one is not known here."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from planner.io.digest import read_json
from planner.plan.audit.findings import Finding
from planner.plan.manifest import CHANGES
from planner.plan.plan import Plan
from planner.units import counted
from planner.verify.alike import TOLERANCE, same_number

CENT = 0.01  # what a sum of rounded dollars may be off


def change_findings(directory: Path, plan: Plan) -> list[Finding]:
    """Check the name, totals, sums and new units of changes.json against the plan; nothing where there is none."""
    path = directory / CHANGES
    if not path.is_file():
        return []
    try:
        told = read_json(path.read_text(encoding="utf-8"))
        messages = list(_messages(told, plan))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        messages = [f"is not what `planner resolve` wrote ({type(error).__name__}: {error})"]
    return [Finding("files", f"{path}: {message}", math.inf) for message in messages]


def _messages(told: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    for key, ours in (("name", plan.name), ("input_digest", plan.input_digest)):
        if told[key] != ours:
            yield f"{key} says {json.dumps(told[key])}, the plan's is {json.dumps(ours)}"
    before, after = told["parts"]["before"], told["parts"]["after"]
    sums = [
        ("after_usd", told["after_usd"], plan.totals.total_usd),
        ("before_usd", told["before_usd"], sum(before.values())),
        ("change_usd", told["change_usd"], told["after_usd"] - told["before_usd"]),
        ("the sum of causes", sum(cause["usd"] for cause in told["causes"]), told["change_usd"]),
        *((f"parts, after, {part}", after[part], usd) for part, usd in asdict(plan.totals).items()),
    ]
    for what, said, ours in sums:
        if not abs(said - ours) <= max(CENT, TOLERANCE * (abs(told["before_usd"]) + abs(told["after_usd"]))):
            yield f"{what} is {said:,.2f}, the plan and its other figures make it {ours:,.2f}"
    bought: dict[str, float] = {}
    for offer, units in zip(plan.purchases["offer"].astype(str), plan.purchases["units"], strict=True):
        bought[offer] = bought.get(offer, 0.0) + float(units)
    lines: dict[str, float] = {}
    for line in told["lines"]:
        if not line["owed"]:
            lines[line["offer"]] = lines.get(line["offer"], 0.0) + line["after_units"]
    for offer in dict.fromkeys((*bought, *lines)):
        if not same_number(lines.get(offer, 0.0), bought.get(offer, 0.0), 1e-6):
            yield (
                f"{offer}: lists {counted(lines.get(offer, 0.0), 'new unit', 'g')}, the plan buys "
                f"{bought.get(offer, 0.0):g}"
            )
