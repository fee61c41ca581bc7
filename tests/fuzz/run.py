"""Runs mutants in worker processes and counts how they end."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
HANG_S = 20.0  # of processor time for one mutant; most take milliseconds
MEMORY_BYTES = 6 << 30  # of address space for a worker; libraries alone map about 3 GiB
FINDINGS_MAX = 50


class Hang(BaseException):
    """A mutant took longer than HANG_S."""


@dataclass
class Report:
    """How the mutants of a family ended.

    Args:
        refused: by an error of our own.
        accepted: read to the end.
        foreign: by an exception that is none of ours.
        crashes: of the process; hangs: longer than HANG_S; memory: more than a worker may have.
        peak_mib: of a worker's resident memory above that before its first mutant.
        findings: seed and kind of what should not have happened.
    """

    family: str
    mutants: int = 0
    refused: int = 0
    accepted: int = 0
    foreign: int = 0
    crashes: int = 0
    hangs: int = 0
    memory: int = 0
    peak_mib: float = 0.0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.foreign or self.crashes or self.hangs or self.memory)

    def count(self, outcome: str, seed: int, detail: str = "") -> None:
        self.mutants += 1
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome not in ("refused", "accepted") and len(self.findings) < FINDINGS_MAX:
            self.findings.append(f"{outcome} {seed} {detail}".strip())


def fuzz(family: str, first_seed: int, mutants: int, seconds: float) -> Report:
    """Run mutants of a family until there are enough or the time is over."""
    report, started_s, seed = Report(family), time.monotonic(), first_seed
    while seed < first_seed + mutants and time.monotonic() - started_s < seconds:
        left_s = seconds - (time.monotonic() - started_s)
        seed = _run_worker(report, seed, first_seed + mutants, left_s)
    report.seconds = time.monotonic() - started_s
    return report


def _run_worker(report: Report, seed: int, end: int, seconds: float) -> int:
    """Let a worker go on from a seed until it ends or dies; returns the next seed."""
    command = [sys.executable, "-m", "tests.fuzz", "--worker", report.family, str(seed), str(end)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # mutants are too small to share
    with subprocess.Popen(
        [*command, str(seconds)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as worker:
        assert worker.stdout is not None
        with _watchdog(worker) as alive:
            for line in worker.stdout:
                alive()
                said = json.loads(line)
                report.peak_mib = max(report.peak_mib, said["peak_mib"])
                report.count(said["outcome"], said["seed"], said.get("detail", ""))
                seed = said["seed"] + 1
        worker.wait()
        if worker.returncode in (-signal.SIGKILL, -signal.SIGTERM):
            report.count("hangs", seed)
            seed += 1
        elif worker.returncode:
            report.count("crashes", seed, f"status {worker.returncode}")
            seed += 1
    return seed


@contextlib.contextmanager
def _watchdog(worker: subprocess.Popen[bytes]):  # type: ignore[no-untyped-def]
    """Kills a worker that says nothing for too long: native code does not hear the signal, and
    waiting takes no processor time."""
    import threading

    latest_s, done = time.monotonic() + 60, threading.Event()  # libraries load at first

    def alive() -> None:
        nonlocal latest_s
        latest_s = time.monotonic()

    def watch() -> None:
        while not done.wait(1.0):
            if time.monotonic() - latest_s > 2 * HANG_S:
                worker.kill()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield alive
    finally:
        done.set()


def work(family: str, seed: int, end: int, seconds: float) -> None:
    """The worker: one line of JSON for each mutant."""
    from tests.fuzz.families import FAMILIES

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    made = FAMILIES[family]()
    with contextlib.suppress(Exception):  # it is counted below, when it is read again
        made.read(made.make(Random(seed)))  # loads libraries before memory is measured
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.signal(signal.SIGPROF, _raise_hang)
    started_s = time.monotonic()
    while seed < end and time.monotonic() - started_s < seconds:
        signal.setitimer(signal.ITIMER_PROF, HANG_S)
        said = {"seed": seed, **outcome_of(family, seed)}
        signal.setitimer(signal.ITIMER_PROF, 0)
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps(said | {"peak_mib": (peak_kib - before_kib) / 1024}), flush=True)
        seed += 1


def _raise_hang(number: int, frame: object) -> None:
    raise Hang


def outcome_of(family: str, seed: int) -> dict[str, str]:
    """How the mutant of a seed ends, in this process."""
    from tests.fuzz.families import FAMILIES

    made = FAMILIES[family]()
    mutant = made.make(Random(seed))
    try:
        made.read(mutant)
    except made.expected:
        return {"outcome": "refused"}
    except Hang:
        return {"outcome": "hangs"}
    except MemoryError:
        return {"outcome": "memory"}
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return {"outcome": "foreign", "detail": f"{type(error).__name__} at {where}: {error}"[:200]}
    return {"outcome": "accepted"}


def table(reports: list[Report]) -> str:
    """A Markdown table of reports."""
    names = ("mutants", "refused", "accepted", "foreign", "crashes", "hangs", "memory")
    rows = [
        "| family | " + " | ".join(names) + " | peak MiB |",
        "|---|" + "---|" * (len(names) + 1),
    ]
    for report in reports:
        values = " | ".join(f"{getattr(report, name):,}" for name in names)
        rows.append(f"| {report.family} | {values} | {report.peak_mib:.0f} |")
    return "\n".join(rows)


def write(reports: list[Report], path: Path) -> None:
    path.write_text(json.dumps([asdict(r) for r in reports], indent=1) + "\n", encoding="utf-8")
