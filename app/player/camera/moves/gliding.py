"""Views between two views, and smooth moves from one to the other."""

from __future__ import annotations

import math

from streamstgs.app.player.camera.orbit import OrbitView


def between(start: OrbitView, goal: OrbitView, share: float) -> OrbitView:
    """The view after a share of the way, 0 .. 1.

    Distance moves by its logarithm, yaw and roll the short way round.
    """
    turn = math.remainder(goal.yaw_rad - start.yaw_rad, 2 * math.pi)
    roll = math.remainder(goal.roll_rad - start.roll_rad, 2 * math.pi)
    x, y, z = (a + (b - a) * share for a, b in zip(start.pivot, goal.pivot, strict=True))
    return OrbitView(
        pivot=(x, y, z),
        yaw_rad=start.yaw_rad + turn * share,
        pitch_rad=start.pitch_rad + (goal.pitch_rad - start.pitch_rad) * share,
        distance=start.distance * (goal.distance / start.distance) ** share,
        fov_y_rad=start.fov_y_rad + (goal.fov_y_rad - start.fov_y_rad) * share,
        roll_rad=start.roll_rad + roll * share,
    )


def approach(shown: OrbitView, goal: OrbitView, dt_s: float, half_life_s: float) -> OrbitView:
    """One step of a smooth move: each `half_life_s` halves the remaining way.

    A function of time alone, so that the speed does not depend on the frame rate. Returns `goal`
    itself once the rest is invisible.
    """
    share = 1.0 - 0.5 ** (max(dt_s, 0.0) / half_life_s) if half_life_s > 0 else 1.0
    if share >= 1.0 or _indistinguishable(shown, goal):
        return goal
    return between(shown, goal, share)


def _indistinguishable(a: OrbitView, b: OrbitView) -> bool:
    shift = math.dist(a.pivot, b.pivot) + abs(a.distance - b.distance)
    angle = abs(math.remainder(b.yaw_rad - a.yaw_rad, 2 * math.pi))
    angle += abs(math.remainder(b.roll_rad - a.roll_rad, 2 * math.pi))
    angle += abs(a.pitch_rad - b.pitch_rad) + abs(a.fov_y_rad - b.fov_y_rad)
    return shift < 1e-4 * b.distance and angle < 1e-4
