"""What is asked: cases of a study from options of the command line and from cases.yaml.

cases:
no failover:      {set: {failover.enabled: false}}
grow 40 %:        {scale: {demand: 1.4}}
chat doubles:     {scale: {"demand[workload=chat]": 2}}
Sweden refused:   {refuse: [swedencentral]}
only months:      {forbid_terms: [12, 36]}
grids:
headroom: 0.1:0.5:0.05
"""

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from planner.errors import Fault, InputError, nearest
from planner.features.what_if.case_change import CaseChange
from planner.features.what_if.case_factors import TARGETS, Factor
from planner.io.yaml_text import EachKeyOnce
from planner.readers.csv_files import MEGABYTE, read_text

MOST_CASES = 500
BAND = "band"  # the contract of a band that is only offered
_FACTOR = re.compile(r"\s*(\w+)\s*(?:\[([^\]]*)\])?\s*")
_PARTS = ("set", "scale", "strike", "refuse", "refuse_pools", "forbid_terms", "certain", "spend",
          "leave_out")  # fmt: skip
_BLOCKS = ("cases", "grids")
_BLANK = ("", "null", "~")


def factor_of(text: str, number: str) -> Factor:
    """Read ``demand[workload=chat,region=east]`` and its number.

    Raises
    ------
    ValueError : it cannot be read; the text says what is allowed.
    """
    found = _FACTOR.fullmatch(text)
    if found is None:
        raise ValueError(f"cannot be read: write {', '.join(TARGETS)}, with [column=name,...] for a part of it")
    where = []
    for part in (found[2] or "").split(",") if found[2] is not None else []:
        column, equals, name = part.partition("=")
        if not equals or not column.strip() or not name.strip():
            raise ValueError("cannot be read: write a part as [column=name,...], such as demand[workload=chat]")
        where.append((column.strip(), name.strip()))
    return Factor(found[1], number_of(number), tuple(where))


