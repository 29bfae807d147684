"""Answers of components, kept beside the reports: a component that did not change is not solved again.

An answer is kept under the SHA-256 of everything that the component's programme is made of, of the source code that
states, reduces and solves it, and of HiGHS's version. It is as good as its file, which anybody can write: what is
proved of a plan is proved again from its prices (`solver.solve.checked`), whoever found it.
"""

import hashlib
import io
from dataclasses import fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.io.cache import Cache, source_digest
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.slots import merge_slots
from planner.model.sets import Sets
from planner.model.structure import prices_on_sizes, rules_on_sizes
from planner.solver.certificate import WitnessArrays
from planner.solver.component import ComponentPlan

CODE = ("model", "solver", "units.py")  # rooms that an answer follows from


class Store:
    """Answers of components by key in one folder."""

    def __init__(self, folder: Path) -> None:
        self.cache = Cache(folder)

    def get(self, key: str, part: Sets) -> ComponentPlan | None:
        """Read back an answer; None where there is none that can be read."""
        data = self.cache.get(key)
        try:
            return None if data is None else _from_arrays(part, data)
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return None

    def put(self, key: str, plan: ComponentPlan) -> None:
        """Keep an answer."""
        self.cache.put(key, _to_arrays(plan))

    def tidy(self) -> None:
        """Drop old answers."""
        self.cache.tidy()


def key_of(part: Sets, *settings: object) -> str:
    """Name a component by its content: every table and array of its sets, the settings, the code.

    What rules read from the case itself is no table; the rows that they make of it are (`digest_of`). Where its slots
    stand in the whole is no content.
    """
    h = hashlib.sha256(repr((*_versions(), settings)).encode())
    for field in fields(part):
        if field.name not in ("case", "of_whole"):
            _digest(h, field.name, getattr(part, field.name))
    return h.hexdigest()


def digest_of(program: LinearProgram) -> str:
    """Digest costs, bounds and rows of a programme, whatever they were made of; of sizes too where rules count them."""
    h = hashlib.sha256()
    if not len(program.columns.sized) and (rules_on_sizes(program.sets) or prices_on_sizes(program.sets)):
        _digest(h, "sized", digest_of(program_of(program.sets, sized=True)))
    _digest(h, "cost", program.cost)
    _digest(h, "upper", program.columns.upper)
    for rows in program.families:
        for name in ("family", "lower", "upper", "row", "column", "value"):
            _digest(h, name, getattr(rows, name))
    return h.hexdigest()


@cache
def _versions() -> tuple[str, ...]:
    return source_digest(*CODE), version("highspy")


def _digest(h: "hashlib._Hash", name: str, value: object) -> None:
    _say(h, name)
    if isinstance(value, pd.DataFrame):
        for column in value.columns:
            _digest(h, str(column), value[column].to_numpy())
    elif isinstance(value, np.ndarray):
        _say(h, str(value.shape), str(value.dtype))
        if value.dtype.kind == "O":
            _say(h, *map(str, value.ravel()))
        else:
            h.update(value.tobytes())
    elif isinstance(value, tuple):
        _say(h, str(len(value)))
        for item in value:
            _digest(h, "", item)
    elif hasattr(value, "__dataclass_fields__"):
        for field in fields(value):  # type: ignore[arg-type]
            _digest(h, field.name, getattr(value, field.name))
    else:
        _say(h, repr(value))


def _say(h: "hashlib._Hash", *texts: str) -> None:
    """Add texts, each with its length before it, so that no two lists of texts are said alike."""
    h.update("".join(f"{len(text)}:{text}" for text in texts).encode())


_ARRAYS = ("committed", "deployed", "flow_arc", "flow_arrived", "flow_slot", "flow", "scaled", "rent_deployment",
           "rent_slot", "rent", "stress_case", "stress_period", "stress_slot", "stress_usd",
           "stress_units")  # fmt: skip
_NUMBERS = ("usd", "bound_usd", "tree_bound_usd")


def _to_arrays(plan: ComponentPlan) -> dict[str, np.ndarray]:
    table = io.BytesIO()
    plan.prices.to_parquet(table, index=False)
    return {
        **{name: getattr(plan, name) for name in _ARRAYS},
        **{name: np.array(getattr(plan, name)) for name in _NUMBERS},
        **{f"witness_{field.name}": getattr(plan.witness, field.name) for field in fields(WitnessArrays)},
        "prices": np.frombuffer(table.getvalue(), np.uint8),
    }


def _from_arrays(part: Sets, data: dict[str, np.ndarray]) -> ComponentPlan:
    values: dict[str, Any] = {name: data[name] for name in _ARRAYS}
    values |= {name: float(data[name]) for name in _NUMBERS}
    sets = merge_slots(part)
    if values["committed"].shape != (len(sets.purchases),) or values["deployed"].shape[:1] != (len(sets.deployments),):
        raise ValueError("an answer to another question")
    return ComponentPlan(
        sets=sets,
        **values,
        witness=WitnessArrays(**{field.name: data[f"witness_{field.name}"] for field in fields(WitnessArrays)}),
        prices=pd.read_parquet(io.BytesIO(data["prices"].tobytes())),
    )
