"""YAML as plain values: each key once, no aliases, of a size that a person writes.

Numbers and flags are those of YAML 1.2: ``1_000``, ``1:30`` and ``NO`` (a country) are text, ``010`` is ten.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from planner.errors import Fault, InputError

LARGEST_BYTES = 2**20


def load_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises
    ------
    FileNotFoundError : there is none.
    InputError : it is no file, or larger than a person writes.
    yaml.YAMLError : it is no YAML, a key stands twice in one block, or there are aliases.
    """
    size = path.stat().st_size
    if not path.is_file():
        raise InputError([Fault(str(path), "is not a file")])
    if size > LARGEST_BYTES:
        raise InputError([Fault(str(path), f"is too large: {size / 2**20:,.0f} MB; at most 1 MB is read")])
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Plain)
    except RecursionError:
        raise yaml.YAMLError("nested too deep") from None


_TAG = "tag:yaml.org,2002:"
_OLD = tuple(_TAG + kind for kind in ("int", "float", "bool"))
_NEW = {  # kind -> pattern and the characters it begins with
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
              "-+.0123456789"),
}  # fmt: skip


class EachKeyOnce(yaml.parser.Parser, yaml.composer.Composer, yaml.constructor.BaseConstructor):
    """What a loader has in common here: a key that appears twice in one block is a fault, and so is an alias."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not used here; write it out", event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that was there before."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} appears twice", key.start_mark)
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Plain(EachKeyOnce, yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in listed if tag not in _OLD]
        for first, listed in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


for _kind, (_pattern, _first) in _NEW.items():
    _Plain.add_implicit_resolver(_TAG + _kind, re.compile(f"^(?:{_pattern})$"), list(_first))
