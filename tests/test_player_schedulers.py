"""The schedulers: what is fetched next from a disk and a network, while dragging and paused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from streamstgs.app.player.pipeline.fetch_view import FetchView, PlayTarget
from streamstgs.app.player.pipeline.scheduler import (
    FetchSettings,
    LocalScheduler,
    NetworkScheduler,
)
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.codec.quality import Quality
from streamstgs.codec.streaming.adaptive import (
    Abort,
    AdaptiveSettings,
    Decision,
    FetchLayer,
    FetchSegment,
    LayerInFlight,
    LayerRule,
    SegmentInFlight,
    Throughput,
    Wait,
)

from tests.scripted_scene import ScriptedScene
from tests.synthetic import SyntheticSource

SCENE = ScriptedScene(static_layers=3)  # five GOPs of 1 s (the last of 0.5 s) at QP 20, 28, 32
OPENED = OpenedScene.of(SCENE)  # type: ignore[arg-type]
TARGET = PlayTarget(0, 0, None, loop=True, playing=True, speed=1.0)
LOWEST, MIDDLE, BEST = OPENED.qualities
EVERYTHING = dict.fromkeys(range(5), BEST)


def at(mbps: float, latency_s: float = 0.01) -> Throughput:
    bps = mbps * 1e6
    return Throughput(bps, bps, latency_s)


def view(target: PlayTarget = TARGET, **seen: Any) -> FetchView:
    known: dict[str, Any] = {
        "position_s": OPENED.timeline.start_s(target.gop),
        "ready": {},
        "sizes": {},
        "most_bytes": 1 << 30,
        "static_layers": 3,
        "broken": frozenset(),
        "throughput": at(10.0),
        "keyframes": frozenset(range(5)),
        "best": BEST,
    }
    return FetchView(OPENED, target, **{**known, **seen})


def network(
    kept: Callable[[int], tuple[Quality, ...]] = lambda _: (),
    static_kept: Callable[[int], bool] = lambda _: False,
) -> NetworkScheduler:
    return NetworkScheduler(OPENED, FetchSettings(), kept, static_kept)


def chosen(decision: Decision) -> tuple[Any, ...]:
    match decision:
        case FetchSegment(gop, quality, again=again):
            return "again" if again else "segment", gop, OPENED.qualities[quality]
        case FetchLayer(layer):
            return "layer", layer
    return (type(decision).__name__,)


def test_local_scheduler_reads_layers_then_best_quality() -> None:
    local = LocalScheduler(FetchSettings(local_gops=1))
    assert chosen(local.next(view(static_layers=1))) == ("layer", 1)
    assert chosen(local.next(view())) == ("segment", 0, BEST)
    assert chosen(local.next(view(ready={0: BEST}))) == ("segment", 1, BEST)
    assert isinstance(local.next(view(ready={0: BEST, 1: BEST})), Wait)
    by_hand = view(replace(TARGET, quality=LOWEST, playing=False), ready={0: BEST})
    assert chosen(local.next(by_hand)) == ("segment", 0, LOWEST)


def test_network_scheduler_fetches_first_layer_then_segments() -> None:
    net = network()
    assert chosen(net.next(view(static_layers=0, throughput=None))) == ("layer", 0)
    first = net.next(view(static_layers=1, throughput=None))
    assert chosen(first) == ("segment", 0, LOWEST)
    later = net.next(view(static_layers=3, ready={0: LOWEST, 1: LOWEST, 2: LOWEST}))
    assert chosen(later) == ("segment", 3, BEST)
    assert "Mbit/s" in later.reason


def test_wait_when_the_buffer_is_full() -> None:
    settings = FetchSettings()
    tight = replace(settings, adaptive=replace(settings.adaptive, most_buffer_s=2.5))
    net = NetworkScheduler(OPENED, tight, lambda _: (), lambda _: False)
    decision = net.next(view(ready={0: BEST, 1: BEST}, position_s=0.2))
    assert isinstance(decision, Wait)
    assert decision.wait_s == pytest.approx(0.3)


@pytest.mark.parametrize("fetching", [network(), LocalScheduler(FetchSettings())])
def test_broken_quality_is_replaced_by_the_next(fetching: Any) -> None:
    broken = frozenset({(0, BEST), (0, LOWEST)})
    by_hand = replace(TARGET, quality=BEST)
    assert chosen(fetching.next(view(by_hand, broken=broken))) == ("segment", 0, MIDDLE)
    all_broken = frozenset((0, quality) for quality in OPENED.qualities)
    assert fetching.next(view(by_hand, broken=all_broken)).gop == 1


def test_chosen_quality_is_fetched_from_the_next_gop_on() -> None:
    net, target = network(), replace(TARGET, quality=MIDDLE)
    decision = net.next(view(target, ready=EVERYTHING))
    assert chosen(decision) == ("segment", 1, MIDDLE)
    assert decision.reason == "chosen by hand"
    assert isinstance(net.next(view(target, ready=dict.fromkeys(range(5), MIDDLE))), Wait)
    paused = replace(target, playing=False)
    assert chosen(net.next(view(paused, ready=EVERYTHING))) == ("segment", 0, MIDDLE)


@pytest.mark.parametrize("fetching", [network(), LocalScheduler(FetchSettings())])
def test_chosen_lower_quality_is_scheduled_once(fetching: Any) -> None:
    """A GOP that is not wanted soon stays decoded at the better one until it is."""
    target = replace(TARGET, quality=LOWEST)
    decoded = dict.fromkeys(range(5), BEST)
    assert fetching.next(view(target, ready=decoded)).gop == 1
    waiting = dict.fromkeys(range(1, 5), LOWEST)
    assert isinstance(fetching.next(view(target, ready=decoded, stored=waiting)), Wait)


def test_drag_fetches_lowest_quality_around_the_position() -> None:
    net, target = network(), replace(TARGET, gop=2, scrubbing=True)
    assert chosen(net.next(view(target, throughput=at(1000.0)))) == ("segment", 2, LOWEST)
    ready = {2: LOWEST}
    for nearest in (1, 3, 0, 4):  # from the beginning of GOP 2; for the hand that goes on there
        near = view(target, ready=ready, position_s=2.0, static_layers=1)
        assert chosen(net.next(near)) == ("segment", nearest, LOWEST)
        ready[nearest] = LOWEST
    assert isinstance(net.next(view(target, ready=ready)), Wait)
    by_hand = replace(target, quality=BEST)
    assert isinstance(net.next(view(by_hand, ready=ready)), Wait)
    assert isinstance(net.next(view(target, ready={2: LOWEST}, most_bytes=0)), Wait)


def test_drag_fetches_no_farther_than_the_buffer() -> None:
    settings = FetchSettings(replace(FetchSettings().adaptive, most_buffer_s=1.4))
    net = NetworkScheduler(OPENED, settings, lambda _: (), lambda _: False)
    target = replace(TARGET, gop=2, scrubbing=True)
    near = {1: LOWEST, 2: LOWEST, 3: LOWEST}
    assert isinstance(net.next(view(target, ready=near, position_s=2.5)), Wait)
    assert chosen(net.next(view(target, ready=near, position_s=2.1))) == ("segment", 0, LOWEST)


def test_drag_lowers_the_quality_in_flight() -> None:
    net, target = network(), replace(TARGET, gop=2, scrubbing=True)
    instead = net.reconsider(view(target), SegmentInFlight(0, 2, 3000, 1.0))
    assert instead is not None
    assert chosen(instead) == ("segment", 0, LOWEST)
    nearly_here = OPENED.ladder.gops[0].bytes_at(2) - 1000
    assert net.reconsider(view(target), SegmentInFlight(0, 2, nearly_here, 1.0)) is None
    assert net.reconsider(view(target), SegmentInFlight(0, 0, 100, 1.0)) is None


def test_seek_fetches_best_quality_that_arrives_soon() -> None:
    target = replace(TARGET, gop=3, serial=1)
    assert chosen(network().next(view(target, throughput=at(100.0)))) == ("segment", 3, BEST)
    assert chosen(network().next(view(target, throughput=at(0.1)))) == ("segment", 3, LOWEST)


def test_paused_frame_is_refined() -> None:
    net, paused = network(), replace(TARGET, playing=False)
    rest = net.next(view(paused, ready={0: LOWEST}, static_layers=1))
    assert chosen(rest) == ("layer", 1)
    assert chosen(net.next(view(paused, ready={0: LOWEST}))) == ("segment", 0, BEST)
    slowly = view(paused, ready={0: LOWEST}, throughput=at(0.035))
    assert chosen(net.next(slowly)) == ("segment", 0, MIDDLE)  # QP 20 would take longer than 3 s
    very = view(paused, ready={0: LOWEST}, throughput=at(0.001))
    assert chosen(net.next(very)) == ("segment", 0, BEST)  # nothing comes soon: the best then
    assert chosen(net.next(view(paused, ready={0: BEST}))) == ("segment", 1, BEST)


def test_low_quality_is_fetched_again_before_the_next_loop() -> None:
    ready = {0: LOWEST, 1: LOWEST, 2: BEST, 3: BEST, 4: BEST}
    decision = network().next(view(replace(TARGET, gop=2), ready=ready))
    assert chosen(decision) == ("again", 0, BEST)
    late = view(replace(TARGET, gop=4), ready=ready, position_s=4.45, throughput=at(0.17))
    assert network().next(late).gop == 1  # GOP 0 would come too late, GOP 1 at QP 28 would not
    alone = view(replace(TARGET, loop=False), ready=EVERYTHING)
    assert math.isinf(network().next(alone).wait_s)


def test_buffered_loop_is_fetched_again_at_better_quality() -> None:
    net = network()
    full = view(ready={0: BEST, 1: BEST, 2: LOWEST, 3: BEST, 4: BEST})
    decision = net.next(full)
    assert chosen(decision) == ("again", 2, BEST)
    assert "QP 20 instead of 32" in decision.reason
    for changed in (
        {
            "target": replace(TARGET, quality=LOWEST),
            "ready": dict.fromkeys(range(5), LOWEST),
        },
        {"best": LOWEST},  # better ones are not drawn in time
        {"keyframes": frozenset({0, 1, 3, 4})},  # its keyframe would have to come again
        {"broken": frozenset({(2, BEST), (2, MIDDLE)})},
        {"sizes": dict.fromkeys(range(5), 1000), "most_bytes": 5000},
        {"decode_s": 2.5},  # it would be shown before it is decoded
    ):
        decision = net.next(replace(full, **changed))  # type: ignore[arg-type]
        assert chosen(decision)[0] != "again", changed


def test_single_intact_gop_is_fetched_again() -> None:
    broken = frozenset((gop, quality) for gop in range(1, 5) for quality in OPENED.qualities)
    assert chosen(network().next(view(ready={0: LOWEST}, broken=broken)))[:2] == (
        "again",
        0,
    )


def test_disk_cache_is_used_without_a_throughput_estimate() -> None:
    net = network(
        kept=lambda gop: (BEST,) if gop == 0 else (),
        static_kept=lambda layer: layer < 2,
    )
    unknown = view(static_layers=1, throughput=None)
    assert chosen(net.next(unknown)) == ("segment", 0, BEST)
    then = view(static_layers=1, throughput=None, ready={0: BEST})
    assert chosen(net.next(then)) == ("layer", 1)
    everything = view(static_layers=2, throughput=None, ready=EVERYTHING)
    assert chosen(net.next(everything)) == ("layer", 2)
    low = view(throughput=None, ready=dict.fromkeys(range(5), LOWEST))
    assert isinstance(net.next(low), Wait)  # a second viewing needs no network


def test_memory_bounds_segments_ahead() -> None:
    tight = view(ready={0: LOWEST}, sizes={0: 8000}, most_bytes=10_000)
    decision = network().next(tight)
    assert isinstance(decision, Wait)
    assert "memory" in decision.reason
    assert network().next(replace(tight, ready={}, sizes={})).gop == 0  # the shown one always


def test_speed_divides_the_throughput() -> None:
    def quality(speed: float) -> int:
        target = replace(TARGET, speed=speed)
        return network().next(view(target, throughput=at(1.0))).quality_index

    assert (quality(1.0), quality(8.0)) == (2, 0)


def test_qualities_rendered_too_late_are_not_fetched() -> None:
    ready = dict.fromkeys(range(3), LOWEST)
    assert network().next(view(ready=ready, best=MIDDLE)).quality_index == 1
    paused = replace(TARGET, playing=False)
    assert network().next(view(paused, ready={0: LOWEST}, best=MIDDLE)).quality_index == 1


def test_late_transfer_continues_at_the_lowest_quality() -> None:
    flight = SegmentInFlight(1, 2, 3500, 2.0)
    collapsed = view(ready={0: LOWEST}, throughput=at(0.01))
    net = network()
    instead = net.reconsider(collapsed, flight)
    assert instead is not None
    assert chosen(instead) == ("segment", 1, LOWEST)
    assert net.reconsider(replace(collapsed, broken=frozenset({(1, LOWEST)})), flight) is None
    paused = replace(collapsed, target=replace(TARGET, playing=False))
    assert net.reconsider(paused, flight) is None  # the next GOP is not waited for


def test_late_upgrade_is_aborted() -> None:
    flight = SegmentInFlight(1, 2, 3500, 2.0)
    net, collapsed = network(), view(ready={0: LOWEST, 1: MIDDLE}, throughput=at(0.01))
    instead = net.reconsider(collapsed, flight)
    assert instead is not None
    assert chosen(instead) == ("Abort",)
    assert net.reconsider(replace(collapsed, throughput=at(10.0)), flight) is None
    paused = replace(collapsed, target=replace(TARGET, playing=False))
    assert net.reconsider(paused, flight) is None
    assert net.reconsider(paused, replace(flight, gop=0)) is None  # a picture being refined


def test_quality_may_change_until_features_arrive() -> None:
    net, flight = network(), SegmentInFlight(1, 0, 1000, 0.2)
    fast = view(ready={0: LOWEST})
    instead = net.reconsider(fast, flight)
    assert instead is not None
    assert instead.quality_index == 2
    assert net.reconsider(fast, replace(flight, received_bytes=4000)) is None
    assert net.reconsider(view(ready={}), replace(flight, gop=0)) is None  # it is waited for
    assert net.reconsider(view(replace(TARGET, quality=LOWEST), ready={0: LOWEST}), flight) is None
    kept = network(kept=lambda gop: (LOWEST,) if gop == 1 else ())
    assert kept.reconsider(fast, flight) is None


def poor_view(target: PlayTarget = TARGET, **seen: Any) -> FetchView:
    """Two of three static layers are missing, and the network is slower than the lowest quality."""
    slow = at(0.02)
    known = replace(slow, measured_s=1e6)
    return view(target, **{"static_layers": 1, "throughput": known, **seen})


def test_layer_transfer_is_aborted_for_a_segment_while_playing() -> None:
    flight = LayerInFlight(1, 500, 2.0)
    drop = at(0.015)
    seen = view(static_layers=1, throughput=drop, ready={0: LOWEST})
    paused = network().reconsider(seen, flight)
    assert paused is not None
    assert isinstance(paused, Abort)
    still = replace(seen, target=replace(TARGET, playing=False))
    assert network().reconsider(still, flight) is None
    rich = replace(drop, bps=1e7, fast_bps=1e7)
    assert network().reconsider(replace(seen, throughput=rich), flight) is None


def test_starved_network_fetches_layers_but_not_before_a_seek() -> None:
    source = SyntheticSource(20, 10, (10,) * 1200, fps=10.0)  # long enough that they pay
    opened = OpenedScene.of(ScriptedScene(source=source, static_layers=3))  # type: ignore[arg-type]
    net = NetworkScheduler(opened, FetchSettings(), lambda _: (), lambda _: False)
    here = poor_view(target=replace(TARGET, gop=2), ready={0: LOWEST, 1: LOWEST})
    starved = replace(here, opened=opened)
    assert isinstance(net.next(starved), FetchLayer)
    sought = net.next(replace(starved, sought=True))
    assert chosen(sought)[:2] == ("segment", 2)


def test_received_bytes_of_a_layer_count() -> None:
    slow = at(0.2)
    seen = view(static_layers=2, throughput=slow, ready={0: LOWEST})
    big = replace(OPENED.ladder, static_bytes=(3000, 3000, 100_000))
    opened = replace(OPENED, ladder=big)
    eager = FetchSettings(AdaptiveSettings(layers=LayerRule(reserve_s=0.0)))
    net = NetworkScheduler(opened, eager, lambda _: (), lambda _: False)
    assert isinstance(net.next(replace(seen, opened=opened)), FetchSegment)
    nearly = replace(seen, opened=opened, static_part_bytes=98_000)
    assert isinstance(net.next(nearly), FetchLayer)


def test_little_is_fetched_ahead_of_the_first_frame() -> None:
    net = NetworkScheduler(
        OPENED, replace(FetchSettings(), first_s=1.5), lambda _: (), lambda _: False
    )
    one, two = {0: BEST}, {0: BEST, 1: BEST}
    assert chosen(net.next(view(ready=one, begun=False)))[:2] == ("segment", 1)
    assert isinstance(net.next(view(ready=two, begun=False)), Wait)
    assert chosen(net.next(view(ready=two)))[:2] == ("segment", 2)
