"""Thresholds from a YAML file: any of them; the others are as they are."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from planner.errors import Fault, InputError
from planner.features.review.rules import Rules


def load_rules(path: Path | None) -> Rules:
    """Read a file of thresholds; None: the defaults.

    Raises
    ------
    InputError : it is not there, is no YAML, or names a threshold or a value that cannot be: all at once.
    """
    if path is None:
        return Rules()
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError([Fault(str(path), "does not exist")]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError([Fault(str(path), f"is not readable YAML: {error}")]) from error
    known = ", ".join(Rules.model_fields)
    if not isinstance(content, dict):
        raise InputError(
            [Fault(str(path), "is not a list of thresholds with their values", value=content, allowed=known)]
        )
    try:
        return Rules.model_validate(content)
    except ValidationError as error:
        raise InputError(
            [
                Fault(str(path), item["msg"], column=".".join(map(str, item["loc"])), value=item.get("input"),
                      allowed=known if item["type"] == "extra_forbidden" else None)
                for item in error.errors()
            ]
        ) from error  # fmt: skip
