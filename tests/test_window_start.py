"""Before the first picture the window leaves the processor to what is being loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget
from streamstgs.app.player.viewer.open_scene import PAINTED
from streamstgs.app.ui.startup import DecodeAhead, Startup
from streamstgs.app.ui.viewport import poster_view
from streamstgs.app.ui.viewport.poster_view import PosterView, decoded
from streamstgs.codec.codes_ahead import CodesAhead
from streamstgs.codec.poster import local_poster

from tests.window_driver import OpenWindow, live, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
POSTER = Path(__file__).parent / "golden" / "synthetic-v1-poster.stgs"


class Counter(QObject):
    """Counts the events of one kind that an object gets."""

    def __init__(self, watched: QObject, kind: QEvent.Type) -> None:
        super().__init__()
        self.count, self._kind = 0, kind
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == self._kind
        return False


def test_card_is_laid_out_once(open_window: OpenWindow) -> None:
    """It asked for a layout in each layout, which took all the time that there was."""
    window = open_window(start=False)
    card = window.viewport.card
    card.show_opening("https://example.org/" + 30 * "a-long-folder/" + "film.stgs")
    live(50)
    height = card.height()
    layouts = Counter(card, QEvent.Type.LayoutRequest)
    live(200)
    assert layouts.count < 5
    card.show_opening("film.stgs")
    live(50)
    assert card.height() < height
    assert card.isVisible()


def test_renderers_are_examined_after_the_first_picture(
    open_window: OpenWindow, scene_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking for them loads all of them."""
    window = open_window(start=False)
    states = []

    def examine() -> None:
        assert window.model.scene is not None
        states.append(window.model.scene.state)

    monkeypatch.setattr(window.renderer, "examine", examine)
    window.loop.start()
    window.open(str(scene_path))
    wait_for(lambda: bool(states), "the search for renderers")
    assert set(states) <= PAINTED


def test_first_scene_is_decoded_while_the_player_is_loaded(
    open_window: OpenWindow, scene_path: Path
) -> None:
    """What the scene did not take is thrown away once it is painted."""
    window, ahead = open_window(start=False), CodesAhead()
    begun = DecodeAhead(ahead, str(scene_path), 0.0, None)
    poster = window.viewport.poster
    startup = Startup(window.model, window.loop, window.posters, poster, begun)
    startup.begin_after_poster()
    wait_for(lambda: bool(ahead._parts), "the first parts")
    window.open(str(scene_path))
    wait_for(lambda: window.model.scene is not None and window.model.scene.state in PAINTED,
             "the first picture")  # fmt: skip
    wait_for(lambda: not ahead._parts, "the end of decoding ahead")


def test_place_of_the_poster_is_found_once_for_each_size(
    qt: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    poster = local_poster(str(POSTER))
    assert poster is not None
    image = decoded(poster)
    assert image is not None
    places = []
    place = poster_view.poster_place
    monkeypatch.setattr(poster_view, "poster_place", lambda *a: places.append(a[1:]) or place(*a))
    around = QWidget()
    view = PosterView(around)
    view.resize(300, 200)
    around.show()
    view.show_poster(poster, image)
    paints = Counter(view, QEvent.Type.Paint)
    wait_for(lambda: paints.count > 0, "the poster")
    found = len(places)
    for _ in range(5):
        view.repaint()
    assert paints.count > 5
    assert len(places) == found
    view.resize(200, 200)
    assert places[found:] == [(200, 200)]
    around.close()
