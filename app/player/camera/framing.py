"""Field of view and aspect ratio of a view. Imports nothing heavy: posters use it before torch."""

from __future__ import annotations

import math

from streamstgs.codec.package.scene_meta import SceneMeta

Vector = tuple[float, float, float]

FARTHEST = 1e9  # world units; no number of a scene is larger either
FOV_LIMITS_RAD = (math.radians(5.0), math.radians(120.0))


def focal_px(fov_y_rad: float, aspect: float, width: int, height: int) -> float:
    """Focal length for a window of this size; narrower ones than `aspect` keep the width in view.

    Args:
        fov_y_rad: vertical field of view in a window of the scene's own aspect ratio.
        aspect: width / height of a picture of the scene.
    """
    half = math.tan(fov_y_rad / 2)
    return max(min(height / (2 * half), width / (2 * half * aspect)), 1e-6)


def natural_aspect(meta: SceneMeta) -> float:
    """Width / height of a picture of the scene, 16:9 where it does not say."""
    return meta.width / meta.height if meta.width > 0 and meta.height > 0 else 16 / 9
