"""GOPs as tasks of Ray: the part of the trainer that knows Ray."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from streamstgs.trainer.cluster.shared_run import SharedFolder, local_copy, pull_gop, push_run
from streamstgs.trainer.errors import SettingError, TrainerError
from streamstgs.trainer.progress import log
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.stage_settings import GopStageSettings

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.exceptions import RayTaskError

Work = Callable[[GopStageSettings, int, torch.device], None]
LOCAL = "auto"


@dataclass(frozen=True)
class ClusterSettings:
    """Which cluster trains GOPs, and how.

    Args:
        address: "auto" for the cluster of this machine (one is started where none runs), or
            ray://host:port.
        gpu_share: GPUs of a GOP, such as 0.5 for two on one; 0 trains on processors.
        cpus: Processors of a GOP.
        retries: How often a GOP is begun again after its worker was lost.
        storage: Address that all machines reach (fsspec) for checkpoints and results; None where
            they share the disk of the run.
        capture: Address of the capture for the machines; None where they share its disk.
    """

    address: str
    gpu_share: float = 1.0
    cpus: float = 1.0
    retries: int = 3
    storage: str | None = None
    capture: str | None = None

    def of_window(self, run: Path, window: Path) -> ClusterSettings:
        """The settings for a window of a run: its GOPs have the names of those of other windows,
        so it has a folder of its own in the storage."""
        if self.storage is None or window == run:
            return self
        return replace(self, storage=f"{self.storage.rstrip('/')}/{window.name}")


def check_cluster(settings: ClusterSettings) -> None:
    """Raise SettingError where Ray is not installed or a setting is out of its range."""
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError as error:
        raise SettingError(
            "--cluster needs ray; install it with: pip install 'streamstgs[cluster]'"
        ) from error
    if settings.address != LOCAL and not settings.address.startswith("ray://"):
        raise SettingError(f"--cluster is {settings.address}; it must be auto or ray://host:port")
    if settings.gpu_share < 0 or settings.cpus <= 0 or settings.retries < 0:
        raise SettingError("--gpu-share and --retries must be 0 or more, and --cpus more than 0")


def train_on_cluster(
    work: Work, settings: GopStageSettings, items: list[int], cluster: ClusterSettings
) -> None:
    """Train GOPs on a cluster; each goes on from its checkpoint when its worker was lost.

    Args:
        work: Trains one GOP of a run on a device; must pickle.
        settings: Of the run; on the machines `data` and `out` are replaced by copies where
            `cluster` names a storage or a capture.
        items: The GOPs, those that are wanted first first.

    Raises:
        TrainerError: Raised by the work, or a worker was lost too often. GOPs that were begun
            elsewhere are finished.
    """
    import ray

    if not items:
        return
    began_here = _connect(cluster)
    run = RunDirectory(settings.out)
    try:
        if cluster.storage is not None:
            push_run(run.path, SharedFolder(cluster.storage))
        task = ray.remote(_train)
        waiting = {
            task.options(
                name=f"GOP {item}",
                num_cpus=cluster.cpus,
                num_gpus=cluster.gpu_share,
                max_retries=cluster.retries,
            ).remote(work, settings, item, cluster): item
            for item in items
        }
        failures = _gather(waiting, run, cluster)
    finally:
        if began_here:
            ray.shutdown()
    if failures:
        raise failures[0]


def _connect(cluster: ClusterSettings) -> bool:
    """Connect to the cluster; returns whether the connection is to be ended after the work."""
    import ray

    if ray.is_initialized():
        return False
    try:
        if cluster.address == LOCAL and "RAY_ADDRESS" not in os.environ:
            ray.init(logging_level=logging.WARNING, include_dashboard=False)
        else:
            ray.init(address=cluster.address, logging_level=logging.WARNING)
    except Exception as error:  # Ray has no common class of errors for it
        raise TrainerError(f"The cluster {cluster.address} cannot be reached: {error}") from error
    return True


def _gather(
    waiting: dict[ObjectRef[str], int], run: RunDirectory, cluster: ClusterSettings
) -> list[TrainerError]:
    """Wait for all tasks, bring their results home, and say how far the run is."""
    import ray

    failures: list[TrainerError] = []
    count = len(waiting)
    while waiting:
        (done, *_), _ = ray.wait(list(waiting), num_returns=1)
        item = waiting.pop(done)
        try:
            node = ray.get(done)
        except ray.exceptions.RayTaskError as error:
            failures.append(_of_the_work(item, error))
        except ray.exceptions.RayError as error:
            why = f"GOP {item}: its worker was lost {cluster.retries + 1} times ({error})"
            failures.append(TrainerError(f"{why}; run the same command again to resume"))
        else:
            if cluster.storage is not None:
                pull_gop(run, item, SharedFolder(cluster.storage))
            log.info("GOP %d came from %s; %d of %d", item, node, count - len(waiting), count)
        if failures:  # what would fail alike is not begun
            for task in list(waiting):
                ray.cancel(task, force=False)
                del waiting[task]
    return failures


def _of_the_work(item: int, error: RayTaskError) -> TrainerError:
    """The error that the work raised, with the GOP in its message."""
    cause = error.cause
    return cause if isinstance(cause, TrainerError) else TrainerError(f"GOP {item}: {cause}")


def _train(work: Work, settings: GopStageSettings, item: int, cluster: ClusterSettings) -> str:
    """Train a GOP on a machine of the cluster; returns the name of the machine."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    log.setLevel(logging.INFO)
    # Ray shows a worker its own GPUs only, so the first one is its own.
    device = torch.device("cuda", 0) if cluster.gpu_share > 0 else torch.device("cpu")
    if cluster.capture is not None:
        settings = replace(settings, data=_capture(cluster.capture))
    if cluster.storage is None:
        if not RunDirectory(settings.out).gop_path(item).exists():
            work(settings, item, device)
    else:
        with local_copy(settings, item, cluster.storage) as copied:
            work(copied, item, device)
    return os.uname().nodename


def _capture(address: str) -> Path:
    """A copy of the capture on this machine, made once."""
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    target = Path(tempfile.gettempdir()) / f"streamstgs-captures-{os.getuid()}" / name
    SharedFolder(address).pull_all(target)
    return target
