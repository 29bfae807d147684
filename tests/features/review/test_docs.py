"""docs/review.md does what it says: its history is written, its commands run, the lines it shows are printed."""

import pathlib
import re
import shlex

from planner.cli import main
from planner.features.review import review
from planner.features.review.review_rules import Rules
from planner.features.review.review_tables import KEEP
from planner.readers import load
from planner.schema.settings import Policy
from planner.solver.solve import solve
from tests.builders.histories import history_of

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "review.md"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_example_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    (script,) = (body for kind, body in BLOCK.findall(text) if kind == "python")
    (commands,) = (body for kind, body in BLOCK.findall(text) if kind == "console")
    parts = re.split(r"^\$ ", commands, flags=re.MULTILINE)[1:]
    assert len(parts) == 4
    for part in parts:
        command, *shown = part.rstrip("\n").split("\n")
        if command == "python history.py":
            exec(script, {})
            continue
        assert main(shlex.split(command)[1:]) == 0, command
        output = capsys.readouterr().out
        place = 0
        for line in shown:
            place = output.find(line, place)
            assert place >= 0, f"{line}\nis not in\n{output}"
    held = {path.name for path in (tmp_path / "reports" / "review").iterdir()}
    named = set(re.findall(r"`(\w+\.(?:csv|json|xlsx))`", text[text.index("## Files") :]))
    assert named == {name for name in held if not name.endswith(".svg")}
    assert {"months.svg", "verdicts.svg"} <= held


def test_every_threshold_that_the_page_names_is_one():
    named = set(re.findall(r"`(\w+_(?:usd|share|days))`", PAGE.read_text(encoding="utf-8")))
    assert named - {"paid_usd", "calendar_usd", "standby_usd"} - set(Policy.model_fields) == set(Rules.model_fields)


def test_the_starter_as_planned_is_kept(tmp_path):
    """Whole units, failover and earlier commitments: a history equal to the forecast changes nothing."""
    assert main(["init", str(tmp_path / "plan")]) == 0
    case = load(tmp_path / "plan")
    plan = solve(case)
    found = review(case, plan, history_of(case))
    assert found.regret.usd == 0
    assert found.regret.above_best_usd > 0  # what whole units cost, on the forecast too
    assert {v.verdict for v in found.verdicts} == {KEEP}
    assert len(found.verdicts) == 3
