"""The folder that `planner init` copies: a valid planning folder, kept as files that anybody can read."""

from pathlib import Path

STARTER = Path(__file__).parent
