"""The map file: what the export's names mean here.

A YAML file, every key optional::

    columns: {time: created_at, input_tokens: prompt_toks}   # table format: our column -> theirs; hour_of_day
                                                             # where date and hour are in two columns
    dimensions: {workload: team_id}                          # which of the export's columns gives the name
    names:                                                   # their name -> ours
      region: {"https://eu.openai.azure.com/": swedencentral}
      model: {gpt-4.1-2025-04-14: gpt-4.1}
    defaults: {region: eastus2, workload: chat}              # where the export has none
    time_zone: Europe/Berlin                                 # of times without an offset; UTC if absent
    time_origin: 2026-01-05T00:00:00Z                        # times are counted from here, as in published traces,
    time_unit: ms                                            # in s, ms, us or ns; without an origin they are dates
    cached_in_input: true                                    # table format: does input include cached tokens?
    bucket_hours: 1                                          # table format: a row is a bucket, not a request
    one_column_per: {region: [region_1, region_2]}           # table format: requests in a column for each region
    time_format: "%d/%m/%Y %H:%M"                            # how times are written, where the file does not settle it
    decimal: ","                                             # the decimal sign, where the file does not settle it
    long: {kind: type, value: amount,                        # table format: one row a token type
           kinds: {input_cache_hit_tokens: cached_tokens, output_tokens: output_tokens}}

In ``columns``, a list of names is their sum, and ``null`` says that the export has no such column.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from planner.errors import Fault, InputError

Dimension = Literal["region", "workload", "model"]
OurColumn = Literal[
    "time",
    "hour_of_day",
    "id",
    "region",
    "workload",
    "model",
    "requests",
    "input_tokens",
    "cached_tokens",
    "written_tokens",
    "output_tokens",
    "bucket_hours",
]


Count = Literal["requests", "input_tokens", "cached_tokens", "written_tokens", "output_tokens"]


class LongTable(BaseModel):
    """A table of one row a token type: the column of the type, the one of the count, and which type is which count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    value: str
    kinds: Mapping[str, Count] = Field(min_length=1)


class NameMap(BaseModel):
    """What the export's names mean here; an empty one changes nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: Mapping[OurColumn, str | tuple[str, ...] | None] = Field(default_factory=dict)
    dimensions: Mapping[Dimension, str] = Field(default_factory=dict)
    names: Mapping[Dimension, Mapping[str, str]] = Field(default_factory=dict)
    defaults: Mapping[Dimension, str] = Field(default_factory=dict)
    time_zone: str = "UTC"
    time_origin: dt.datetime | None = None
    time_unit: Literal["s", "ms", "us", "ns"] = "s"
    cached_in_input: bool | None = None
    one_column_per: Mapping[Dimension, tuple[str, ...]] = Field(default_factory=dict, max_length=1)
    bucket_hours: float | None = Field(default=None, ge=0)
    time_format: str | None = Field(default=None, min_length=2)
    decimal: Literal[".", ","] | None = None
    long: LongTable | None = None

    @property
    def origin_epoch(self) -> float | None:
        """Seconds since 1970 from which times are counted; None where they are moments."""
        at = self.time_origin
        return None if at is None else (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except Exception as error:
            raise ValueError("not a time zone of the IANA list, such as Europe/Berlin") from error
        return name


def _plain(message: str) -> str:
    """Return pydantic's message as the rest of a sentence about the key."""
    return (
        message.removeprefix("Value error, ")
        .replace("Input should be", "must be")
        .replace("a valid dictionary", "names, each with a value")
    )


def load_names(path: Path | None, region: str | None = None, workload: str | None = None) -> NameMap:
    """Read a map file; ``region`` and ``workload`` (command-line options) override its defaults."""
    content: Any = {}
    if path is not None:
        import yaml

        from planner.io.yaml_text import load_yaml

        try:
            content = load_yaml(path) or {}
        except FileNotFoundError:
            raise InputError([Fault(str(path), "the map file does not exist")]) from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError([Fault(str(path), f"is not readable YAML: {error}")]) from error
        if not isinstance(content, dict):
            raise InputError([Fault(str(path), "is not a map file", value=content, allowed="keys such as names:")])
    options = {name: value for name, value in (("region", region), ("workload", workload)) if value}
    defaults = content.get("defaults") or {}
    if options and isinstance(defaults, dict):
        content = {**content, "defaults": {**defaults, **options}}
    try:
        return NameMap.model_validate(content)
    except ValidationError as error:
        raise InputError(
            [
                Fault(
                    str(path or "options"),
                    "is no key of a map file" if item["type"] == "extra_forbidden" else _plain(item["msg"]),
                    column=".".join(str(part) for part in item["loc"]),
                    value=item.get("input"),
                    allowed=", ".join(NameMap.model_fields) if item["type"] == "extra_forbidden" else None,
                )
                for item in error.errors()
            ]
        ) from error
