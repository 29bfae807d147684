"""changes.json: what changed from one plan to the next, beside the new plan.

It names the new plan's input, so that a reader sees if the plan beside it was solved again since.
"""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from planner.features.resolve.changes import Changes
from planner.io.atomic import write_text
from planner.plan.files import rounded
from planner.plan.plan import Plan


def write_changes(changes: Changes, plan: Plan, path: Path) -> None:
    """Write changes.json; it belongs into the plan's directory, with the plan (`write_plan`, ``also``)."""
    told = rounded(document(changes, plan))
    write_text(path, json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def document(changes: Changes, plan: Plan) -> dict[str, Any]:
    """Lay out changes.json."""
    kept = changes.kept
    return {
        "name": plan.name,
        "input_digest": plan.input_digest,
        "previous": {
            "name": changes.previous_name,
            "input_digest": changes.previous_digest,
            "months": list(changes.previous_horizon),
        },
        "before_usd": changes.before.total_usd,
        "after_usd": changes.after.total_usd,
        "change_usd": changes.change_usd,
        "causes": [
            {"causes": list(c.keys), "name": c.name, "meaning": c.meaning, "usd": c.usd} for c in changes.causes
        ],
        "causes_exact_to_usd": changes.exact_to_usd,
        "lines": [asdict(line) | {"start": str(line.start), "end": str(line.end)} for line in changes.lines],
        "parts": {"before": asdict(changes.before), "after": asdict(changes.after)},
        "kept": None
        if kept is None
        else {
            "usd_per_unit": kept.usd_per_unit if math.isfinite(kept.usd_per_unit) else "inf",
            "lines": kept.lines,
            "changed_units": kept.changed_units,
            "free_changed_units": kept.free_changed_units,
            "forgone_usd": kept.forgone_usd,
            "holds": kept.holds,
            "broken": [str(what) for what in kept.broken],
        },
        "notes": list(changes.notes),
    }
