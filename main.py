"""The one entry point: `main.py` opens the bundled scene, `main.py -h` lists the commands.

Each command is a frozen dataclass of its arguments with a `run` method. What a command needs is
imported when it runs, so that `info` or `serve` start fast and need no Qt.
"""

import dataclasses
import difflib
import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import tyro

from app.console import ProgressLine, one_line, print_figures, say, write_figures

BUNDLED_SCENE = Path(__file__).resolve().parent / "assets" / "tokyo.stgs"
PREVIEWS = Path("renders")


def option(metavar: str, meaning: str, default: str) -> Any:
    """An option that may be left out; `default` says what happens then."""
    return tyro.conf.arg(metavar=metavar, help=meaning, help_behavior_hint=f"(default: {default})")


SceneArgument = Annotated[
    str,
    tyro.conf.Positional,
    tyro.conf.arg(metavar="SCENE", help="A .stgs, a directory or an URL."),
]
OutputOption = Annotated[Path, tyro.conf.arg(metavar="PATH", aliases=["-o"])]
TrainedOption = Annotated[
    Path | None,
    option("RUN", "Compare training cameras through the colours that this run fitted.", "as drawn"),
]
BackendOption = Annotated[
    str | None, option("NAME", "gsplat, opengl, cpu or reference.", "the best here")
]
SizeOption = Annotated[str | None, option("WxH", "Size of the picture, px.", "that of the capture")]
FramesOption = Annotated[
    str | None, option("A:B:STEP", "Content frames, as a slice in Python.", "all")
]
RungOption = Annotated[int | None, option("QP", "Quality of the feature video.", "the best")]
JsonOption = Annotated[Path | None, option("FILE", "Write the figures here as JSON.", "not")]
SheetOption = Annotated[
    Path | None, option("FILE.png", "Write ground truth, picture and error x 4 here.", "not")
]
RungsOption = Annotated[str | None, option("QP,QP|all", "Which qualities.", "the best")]
PlotOption = Annotated[
    Path | None, option("FILE.png", "Draw PSNR over bytes per frame here.", "not")
]
CompareOption = Annotated[
    Path | None, option("FILE.json", "Compare rates with the figures of another scene.", "not")
]
MetaOption = Annotated[str | None, option("TEXT", "Said of the scene.", "as the run has it")]


class UsageError(ValueError):
    """The command line does not make sense; the message says why."""


class Command(Protocol):
    """The parsed arguments of one command."""

    def run(self) -> int:
        """Do the work; returns the exit status."""
        ...


@dataclasses.dataclass(frozen=True)
class Open:
    """Open the window on a scene; without SCENE on the bundled one. This is what happens when no
    command is named. Without a display a short film is made instead."""

    scene: Annotated[
        str | None,
        tyro.conf.Positional,
        option("[SCENE]", "A .stgs, a directory or an URL.", "the bundled one"),
    ] = None
    backend: BackendOption = None
    no_cache: tyro.conf.FlagCreatePairsOff[bool] = False
    """Keep nothing of fetched scenes on disk."""

    def run(self) -> int:
        from app.display import DisplayProbe
        from app.player.early_start import load_meanwhile

        probe = DisplayProbe()
        location = self.scene or bundled_scene()
        gc.disable()  # loading leaves nothing to collect; the window switches it on again
        load_meanwhile()  # the probe takes as long
        problem = probe.problem()
        if problem is not None:
            gc.enable()
            return preview(location, self.backend, problem)
        from app.ui.application import WindowSettings, run

        return run(location, WindowSettings(self.backend, keeps_fetched=not self.no_cache))


def bundled_scene() -> str:
    """Where the scene that travels with the program lies."""
    if not BUNDLED_SCENE.exists():
        raise UsageError(f"the bundled scene {BUNDLED_SCENE} is missing; name one: main.py SCENE")
    return str(BUNDLED_SCENE)


def preview(location: str, backend: str | None, problem: str) -> int:
    """What a machine without a display gets instead of the window."""
    from app.player.headless import render_preview

    say(f"No window: {problem}. Rendering an orbit of the playing scene instead.")
    for path in render_preview(location, PREVIEWS, backend):
        print(path)
    return 0


@dataclasses.dataclass(frozen=True)
class Info:
    """Say what is in a scene."""

    scene: SceneArgument
    json: tyro.conf.FlagCreatePairsOff[bool] = False
    """Print JSON to standard output."""

    def run(self) -> int:
        from codec.info import describe
        from codec.scene import open_scene

        with open_scene(self.scene) as scene:
            facts = describe(scene)
        print_figures(facts if self.json else with_short_rungs(facts), as_json=self.json)
        return 0


