"""Help texts: every option of every command is a complete sentence in plain English."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest
import tyro
from streamstgs.cli.command_line import COMMANDS, load, overview

pytestmark = pytest.mark.filterwarnings("ignore:get_parser")  # tyro names no other way
HINT = re.compile(r"\((default|required|optional|repeatable|sets|fixed)[^()]*(\([^()]*\)[^()]*)*\)")
BANNED = (
    "rung",
    "errand",
    "stock",
    "crew",
    "footage",
    "film",
    "what is there",
    "whoever",
    "who waits",
    "(default: not)",
)


def options_of(command: str) -> Iterator[tuple[str, str]]:
    """(name, help text without the hint on its default) of each option of a command."""
    yield from options_of_parser(tyro.extras.get_parser(load(command)))


def options_of_parser(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """The same of a parser and of its subcommands."""
    for action in parser._actions:
        if isinstance(action.choices, dict):  # subcommands
            for below in action.choices.values():
                yield from options_of_parser(below)
        elif "-h" not in action.option_strings:  # argparse's own
            yield (
                action.option_strings[0] if action.option_strings else action.dest,
                str(action.help or ""),
            )


def complaint(text: str) -> str | None:
    """What is wrong with a help text, or None."""
    sentence = HINT.sub("", text).strip()
    if not sentence:
        return "is empty"
    if not sentence.endswith("."):
        return "does not end with a full stop"
    if not (sentence[0].isupper() or not sentence[0].isalpha()):
        return "does not start with a capital letter"
    found = [word for word in BANNED if re.search(rf"(?<!\w){re.escape(word)}", text.lower())]
    return f"holds the words {found}" if found else None


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_explains_itself(command: str) -> None:
    wrong = [
        f"{name} {reason}: {text!r}"
        for name, text in options_of(command)
        if (reason := complaint(text))
    ]
    assert wrong == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_describes_itself(command: str) -> None:
    description = tyro.extras.get_parser(load(command)).description or ""
    assert complaint(description) is None


def test_list_of_commands_reads_as_sentences() -> None:
    assert [n for n, entry in COMMANDS.items() if complaint(entry.summary)] == []
    assert "streamstgs" in overview()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Render with this backend. (default: cpu)", None),
        ("(default: 6.0)", "is empty"),
        ("of the JPEG, 0..100 (default: 85)", "does not end with a full stop"),
        ("side of a patch, odd. (default: 11)", "does not start with a capital letter"),
        ("Choose a rung.", "holds the words ['rung']"),
    ],
)
def test_complaints_name_the_defect(text: str, expected: str | None) -> None:
    assert complaint(text) == expected
