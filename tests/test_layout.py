"""How tests are laid out: they share builders and the oracle, and nothing else."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent
SHARED_ROOMS = ("tests.builders", "tests.oracle")


def test_no_test_imports_another_test() -> None:
    """What two tests need is a builder."""
    borrowed = []
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or (node.module or "").split(".")[0] != "tests":
                continue
            names = [node.module or ""] if node.module != "tests" else [f"tests.{alias.name}" for alias in node.names]
            for name in names:
                if not name.startswith(SHARED_ROOMS) or name.rpartition(".")[2].startswith("test_"):
                    borrowed.append(f"{path.relative_to(TESTS)}: {name}")
    assert borrowed == []


def test_nothing_lies_outside_the_clone() -> None:
    """No test, page or benchmark reads files from beside the clone: a clone alone skips nothing."""
    kinds = (".py", ".md", ".yaml", ".toml")
    rooms = ("tests", "docs", "benchmarks", "planner")
    texts = [
        p for room in rooms for p in (TESTS.parent / room).rglob("*.*") if p.suffix in kinds and p != Path(__file__)
    ]
    beside = ("../shared", '/ "shared"')
    assert [str(p) for p in texts if any(word in p.read_text("utf-8") for word in beside)] == []
