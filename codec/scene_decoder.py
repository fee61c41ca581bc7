"""Decodes fetched bytes to Gaussians, features and deformation fields."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from streamstgs.codec.attributes.field_weights import decode_field
from streamstgs.codec.attributes.layers import concatenate, decode_layer
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.codes_ahead import CodesAhead
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.package.manifest import LayerEntry, Manifest
from streamstgs.codec.packets import DecodedFeatures, FeaturePacket, Keyframe, KeyframePacket
from streamstgs.codec.scene_codes import (
    decode_features,
    decode_layer_codes,
    features_key,
    features_samples,
    layer_key,
    layer_samples,
)
from streamstgs.codec.time_budget import TimeBudget
from streamstgs.renderer import CanonicalGaussians, Gaussians, Gop
from streamstgs.renderer.upload import uploading


class SceneDecoder:
    """Decodes the parts of one scene. Thread-safe.

    Each part has a time budget, which grows with its declared size: one that takes longer raises
    CorruptSegment. Each can be cancelled between two images or frames.

    Args:
        manifest: declares the parts; bytes that differ from it raise CorruptSegment.
        video_threads: number of threads of the video decoder.
        monotonic: clock of the time budgets, seconds.
        ahead: has codes that were decoded before; None for nothing.
    """

    def __init__(
        self,
        manifest: Manifest,
        video_threads: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
        ahead: CodesAhead | None = None,
    ) -> None:
        self._manifest = manifest
        self._ahead = ahead
        self._monotonic = monotonic
        self._video_threads = video_threads

    def static(
        self, layer: int, data: bytes, cancel: CancelToken = NEVER, gop: int | None = None
    ) -> Gaussians:
        """Decode a layer of static Gaussians, activated, on the CPU.

        Args:
            gop: one that is shown with the layer; None for the layers of scene.json.
        """
        layers = self._manifest.static if gop is None else self._manifest.static_at(gop)
        entry = layers[layer]
        with _memory_guard(entry.file.name):
            return self._layer(entry, data, self._budget(layer_samples(entry), cancel)).activate()

    def keyframe(self, gop: int, packet: KeyframePacket, cancel: CancelToken = NEVER) -> Keyframe:
        """Decode the canonical Gaussians that all qualities of a GOP have, and its field."""
        entry = self._manifest.gops[gop]
        shared = entry.layers[: entry.shared_layers]
        pairs = zip(shared, packet.layers, strict=True)
        budget = self._budget(sum(map(layer_samples, shared)), cancel)
        with _memory_guard(entry.field.name):
            canonical = concatenate([self._layer(layer, data, budget) for layer, data in pairs])
            field = decode_field(packet.field, entry.field_config, entry.field.name)
        return Keyframe(canonical, field)

    def features(
        self, gop: int, packet: FeaturePacket, cancel: CancelToken = NEVER
    ) -> DecodedFeatures:
        """Decode what a GOP has at one quality; raises Cancelled soon after `cancel` is
        cancelled."""
        manifest, entry = self._manifest, self._manifest.gops[gop]
        k = [entry.qp for entry in manifest.representations].index(packet.quality.qp)
        name = entry.segments[k].file.name
        more = entry.layers[entry.shared_layers : entry.layer_count(k)]
        samples = features_samples(manifest, gop, k) + sum(map(layer_samples, more))
        budget = self._budget(samples, cancel)
        with _memory_guard(name):
            pairs = zip(more, packet.layers, strict=True)
            added = concatenate([self._layer(layer, data, budget) for layer, data in pairs])
            codes = self._taken(features_key(manifest, gop, k), budget)
            if codes is None:
                threads = self._video_threads
                codes = decode_features(
                    manifest, gop, k, packet.init, packet.media, threads, budget
                )
        return DecodedFeatures(added, torch.from_numpy(codes))

    def _layer(self, entry: LayerEntry, data: bytes, cancel: CancelToken) -> CanonicalGaussians:
        codes = self._taken(layer_key(entry), cancel)
        if codes is None:
            codes = decode_layer_codes(entry, data, cancel)
        return decode_layer(codes, entry.quantisers)

    def _taken(self, key: Hashable, cancel: CancelToken) -> Any:
        return None if self._ahead is None else self._ahead.take(key, cancel)

    def _budget(self, samples: int, cancel: CancelToken) -> TimeBudget:
        return TimeBudget(samples, cancel, self._monotonic)

    def assemble(
        self,
        gop: int,
        static: Gaussians,
        keyframe: Keyframe,
        features: DecodedFeatures,
        device: torch.device | str = "cpu",
    ) -> Gop:
        """Combine decoded parts to a GOP that can be rendered; `static` is already on `device`."""
        entry, device = self._manifest.gops[gop], torch.device(device)
        canonical = keyframe.canonical
        if len(features.added):
            parts = [canonical, features.added] if len(canonical) else [features.added]
            canonical = concatenate(parts)
        offset = torch.tensor(entry.features.offset)
        step = torch.tensor(entry.features.step)
        with uploading(device) as send:
            return Gop(
                static=static,
                canonical=canonical.map(send),
                features=send(features.codes),
                feature_offset=send(offset),
                feature_step=send(step),
                field=send.move(keyframe.field),
                frames=entry.frames,
            )


@contextmanager
def _memory_guard(name: str) -> Iterator[None]:
    """Turns a failed allocation into CorruptSegment, which names the file."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch raises RuntimeError for the processor
        if isinstance(error, MemoryError) or "alloc" in str(error) or "memory" in str(error):
            raise CorruptSegment(f"{name} needs more memory than there is.") from error
        raise
