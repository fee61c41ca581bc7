"""What it would cost to decode segments in a process of their own, in time of the processor.

    python -m benchmarks.decode_process --repeats 8 --json figures.json

Every GOP of the scene is decoded in this process and in a worker, by turns: attribute images of the
keyframe, and the feature video of the best quality. The worker has a limit of memory, gets bytes
through a pipe and answers through shared memory. Time of the processor (user and system, of both
processes) is counted, as it does not depend on what else runs on the machine.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from streamstgs.codec.attributes.attribute_images import decode_attribute_images
from streamstgs.codec.scene import open_scene
from streamstgs.codec.video.feature_video import decode_segment

from benchmarks.streaming.serving import BUNDLED

WORKER_BYTES = 6 << 30  # of address space
ALIGN_BYTES = 64
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Options:
    """What is decoded, and how often.

    Args:
        scene: A .stgs.
        repeats: How often each segment is decoded in each process.
        json: Where the figures are written.
    """

    scene: Path = BUNDLED
    repeats: int = 8
    json: Path | None = None


def images(data: bytes, bits: dict[str, int], count: int, height: int, width: int) -> Arrays:
    """The codes of a layer."""
    return decode_attribute_images(data, bits, count, height, width, "layer")


def video(*segment: Any) -> Arrays:
    """The feature codes of a segment."""
    return {"codes": decode_segment(*segment, "segment")}


DECODERS: dict[str, Callable[..., Arrays]] = {"images": images, "video": video}


def serve(pipe: Connection, memory: str) -> None:
    """Answer requests with places in the shared memory, and the time spent so far."""
    resource.setrlimit(resource.RLIMIT_AS, (WORKER_BYTES, WORKER_BYTES))
    shared = SharedMemory(name=memory)
    while (request := pipe.recv()) is not None:
        kind, arguments = request
        at, places = 0, {}
        for name, values in DECODERS[kind](*arguments).items():
            np.ndarray(values.shape, values.dtype, shared.buf, at)[...] = values
            places[name] = (values.shape, values.dtype.str, at)
            at += -(-values.nbytes // ALIGN_BYTES) * ALIGN_BYTES
        pipe.send((places, time.process_time()))
    shared.close()


class Worker:
    """A process that decodes; `spent_s` is its own time of the processor."""

    def __init__(self, most_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.memory = SharedMemory(create=True, size=most_bytes)
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self.memory.name))
        self._process.start()
        self.spent_s = 0.0

    def decode(self, kind: str, arguments: tuple[Any, ...]) -> Arrays:
        """What `DECODERS[kind]` gives, copied out of the shared memory."""
        self._pipe.send((kind, arguments))
        places, self.spent_s = self._pipe.recv()
        return {
            name: np.ndarray(shape, kind, self.memory.buf, at).copy()
            for name, (shape, kind, at) in places.items()
        }

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join()
        self.memory.close()
        self.memory.unlink()


def segments(scene_path: Path) -> list[list[tuple[str, tuple[Any, ...]]]]:
    """For each GOP: what has to be decoded."""
    found = []
    with open_scene(scene_path) as scene:
        best, manifest = scene.qualities[-1], scene.manifest
        place = [entry.qp for entry in manifest.representations].index(best.qp)
        tiles, codec = manifest.tiles_of(place), manifest.representations[place].codec
        for index, gop in enumerate(manifest.gops):
            features = scene.fetch_features(index, best)
            files = [*scene.fetch_keyframe(index).layers, *features.layers]
            parts: list[tuple[str, tuple[Any, ...]]] = [
                ("images", (data, layer.bits, layer.count, layer.height, layer.width))
                for layer, data in zip(gop.layers, files, strict=False)
            ]
            shape = (gop.feature_frames, gop.moving_count(place), manifest.tiles.features)
            parts.append(("video", (features.init, features.media, tiles, shape, codec)))
            found.append(parts)
    return found


def main(options: Options) -> None:
    """Print the figures; write them if there is a path."""
    gops = segments(options.scene)
    worker = Worker(most_bytes=1 << 28)
    for parts in gops[:1]:
        for kind, arguments in parts:
            here, there = DECODERS[kind](*arguments), worker.decode(kind, arguments)
            assert all(np.array_equal(here[name], there[name]) for name in here)
    start_s = worker.spent_s
    spent: dict[str, list[tuple[float, float]]] = {kind: [] for kind in (*DECODERS, "segment")}
    for _ in range(options.repeats):
        for parts in gops:
            total = np.zeros(2)
            for kind, arguments in parts:
                begun_s = time.process_time()
                DECODERS[kind](*arguments)
                inside_s = time.process_time() - begun_s
                begun_s, theirs_s = time.process_time(), worker.spent_s
                worker.decode(kind, arguments)
                outside_s = time.process_time() - begun_s + worker.spent_s - theirs_s
                spent[kind].append((inside_s, outside_s))
                total += (inside_s, outside_s)
            spent["segment"].append((total[0], total[1]))
    worker.close()
    figures = {
        kind: {
            "in_process_ms": 1000 * statistics.median(inside for inside, _ in pairs),
            "in_worker_ms": 1000 * statistics.median(outside for _, outside in pairs),
            "more_percent": 100 * (sum(o for _, o in pairs) / sum(i for i, _ in pairs) - 1),
        }
        for kind, pairs in spent.items()
        if pairs
    }
    document = {"options": {k: str(v) for k, v in asdict(options).items()}, **figures}
    document["start_of_the_worker_s"] = start_s
    print(json.dumps(document, indent=1))
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Options))
