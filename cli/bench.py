"""`streamstgs bench`: how fast a scene is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from streamstgs.app.console import write_figures
from streamstgs.cli.options import BackendOption, JsonOption, RungOption, SceneArgument, option
from streamstgs.cli.parsing import chosen_frames, parse_size


@dataclass(frozen=True)
class Bench:
    """Measure how fast a scene is decoded, moved, drawn, presented and played here."""

    scene: SceneArgument
    backend: BackendOption = None
    size: Annotated[str, option("WxH", "Size of the picture, px.", "1280x720")] = "1280x720"
    rung: RungOption = None
    json: JsonOption = None

    def run(self) -> int:
        from rich.console import Console
        from streamstgs.app.player.export.bench import BenchSettings, bench
        from streamstgs.app.player.export.bench_report import bench_table

        chosen_frames(self.scene, None, self.rung)
        settings = BenchSettings(rung=self.rung)
        figures = bench(self.scene, self.backend, parse_size(self.size), settings)
        write_figures(self.json, figures)
        Console().print(bench_table(figures))
        return 0
