"""Parallel work: one process for each device, which takes the next item when it is free."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread

import torch
from streamstgs.trainer.errors import TrainerError
from streamstgs.trainer.progress import log


def training_devices(name: str) -> list[torch.device]:
    """The devices that "auto" or a device name stands for. Raises TrainerError."""
    count = torch.cuda.device_count()
    if name == "auto":
        return [torch.device("cuda", i) for i in range(count)] or [torch.device("cpu")]
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise TrainerError(f"{name!r} names no device; try cpu, cuda or cuda:1") from error
    if device.type != "cuda":
        return [device]
    index = device.index or 0
    if index >= count:
        raise TrainerError(f"there is no device {name}; torch finds {count} CUDA devices")
    return [torch.device("cuda", index)]


def make_current(device: torch.device) -> None:
    """Make a device the default of CUDA calls that name none."""
    if device.type == "cuda":
        torch.cuda.set_device(device)


def run_on_devices(
    work: Callable[[int, torch.device], None], items: list[int], devices: list[torch.device]
) -> None:
    """Do `work` on each item, in order, as devices get free; with several devices it must pickle.

    Raises:
        TrainerError: Raised by the work, or a process died. Items begun elsewhere are finished.
    """
    if len(devices) == 1:
        for item in items:
            work(item, devices[0])
        return
    waiting: SimpleQueue[int] = SimpleQueue()
    for item in items:
        waiting.put(item)
    with ThreadPoolExecutor(len(devices)) as threads:
        jobs = [threads.submit(_serve, device, work, waiting) for device in devices[: len(items)]]
        for job in jobs:
            job.result()


def _serve(
    device: torch.device, work: Callable[[int, torch.device], None], waiting: SimpleQueue[int]
) -> None:
    """Feeds the process of one device while items wait; runs in a thread of its own."""
    context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    with ProcessPoolExecutor(1, context, _end_with_parent) as process:
        try:
            while True:
                process.submit(_do, work, waiting.get_nowait(), device).result()
        except Empty:
            return
        except BrokenProcessPool as error:
            _drain(waiting)
            raise TrainerError(
                "a training process died (out of memory?); run the same command again to resume"
            ) from error
        except BaseException:
            _drain(waiting)  # an item that fails here would fail on other devices
            raise


def _end_with_parent() -> None:
    """End this process when its parent is killed: the resumed run writes the same files."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(1)

    Thread(target=end, daemon=True).start()


def _drain(waiting: SimpleQueue[int]) -> None:
    while not waiting.empty():
        with suppress(Empty):
            waiting.get_nowait()


def _do(work: Callable[[int, torch.device], None], item: int, device: torch.device) -> None:
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    log.setLevel(logging.INFO)
    work(item, device)
