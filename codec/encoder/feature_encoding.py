"""From temporal features to codes on the grid of the video, and the PSNR of decoded codes."""

from __future__ import annotations

import numpy as np
import torch
from streamstgs.codec.attributes.attribute_images import padding_source
from streamstgs.codec.attributes.quantisation import Quantiser, fit_quantiser
from streamstgs.codec.video.tile_layout import TileLayout

FEATURE_BITS = 8
PSNR_CAP_DB = 100.0


def quantise_features(features: torch.Tensor) -> tuple[Quantiser, np.ndarray]:
    """Return the 8-bit quantiser of [E, M, F] features and their [E, M, F] uint8 codes."""
    flat = features.reshape(-1, features.shape[-1])
    if not len(flat):
        flat = torch.zeros(1, features.shape[-1])
    quantiser = fit_quantiser(flat, FEATURE_BITS)
    codes = quantiser.encode(features.reshape(-1, features.shape[-1]))
    return quantiser, codes.reshape(tuple(features.shape))


def feature_grid(codes: np.ndarray, tiles: TileLayout) -> np.ndarray:
    """Return [M, F] codes as a [F, height, width] uint8 grid, padded as attribute images are."""
    if not len(codes):
        return np.full((tiles.features, tiles.height, tiles.width), 128, np.uint8)
    source = padding_source(len(codes), tiles.height, tiles.width)
    return codes[source].T.reshape(tiles.features, tiles.height, tiles.width)


def psnr_db(written: np.ndarray, decoded: np.ndarray) -> float:
    """Return the PSNR of 8-bit codes in dB, at most `PSNR_CAP_DB`."""
    if not written.size:
        return PSNR_CAP_DB
    error = np.square(written.astype(np.float32) - decoded.astype(np.float32)).mean(dtype=float)
    return float(min(10 * np.log10(255**2 / max(error, 1e-12)), PSNR_CAP_DB))
