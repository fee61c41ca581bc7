"""Cancel tokens: waiting, callbacks, children, and tokens with a time limit."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import Future

import pytest
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import Cancelled


def test_token_is_cancelled_once_and_for_good() -> None:
    token, calls = CancelToken(), list[str]()
    token.raise_if_cancelled("reading")
    with token.on_cancel(lambda: calls.append("callback")):
        token.cancel()
        token.cancel()
    assert (token.cancelled, calls) == (True, ["callback"])
    with pytest.raises(Cancelled, match="reading"):
        token.raise_if_cancelled("reading")


def test_callback_runs_at_once_if_cancelled_before_and_not_after_its_context() -> None:
    token, calls = CancelToken(), list[str]()
    with token.on_cancel(lambda: calls.append("left")):
        pass
    token.cancel()
    with token.on_cancel(lambda: calls.append("entered")):
        pass
    assert calls == ["entered"]


def test_wait_for_ends_by_result_or_by_cancel() -> None:
    done, pending = Future[int](), Future[int]()
    done.set_result(1)
    token = CancelToken()
    assert token.wait_for(done)
    threading.Timer(0.02, token.cancel).start()
    assert not token.wait_for(pending)
    assert token.wait(0.0)


def test_wait_for_ends_with_a_future_that_is_cancelled_in_its_queue() -> None:
    pending = Future[int]()
    threading.Timer(0.02, pending.cancel).start()
    assert CancelToken().wait_for(pending)


def test_children_are_cancelled_with_any_parent_and_parents_stay() -> None:
    first, second = CancelToken(), CancelToken()
    child = CancelToken(first, second)
    grandchild = CancelToken(child)
    second.cancel()
    assert (child.cancelled, grandchild.cancelled, first.cancelled) == (True, True, False)
    assert CancelToken(second).cancelled


def test_parent_does_not_keep_children_alive() -> None:
    parent = CancelToken()
    for _ in range(5):
        CancelToken(parent)
    gc.collect()
    assert len(parent._children) == 0


def test_expiring_token_ends_in_time_and_leaves_its_parent() -> None:
    parent = CancelToken()
    with parent.expiring(0.02) as limited:
        assert limited.wait(5.0)
    assert not parent.cancelled
    with parent.expiring(60.0) as limited:
        parent.cancel()
        assert limited.cancelled


def test_never_cannot_be_cancelled() -> None:
    with pytest.raises(TypeError):
        NEVER.cancel()
    assert not CancelToken(NEVER).cancelled