def with_short_rungs(facts: dict[str, Any]) -> dict[str, Any]:
    """One line per rung for people; JSON has its bytes by part."""
    shown = {name: value for name, value in facts.items() if name != "rungs"}
    for rung in facts["rungs"]:
        shown[f"QP {rung['qp']}"] = (
            f"{rung['codec']}, {rung['bytes_per_frame']['total'] / 1000:.1f} kB per frame, "
            f"{rung['bitrate_bps'] / 1e6:.2f} Mbit/s"
        )
    return shown


def load_train() -> type[Command]:
    """The settings of the trainer, with the words of the command line for its two folders."""
    from trainer.config import TrainConfig

    @dataclasses.dataclass(frozen=True)
    class Train(TrainConfig):
        """Train a scene from calibrated multi-view video. A run that was stopped is resumed."""

        data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
        out: Annotated[OutputOption, tyro.conf.arg(name="output", metavar="RUN")]
        recipe: Literal["default", "paper"] = "default"
        """Settings to start from: the best we have, or the paper's method and nothing more. Any
        of them can be changed beside it."""

        def run(self) -> int:
            from trainer.train import train

            logging.getLogger("trainer").setLevel(logging.INFO)
            train(train_config(self))
            return 0

    return Train


def train_config(command: Any) -> Any:
    """The trainer's part of a command: of a class that worker processes know."""
    from trainer.config import TrainConfig

    return TrainConfig(
        **{f.name: getattr(command, f.name) for f in dataclasses.fields(TrainConfig)}
    )


def load_ablate() -> type[Command]:
    """The settings of the trainer, and of the ablation, for the command line."""
    from trainer.ablation.ablate import AblationConfig
    from trainer.config import TrainConfig

    @dataclasses.dataclass(frozen=True)
    class Ablate(TrainConfig):
        """Switch off one part of the method at a time, and write the table of what that costs.
        What was stopped is resumed; finished rows are kept."""

        data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
        out: Annotated[OutputOption, tyro.conf.arg(name="output", metavar="DIR")]
        recipe: Literal["default", "paper"] = "default"
        """What the full row is: the best we have, or the paper's method and nothing more."""
        ablation: Annotated[AblationConfig, tyro.conf.arg(name="")] = dataclasses.field(
            default_factory=AblationConfig
        )

        def run(self) -> int:
            from trainer.ablation.ablate import ablate
            from trainer.ablation.table import markdown

            logging.getLogger("trainer").setLevel(logging.INFO)
            command = " ".join(["main.py", *sys.argv[1:]])
            print(markdown(ablate(train_config(self), self.ablation, command)))
            return 0

    return Ablate


