"""The cuts of a planning folder's horizon: what its plan.yaml says, and writing others into it.

plan.yaml is the planner's own file, with comments and an order of its own: only the value of `horizon.cuts` changes.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from planner.errors import Fault, InputError
from planner.io.yaml_text import load_yaml
from planner.schema.base import Days

_DAYS: TypeAdapter[tuple[dt.date, ...] | None] = TypeAdapter(Days)


def cuts_of(folder: Path) -> tuple[dt.date, ...]:
    """Return the cuts of a folder's horizon; none where it has no plan.yaml.

    Raises
    ------
    InputError : plan.yaml is no YAML, or its cuts are no dates.
    """
    path = folder / "plan.yaml"
    if not path.exists():
        return ()
    try:
        content = load_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError([Fault(str(path), f"is not readable YAML: {error}")]) from error
    horizon = content.get("horizon") if isinstance(content, dict) else None
    told: Any = horizon.get("cuts") if isinstance(horizon, dict) else None
    try:
        return _DAYS.validate_python(told) or ()
    except ValidationError:
        message = "are no dates"
        raise InputError(
            [Fault(str(path), message, None, "horizon.cuts", told, "dates such as [2027-01-12]")]
        ) from None


def with_cuts(text: str, cuts: Sequence[dt.date]) -> str:
    """Return the text of a plan.yaml with these cuts of its horizon, everything else as it stands.

    Raises
    ------
    InputError : there is no block `horizon` to write them into.
    """
    new = f"[{', '.join(map(str, cuts))}]"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    horizon = _value(root, "horizon")
    if not isinstance(horizon, yaml.MappingNode) or not horizon.value:
        raise InputError([Fault("plan.yaml", f"has no block horizon to write cuts: {new} into")])
    there = _value(horizon, "cuts")
    if there is not None:
        start, end = there.start_mark.index, _end(there)
        return f"{text[:start]}{' ' * (start == end)}{new}{text[end:]}"
    key, last = horizon.value[-1]
    end = _end(last)
    if horizon.flow_style:
        return f"{text[:end]}, cuts: {new}{text[end:]}"
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    return f"{text[:stop]}\n{' ' * key.start_mark.column}cuts: {new}{text[stop:]}"


def joined(cuts: Iterable[dt.date], more: Iterable[dt.date]) -> tuple[dt.date, ...]:
    """Return all cuts, in order, each once."""
    return tuple(sorted({*cuts, *more}))


def _value(block: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(block, yaml.MappingNode):
        return None
    return next((value for key, value in block.value if key.value == name), None)


def _end(node: yaml.Node) -> int:
    """Position behind a node's text: that of a block of items ends with its last one."""
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)
