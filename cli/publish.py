"""`streamstgs publish`: append segments to a scene while it is watched."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

import tyro
from streamstgs.cli.options import SceneArgument, flag, option
from streamstgs.cli.parsing import UsageError


@dataclass(frozen=True)
class Publish:
    """Publish a scene segment by segment at the pace of its content, as a live event would be.

    A publisher that is stopped and started again goes on where it stopped.
    """

    scene: SceneArgument
    target: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="TARGET")]
    """Publish to this folder, or to an address that fsspec knows, such as s3://bucket/event."""
    speed: float = 1.0
    """Publish so many seconds of content in a second."""
    window: Annotated[
        float | None,
        option("SECONDS", "Keep so much content for seeking back; delete older segments.", "all"),
    ] = None
    silent: Annotated[
        tyro.conf.FlagCreatePairsOff[bool], flag("Publish the scene without its sound.")
    ] = False
    segments: Annotated[
        int | None,
        option("N", "End the event after so many segments; the scene repeats.", "once through"),
    ] = None

    @property
    def window_s(self) -> float:
        """Seconds of content that stay available; infinite where nothing is removed."""
        return float("inf") if self.window is None else self.window

    def check(self) -> None:
        """Refuse numbers that make no sense, before anything is opened. Raises UsageError."""
        for name, value in (("--speed", self.speed), ("--window", self.window_s)):
            if not value > 0.0:
                raise UsageError(f"{name} {value:g} is not more than 0")
        if self.segments is not None and self.segments < 1:
            raise UsageError(f"--segments {self.segments} is not 1 or more")

    def run(self) -> int:
        from streamstgs.codec.publish.feed import SceneFeed
        from streamstgs.codec.publish.publisher import Publisher, PublishSettings
        from streamstgs.codec.publish.store import Store

        self.check()
        feed = SceneFeed(self.scene, with_sound=not self.silent)
        try:
            settings = PublishSettings(window_s=self.window_s)
            publisher = Publisher(Store(self.target), feed.header, settings)
            feed.publish_header(publisher)
            last = feed.gop_count if self.segments is None else self.segments
            due_s = time.monotonic()
            while (number := publisher.count) < last:
                due_s += feed.duration_s(number) / self.speed
                time.sleep(max(due_s - time.monotonic(), 0.0))
                feed.publish(publisher, number, publisher.frames)
                print(f"Segment {number + 1} of {last} is published.", flush=True)
            publisher.finish()
        finally:
            feed.close()
        print(f"The event has ended; {self.target} stays as a scene.")
        return 0
