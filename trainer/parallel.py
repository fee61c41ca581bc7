"""GOPs side by side: one process for each device, its share of the GOPs one after the other."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import torch

from trainer.errors import TrainerError
from trainer.progress import log


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


def deal(items: list[int], hands: int) -> list[list[int]]:
    """Deal items out in turn; hands that get none are left out."""
    return [items[k::hands] for k in range(min(hands, len(items)))]


def run_on_devices(
    work: Callable[[int, torch.device], None], items: list[int], devices: list[torch.device]
) -> None:
    """Do `work` on each item; several devices need work that can be pickled.

    Raises:
        TrainerError: of the work, or because a process died.
    """
    if len(devices) == 1:
        for item in items:
            work(item, devices[0])
        return
    context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    with ProcessPoolExecutor(len(devices), mp_context=context) as pool:
        shares = deal(items, len(devices))
        jobs = [
            pool.submit(_work_through, work, share, device)
            for share, device in zip(shares, devices, strict=False)
        ]
        try:
            for job in as_completed(jobs):
                job.result()
        except BrokenProcessPool as error:
            raise TrainerError(
                "a training process died (out of memory?); run `train` again to resume"
            ) from error


def _work_through(
    work: Callable[[int, torch.device], None], share: list[int], device: torch.device
) -> None:
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    log.setLevel(logging.INFO)
    for item in share:
        work(item, device)
