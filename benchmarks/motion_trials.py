"""Runs named trials of training settings, one on each device, and keeps small figures of them.

    python -m benchmarks.motion_trials --list
    python -m benchmarks.motion_trials --data CAPTURE --out DIR --gops 1 --shorten 0.5
    python -m benchmarks.motion_trials --data CAPTURE --out DIR --run base ghosts-move

Each trial is the default recipe with a few options changed: it trains the chosen GOPs, encodes
them, decodes them and compares them with the capture. Trials of the same coarse stage share it. A
trial that was stopped goes on from its checkpoint when the call is made again; a finished one is
not run again. DIR/summary.json holds the figures of all finished trials, what moves first.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

AUXILIARY = ("--gop.auxiliary.enabled", "--gop.auxiliary.batch-size", "8192")
TRIALS: dict[str, tuple[str, tuple[str, ...]]] = {
    "base": ("as it is", ()),
    "ghosts-move": (
        "static Gaussians in the motion hull of a quarter of the frames move",
        ("--joint.ghost-share", "0.25"),
    ),
    "ghosts-stay": (
        "static Gaussians stay static",
        ("--joint.ghost-share", "0"),
    ),
    "ghosts-fade": (
        "static Gaussians in motion hulls are pressed on",
        ("--joint.ghost-opacity-reg", "0.02"),
    ),
    "ghosts-both": (
        "both",
        ("--joint.ghost-share", "0.25", "--joint.ghost-opacity-reg", "0.02"),
    ),
    "joint-4000": ("4,000 joint steps", ("--joint.iterations", "4000")),
    "joint-6000-fade": (
        "6,000 joint steps, and ghosts are pressed on",
        ("--joint.iterations", "6000", "--joint.ghost-opacity-reg", "0.02"),
    ),
    "ghosts-move-4": (
        "the same from one sample frame on",
        ("--joint.ghost-share", "0.04"),
    ),
    "falling-rates": (
        "learning rates of all attributes fall",
        ("--gop.attributes-lr-final", "0.05"),
    ),
    "higher-rates": (
        "higher learning rates of the attributes, which fall",
        (
            "--gop.attributes-lr-final", "0.05", "--gop.colors-lr", "0.01", "--gop.scales-lr",
            "0.015", "--gop.quats-lr", "0.004", "--gop.means-lr", "4e-4", "--gop.means-lr-final",
            "4e-6",
        ),
    ),
    "no-mse": ("no squared error", ("--gop.mse-lambda", "0")),
    "mse-30": ("three times the weight of the squared error", ("--gop.mse-lambda", "30")),
    "fast-points": ("a fifth of the points on fast things", ("--gop.fast-share", "0.2")),
    "more": ("more Gaussians", ("--gop.init-count", "75000", "--gop.density.cap-max", "150000",
                                "--gop.density.cap-per-pixel", "6")),
    "longer-lives": ("8 sample frames", ("--gop.sample-frames", "8")),
    "shorter-lives": ("30 sample frames", ("--gop.sample-frames", "30")),
    "more-views": ("four images a step", ("--gop.batch-size", "4")),
    "wider-field": ("a field of width 128", ("--gop.width", "128")),
    "more-features": ("16 features", ("--gop.features", "16")),
    "faster-features": (
        "twice the learning rates of features and field",
        ("--gop.features-lr", "0.01", "--gop.field-lr", "0.002"),
    ),
    "freer-features": ("a fifth of L_temp", ("--gop.temporal-reg", "0.03")),
    "early-field": ("the field starts at a tenth", ("--gop.field-start", "0.1")),
    "less-opacity-reg": ("a fifth of L_o", ("--gop.opacity-reg", "0.001")),
    "less-static-reg": ("a fifth of L_static", ("--gop.static-alpha-reg", "0.2")),
    "high": ("twice as many moving Gaussians and steps", ("--quality", "high")),
    "static-cap": ("more static Gaussians", ("--coarse.density.cap-per-pixel", "0.13")),
    "rounded-28": ("rounding as at QP 28", ("--gop.quantisation.enabled",)),
    "rounded-34": (
        "rounding as at QP 34",
        ("--gop.quantisation.enabled", "--gop.quantisation.qp", "34"),
    ),
    "auxiliary-two-way": (
        "auxiliary pass, L_sd as printed in the paper",
        (*AUXILIARY, "--gop.auxiliary.two-way"),
    ),
    "auxiliary-late": (
        "auxiliary pass of the second half, bounded, heads from L_c alone",
        (
            *AUXILIARY, "--gop.auxiliary.residual-bound", "0.5", "--gop.auxiliary.no-trains-heads",
            "--gop.auxiliary.start", "0.5", "--gop.auxiliary.no-two-way",
        ),
    ),
    "error-frames": ("half of the frames by error", ("--gop.sampling.error-share", "0.5")),
    "boundaries": ("a tenth of the frames at boundaries", ("--gop.sampling.boundary-share", "0.1")),
    "standing-held": (
        "what is always there keeps its geometry",
        ("--gop.standing-rate", "0"),
    ),
    "standing-slow": ("a tenth of its geometry's steps", ("--gop.standing-rate", "0.1")),
    "early-opacity": ("opacity is held back early", ("--gop.early-opacity-reg", "0.01")),
    "moving-l1": ("L1 of what moves", ("--gop.moving-l1", "0.25")),
}  # fmt: skip
FIGURES = ("moving_psnr", "moving_psnr_p10", "psnr", "moving_ssim", "ssim")
STOPPED_S = 20.0  # a process that was told to end is killed after this


@dataclass(frozen=True)
class Options:
    """What to run.

    Args:
        data: folder of the capture.
        out: folder of all results.
        run: names of trials, in the order in which they run; none means all.
        list: print the trials and end.
        gops: GOPs of the capture that each trial trains.
        shorten: share of the iterations of the fine stage.
        qp: QP that is encoded and compared.
        frame_step: distance of the frames that are compared.
        devices: devices, such as cuda:0; none means all GPUs, or the CPU.
        processes: trials side by side on each device.
        limit_s: seconds that one trial may take in this call.
        deadline_s: seconds after which all trials of this call are stopped.
        extra: options of `train` that hold for all trials, as one text.
        worker: internal; run the first of `run`, or its coarse stage, in this process.
    """

    data: Path = Path("capture")
    out: Path = Path("trials")
    run: tuple[str, ...] = ()
    list: bool = False
    gops: tuple[int, ...] = (0,)
    shorten: float = 1.0
    qp: int = 28
    frame_step: int = 4
    devices: tuple[str, ...] = ()
    processes: int = 1
    limit_s: float = 1e9
    deadline_s: float = 1e9
    extra: str = ""
    worker: Literal["", "coarse", "trial"] = ""


@dataclass(frozen=True)
class Work:
    """One process: the coarse stage that trials share, or a trial.

    Args:
        part: "coarse" or "trial".
        name: of the trial, or of one that has the coarse stage.
    """

    part: str
    name: str


@dataclass
class Runner:
    """Runs work in processes, one at a time in each slot."""

    options: Options
    slots: Sequence[str]
    started_s: float = field(default_factory=time.monotonic)

    def left_s(self) -> float:
        """Seconds of the call that are left."""
        return self.options.deadline_s - (time.monotonic() - self.started_s)

    def run(self, works: Sequence[Work]) -> None:
        """Run all, in their order, as slots get free; returns when none runs any more."""
        waiting: SimpleQueue[Work] = SimpleQueue()
        for work in works:
            waiting.put(work)
        with ThreadPoolExecutor(len(self.slots)) as threads:
            for job in [threads.submit(self._serve, slot, waiting) for slot in self.slots]:
                job.result()

    def _serve(self, device: str, waiting: SimpleQueue[Work]) -> None:
        while self.left_s() > 0:
            try:
                work = waiting.get_nowait()
            except Empty:
                return
            self._run_one(work, device)

    def _run_one(self, work: Work, device: str) -> None:
        options, began_s = self.options, time.monotonic()
        arguments = [
            sys.executable, "-m", "benchmarks.motion_trials", "--data", str(options.data),
            "--out", str(options.out), "--run", work.name, "--worker", work.part,
            "--gops", *map(str, options.gops), "--shorten", str(options.shorten),
            "--qp", str(options.qp), "--frame-step", str(options.frame_step),
            "--devices", device, f"--extra={options.extra}",
        ]  # fmt: skip
        options.out.mkdir(parents=True, exist_ok=True)
        log = options.out / f"{work.name}-{work.part}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT)
            try:
                status = process.wait(timeout=max(min(options.limit_s, self.left_s()), 1.0))
                ended = "done" if status == 0 else f"failed with status {status}, see {log}"
            except subprocess.TimeoutExpired:
                process.terminate()
                ended = "stopped at its limit"
                try:
                    process.wait(timeout=STOPPED_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        seconds = time.monotonic() - began_s
        print(f"{work.part} of {work.name} on {device}: {ended}, {seconds:.0f} s", flush=True)


def main(options: Options) -> int:
    unknown = sorted(set(options.run) - set(TRIALS))
    if unknown:
        print(f"There is no trial {unknown[0]!r}; --list prints the trials.", file=sys.stderr)
        return 2
    if options.list:
        for name, (title, changes) in TRIALS.items():
            print(f"{name:<18} {title}: {' '.join(changes) or 'no changes'}")
        return 0
    if options.worker:
        logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
        logging.getLogger("streamstgs.trainer").setLevel(logging.INFO)
        parts: dict[str, Callable[[Options, str], None]]
        parts = {"coarse": train_coarse, "trial": run_trial}
        parts[options.worker](options, options.run[0])
        return 0
    chosen = list(options.run or TRIALS)
    runner = Runner(options, slots_of(options))
    todo = [name for name in chosen if not result_path(options, name).exists()]
    runner.run([Work("coarse", name) for name in missing_coarse(options, todo)])
    runner.run([Work("trial", name) for name in todo])
    results = [json.loads(p.read_text()) for p in sorted(options.out.glob("*/trial.json"))]
    (options.out / "summary.json").write_text(json.dumps(results, indent=1))
    Console(width=150).print(table_of(results))
    return 0 if all(result_path(options, name).exists() for name in chosen) else 1


def slots_of(options: Options) -> list[str]:
    """Device of each slot."""
    devices = list(options.devices)
    if not devices:
        from streamstgs.trainer.parallel import training_devices

        devices = [str(device) for device in training_devices("auto")]
    return devices * options.processes


def result_path(options: Options, name: str) -> Path:
    return options.out / name / "trial.json"


def settings_of(options: Options, name: str) -> Any:
    """The settings (`TrainConfig`) of a trial."""
    from streamstgs.cli.train import Train, options_of_recipe, train_config
    from streamstgs.trainer.ablation.rows import shortened

    arguments = [
        str(options.data), "-o", str(options.out / name), *TRIALS[name][1], *options.extra.split()
    ]  # fmt: skip
    command = tyro.cli(Train, args=arguments, **options_of_recipe(Train, arguments))
    return shortened(train_config(command), options.shorten)


def coarse_run(options: Options, name: str) -> Any:
    """Run directory of the coarse stage of a trial, which others of the same settings share."""
    from streamstgs.trainer.ablation.ablate import static_key
    from streamstgs.trainer.run_directory import RunDirectory

    return RunDirectory(options.out / f"coarse-{static_key(settings_of(options, name))}")


def missing_coarse(options: Options, names: Sequence[str]) -> list[str]:
    """One trial for each coarse stage that is not there yet."""
    needed = {coarse_run(options, name).path: name for name in reversed(names)}
    missing = [n for path, n in needed.items() if not (path / "coarse.safetensors").exists()]
    return sorted(missing, key=list(names).index)


def train_coarse(options: Options, name: str) -> None:
    """Train the coarse stage that a trial needs."""
    from streamstgs.trainer.coarse_stage import train_coarse_stage
    from streamstgs.trainer.datasets import open_capture
    from streamstgs.trainer.parallel import make_current, training_devices

    config = settings_of(options, name)
    capture = open_capture(config.data, config.capture)
    device = training_devices((options.devices or ("auto",))[0])[0]
    make_current(device)
    train_coarse_stage(config.coarse_stage(), capture, coarse_run(options, name), device)


def run_trial(options: Options, name: str) -> None:
    """Train, encode and compare one trial, and write its figures."""
    from streamstgs.trainer.ablation.row import Measuring, run_row
    from streamstgs.trainer.parallel import make_current, training_devices

    config, began_s = settings_of(options, name), time.monotonic()
    device = training_devices((options.devices or ("auto",))[0])[0]
    make_current(device)
    config = replace(config, device=str(device))
    measuring = Measuring(options.gops, (options.qp,), options.frame_step, None)
    row = run_row(config, True, coarse_run(options, name), measuring, device, static_layers=1)
    (quality,) = row["qualities"]
    result = {
        "trial": name,
        "title": TRIALS[name][0],
        "options": [*TRIALS[name][1], *options.extra.split()],
        "gops": options.gops,
        "shorten": options.shorten,
        "qp": options.qp,
        "seconds": round(time.monotonic() - began_s, 1),
        "gop_seconds": round(row["gop_seconds"], 1),
        "peak_memory_gib": row["peak_memory_gib"],
        "gaussians": row["gaussians"],
        "present_per_frame": present_per_frame(config.out, options.gops),
        "static_gaussians": row["static_gaussians"],
        "bytes_per_frame": {k: round(v) for k, v in quality["bytes_per_frame"].items()},
        **{split: chosen_figures(quality[split]) for split in ("test", "train")},
    }
    result_path(options, name).write_text(json.dumps(result, indent=1))


def present_per_frame(out: Path, gops: Sequence[int]) -> list[int]:
    """How many moving Gaussians of each GOP are there in a frame, in the mean over its frames."""
    from streamstgs.renderer.trajectories import present
    from streamstgs.trainer.run_directory import RunDirectory

    run = RunDirectory(out)
    trained = [run.read_gop(index) for index in gops]
    return [
        sum(len(present(g.canonical.at(f / g.frames).opacity_logits)) for f in range(g.frames))
        // g.frames
        for g in trained
    ]


def chosen_figures(split: dict[str, Any] | None) -> dict[str, Any] | None:
    """The figures of a split that trials are compared by."""
    if split is None:
        return None
    found = {name: None if split[name] is None else round(split[name], 4) for name in FIGURES}
    return found | {"moving_psnr_worst": split["moving_psnr_worst"]}


def table_of(results: Sequence[dict[str, Any]]) -> Table:
    """The trials, the best on what moves first."""
    heads = ("trial", "moving", "whole", "10th perc.", "worst", "train. cameras", "kB", "s")
    table = Table(*heads, box=box.MARKDOWN)
    for one in sorted(results, key=lambda r: -(r["test"]["moving_psnr"] or 0)):
        test, train = one["test"], one["train"] or {}
        worst = (test["moving_psnr_worst"] or {}).get("value")
        shown = (
            test["moving_psnr"], test["psnr"], test["moving_psnr_p10"], worst,
            train.get("moving_psnr"),
        )  # fmt: skip
        table.add_row(
            one["trial"],
            *("" if value is None else f"{value:.2f}" for value in shown),
            f"{one['bytes_per_frame']['total'] / 1000:.1f}",
            f"{one['seconds']:.0f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
