"""All commands of the window, in one table.

The menus, the keyboard, the F1 dialog and the documentation are all made from `COMMANDS`, so they
cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    name: str
    menu: str
    text: str
    keys: tuple[str, ...] = ()
    checkable: bool = False
    gap: bool = False
    listed: bool = True
    note: str = ""


MENUS = ("File", "Playback", "View", "Camera", "Help")

COMMANDS: tuple[Command, ...] = (
    Command("open_file", "File", "Open file…", ("Ctrl+O",), note="or drop it on the window"),
    Command("open_folder", "File", "Open folder…", ("Ctrl+Shift+O",)),
    Command("open_url", "File", "Open URL…", ("Ctrl+U",)),
    Command("save_picture", "File", "Save picture…", ("Ctrl+S",), gap=True),
    Command("export_video", "File", "Export video…", ("Ctrl+E",)),
    Command("cancel_export", "File", "Cancel export"),
    Command("quit", "File", "Quit", ("Ctrl+Q",), gap=True),
    Command("toggle", "Playback", "Play / pause", ("Space", "K")),
    Command("step_back", "Playback", "Previous frame", ("Left",), gap=True),
    Command("step_forward", "Playback", "Next frame", ("Right",)),
    Command("second_back", "Playback", "Back 1 second", ("Shift+Left", "J")),
    Command("second_forward", "Playback", "Forward 1 second", ("Shift+Right", "L")),
    Command("go_start", "Playback", "Go to the start", ("Home",)),
    Command("go_end", "Playback", "Go to the end", ("End",)),
    Command("slower", "Playback", "Slower", ("[",), gap=True),
    Command("faster", "Playback", "Faster", ("]",)),
    Command("normal_speed", "Playback", "Normal speed", ("Backspace",)),
    Command("loop", "Playback", "Loop", ("R",), checkable=True),
    Command("better", "Playback", "Higher quality", ("Up",), gap=True),
    Command("smaller", "Playback", "Lower quality", ("Down",)),
    Command("auto", "Playback", "Automatic quality", ("A",), checkable=True),
    Command("full_screen", "View", "Full screen", ("F11",), checkable=True, note="or F twice"),
    Command("leave", "View", "Leave full screen, or cancel", ("Esc",), listed=False),
    Command("panel", "View", "Side panel", ("Tab",), checkable=True),
    Command("statistics", "View", "Statistics over the picture", ("I",), checkable=True),
    Command("frame_all", "Camera", "Frame all", ("F",)),
    Command("reset_camera", "Camera", "Reset camera", ("0",)),
    Command("copy_camera", "Camera", "Copy camera", ("Ctrl+Shift+C",), gap=True),
    Command("paste_camera", "Camera", "Paste camera", ("Ctrl+Shift+V",)),
    Command("add_keyframe", "Camera", "Add keyframe", ("Ctrl+Return",), gap=True),
    Command("undo_keyframe", "Camera", "Undo edit of keyframes", ("Ctrl+Z",)),
    Command("redo_keyframe", "Camera", "Redo edit of keyframes", ("Ctrl+Shift+Z",)),
    Command("follow_track", "Camera", "Follow keyframes", ("Ctrl+K",), checkable=True),
    Command("open_camera_path", "Camera", "Open camera path…"),
    Command("save_camera_path", "Camera", "Save camera path…"),
    Command("orbit_left", "Camera", "Orbit left", ("Ctrl+Left",), listed=False),
    Command("orbit_right", "Camera", "Orbit right", ("Ctrl+Right",), listed=False),
    Command("orbit_up", "Camera", "Orbit up", ("Ctrl+Up",), listed=False),
    Command("orbit_down", "Camera", "Orbit down", ("Ctrl+Down",), listed=False),
    Command("roll_left", "Camera", "Roll left", ("Q",), listed=False),
    Command("roll_right", "Camera", "Roll right", ("E",), listed=False),
    Command("dolly_in", "Camera", "Closer", ("+", "="), listed=False, note="or the wheel"),
    Command("dolly_out", "Camera", "Farther", ("-",), listed=False),
    *(
        Command(f"preset_{n}", "Camera", f"Camera preset {n}", (str(n),), listed=False)
        for n in range(1, 10)
    ),
    Command("shortcuts", "Help", "Keyboard and mouse", ("F1",)),
    Command("about", "Help", "About"),
)

# Gestures of the pointer, shown beside the keys.
GESTURES: tuple[tuple[str, str], ...] = (
    ("Drag", "Orbit"),
    ("Right or middle drag", "Pan"),
    ("Wheel or pinch", "Move towards the pointer"),
    ("Double click", "Orbit around the point under the pointer"),
    ("Drag on the timeline", "Scrub"),
    ("Click on the time code", "Type a time"),
)


def shortcut_rows() -> list[tuple[str, str, str]]:
    """(group, keys, meaning) of every command with a key; the nine presets are one row."""
    rows = []
    for command in COMMANDS:
        if not command.keys or command.name.startswith("preset_"):
            continue
        keys = ", ".join(command.keys) + (f", {command.note}" if command.note else "")
        rows.append((command.menu, keys, command.text.rstrip("…")))
    rows.append(("Camera", "1 … 9", "Camera presets of the scene"))
    return rows


def markdown() -> str:
    """The shortcuts as a table for the documentation."""
    lines = ["| key | what it does |", "|---|---|"]
    lines += [f"| {keys} | {meaning} |" for _, keys, meaning in shortcut_rows()]
    lines += [f"| {gesture} | {meaning} |" for gesture, meaning in GESTURES]
    return "\n".join(lines) + "\n"
