"""Weights of a deformation field as fp16 safetensors, checked before a field is built."""

from __future__ import annotations

import numpy as np
import safetensors
import safetensors.torch
import torch
from streamstgs.codec.errors import CorruptSegment, EncodeError
from streamstgs.renderer import DeformationField, FieldConfig
from torch import Tensor


def encode_field(field: DeformationField) -> bytes:
    """Return the file with the weights of a field.

    Raises:
        EncodeError: a weight does not fit fp16.
    """
    weights = {k: v.detach().cpu().half().contiguous() for k, v in field.state_dict().items()}
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise EncodeError(f"The field's weight {name} is not finite in half precision.")
    return safetensors.torch.save(weights)


def decode_field(data: bytes, config: FieldConfig, name: str) -> DeformationField:
    """Return the field of a file: float32, in eval mode, on the CPU.

    Raises:
        CorruptSegment: names, shapes or types are not those of `config`, or a weight is not finite.
    """
    try:
        tensors = dict(safetensors.deserialize(data))
    except safetensors.SafetensorError as error:
        raise CorruptSegment(f"{name} is not a file of weights: {error}.") from error
    with torch.device("meta"):  # shapes without memory: the config is untrusted, too
        expected = DeformationField(config)
    wanted = {key: tuple(value.shape) for key, value in expected.state_dict().items()}
    found = {key: tuple(value["shape"]) for key, value in tensors.items()}
    if wanted != found or any(value["dtype"] != "F16" for value in tensors.values()):
        raise CorruptSegment(f"{name} does not hold the weights that scene.json describes.")
    weights = {key: _tensor(value["data"], wanted[key]) for key, value in tensors.items()}
    if not all(bool(weight.isfinite().all()) for weight in weights.values()):
        raise CorruptSegment(f"{name} holds weights that are not finite.")
    expected.load_state_dict(weights, assign=True)
    return expected.requires_grad_(False).eval()


def _tensor(data: bytes, shape: tuple[int, ...]) -> Tensor:
    values = np.frombuffer(bytes(data), np.dtype("<f2")).astype(np.float32)
    return torch.from_numpy(values).view(shape)