def load_encode() -> type[Command]:
    from codec.encoder_config import EncoderConfig

    @dataclasses.dataclass(frozen=True)
    class Settings(EncoderConfig):
        keep_codes: tyro.conf.Suppress[bool] = False  # only a caller in Python can use the codes

    @dataclasses.dataclass(frozen=True)
    class Encode:
        """Write a trained run as a scene package."""

        trained: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
        """The run directory that `train` wrote."""
        output: Annotated[OutputOption, tyro.conf.arg(metavar="SCENE")]
        """Where to: a .stgs file, or a directory for a web server."""
        title: MetaOption = None
        licence: MetaOption = None
        attribution: MetaOption = None
        encoder: Annotated[Settings, tyro.conf.arg(name="")] = Settings()

        def run(self) -> int:
            from codec.encoder import encode_scene
            from trainer.run_directory import load_run

            named = {"title": self.title, "licence": self.licence, "attribution": self.attribution}
            source = load_run(self.trained, **{k: v for k, v in named.items() if v is not None})
            report = encode_scene(source, self.output, self.encoder, ProgressLine())
            for qp in self.encoder.rungs:
                print(
                    f"QP {qp}: {report.bytes_per_frame(qp) / 1000:.1f} kB per frame, "
                    f"features {report.rung_psnr_db[qp]:.1f} dB"
                )
            print(f"{self.output}: {report.total_bytes / 1e6:.2f} MB")
            return 0

    return Encode


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Decode a scene, draw it, and compare it with the capture that it was trained from."""

    scene: SceneArgument
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    """The folder of the capture."""
    cameras: Literal["test", "train", "all"] = "test"
    """Which of its cameras; those of `test` were kept out of the training."""
    frames: FramesOption = None
    train_step: int = 5
    """Of the training cameras, every so many of the frames."""
    rungs: RungsOption = None
    backend: BackendOption = None
    json: JsonOption = None
    sheet: SheetOption = None
    plot: PlotOption = None
    compare: CompareOption = None
    trained: TrainedOption = None

    def run(self) -> int:
        from trainer.evaluation.evaluate import EvaluateConfig, evaluate
        from trainer.evaluation.text import for_people

        logging.getLogger("trainer").setLevel(logging.INFO)
        rungs = parse_rungs(self.rungs) if self.rungs else None
        for rung in rungs or ():
            chosen_frames(self.scene, None, rung)
        figures = evaluate(
            EvaluateConfig(
                self.scene,
                self.data,
                self.cameras,
                chosen_frames(self.scene, self.frames, None),
                self.train_step,
                rungs,
                self.backend,
                self.sheet,
                self.plot,
                self.compare,
                run=self.trained,
            )
        )
        write_figures(self.json, figures)
        print_figures(for_people(figures), as_json=False)
        return 0


@dataclasses.dataclass(frozen=True)
class Bench:
    """Measure how fast a scene is decoded, moved, drawn, presented and played here."""

    scene: SceneArgument
    backend: BackendOption = None
    size: Annotated[str, option("WxH", "Size of the picture, px.", "1280x720")] = "1280x720"
    rung: RungOption = None
    json: JsonOption = None

    def run(self) -> int:
        from rich.console import Console

        from app.player.bench import BenchSettings, bench
        from app.player.bench_table import bench_table

        chosen_frames(self.scene, None, self.rung)
        settings = BenchSettings(rung=self.rung)
        figures = bench(self.scene, self.backend, parse_size(self.size), settings)
        write_figures(self.json, figures)
        Console().print(bench_table(figures))
        return 0


@dataclasses.dataclass(frozen=True)
class Render:
    """Write a film or a picture of a scene, without a window."""

    scene: SceneArgument
    camera: Annotated[str, tyro.conf.arg(metavar="orbit|PRESET|FILE.json")]
    """An orbit, a camera of the scene by its name, or a file with a camera path."""
    output: OutputOption
    """An .mp4 or a .png."""
    size: SizeOption = None
    frames: FramesOption = None
    rung: RungOption = None
    backend: BackendOption = None

    def run(self) -> int:
        from app.player.headless import render_scene

        frames = chosen_frames(self.scene, self.frames, self.rung)
        size = parse_size(self.size) if self.size else None
        report = render_scene(
            self.scene, self.camera, self.output, size, self.backend, self.rung, frames
        )
        say(f"{report.pictures} pictures of {size_text(report.size)} px by {report.reason}")
        print(report.path)
        return 0


def chosen_frames(location: str, frames: str | None, rung: int | None) -> Sequence[int] | None:
    """The content frames that `start:stop:step` means in a scene; None for all of them.

    Raises:
        UsageError: the scene has no such rung.
    """
    if frames is None and rung is None:
        return None
    from app.player.headless import parse_frames
    from codec.scene import open_scene

    with open_scene(location) as scene:
        if rung is not None and rung not in scene.rungs:
            known = ", ".join(map(str, scene.rungs))
            raise UsageError(f"the scene has no rung QP {rung}; it has {known}")
        return None if frames is None else parse_frames(frames, scene.frame_count)


def parse_rungs(text: str) -> list[int]:
    """`16,24` -> [16, 24]; `all` -> an empty list, which stands for all."""
    parts = [] if text.strip().lower() == "all" else text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"{text!r} names no rungs; write QPs such as 16,24, or all")
    return [int(part) for part in parts]


def parse_size(text: str) -> tuple[int, int]:
    """`1280x720` -> (1280, 720)."""
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"{text!r} is no size; write WIDTHxHEIGHT, such as 1280x720")
    return int(width), int(height)


def size_text(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@dataclasses.dataclass(frozen=True)
class Serve:
    """Serve a directory of scenes over HTTP, for trying out streaming."""

    directory: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    host: str = "127.0.0.1"
    port: int = 8000
    throttle: Annotated[
        Path | None, option("TRACE.json", "Play a recorded network before the server.", "not")
    ] = None

    def run(self) -> int:
        from codec.serve import serve

        serve(self.directory, self.host, self.port, self.throttle)
        return 0


@dataclasses.dataclass(frozen=True)
class Doctor:
    """Say what this machine can do, and what is missing."""

    def run(self) -> int:
        from app.doctor import examine

        return examine()


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line of the list of commands.

    Args:
        usage: the arguments as the list shows them.
        summary: what the command does.
        load: gives the dataclass of its arguments; imports the settings that it composes.
    """

    usage: str
    summary: str
    load: Callable[[], type[Command]]


