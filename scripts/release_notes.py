"""Prints the notes of one release: its section of CHANGELOG.md. `release_notes.py VERSION`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"


def notes(changelog: str, version: str) -> str:
    """The text of the section of a version, without its heading; "" if there is none.

    A heading is `## VERSION` or `## VERSION (DATE)`.
    """
    heading = rf"^## {re.escape(version)}(?: \([^)\n]*\))?$"
    match = re.search(rf"{heading}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return match[1].strip() if match else ""


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("Usage: release_notes.py VERSION", file=sys.stderr)
        return 2
    text = notes(CHANGELOG.read_text(encoding="utf-8"), arguments[0])
    if not text:
        print(f"CHANGELOG.md has no section `## {arguments[0]} (DATE)`.", file=sys.stderr)
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
