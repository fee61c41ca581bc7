"""Steps of a frame on a CUDA device, each fused into one kernel written in Triton.

Triton is optional: where it is missing (Windows, macOS) or cannot compile, callers run the torch
code that each kernel stands for. That code is also what the tests compare the kernels with.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

log = logging.getLogger(__name__)


def runs_on(tensor: Tensor) -> bool:
    """Whether the kernels work for tensors on the device of this one; compiles one to find out."""
    return tensor.is_cuda and _works(tensor.device)


@cache
def _works(device: torch.device) -> bool:
    """Whether Triton compiles for a device, and computes there what torch does."""
    if torch.version.cuda is None or find_spec("triton") is None:
        return False
    try:
        from streamstgs.renderer.fused.pixels import rgb8

        picture = torch.linspace(-0.1, 1.1, 96, device=device).reshape(4, 8, 3)
        expected = picture.clamp(0.0, 1.0).mul(255.0).add(0.5).to(torch.uint8)
        works = torch.equal(rgb8(picture), expected)
    except Exception as error:  # no C compiler, another driver: each raises an error of its own
        log.warning("Triton is not used, frames take longer: %s", error)
        return False
    if not works:
        log.warning("Triton is not used, frames take longer: its results are wrong")
    return works
