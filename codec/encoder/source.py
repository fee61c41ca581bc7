"""The input of the encoder: a trained scene, GOP by GOP.

The trainer hands one over (`trainer.run_directory`); tests make small ones (`tests.synthetic`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from streamstgs.codec.package.scene_meta import SceneMeta

if TYPE_CHECKING:  # what is said of a scene is read before torch is loaded
    from streamstgs.renderer import CanonicalGaussians, DeformationField
    from torch import Tensor


@dataclass(frozen=True)
class TrainedGop:
    """A GOP as trained.

    Args:
        canonical: M moving Gaussians.
        features: [E, M, F] float temporal features, E = frames + W - 1.
        field: the deformation field.
        frames: G.
    """

    canonical: CanonicalGaussians
    features: Tensor
    field: DeformationField
    frames: int


class SceneSource(Protocol):
    """A trained scene; GOPs are loaded one at a time so that long scenes fit in memory."""

    meta: SceneMeta
    static: CanonicalGaussians
    gop_count: int

    def gop(self, index: int) -> TrainedGop: ...


@dataclass(frozen=True)
class StaticPeriod:
    """GOPs that are shown with static Gaussians of their own.

    Args:
        first: the first of them; they end where the next period begins.
        static: their static Gaussians.
    """

    first: int
    static: CanonicalGaussians


@runtime_checkable
class PeriodicSource(Protocol):
    """A trained scene whose static Gaussians change; `static` is that of the first period."""

    periods: Sequence[StaticPeriod]


def periods_of(source: SceneSource) -> Sequence[StaticPeriod]:
    """Return the later periods of a scene, in order; none if its static Gaussians stay."""
    return source.periods if isinstance(source, PeriodicSource) else ()


def static_at(source: SceneSource, gop: int) -> CanonicalGaussians:
    """Return the static Gaussians that a GOP is shown with."""
    begun = [period.static for period in periods_of(source) if period.first <= gop]
    return begun[-1] if begun else source.static
