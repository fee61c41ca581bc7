"""All commands of the window, in one table.

The menus, the keyboard, the F1 dialog and the documentation are all made from `COMMANDS`, so they
cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamstgs.app.translation import mark, tr


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        name: The key of its handler.
        menu: The menu that lists it.
        text: The label in the menu and in the F1 dialog.
        keys: Shortcuts in Qt's portable spelling; the menu shows the first one.
        checkable: Whether it is a state that is on or off.
        gap: Whether a separator stands before it.
        listed: Whether it has an entry of its own in the menu (presets are named by the scene).
        note: Another way to reach it, for the F1 dialog.
        submenu: The part of the menu that lists it; empty for the menu itself.
    """

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    checkable: bool = False
    gap: bool = False
    listed: bool = True
    note: str = ""
    submenu: str = ""


MENUS = (mark("File"), mark("Playback"), mark("View"), mark("Camera"), mark("Help"))

_DROP, _TWICE = mark("or drop it on the window"), mark("or F twice")
_WHEEL = mark("or the wheel")
_FLY = mark("then W A S D, Q E, Shift")
_GO_TO, _MARKERS, _REPEAT = mark("Go to"), mark("Markers"), mark("Repeat")
_SPEED, _SOUND = mark("Speed"), mark("Sound")

COMMANDS: tuple[Command, ...] = (
    Command("open_file", "File", mark("Open file…"), ("Ctrl+O",), note=_DROP),
    Command("open_folder", "File", mark("Open folder…"), ("Ctrl+Shift+O",)),
    Command("open_url", "File", mark("Open URL…"), ("Ctrl+U",)),
    Command("welcome", "File", mark("Welcome page")),
    Command("save_picture", "File", mark("Save picture…"), ("Ctrl+S",), gap=True),
    Command("render_picture", "File", mark("Render picture…"), ("Ctrl+Shift+S",)),
    Command("export_video", "File", mark("Export video…"), ("Ctrl+E",)),
    Command("export_scene", "File", mark("Export scene…"), ("Ctrl+Shift+E",)),
    Command("cancel_export", "File", mark("Cancel export")),
    Command("quit", "File", mark("Quit"), ("Ctrl+Q",), gap=True),
    Command("toggle", "Playback", mark("Play / pause"), ("Space",)),
    Command("shuttle_back", "Playback", mark("Play backwards, again: faster"), ("J",)),
    Command("shuttle_stop", "Playback", mark("Pause"), ("K",), listed=False),
    Command("shuttle_forward", "Playback", mark("Play forwards, again: faster"), ("L",)),
    Command("step_back", "Playback", mark("Previous frame"), ("Left", ","), gap=True),
    Command("step_forward", "Playback", mark("Next frame"), ("Right", ".")),
    Command(
        "second_back", "Playback", mark("Back 1 second"), ("Shift+Left",), gap=True, submenu=_GO_TO
    ),
    Command(
        "second_forward", "Playback", mark("Forward 1 second"), ("Shift+Right",), submenu=_GO_TO
    ),
    Command("go_start", "Playback", mark("Go to the start"), ("Home",), submenu=_GO_TO),
    Command("go_end", "Playback", mark("Go to the end"), ("End",), submenu=_GO_TO),
    Command("go_live", "Playback", mark("Go to the live edge"), ("Ctrl+End",), submenu=_GO_TO),
    Command("go_to_time", "Playback", mark("Go to a time or frame…"), ("Ctrl+T",), submenu=_GO_TO),
    Command("add_marker", "Playback", mark("Add marker"), ("M",), submenu=_MARKERS),
    Command("name_marker", "Playback", mark("Name marker…"), ("Shift+M",), submenu=_MARKERS),
    Command(
        "remove_marker", "Playback", mark("Remove marker"), ("Ctrl+Shift+M",), submenu=_MARKERS
    ),
    Command("marker_before", "Playback", mark("Previous marker"), ("Alt+Left",), submenu=_MARKERS),
    Command("marker_after", "Playback", mark("Next marker"), ("Alt+Right",), submenu=_MARKERS),
    Command("previous_scene", "Playback", mark("Previous scene or view"), ("PgUp",), gap=True),
    Command("next_scene", "Playback", mark("Next scene or view"), ("PgDown",)),
    Command("slower", "Playback", mark("Slower"), ("[",), submenu=_SPEED),
    Command("faster", "Playback", mark("Faster"), ("]",), submenu=_SPEED),
    Command("normal_speed", "Playback", mark("Normal speed"), ("Backspace",), submenu=_SPEED),
    Command("smooth", "Playback", mark("Smooth slow motion"), checkable=True, submenu=_SPEED),
    Command("loop", "Playback", mark("Loop"), ("R",), checkable=True, submenu=_REPEAT),
    Command(
        "ping_pong",
        "Playback",
        mark("To and fro (ping-pong)"),
        ("Shift+R",),
        checkable=True,
        submenu=_REPEAT,
    ),
    Command("part_start", "Playback", mark("Repeat from here (A)"), ("Shift+A",), submenu=_REPEAT),
    Command("part_end", "Playback", mark("Repeat until here (B)"), ("Shift+B",), submenu=_REPEAT),
    Command("part_off", "Playback", mark("Repeat no part"), ("Shift+Backspace",), submenu=_REPEAT),
    Command("mute", "Playback", mark("Mute"), ("Ctrl+M",), submenu=_SOUND),
    Command("louder", "Playback", mark("Louder"), ("Shift+Up",), submenu=_SOUND),
    Command("quieter", "Playback", mark("Quieter"), ("Shift+Down",), submenu=_SOUND),
    Command("better", "Playback", mark("Higher quality"), ("Up",), gap=True),
    Command("smaller", "Playback", mark("Lower quality"), ("Down",)),
    Command("auto", "Playback", mark("Automatic quality"), ("A",), checkable=True),
    Command(
        "full_screen",
        "View",
        mark("Full screen"),
        ("F11",),
        checkable=True,
        note=_TWICE,
    ),
    Command("leave", "View", mark("Leave full screen, or cancel"), ("Esc",), listed=False),
    Command("panel", "View", mark("Side panel"), ("P",), checkable=True),
    Command("statistics", "View", mark("Statistics over the picture"), ("I",), checkable=True),
    Command("titles", "View", mark("Title and credit"), ("T",), checkable=True),
    Command("frame_all", "Camera", mark("Frame all"), ("F",)),
    Command("reset_camera", "Camera", mark("Reset camera"), ("0",)),
    Command("filmed_side", "Camera", mark("Back to the filmed side"), ("B",)),
    Command("free_flight", "Camera", mark("Fly freely"), checkable=True, gap=True),
    Command("fly", "Camera", mark("Fly mode"), ("V",), checkable=True, note=_FLY),
    Command("copy_camera", "Camera", mark("Copy camera"), ("Ctrl+Shift+C",), gap=True),
    Command("paste_camera", "Camera", mark("Paste camera"), ("Ctrl+Shift+V",)),
    Command("keep_opening_view", "Camera", mark("Use as opening view")),
    Command("forget_opening_view", "Camera", mark("Forget opening view")),
    Command("add_keyframe", "Camera", mark("Add keyframe"), ("Ctrl+Return",), gap=True),
    Command("undo_film", "Camera", mark("Undo edit of the film"), ("Ctrl+Z",)),
    Command("redo_film", "Camera", mark("Redo edit of the film"), ("Ctrl+Shift+Z",)),
    Command("follow_track", "Camera", mark("Follow keyframes"), ("Ctrl+K",), checkable=True),
    Command("show_path", "Camera", mark("Show camera path"), ("Ctrl+Shift+K",), checkable=True),
    Command("compare_quality", "View", mark("Compare with another quality"), ("Ctrl+D",), gap=True),
    Command("compare_scene", "View", mark("Compare with another scene…")),
    Command("compare_capture", "View", mark("Compare with the capture…")),
    Command("compare_off", "View", mark("End the comparison"), ("Ctrl+Shift+D",)),
    Command("film_lanes", "View", mark("Film lanes"), ("Ctrl+L",), checkable=True),
    Command("play_film", "Playback", mark("Preview film"), ("Ctrl+Space",)),
    Command("open_camera_path", "Camera", mark("Open camera path…")),
    Command("save_camera_path", "Camera", mark("Save camera path…")),
    Command("orbit_left", "Camera", mark("Orbit left"), ("Ctrl+Left",), listed=False),
    Command("orbit_right", "Camera", mark("Orbit right"), ("Ctrl+Right",), listed=False),
    Command("orbit_up", "Camera", mark("Orbit up"), ("Ctrl+Up",), listed=False),
    Command("orbit_down", "Camera", mark("Orbit down"), ("Ctrl+Down",), listed=False),
    Command("roll_left", "Camera", mark("Roll left"), ("Q",), listed=False),
    Command("roll_right", "Camera", mark("Roll right"), ("E",), listed=False),
    Command("dolly_in", "Camera", mark("Closer"), ("+", "="), listed=False, note=_WHEEL),
    Command("dolly_out", "Camera", mark("Farther"), ("-",), listed=False),
    *(
        Command(f"preset_{n}", "Camera", f"Camera preset {n}", (str(n),), listed=False)
        for n in range(1, 10)
    ),
    Command("shortcuts", "Help", mark("Keyboard and mouse"), ("F1",)),
    Command("copy_report", "Help", mark("Copy bug report"), ("Ctrl+Shift+B",)),
    Command("about", "Help", mark("About")),
)

