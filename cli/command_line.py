"""The command line: finds the command that is named, runs it, and prints its errors.

Each command is a module of `cli/`, imported only when it is named.
"""

from __future__ import annotations

import difflib
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from streamstgs.app.console import one_line, say
from streamstgs.app.process_end import end_safely
from streamstgs.app.version import installed_version
from streamstgs.cli.interrupts import interrupt_on_signals, stop_reminding
from streamstgs.cli.parsing import UsageError
from streamstgs.cli.window import Window


class Command(Protocol):
    """The parsed arguments of one command."""

    def run(self) -> int:
        """Do the work; returns the exit status."""
        ...


@dataclass(frozen=True)
class Entry:
    """A line of the list of commands.

    Args:
        group: heading that the command is listed under.
        usage: arguments as the list shows them.
        summary: what the command does, as a sentence.
    """

    group: str
    usage: str
    summary: str


WATCH, MAKE, PUBLISH, CHECK = "Watch a scene", "Make a scene", "Publish a scene", "Check"
COMMANDS = {  # `train` is the class Train of cli/train.py, and so on
    "open": Entry(WATCH, "[SCENE]", "Open the window; the word `open` can be left out."),
    "info": Entry(WATCH, "SCENE", "List what a scene contains."),
    "render": Entry(WATCH, "SCENE --camera C -o FILE", "Write a video or an image."),
    "convert": Entry(WATCH, "SCENE OUT", "Write splat files for other programs."),
    "capture": Entry(MAKE, "check|from-videos|from-scene ...", "Check or make a capture."),
    "train": Entry(MAKE, "DATA -o RUN", "Train a scene from multi-view video."),
    "encode": Entry(MAKE, "RUN -o SCENE", "Write a trained run as a scene."),
    "edit": Entry(MAKE, "SCENE -o SCENE", "Change the title, credit, sound or cameras of a scene."),
    "evaluate": Entry(MAKE, "SCENE --data DATA", "Compare a scene with its capture."),
    "ablate": Entry(MAKE, "DATA -o DIR", "Train with one part of the method off at a time."),
    "publish": Entry(PUBLISH, "SCENE TARGET", "Publish a scene live, segment by segment."),
    "serve": Entry(PUBLISH, "DIR", "Serve a directory of scenes on this machine."),
    "bench": Entry(CHECK, "SCENE", "Measure the speed of this machine."),
    "doctor": Entry(CHECK, "", "List what this machine can do and what is missing."),
}


def load(name: str) -> Callable[..., Command]:
    """The dataclass of a command's arguments; imports the settings that it contains."""
    kind: Callable[..., Command] = getattr(
        import_module(f"streamstgs.cli.{name}"), name.capitalize()
    )
    return kind


def overview() -> str:
    """What `streamstgs --help` prints."""
    calls = {name: f"{name} {entry.usage}".strip() for name, entry in COMMANDS.items()}
    width = max(map(len, calls.values()))
    lines = [
        "usage: streamstgs [SCENE]             open a scene, or the bundled one",
        "       streamstgs COMMAND [ARGUMENTS]",
        "       streamstgs COMMAND --help      list the options of a command",
        "       streamstgs --version           print the version",
        "",
        "SCENE is a .stgs file, a scene directory, a splat file, or the URL of any of these.",
    ]
    for group in dict.fromkeys(entry.group for entry in COMMANDS.values()):
        lines += ["", f"{group}:"]
        lines += [
            f"  {calls[name]:<{width}}  {entry.summary}"
            for name, entry in COMMANDS.items()
            if entry.group == group
        ]
    return "\n".join(lines)


def parse(arguments: Sequence[str]) -> Command:
    """The parsed command; `open` if the arguments name none."""
    name, rest = "open", list(arguments)
    if rest and rest[0] in COMMANDS:
        name, rest = rest[0], rest[1:]
    elif rest:
        refuse_misspelt(rest[0])
    if name == "open" and len(rest) < 2 and not any(word.startswith("-") for word in rest):
        return Window(rest[0] if rest else None)  # loading the parser would delay it
    kind = load(name)
    import tyro  # the list of commands does without

    started: dict[str, Any] = {}
    if name in ("train", "ablate"):
        from streamstgs.cli.train import options_of_recipe

        started = options_of_recipe(kind, rest)
    return tyro.cli(kind, prog=f"streamstgs {name}", args=rest, **started)


def refuse_misspelt(word: str) -> None:
    """Raise UsageError for a word that is nearly a command and names no file."""
    close = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.7)
    if close and not Path(word).exists():
        raise UsageError(f"no command and no scene is called {word!r}; did you mean {close[0]!r}?")


def is_expected(error: Exception) -> bool:
    """True if the message of an error is written for the user, so that no traceback is needed."""
    trees = [
        ("streamstgs.codec.errors", "CodecError"),
        ("streamstgs.renderer.errors", "RenderError"),
        ("streamstgs.trainer.errors", "TrainerError"),
        ("streamstgs.app.player.errors", "PlayerError"),
    ]
    # A package that was never imported cannot have raised the error.
    loaded = [getattr(sys.modules[m], name) for m, name in trees if m in sys.modules]
    return isinstance(error, (UsageError, OSError, *loaded))


def prepare_process() -> None:
    """Set what has to be set before torch is loaded, and start the log on standard error."""
    # Threads of torch that wait for work by spinning take the cores from those that have some.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A thread back from native code gets its turn after this long, not after 5 ms: decoding and
    # drawing go through many short native calls while another thread runs Python.
    sys.setswitchinterval(0.0005)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    prepare_process()
    try:
        if arguments and arguments[0] in ("-h", "--help"):
            print(overview())
            return 0
        if arguments and arguments[0] in ("-V", "--version"):
            print(f"streamstgs {installed_version() or '(not installed)'}")
            return 0
        command = parse(arguments)
        if isinstance(command, Window):  # the window's event loop handles signals
            return end_safely(command.run())
        interrupt_on_signals()
        return command.run()
    except KeyboardInterrupt as interrupt:
        stop_reminding()
        say(" ".join(["Interrupted.", *getattr(interrupt, "__notes__", [])]))
        return 128 + (interrupt.args[0] if interrupt.args else signal.SIGINT)
    except BrokenPipeError:  # as in `streamstgs info SCENE | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if not is_expected(error):
            raise
        say(f"streamstgs: {one_line(error)}")
        return 2 if isinstance(error, UsageError) else 1
    finally:
        stop_reminding()
