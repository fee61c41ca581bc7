"""Settings of a picture, and constants of the rasteriser that all backends share."""

from dataclasses import dataclass

# The values are those of gsplat 1.5.
DILATION_PX2 = 0.3  # added to the diagonal of each 2D covariance: the footprint of a pixel
ALPHA_MIN = 1.0 / 255.0  # a splat is not drawn in pixels where its alpha is smaller
ALPHA_MAX = 0.999  # larger alphas are reduced to this
TRANSMITTANCE_MIN = 1e-4  # a pixel is finished when its transmittance would fall to this
EXTENT_SIGMA = 3.33  # splats are cut at this many standard deviations, or where alpha < ALPHA_MIN


@dataclass(frozen=True)
class RenderSettings:
    """Settings of a picture that do not belong to the camera.

    Args:
        background: RGB behind the Gaussians, display-encoded, 0..1.
        near: distance of the near plane in world units; Gaussians before it are not drawn.
    """

    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    near: float = 0.01
