"""Copies tensors to a CUDA device beside the work that draws there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from streamstgs.renderer.deformation import DeformationField
from torch import Tensor


class Upload:
    """Sends tensors and fields to a device; they are complete when `uploading` ends."""

    def __init__(self, device: torch.device, drawing: torch.cuda.Stream | None) -> None:
        self._device, self._drawing = device, drawing

    def __call__(self, tensor: Tensor) -> Tensor:
        """The tensor on the device; to a CUDA device it travels from pinned memory."""
        if self._drawing is None or tensor.is_cuda:
            return tensor.to(self._device)
        sent = tensor.pin_memory().to(self._device, non_blocking=True)
        self._keep_for_drawing(sent)
        return sent

    def move(self, field: DeformationField) -> DeformationField:
        """Move a field to the device, and return it."""
        field.to(self._device)
        for tensor in field.state_dict().values():
            self._keep_for_drawing(tensor)
        return field

    def _keep_for_drawing(self, tensor: Tensor) -> None:
        """Its memory is not used again before the work that draws with it is done."""
        if self._drawing is not None:
            tensor.record_stream(self._drawing)


@contextmanager
def uploading(device: torch.device) -> Iterator[Upload]:
    """Gives what sends tensors to a device; at the end the calling thread waits for them.

    On a CUDA device they go through a stream of their own: neither the frames that are being drawn
    nor the thread that draws them wait.
    """
    if device.type != "cuda":
        yield Upload(device, None)
        return
    drawing, stream = torch.cuda.current_stream(device), _stream(device)
    with torch.cuda.stream(stream):
        yield Upload(device, drawing)
    stream.synchronize()


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)