COMMANDS = {
    "open": Entry("[SCENE]", "open the window (also without the word `open`)", lambda: Open),
    "info": Entry("SCENE [--json]", "say what is in a scene", lambda: Info),
    "train": Entry("DATA -o RUN", "train a scene from multi-view video", load_train),
    "ablate": Entry("DATA -o DIR", "train with one part of the method off at a time", load_ablate),
    "encode": Entry("RUN -o SCENE", "write a trained run as a scene", load_encode),
    "render": Entry("SCENE --camera C -o FILE", "write a film or a picture", lambda: Render),
    "evaluate": Entry("SCENE --data DIR", "compare with cameras kept out", lambda: Evaluate),
    "bench": Entry("SCENE", "measure the speed on this machine", lambda: Bench),
    "serve": Entry("DIR", "serve a directory of scenes over HTTP", lambda: Serve),
    "doctor": Entry("", "say what this machine can do, and what is missing", lambda: Doctor),
}


def overview() -> str:
    """What `main.py -h` prints."""
    rows = [(f"{name} {entry.usage}".strip(), entry.summary) for name, entry in COMMANDS.items()]
    width = max(len(call) for call, _ in rows)
    lines = [f"  {call:<{width}}  {summary}" for call, summary in rows]
    return "\n".join(
        [
            "usage: main.py [SCENE]               open the window; the bundled scene without SCENE",
            "       main.py COMMAND [ARGUMENTS]",
            "       main.py COMMAND -h            all options of a command",
            "",
            "SCENE is a .stgs file, a scene directory or an URL. Commands:",
            "",
            *lines,
        ]
    )


def parse(arguments: Sequence[str]) -> Command:
    """The command that the arguments name; `open` where they name none."""
    name, rest = "open", list(arguments)
    if rest and rest[0] in COMMANDS:
        name, rest = rest[0], rest[1:]
    elif rest:
        refuse_misspelt(rest[0])
    kind = COMMANDS[name].load()
    started = options_of_recipe(kind, rest) if name in ("train", "ablate") else {}
    return tyro.cli(kind, prog=f"main.py {name}", args=rest, **started)


def options_of_recipe(kind: Callable[..., Any], arguments: Sequence[str]) -> dict[str, Any]:
    """What the options start from if the arguments name a recipe, as tyro wants to be told."""
    words = " ".join(arguments).replace("--recipe=", "--recipe ").split(" ")
    if "--recipe" not in words[:-1]:
        return {}
    from trainer.recipes import RECIPES

    name = words[words.index("--recipe") + 1]
    if name not in RECIPES:
        return {}  # tyro says which there are
    settings = RECIPES[name](tyro.MISSING, tyro.MISSING)
    return {"default": kind(**vars(settings), recipe=name)}


def refuse_misspelt(word: str) -> None:
    """A word that is nearly a command and no file is not taken for a scene."""
    close = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.7)
    if close and not Path(word).exists():
        raise UsageError(f"no command and no scene is called {word!r}; did you mean {close[0]!r}?")


def is_expected(error: Exception) -> bool:
    """Whether the message of an error is meant for the person: no traceback then."""
    trees = [
        ("codec.errors", "CodecError"),
        ("renderer.errors", "RenderError"),
        ("trainer.errors", "TrainerError"),
        ("app.player.errors", "PlayerError"),
    ]
    # A package that was never imported cannot have raised the error.
    loaded = [getattr(sys.modules[m], name) for m, name in trees if m in sys.modules]
    return isinstance(error, (UsageError, OSError, *loaded))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    # Threads of torch that wait for work by spinning take the cores from those that have some.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A thread back from native code gets its turn after this long, not after 5 ms: decoding and
    # drawing go through many short native calls while another thread runs Python.
    sys.setswitchinterval(0.0005)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        if arguments and arguments[0] in ("-h", "--help"):
            print(overview())
            return 0
        return parse(arguments).run()
    except KeyboardInterrupt:
        say("Interrupted.")
        return 130
    except BrokenPipeError:  # whoever read the results has seen enough (`main.py info X | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if not is_expected(error):
            raise
        say(f"main.py: {one_line(error)}")
        return 2 if isinstance(error, UsageError) else 1


if __name__ == "__main__":
    sys.exit(main())
