"""Answers kept beside the reports: a component that did not change is not solved again.

An answer is kept under the SHA-256 of everything that the component's programme is made of, and of the versions that
made it. It is a file of plain arrays (no code can hide in it), written beside and renamed, so that two commands
at once do no harm; a file that cannot be read is as good as none. The folder may be deleted at any time.
"""

import hashlib
import io
import os
import tempfile
import time
import zipfile
from contextlib import suppress
from dataclasses import fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planner.model.reduce.slots import merge_slots
from planner.model.sets import Sets
from planner.solver.component import ComponentPlan
from planner.solver.witness import Witness
from planner.versions import VERSION

FOLDER = ".planner-cache"
FORMAT = 1  # of the files; raise it when ComponentPlan or what the solver decides changes
MOST_FILES = 2000
OLDEST_SECONDS = 120 * 24 * 3600


class Store:
    """Answers by key in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str, part: Sets) -> ComponentPlan | None:
        """Read back an answer; None where there is none that can be read."""
        path = self.folder / f"{key}.npz"
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                plan = _from_arrays(part, {name: data[name] for name in data.files})
            os.utime(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError):
            return None
        return plan

    def put(self, key: str, plan: ComponentPlan) -> None:
        """Keep an answer; a full disk or a read-only folder only costs the next run its head start."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    np.savez(file, allow_pickle=False, **_to_arrays(plan))
                os.replace(beside, self.folder / f"{key}.npz")
            except BaseException:
                with suppress(OSError):
                    os.unlink(beside)
                raise

    def tidy(self) -> None:
        """Drop answers that nobody asked for in months, and the oldest beyond MOST_FILES."""
        with suppress(OSError):
            files = sorted(self.folder.glob("*.npz"), key=lambda p: p.stat().st_mtime, reverse=True)
            for rank, path in enumerate(files):
                if rank >= MOST_FILES or time.time() - path.stat().st_mtime > OLDEST_SECONDS:
                    path.unlink(missing_ok=True)


def key_of(part: Sets, *settings: object) -> str:
    """Name a component by its content: every table and array of its sets, the settings, the versions."""
    h = hashlib.sha256(repr((FORMAT, *_versions(), settings)).encode())
    for field in fields(part):
        _digest(h, field.name, getattr(part, field.name))
    return h.hexdigest()


@cache
def _versions() -> tuple[str, ...]:
    return VERSION, version("highspy")


def _digest(h: "hashlib._Hash", name: str, value: object) -> None:
    h.update(f"\x1e{name}\x1f".encode())
    if isinstance(value, pd.DataFrame):
        for column in value.columns:
            _digest(h, str(column), value[column].to_numpy())
    elif isinstance(value, np.ndarray):
        h.update(str(value.shape).encode())
        h.update("\x1f".join(map(str, value)).encode() if value.dtype.kind == "O" else value.tobytes())
    elif isinstance(value, tuple):
        for item in value:
            _digest(h, "", item)
    elif hasattr(value, "__dataclass_fields__"):
        for field in fields(value):  # type: ignore[arg-type]
            _digest(h, field.name, getattr(value, field.name))
    else:
        h.update(repr(value).encode())


_ARRAYS = ("committed", "deployed", "flow_arc", "flow_slot", "flow", "rent_deployment", "rent_slot", "rent",
           "stress_case", "stress_period", "stress_slot", "stress_usd", "stress_units")  # fmt: skip
_NUMBERS = ("usd", "bound_usd", "tree_bound_usd")


def _to_arrays(plan: ComponentPlan) -> dict[str, np.ndarray]:
    table = io.BytesIO()
    plan.prices.to_parquet(table, index=False)
    return {
        **{name: getattr(plan, name) for name in _ARRAYS},
        **{name: np.array(getattr(plan, name)) for name in _NUMBERS},
        **{f"witness_{field.name}": getattr(plan.witness, field.name) for field in fields(Witness)},
        "prices": np.frombuffer(table.getvalue(), np.uint8),
    }


def _from_arrays(part: Sets, data: dict[str, np.ndarray]) -> ComponentPlan:
    values: dict[str, Any] = {name: data[name] for name in _ARRAYS}
    values |= {name: float(data[name]) for name in _NUMBERS}
    return ComponentPlan(
        sets=merge_slots(part),
        **values,
        witness=Witness(**{field.name: data[f"witness_{field.name}"] for field in fields(Witness)}),
        prices=pd.read_parquet(io.BytesIO(data["prices"].tobytes())),
    )