# Gestures of the pointer, shown beside the keys.
GESTURES: tuple[tuple[str, str], ...] = (
    (mark("Drag"), mark("Orbit")),
    (mark("Right or middle drag"), mark("Pan")),
    (mark("Right click"), mark("Commands for the picture")),
    (mark("Wheel or pinch"), mark("Move towards the pointer")),
    (mark("Double click"), mark("Orbit around the point under the pointer")),
    (mark("Drag on the timeline"), mark("Scrub")),
    (mark("Click on the time code"), mark("Type a time")),
)


def shortcut_rows(name: Callable[[str], str] = str) -> list[tuple[str, str, str]]:
    """(group, keys, meaning) of every command with a key; the nine presets are one row.

    Groups are in English, as of `MENUS`.

    Args:
        name: Returns how a shortcut is written, from its portable spelling.
    """
    rows = []
    for command in COMMANDS:
        if not command.keys or command.name.startswith("preset_"):
            continue
        keys = ", ".join(map(name, command.keys)) + (
            f", {tr(command.note)}" if command.note else ""
        )
        rows.append((command.menu, keys, tr(command.text).rstrip("…")))
    rows.append(("Camera", "1 … 9", tr("Camera presets of the scene")))
    return rows


def markdown() -> str:
    """The shortcuts as a table for the documentation."""
    lines = ["| key | what it does |", "|---|---|"]
    lines += [f"| {keys} | {meaning} |" for _, keys, meaning in shortcut_rows()]
    lines += [f"| {tr(gesture)} | {tr(meaning)} |" for gesture, meaning in GESTURES]
    return "\n".join(lines) + "\n"
