"""Updates the catalogues of translations in assets/translations: `python scripts/translate.py`.

Reads the texts of the sources into each `.ts` file and compiles it to the `.qm` file that the
program loads. A translator then edits the `.ts` file, for example with `pyside6-linguist`, and runs
this again. `python scripts/translate.py fr` begins a language.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "assets" / "translations"
FOLDERS = ("app",)
MARKS = "QT_TR_NOOP+=mark"


def sources() -> list[str]:
    """All files with texts of the screen, relative to the root."""
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    return [str(file.relative_to(ROOT)) for file in files]


def update(catalogue: Path) -> None:
    """Read the texts of the sources into a catalogue; translations of removed texts are dropped."""
    run("lupdate", "-silent", "-no-obsolete", "-locations", "none", "-sort-messages",
        "-tr-function-alias", MARKS, *sources(), "-target-language", catalogue.stem,
        "-source-language", "en", "-ts", str(catalogue))  # fmt: skip


def compile_catalogue(catalogue: Path, out: Path) -> None:
    """Write the file that Qt loads."""
    run("lrelease", "-silent", str(catalogue), "-qm", str(out))


def run(tool: str, *arguments: str) -> None:
    """Run a tool of PySide6, beside the Python that runs this."""
    command = Path(sys.executable).parent / f"pyside6-{tool}"
    subprocess.run([str(command), *arguments], cwd=ROOT, check=True)


def unfinished(catalogue: Path) -> list[str]:
    """English texts of a catalogue that have no finished translation."""
    messages = ElementTree.parse(catalogue).iter("message")
    found = []
    for message in messages:
        translation = message.find("translation")
        if translation is None or translation.get("type") or not "".join(translation.itertext()):
            found.append(message.findtext("source") or "")
    return found


def main() -> int:
    """Update all catalogues, and those of the languages that are named; returns the exit status."""
    CATALOGUES.mkdir(exist_ok=True)
    named = {CATALOGUES / f"{code}.ts" for code in sys.argv[1:]}
    for catalogue in sorted({*CATALOGUES.glob("*.ts"), *named}):
        update(catalogue)
        compile_catalogue(catalogue, catalogue.with_suffix(".qm"))
        print(f"{catalogue.relative_to(ROOT)}: {len(unfinished(catalogue))} texts to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