def number_of(text: str) -> float:
    """Read a finite number.

    Raises
    ------
    ValueError : it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a number")
    return value


def setting_of(text: str) -> tuple[str, str]:
    """Read ``failover.on_demand_trust=1``.

    Raises
    ------
    ValueError : there is no = in it.
    """
    of_part = "]" in text  # guaranteed_share[workload=chat]=0.5
    key, equals, value = text.rpartition("=") if of_part else text.partition("=")
    if not equals or not key.strip():
        raise ValueError(f"{text!r} cannot be read: write KEY=VALUE, such as failover.on_demand_trust=1")
    return key.strip(), value.strip()


def grid_of(text: str) -> list[str]:
    """Read ``0.1:0.5:0.05`` (from, to, step; both ends taken) or ``0.1,0.2,0.4`` as values.

    Raises
    ------
    ValueError : it cannot be read, or has too many values.
    """
    if ":" not in text:
        return [f"{number_of(part.strip()):.12g}" for part in text.split(",")]
    parts = [number_of(part.strip()) for part in text.split(":")]
    if len(parts) != 3 or parts[2] <= 0 or parts[1] < parts[0]:
        raise ValueError(f"{text!r} is not a grid: write FROM:TO:STEP with a step above 0, such as 0.1:0.5:0.05")
    low, high, step = parts
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > MOST_CASES:
        raise ValueError(f"{text!r} has {count:,} values; a study has at most {MOST_CASES}")
    return [f"{low + k * step:.12g}" for k in range(count)]


def band_of(text: str) -> CaseChange:
    """Read ``1000000:0.05``: a contract of so many USD to be spent, at such a discount off on-demand prices.

    Raises
    ------
    ValueError : it cannot be read.
    """
    amount, colon, off = text.partition(":")
    usd, discount = number_of(amount), number_of(off) if colon else 0.0
    if usd < 0 or not 0 <= discount < 1:
        raise ValueError(f"{text!r} is no band: write USD:DISCOUNT, such as 1000000:0.05 for 5 % off")
    words = f"band of {usd:,.0f} USD" if usd else "no band"
    scale = (Factor("on_demand_prices", 1 - discount),) if discount else ()
    return CaseChange(f"{words}, {100 * discount:g} % off", scale=scale, spend=((BAND, f"{usd:.12g}"),) if usd else ())


def grid_cases(grids: Sequence[tuple[str, Sequence[str]]], base: CaseChange | None = None) -> list[CaseChange]:
    """Every combination of the values of some grids, each a case; of a policy key or of a factor.

    ``base`` : a change that each of them makes besides.
    """
    cases = []
    for values in itertools.product(*(values for _, values in grids)):
        start = base or CaseChange("")
        settings, scale = list(start.set), list(start.scale)
        words = []
        for (key, _), value in zip(grids, values, strict=True):
            found = _FACTOR.fullmatch(key)
            if found is not None and found[1] in TARGETS:
                scale.append(factor_of(key, value))
            else:
                settings.append((key, value))
            words.append(f"{key}={value}")
        name = " ".join(words)
        cases.append(replace(start, name=name, set=tuple(settings), scale=tuple(scale)))
    return cases


def read_cases(path: Path) -> list[CaseChange]:
    """Read cases.yaml.

    Raises
    ------
    InputError : every fault of the file at once, with the case and the key.
    """
    try:
        tree = yaml.load(read_text(path, MEGABYTE), Loader=_Texts)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error)
        raise InputError([Fault(path.name, f"is not YAML: {said}", mark.line + 1 if mark else None)]) from None
    except RecursionError:
        raise InputError([Fault(path.name, "is not YAML that planner can read: nested too deep")]) from None
    faults: list[Fault] = []
    if not isinstance(tree, dict) or not tree or set(tree) - set(_BLOCKS):
        raise InputError([Fault(path.name, "does not hold cases", allowed="the keys cases: and grids:")])
    found = []
    for name, body in _block(tree, "cases", path, faults).items():
        change = _case(str(name), body, path, faults)
        if change is not None:
            found.append(change)
    for key, text in _block(tree, "grids", path, faults).items():
        try:
            values = text if isinstance(text, list) else [text]
            spread = [v for value in values for v in grid_of(str(value))]
            found += grid_cases([(str(key), spread)])
        except ValueError as error:
            faults.append(Fault(path.name, str(error), column=f"grids.{key}"))
    if faults:
        raise InputError(faults)
    return found


class _Texts(EachKeyOnce, yaml.BaseLoader):
    """YAML whose values are all text (1:2:3 is a number to YAML)."""


def _block(tree: dict[str, Any], name: str, path: Path, faults: list[Fault]) -> dict[Any, Any]:
    block = tree.get(name)
    if block is None or block in _BLANK:
        return {}
    if not isinstance(block, dict):
        faults.append(Fault(path.name, "is not a block of names", column=name, value=block))
        return {}
    return block


def _case(name: str, body: object, path: Path, faults: list[Fault]) -> CaseChange | None:
    place, before = f"{path.name}, case {name!r}", len(faults)
    if not isinstance(body, dict) or not body:
        faults.append(Fault(place, "changes nothing", value=body, allowed=", ".join(_PARTS)))
        return None
    for part in body:
        if part not in _PARTS:
            faults.append(Fault(place, f"there is no {part!r}{nearest(str(part), _PARTS)}", allowed=", ".join(_PARTS)))
    scale = []
    for key, number in _pairs(body, "scale", place, faults):
        try:
            scale.append(factor_of(key, number))
        except ValueError as error:
            faults.append(Fault(place, str(error), column="scale", value=key))
    terms = []
    for text in _names(body, "forbid_terms", place, faults):
        if text.isdecimal():
            terms.append(int(text))
        else:
            faults.append(Fault(place, "is not a number of months", column="forbid_terms", value=text))
    certain = body.get("certain")
    change = CaseChange(
        name,
        tuple(_pairs(body, "set", place, faults)),
        tuple(scale),
        tuple(_names(body, "strike", place, faults)),
        tuple(_names(body, "refuse", place, faults)),
        tuple(_names(body, "refuse_pools", place, faults)),
        tuple(terms),
        None if certain is None or certain in _BLANK else str(certain),
        tuple(_pairs(body, "spend", place, faults)),
        tuple(_names(body, "leave_out", place, faults)),
    )
    return change if len(faults) == before else None


def _pairs(body: dict[str, Any], part: str, place: str, faults: list[Fault]) -> list[tuple[str, str]]:
    block = body.get(part) or {}
    if not isinstance(block, dict):
        faults.append(Fault(place, "is not a block of KEY: VALUE", column=part, value=block))
        return []
    pairs = []
    for key, value in block.items():
        if isinstance(value, (dict, list)):
            faults.append(Fault(place, "needs one plain value", column=f"{part}.{key}", value=value))
            continue
        pairs.append((str(key), "" if value in _BLANK else str(value)))
    return pairs


def _names(body: dict[str, Any], part: str, place: str, faults: list[Fault]) -> list[str]:
    value = body.get(part)
    if value is None or value in _BLANK:
        return []
    items: Iterable[object] = value if isinstance(value, list) else [value]
    names = []
    for item in items:
        if isinstance(item, (dict, list)) or item is None:
            faults.append(Fault(place, "needs names", column=part, value=item))
            continue
        names.append(str(item))
    return names
