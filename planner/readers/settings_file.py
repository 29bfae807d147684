"""plan.yaml, or the sheet `plan`, as dotted keys with text values -> PlanSettings, every fault at once."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from planner.errors import Fault, InputError, nearest
from planner.readers.csv_files import MEGABYTE, read_text
from planner.readers.raw_tables import (
    FORMULA_ERRORS,
    GROUPED,
    NO_VALUE,
    RawSettings,
    Source,
    clean,
    in_words,
    is_grouped,
)
from planner.schema.describe import settings_of
from planner.schema.settings import PlanSettings

SETTINGS_FILE, SETTINGS_SHEET = "plan.yaml", "plan"
_TAGS = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(_TAGS + kind for kind in ("str", "int", "float", "bool", "timestamp"))
_NULL_TAG, _MAP_TAG, _LIST_TAG = _TAGS + "null", _TAGS + "map", _TAGS + "seq"
_BLOCKS = {_LIST_TAG: "a list", _MAP_TAG: "a block of keys"}


_KNOWN = settings_of(PlanSettings)
_LISTS = frozenset(name for name, facts in _KNOWN.items() if facts.kind is tuple)


def _is_plain(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN_TAGS


def read_yaml(path: Path) -> tuple[RawSettings, list[Fault]]:
    """Read plan.yaml as a tree of text: no tag is obeyed, nothing is built.

    Raises
    ------
    InputError
        if it is not YAML, or not a block of keys.
    """
    text = read_text(path, MEGABYTE)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error)
        raise InputError([Fault(path.name, f"is not YAML: {said}", mark.line + 1 if mark else None)]) from None
    except (RecursionError, ValueError):
        raise InputError([Fault(path.name, "is not YAML that planner can read")]) from None
    if not isinstance(root, yaml.MappingNode):
        example = "name: 2027-q1 and horizon: {start: 2027-01-01, months: 3}"
        raise InputError([Fault(path.name, "is not a block of keys", 1, allowed=f"keys such as {example}")])
    raw = RawSettings(Source("plan", path.name, ()), {}, {})
    faults: list[Fault] = []
    _walk(root, "", raw, faults, set())
    return raw, faults


def _walk(block: yaml.MappingNode, prefix: str, raw: RawSettings, faults: list[Fault], seen: set[int]) -> None:
    """Gather the leaves of a block under their dotted keys."""
    for key_node, node in block.value:
        key = prefix + (clean(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?")
        line = key_node.start_mark.line + 1
        if key in raw.rows:
            faults.append(raw.fault(f"the key appears twice, in lines {raw.rows[key]} and {line}", key))
            continue
        raw.rows[key] = line
        if id(node) in seen:
            faults.append(raw.fault("anchors and aliases are not used here; write the value out", key))
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP_TAG and key not in _KNOWN:
            _walk(node, key + ".", raw, faults, seen)
        elif key in _LISTS and isinstance(node, yaml.SequenceNode) and all(map(_is_plain, node.value)):
            raw.values[key] = "; ".join(clean(each.value) for each in node.value)
        elif not isinstance(node, yaml.ScalarNode) or node.tag not in (*_PLAIN_TAGS, _NULL_TAG):
            what = _BLOCKS.get(node.tag) or f"the tag {node.tag.removeprefix(_TAGS)!r}"
            needed = "a plain value, or a list of them," if key in _LISTS else "one plain value"
            faults.append(raw.fault(f"holds {what}; {needed} is needed", key))
        elif node.tag != _NULL_TAG:
            raw.values[key] = clean(node.value)
        else:
            raw.values[key] = ""


def read_sheet(grid: Iterable[Sequence[str]], place: str = SETTINGS_SHEET) -> tuple[RawSettings, list[Fault]]:
    """Read the sheet `plan`: a dotted key and a value in each row, below the header `key`, `value`."""
    rows = [(number, [clean(cell) for cell in cells]) for number, cells in enumerate(grid, start=1)]
    header = tuple(rows[0][1]) if rows else ()
    raw = RawSettings(Source("plan", place, header, sheet=True), {}, {})
    if "key" not in header or "value" not in header:
        fault = raw.source.fault("needs the columns 'key' and 'value'", 1, allowed="key, value and, if you like, note")
        return raw, [fault]
    key_at, value_at = header.index("key"), header.index("value")
    faults: list[Fault] = []
    for number, cells in rows[1:]:
        key = cells[key_at] if key_at < len(cells) else ""
        value = cells[value_at] if value_at < len(cells) else ""
        if not key and value:
            faults.append(raw.source.fault("has a value, but no key", number, "key"))
        if not key:
            continue
        if key in raw.rows:
            faults.append(raw.fault(f"the key appears twice, in rows {raw.rows[key]} and {number}", key))
            continue
        raw.rows[key] = number
        if value in FORMULA_ERRORS:
            faults.append(raw.fault(NO_VALUE, key, value))
        else:
            raw.values[key] = value
    return raw, faults


def read_settings(raw: RawSettings) -> tuple[PlanSettings | None, list[Fault]]:
    """Validate the settings; a blank value takes the default."""
    known = settings_of(PlanSettings)
    blocks = {key.rsplit(".", 1)[0] for key in known if "." in key} | {"policy"}
    faults: list[Fault] = []
    tree: dict[str, Any] = {"horizon": {}}
    for key, text in raw.values.items():
        if key in blocks:
            if text:
                keys = ", ".join(name for name in known if name.startswith(f"{key}."))
                faults.append(raw.fault("is a block of keys, not a value", key, text, keys))
        elif key not in known:
            faults.append(raw.fault(f"there is no key {key!r}{_near_key(key, list(known))}", key))
        elif text:
            if is_grouped(text, known[key]):
                faults.append(raw.fault(GROUPED, key, text, known[key].allowed))
            *path, leaf = key.split(".")
            block = tree
            for part in path:
                block = block.setdefault(part, {})
            block[leaf] = text
    for key in raw.rows:
        if key not in raw.values and key not in known and key not in blocks:
            faults.append(raw.fault(f"there is no key {key!r}{_near_key(key, list(known))}", key))
    try:
        settings = PlanSettings.model_validate(tree)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            key = ".".join(str(part) for part in item["loc"])
            message, allowed = in_words(item, known.get(key))
            faults.append(raw.fault(message, key, raw.values.get(key) or None, allowed))
        return None, faults
    return (None if faults else settings), faults


def _near_key(key: str, known: Sequence[str]) -> str:
    """Suggest a key: one with the same last part in another block, else the most similar."""
    leaf = key.rsplit(".", 1)[-1]
    same = [name for name in known if name.rsplit(".", 1)[-1] == leaf]
    return f"; did you mean {same[0]!r}?" if same else nearest(key, known) or nearest(leaf, known)
