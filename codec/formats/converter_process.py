"""The process that runs native decoders and encoders: `converter` starts it as a script.

A request is a line `SOURCE TARGET LENGTH` and so many bytes; the answer is a line `ok LENGTH` or
`error LENGTH` and so many bytes. It imports nothing of this package, so that it starts fast, and
its memory is limited, so that a file made to exhaust memory ends it and nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
from typing import Any


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # the library prints to standard output
    os.dup2(silence, 2)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        limit = int(sys.argv[1])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    requests = sys.stdin.buffer
    while line := requests.readline():
        source, target, length = line.decode("ascii").split()
        data = requests.read(int(length))
        try:
            status, content = "ok", _converted(data, source, target)
        except Exception as error:  # whatever the library raises is the answer
            status, content = "error", str(error).encode("utf-8", "replace")
        answers.write(f"{status} {len(content)}\n".encode("ascii"))
        answers.write(content)
        answers.flush()


@functools.cache
def _gaussforge() -> Any:
    import gaussforge

    return gaussforge.GaussForge()


def _converted(data: bytes, source: str, target: str) -> bytes:
    """Raises whatever the libraries raise."""
    if source == "4dgs":
        return _arrays_of_4dgs(data)
    result = _gaussforge().convert(data, source, target)
    if "error" in result:
        raise ValueError(result["error"])
    content: bytes = result["data"]
    return content


def _arrays_of_4dgs(data: bytes) -> bytes:
    """An .npz of the Gaussians of a .4dgs file, as the model "gaussian-birth" has them.

    The array "facts" holds the duration and the cut-off, and the axis that points up as the
    registry numbers it, -1 if it is not told.
    """
    import fourdgs
    import numpy as np

    try:
        scene = fourdgs.read(data, recover_truncated=False)
    except fourdgs.UnsupportedCodec as error:
        if error.code != "unknown-temporal-model":
            raise
        gaussians, facts = _arrays_of_keyframes(data)
    else:
        if scene.objects.tracks:
            raise ValueError("it has objects that move on tracks, which are not known here")
        if scene.header.attributes.get("color_space", "").startswith("linear"):
            raise ValueError("its colours are linear, and only display-encoded ones are known here")
        frames = scene.provenance.frames
        named = {"y-up-right-handed": 1, "z-up-right-handed": 2}
        up = named.get(scene.header.attributes.get("coordinate_system", ""), -1)
        facts = [scene.duration_sec, scene.header.cutoff, frames[0].up_axis if frames else up]
        names = ("positions", "scales", "rotations", "colors", "motions", "mu_t", "sigma_t")
        gaussians = {name: getattr(scene.gaussians, name) for name in (*names, "win_lo", "win_hi")}
        if scene.gaussians.sh is not None:
            gaussians["sh"] = scene.gaussians.sh
    packed = io.BytesIO()
    np.savez(packed, facts=np.array(facts, np.float64), **gaussians)
    return packed.getvalue()


def _arrays_of_keyframes(data: bytes) -> tuple[dict[str, Any], list[float]]:
    """The states of the model "keyframe-delta", each shown in its own interval.

    Opacities are those at the beginning of the interval; centres move evenly within it.
    """
    import numpy as np
    from fourdgs import keyframe_delta_file as keyframes

    sequence = keyframes.decode_streamed(data)
    parts: dict[str, list[Any]] = {}
    for chunk in sequence.chunks:
        now = keyframes.reconstruct_at(chunk.state, sequence.grids, chunk.t0)
        late_s = chunk.t0 + 0.999 * (chunk.t1 - chunk.t0)
        late = keyframes.reconstruct_at(chunk.state, sequence.grids, late_s)
        count = len(now["ids"])
        motions = np.zeros((count, 3), np.float32)
        if np.array_equal(now["ids"], late["ids"]) and late_s > chunk.t0:
            motions = (late["centers"] - now["centers"]) / (late_s - chunk.t0)
        values = {
            "positions": now["centers"], "scales": now["scales"], "rotations": now["rotations"],
            "colors": np.concatenate([now["rgb"], now["opacity"][:, None]], axis=1),
            "motions": motions, "mu_t": np.full(count, chunk.t0),
            "sigma_t": np.full(count, np.inf), "win_lo": np.full(count, chunk.t0),
            "win_hi": np.full(count, chunk.t1),
        }  # fmt: skip
        for name, value in values.items():
            parts.setdefault(name, []).append(value.astype(np.float32))
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    return joined, [sequence.header.duration_sec, sequence.header.cutoff, -1]


if __name__ == "__main__":
    main()
