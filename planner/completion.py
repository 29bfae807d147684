"""Print a script that completes commands and options in your shell.

planner completion bash > ~/.local/share/bash-completion/completions/planner
planner completion zsh > ~/.zfunc/_planner                  (a folder of $fpath)
planner completion tcsh > ~/.planner.csh                    (and source it in ~/.cshrc)
planner completion fish > ~/.config/fish/completions/planner.fish

shtab writes the first three, and has none for fish (which planner writes itself) or PowerShell (which has none).
"""

import argparse
import importlib
from pathlib import Path
from typing import Any

from planner.cli import COMMANDS
from planner.errors import EXIT_PLAN

SHELLS = ("bash", "zsh", "tcsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to complete")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    if arguments.shell == "fish":
        from planner.console.fish_completion import fish_script

        print(fish_script(whole_parser()), end="")
        return EXIT_PLAN
    import shtab

    print(shtab.complete(whole_parser(), arguments.shell))
    return EXIT_PLAN


class _Completing(argparse.ArgumentParser):
    """A parser whose paths complete as files, in its subcommands too."""

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """Declare an argument."""
        import shtab

        action = super().add_argument(*names, **options)
        if options.get("type") is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        return action


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser of every command with its options."""
    parser = _Completing(prog="planner", description="Plan reserved LLM capacity.")
    commands = parser.add_subparsers(dest="command")
    for name, where, line in COMMANDS:
        importlib.import_module(f"planner.{where}").configure(commands.add_parser(name, help=line))
    return parser
