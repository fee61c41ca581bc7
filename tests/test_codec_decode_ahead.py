"""Codes that are decoded while torch is loaded, and how the scene takes them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from streamstgs.codec import decode_ahead as module
from streamstgs.codec import scene_decoder
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.codes_ahead import CodesAhead
from streamstgs.codec.decode_ahead import decode_ahead
from streamstgs.codec.errors import Cancelled, CorruptSegment
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.renderer import Gop

from tests.golden.make_golden import golden_scene

WAIT_S = 60.0


def decoded(path: str, ahead: CodesAhead | None, gop: int = 0, qp: int | None = None) -> Gop:
    with open_scene(path, OpenSettings(ahead=ahead)) as scene:
        quality = scene.qualities[-1] if qp is None else scene.quality(qp)
        return scene.decode_gop(gop, quality)


def forbid_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was decoded before")

    monkeypatch.setattr(scene_decoder, "decode_layer_codes", refuse)
    monkeypatch.setattr(scene_decoder, "decode_features", refuse)


@pytest.mark.parametrize(("gop", "worst"), [(0, False), (1, False), (1, True)])
def test_scene_takes_what_was_decoded_ahead(
    gop: int, worst: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(golden_scene("hevc"))
    with open_scene(path) as scene:
        qp = scene.qualities[0].qp if worst else None
        start_s = scene.gop_start_frame(gop) / scene.meta.fps
    expected = decoded(path, None, gop, qp)
    ahead = CodesAhead()
    decode_ahead(ahead, path, start_s, qp)
    forbid_decoding(monkeypatch)
    found = decoded(path, ahead, gop, qp)
    assert torch.equal(found.features, expected.features)
    for name, values in expected.canonical.tensors().items():
        assert torch.equal(found.canonical.tensors()[name], values)
    for name, values in expected.static.tensors().items():
        assert torch.equal(found.static.tensors()[name], values)


def test_scene_decodes_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(golden_scene("hevc"))
    expected = decoded(path, None, 1)
    ahead = CodesAhead()
    decode_ahead(ahead, path)  # of another GOP
    assert torch.equal(decoded(path, ahead, 1).features, expected.features)


@pytest.mark.parametrize("content", [b"", b"no scene"])
def test_no_scene_is_passed_over(content: bytes, tmp_path: Path) -> None:
    """Opening it to play it reports the error."""
    (tmp_path / "a.stgs").write_bytes(content)
    decode_ahead(CodesAhead(), str(tmp_path / "a.stgs"))
    decode_ahead(CodesAhead(), str(tmp_path / "missing.stgs"))


def test_servers_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a server was asked")

    monkeypatch.setattr(module, "open_scene", refuse)
    decode_ahead(CodesAhead(), "https://example.org/a.stgs")


def test_codes_are_given_once() -> None:
    ahead = CodesAhead()
    ahead.decode({"a": lambda: 1})
    assert ahead.take("a") == 1
    assert ahead.take("a") is None


def test_part_that_failed_is_left_to_the_caller() -> None:
    def fail() -> None:
        raise CorruptSegment("damaged")

    ahead = CodesAhead()
    ahead.decode({"a": fail, "b": lambda: 2})
    assert ahead.take("a") is None
    assert ahead.take("b") == 2


class Decoding:
    """A part that is being decoded until `end` is set, before another one."""

    def __init__(self) -> None:
        self.ahead, self.decoded = CodesAhead(), ["first"]
        self.begun, self.end = threading.Event(), threading.Event()
        parts = {"first": self._first, "second": self._second}
        self.thread = threading.Thread(target=self.ahead.decode, args=(parts,))
        self.thread.start()
        assert self.begun.wait(WAIT_S)

    def _first(self) -> str:
        self.begun.set()
        assert self.end.wait(WAIT_S)
        return "codes"

    def _second(self) -> None:
        self.decoded.append("second")

    def finish(self) -> None:
        self.end.set()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()


def test_part_that_has_not_begun_is_left_to_the_caller() -> None:
    decoding = Decoding()
    assert decoding.ahead.take("second") is None
    decoding.finish()
    assert decoding.decoded == ["first"]
    assert decoding.ahead.take("first") == "codes"


def test_caller_waits_for_a_part_that_is_being_decoded() -> None:
    decoding = Decoding()
    threading.Timer(0.1, decoding.end.set).start()
    assert decoding.ahead.take("first") == "codes"
    decoding.finish()


def test_waiting_can_be_cancelled() -> None:
    decoding, cancel = Decoding(), CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        decoding.ahead.take("first", cancel)
    decoding.finish()


def test_close_ends_after_the_part_at_hand() -> None:
    decoding = Decoding()
    decoding.ahead.close()
    decoding.finish()
    assert decoding.decoded == ["first"]
    assert decoding.ahead.take("first") is None
    decoding.ahead.decode({"late": lambda: 1})
    assert decoding.ahead.take("late") is None
