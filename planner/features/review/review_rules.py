"""Thresholds of a review, and the file that sets them."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import Fault, InputError
from planner.io.yaml_text import load_yaml


class Rules(BaseModel):
    """When a figure becomes a verdict, a peak or an alert. Shares are 0 to 1; dollars are of the horizon."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    act_share: float = Field(
        0.02, ge=0, le=1, description="least saving, as a share of what the commitment costs, for drop, lower or raise"
    )
    act_usd: float = Field(100.0, ge=0, le=1e12, description="least saving in USD for drop, lower or raise")
    watch_share: float = Field(0.005, ge=0, le=1, description="least saving, as a share of its cost, for watch")
    watch_usd: float = Field(25.0, ge=0, le=1e12, description="least saving in USD for watch")
    least_seen_share: float = Field(
        0.5, ge=0, le=1, description="share of a commitment's hours that must be seen for a verdict other than watch"
    )
    met_quota_share: float = Field(
        0.98, gt=0, le=1, description="share of a quota: an hour at or above it met the quota"
    )
    level_share: float = Field(
        1.0, gt=0, le=100, description="share of the planned level: an hour above it is above plan"
    )
    whole_month_share: float = Field(
        0.98, gt=0, le=1, description="share of a month's hours seen for the month to be compared with another"
    )
    overflow_usd: float = Field(
        100.0, ge=0, le=1e12, description="least saving in USD for an overflow that an offer would have served cheaper"
    )
    alert_rise_share: float = Field(0.05, ge=0, le=1e3, description="least rise of cost per task for an alert")
    alert_flat_share: float = Field(
        0.05, ge=0, le=1e3, description="largest change in volume that still counts as flat"
    )
    alert_usd: float = Field(1.0, ge=0, le=1e12, description="least rise in USD over the month's tasks for an alert")
    notice_days: int = Field(30, ge=0, le=3650, description="days before a commitment's end by which to decide")


def load_rules(path: Path | None) -> Rules:
    """Read a file of thresholds; None: the defaults.

    Raises
    ------
    InputError : it is not there, is no YAML, or names a threshold or a value that cannot be: all at once.
    """
    if path is None:
        return Rules()
    try:
        content: Any = load_yaml(path)
    except FileNotFoundError:
        raise InputError([Fault(str(path), "does not exist")]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError([Fault(str(path), f"is not readable YAML: {error}")]) from error
    known = ", ".join(Rules.model_fields)
    if not isinstance(content, dict):
        raise InputError(
            [Fault(str(path), "is not a list of thresholds and their values", value=content, allowed=known)]
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
