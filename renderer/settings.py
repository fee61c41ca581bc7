"""Settings of a picture, and constants of the rasteriser that all backends share."""

from dataclasses import dataclass

# The values are those of gsplat 1.5.
DILATION_PX2 = 0.3  # added to the diagonal of each 2D covariance: the footprint of a pixel
ALPHA_MIN = 1.0 / 255.0  # a splat is not drawn in pixels where its alpha is smaller
ALPHA_MAX = 0.999  # larger alphas are reduced to this
TRANSMITTANCE_MIN = 1e-4  # a pixel is finished when its transmittance would fall to this
OPEN_ALPHA, SOLID_ALPHA = 0.5, 0.75  # see `renderer.compositing`
EXTENT_SIGMA = 3.33  # splats are cut at this many standard deviations, or where alpha < ALPHA_MIN


@dataclass(frozen=True)
class RenderSettings:
    """Settings of a picture that do not belong to the camera.

    Args:
        background: RGB behind the Gaussians, display-encoded, 0..1.
        near: distance of the near plane in world units; Gaussians before it are not drawn.
        own_background: RGB of the background that the scene was made for. Over another one, solid
            parts that are a little transparent keep their colours (`renderer.compositing`). None:
            the scene has no such background, and `background` is seen through all of its parts.
    """

    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    near: float = 0.01
    own_background: tuple[float, float, float] | None = None

    @property
    def replaces_background(self) -> bool:
        """Whether `background` takes the place of the scene's own."""
        return self.own_background not in (None, self.background)
