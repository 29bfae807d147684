"""Which code an answer follows from: a digest of the source of some rooms of planner."""

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@cache
def source_digest(*rooms: str) -> str:
    """SHA-256 of every Python file of the rooms (such as "model", "units.py"), by name: an edit gives another one."""
    h = hashlib.sha256()
    for room in rooms:
        start = PACKAGE / room
        for path in sorted(start.rglob("*.py")) if start.is_dir() else [start]:
            h.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
            h.update(hashlib.sha256(path.read_bytes()).digest())
    return h.hexdigest()
