"""Fixtures of all tests. Tests that need a display or a GPU are skipped with the reason."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamstgs.app.display import DisplayProbe

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Where the full captures lie; they are too large to travel with the tests."""
    folder = Path(os.environ.get("STGS_DATA", DATA))
    if not folder.is_dir():
        pytest.skip(f"no captures at {folder} (STGS_DATA names another folder)")
    return folder


@pytest.fixture(scope="session")
def tiny_capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The capture of `tests.capture_scene`, written once; not to be changed."""
    from tests.capture_scene import single_thread, write_capture

    with single_thread():
        return write_capture(tmp_path_factory.mktemp("capture"))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the cache of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def no_remembered_throughput(own_cache: None) -> None:
    """A test does not start at the throughput that an earlier one had from the same host."""
    for file in Path(os.environ["XDG_CACHE_HOME"]).rglob("throughput-*.json"):
        file.unlink(missing_ok=True)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For tensors of a few hundred numbers, too little to share between threads."""
    from tests.capture_scene import single_thread

    with single_thread():
        yield


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in the background like that, and children inherit it: commands
        # that tests start could not be interrupted.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        kernels = tempfile.TemporaryDirectory()  # the processes compile each kernel once
        os.environ["NUMBA_CACHE_DIR"] = kernels.name
        config.add_cleanup(kernels.cleanup)
    elif os.environ.get("STGS_TEST_SCREENS"):
        config.add_cleanup(screen_of_its_own())


def screen_of_its_own() -> Callable[[], None]:
    """Open the windows of this process on a screen in memory; returns what ends that.

    On one screen the windows of several processes would cover each other and take the focus.
    """
    numbers, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    command.append("-noreset")  # a program that connects while the last one leaves is turned away
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with open(numbers) as answer:
        os.environ["DISPLAY"] = f":{int(answer.readline())}"

    def end() -> None:
        process.terminate()
        process.wait()

    return end


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip marked tests that this machine cannot run; asks only when there are such tests."""
    for mark, ask in (("window", window_problem), ("gpu", gpu_problem)):
        marked = [item for item in items if item.get_closest_marker(mark)]
        problem = ask() if marked else None
        if problem is not None:
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=problem))


def window_problem() -> str | None:
    problem = DisplayProbe().problem()
    return None if problem is None else f"{problem} (xvfb-run gives tests a display)"


def gpu_problem() -> str | None:
    import torch

    if not torch.cuda.is_available():
        return "no CUDA device"
    return None if find_spec("gsplat") else "gsplat is not installed"
