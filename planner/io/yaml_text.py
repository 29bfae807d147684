"""YAML as plain values: each key once, no aliases, of a size that a person writes."""

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
        return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_OneOfEach)
    except RecursionError:
        raise yaml.YAMLError("nested too deep") from None


class _OneOfEach(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not used here; write it out", event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} appears twice", key.start_mark)
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep)
