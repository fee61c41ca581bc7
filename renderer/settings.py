"""What every backend needs to know beside the Gaussians and the camera."""

from dataclasses import dataclass

# Constants of the rasteriser that all backends share (values of gsplat 1.5).
DILATION_PX2 = 0.3  # added to the diagonal of each 2D covariance: the pixel's own footprint
ALPHA_MIN = 1.0 / 255.0  # a splat contributes nothing below this
ALPHA_MAX = 0.999
TRANSMITTANCE_MIN = 1e-4  # a pixel is finished once less light than this gets through
EXTENT_SIGMA = 3.33  # splats are cut at this many standard deviations, or where alpha < ALPHA_MIN


@dataclass(frozen=True)
class RenderSettings:
    """How a picture is drawn.

    Args:
        background: RGB behind the Gaussians, display-encoded, 0..1.
        near: distance of the near plane, world units; what lies nearer is not drawn.
    """

    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    near: float = 0.01
