"""docs/hand-over.md: its commands run in order, and write the files that it lists."""

import re
import shlex
from pathlib import Path

import pytest

from planner.cli import main
from tests.builders.pages import commands_of

PAGE = (Path(__file__).parents[2] / "docs" / "hand-over.md").read_text(encoding="utf-8")


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (console,) = re.findall(r"^```console\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    for command, _ in commands_of(console):
        assert main(shlex.split(command)[1:]) == 0
    written = {p.relative_to("hand-over/q1").as_posix() for p in Path("hand-over/q1").rglob("*") if p.is_file()}
    listed = set(re.findall(r"`((?:litellm/)?[\w-]+\.(?:md|yaml|json))`", PAGE)) - {"flat-cost.yaml"}
    assert {name for name in listed if "/" in name or name in ("ORDER.md", "hand-over.json")} <= written
    groups = Path("hand-over/q1/litellm/2027-01.yaml").read_text(encoding="utf-8")
    assert "model_name: support/us-east/large" in groups
