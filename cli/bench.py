"""`streamstgs bench`: measure the speed of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from streamstgs.app.console import check_figures_path, write_figures
from streamstgs.cli.options import BackendOption, JsonOption, QpOption, SceneArgument, option
from streamstgs.cli.parsing import parse_frame_choice, parse_size


@dataclass(frozen=True)
class Bench:
    """Measure how fast this machine decodes, deforms, renders, presents and plays a scene."""

    scene: SceneArgument
    backend: BackendOption = None
    size: Annotated[
        str, option("WxH", "Render images of this width and height in px.", "1280x720")
    ] = "1280x720"
    qp: QpOption = None
    json: JsonOption = None

    def run(self) -> int:
        check_figures_path(self.json)
        from rich.console import Console
        from streamstgs.app.player.export.bench import BenchSettings, bench
        from streamstgs.app.player.export.bench_report import bench_table

        parse_frame_choice(self.scene, None, self.qp)
        settings = BenchSettings(qp=self.qp)
        figures = bench(self.scene, self.backend, parse_size(self.size), settings)
        write_figures(self.json, figures)
        Console().print(bench_table(figures))
        return 0
