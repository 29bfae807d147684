"""A script with which the fish shell completes commands, options, choices and files, from the same parser."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

_FIRST_SENTENCE = 80  # characters of a help text that are shown

_AT = """function __fish_{name}_at
    set -l words (commandline -opc)
    test (count $words) -gt (count $argv); or return 1
    for k in (seq (count $argv))
        test $words[(math $k + 1)] = $argv[$k]; or return 1
    end
end

function __fish_{name}_next
    test (count (commandline -opc)) -eq (math 1 + (count $argv)); and __fish_{name}_at $argv
end

complete -c {name} -f"""


def fish_script(parser: argparse.ArgumentParser) -> str:
    """Write the script of a parser with its commands, and theirs."""
    return "\n".join([_AT.format(name=parser.prog), *_lines(parser, parser.prog, ())]) + "\n"


def _lines(parser: argparse.ArgumentParser, name: str, path: tuple[str, ...]) -> Iterator[str]:
    place = " ".join((f"__fish_{name}_at", *path))
    start = f"complete -c {name} -n {_quoted(place)}"
    for action in parser._actions:
        told = f" -d {_quoted(_short(action.help))}" if action.help and action.help != argparse.SUPPRESS else ""
        if isinstance(action, argparse._SubParsersAction):
            lines = {choice.dest: choice.help or "" for choice in action._choices_actions}
            yield from _commands(action.choices, lines, name, path)
        elif action.option_strings:
            yield f"{start}{''.join(map(_named, action.option_strings))}{_value(action)}{told}"
        elif action.type is Path:
            yield f"{start} -F"
        elif action.choices:
            yield f"{start} -a {_quoted(' '.join(map(str, action.choices)))}{told}"


def _commands(
    commands: Mapping[str, argparse.ArgumentParser], lines: Mapping[str, str], name: str, path: tuple[str, ...]
) -> Iterator[str]:
    place = _quoted(" ".join((f"__fish_{name}_next", *path)))
    for command, parser in commands.items():
        yield f"complete -c {name} -n {place} -a {command} -d {_quoted(_short(lines.get(command)))}"
        yield from _lines(parser, name, (*path, command))


def _named(option: str) -> str:
    return f" -l {option[2:]}" if option.startswith("--") else f" -s {option[1:]}"


def _value(action: argparse.Action) -> str:
    """Say what follows an option: nothing, one of its choices, a file, or something that only its user knows."""
    if action.nargs == 0:
        return ""
    if action.choices:
        return f" -x -a {_quoted(' '.join(map(str, action.choices)))}"
    if action.nargs in ("?", "*"):
        return ""
    return " -r -F" if action.type is Path else " -x"


def _short(text: str | None) -> str:
    plain = " ".join((text or "").replace("%%", "%").split())
    return plain if len(plain) <= _FIRST_SENTENCE else plain[: _FIRST_SENTENCE - 1].rsplit(" ", 1)[0] + " …"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
