<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source> px</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>1 keyframe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>2 x 2 samples for each pixel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>2 × brighter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>2 × darker</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>4 x 4 samples for each pixel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>4 × brighter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>4 × darker</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>4DGS (one file)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>75 %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A background layer could not be loaded; some detail is missing: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A bug report is on the clipboard. Paste it where you report.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>About</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>About {program}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add keyframe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add keyframe (Enter)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add marker</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add the present camera	Enter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Address of a scene, a splat file, or frames such as clip/frame_%04d.ply</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Addresses with {scheme}: cannot be opened. Use https:, http: or file:.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All of them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All {count} frames</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As captured ({rate:g})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As captured ({width} x {height})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As the scene says</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Automatic quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back 1 second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the filmed side</source>
        <translation>Zurück zur gefilmten Seite</translation>
    </message>
    <message>
        <source>Back to the scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Background</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Backwards until the next key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Best</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bitrate and network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Black</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Camera</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Camera keyframes: drag to move, Alt and drag to copy, right click for more. Enter adds the present camera.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Camera path in the picture (Ctrl+Shift+K)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Camera paths (*.json)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Camera position x, y, z in world units</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Camera presets of the scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Camera track</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel export</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cannot open {location}: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Change speed gradually</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check that you may read it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check the address and the network, then open it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Check the path.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the best quality that the network can carry (A)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chosen by you. Better quality needs a faster network.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chosen for this computer and network.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click on the time code</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click to type a time (1:02.5) or a frame (87f)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Closer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Colour</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Comes with the player</source>
        <translation>Mitgeliefert</translation>
    </message>
    <message>
        <source>Compare with another quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with another scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with another scene…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with the capture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare with the capture…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compared with</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compressed PLY</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Content time: drag keys, double click adds one, right click holds, slows down, turns around and loops.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy	Ctrl+C</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy bug report</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy camera</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Coverage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Crop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dark</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Decode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Deform</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete	Del</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Depth</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Difference (x 4)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Display</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Done again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Double click</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Double speed until the next key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drag</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drag on the timeline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drawing with: {renderer}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drop a scene, a splat file such as .ply or .spz, or a folder here, or choose one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drop scenes here, or choose one. Several play in turn.</source>
        <translation>Szenen hier ablegen oder eine wählen. Mehrere laufen nacheinander.</translation>
    </message>
    <message>
        <source>Drop to open</source>
        <translation>Zum Öffnen ablegen</translation>
    </message>
    <message>
        <source>Drop to play these scenes in turn</source>
        <translation>Ablegen, um diese Szenen nacheinander abzuspielen</translation>
    </message>
    <message>
        <source>Ellipsoids</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>End</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>End slowly</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>End slowly (ramp down)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>End the comparison</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export scene…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export video</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export video…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Exported {path}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Exporting {name}: {share:.0%}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Exporting {name}: {share:.0%}, {left:.0f} s left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Exposure</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Farther</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Faster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fetched QP</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>File</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Film lanes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fly freely</source>
        <translation>Frei fliegen</translation>
    </message>
    <message>
        <source>Fly mode</source>
        <translation>Flugmodus</translation>
    </message>
    <message>
        <source>Folder of OpenEXR images</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder of PNG images</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder of {format}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folders</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folders (*)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Follow</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Follow keyframes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forget</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forget opening view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Format</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forward 1 second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Frame all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Frame {number} skipped: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Frames</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Frames per second</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Free</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From the scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From x, y, z</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full screen (F11)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>GIF loop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Gaussian scenes ({patterns})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Gaussians</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Gaussians kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Getting ready: scene {number} of {count}, {share:.0%}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to a time or frame…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the end</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Half</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Half speed until the next key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Height</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Help</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>High</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>High contrast</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Higher</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Higher quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Highest corner</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hold for 1 second (bullet time)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Image every</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Image size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Importance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It may be damaged: fetch it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keyboard and mouse</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keyframe at {time:.2f} s.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Language</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Large (125 %)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Larger (150 %)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Largest (200 %)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Last fetch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Late frames</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layout of the comparison</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave full screen (Esc)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave full screen, or cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave out what is outside of a box</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave the background out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Let the camera leave what was filmed; the picture may be wrong</source>
        <translation>Die Kamera darf den gefilmten Bereich verlassen; das Bild kann dort falsch sein</translation>
    </message>
    <message>
        <source>Level {number}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Light</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loaded ahead</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looks at</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loop (R)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loop the scene beyond its ends</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Louder</source>
        <translation>Lauter</translation>
    </message>
    <message>
        <source>Low</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lower</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lower quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lowest</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Lowest corner</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MOV, ProRes 4444 (for editing)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MP4, AV1 (smallest)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MP4, H.264 (plays everywhere)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MP4, HEVC</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Made with {libraries}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Marker {number}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measurements of the last two minutes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Medium</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Method:</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Missing parts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Motion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mouse</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move beyond the edge; the picture may be wrong there</source>
        <translation>Über die Grenze hinaus bewegen; das Bild kann dort falsch sein</translation>
    </message>
    <message>
        <source>Move towards the pointer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move with W A S D, Q E and Shift; drag to look around (V)</source>
        <translation>Mit W A S D, Q E und Umschalt bewegen; ziehen zum Umsehen (V)</translation>
    </message>
    <message>
        <source>Moving</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Mute</source>
        <translation>Stummschalten</translation>
    </message>
    <message>
        <source>Mute (Ctrl+M)</source>
        <translation>Stummschalten (Strg+M)</translation>
    </message>
    <message>
        <source>Name marker</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name marker…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the marker at {time}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Network</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next frame (Right)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next marker</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Next scene or view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No frame of this scene can be read. Choose another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No part of this scene can be decoded. Fetch it again or ask its maker.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No renderer is ready: {error}. The processor (cpu) draws instead.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No scene is available now. It is tried again soon.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Normal</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Normal speed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Normals</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing comes from {host}. Still asking.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One moment, please</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One speed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One speed along the whole track</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>One third</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Opacity of Gaussians</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open URL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open URL…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a .stgs file or a folder that holds a scene.json.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a scene folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a scene to choose its quality.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open another…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open camera path</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open camera path…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open folder…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open recent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open this scene with its own axis and view again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open this scene with the present view of the camera from now on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>OpenEXR, 16-bit floats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>OpenGL</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>OpenGL cannot draw here: {error}. Choose another renderer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>OpenGL cannot draw this: {error}. Choose another renderer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>OpenGL cannot show images: {error}. Choose another renderer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Opened {name}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Opening</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Orbit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Orbit around the point under the pointer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Orbit centre x, y, z in world units</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Orbit down</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Orbit left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Orbit right</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Orbit up</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Other colour…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PLY (nothing is lost)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PNG, 8 bits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PSNR {db:.1f} dB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PSNR {decibels:.1f} dB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pan</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Part {number} skipped: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parts {first} to {last} skipped: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Paste</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Paste at the time of the film	Ctrl+V</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Paste camera</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause (Space)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pictures (*{suffix})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play (Space)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play / pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play again (Space)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play backwards, again: faster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play forwards, again: faster</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play the film (Ctrl+Space)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Play the scene once</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Playback</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Playback stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Playback stopped by a fault in this program ({error}). Open it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Plays dynamic Gaussian scenes from files and servers.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Points</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Position</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Present</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Presenter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Preset</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Presets</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Preview film</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Previous frame</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Previous frame (Left)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Previous marker</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Previous scene or view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Processor (CPU)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quantiser (QP) {qp}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quieter</source>
        <translation>Leiser</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rasterise</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Redo edit of keyframes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reduced</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reference (slow)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove marker</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove the time track</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Render picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Render picture…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Renderer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Renderer choice</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Render…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeat from here (A)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeat no part</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeat until here (B)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeats from {start}. Shift+B sets the end.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeats {start} to {end}. Shift+Backspace ends it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Replace by the present camera	Shift+Enter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reset</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reset camera</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Resolution</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Right or middle drag</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Roll</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Roll in degrees; 0 keeps the horizon level (Q and E)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Roll left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Roll right</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Run from source</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>SOG (smallest)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>SPLAT (without reflections)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>SPZ (small)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save camera path</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save camera path…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save picture…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Saved {path}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Screen</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Scrub</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show a box only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show camera path</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show path</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shown QP</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side panel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side panel (P)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Size in pixels</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Slower</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Smooth slow motion</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Software</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sound stopped by a fault in this program. Open the scene again.</source>
        <translation>Der Ton wurde durch einen Fehler in diesem Programm beendet. Öffnen Sie die Szene noch einmal.</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>Leertaste</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Speed ([ and ])</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Splat size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Split</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Split of the comparison</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Standard</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start and end slowly</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start slowly</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start slowly (ramp up)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Static</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Static and moving</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Static layers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Statistics over the picture</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stay, then jump</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop film</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Straight, at one speed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Supersampling</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>System</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The address names no server.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The address should begin with https:// or http://.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The axis that points up. It is remembered for this scene.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The camera follows the camera track ({count}).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The camera follows the film (Ctrl+K)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The camera is on the clipboard.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The camera track has no keyframe. Add one with Ctrl+Enter first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The camera track has {count}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The cameras saw nothing beyond this edge.</source>
        <translation>Hinter dieser Grenze haben die Kameras nichts gesehen.</translation>
    </message>
    <message>
        <source>The clipboard holds no camera. Copy one first with Ctrl+Shift+C.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The end of the part is not after its start. Go to a later frame.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The export of {name} was cancelled.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The film plays the scene once. Double click to shape its time.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The frame that is shown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The most important Gaussians are kept: opaque and large ones.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The network carries {rate}; {ahead:.1f} s are loaded ahead.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The package miniaudio is missing; install it.</source>
        <translation>Das Paket miniaudio fehlt; installieren Sie es.</translation>
    </message>
    <message>
        <source>The picture cannot be drawn: {error}. Choose another renderer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The picture shows the scene in its own colours, at the best quality.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The renderer {name} cannot draw here: {error}. The processor (cpu) draws instead.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The scene cannot be opened. Try another one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The size changes when the program starts again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The sound device cannot be opened: {error}.</source>
        <translation>Das Tongerät kann nicht geöffnet werden: {error}.</translation>
    </message>
    <message>
        <source>The video shows the scene from the present camera.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Theme</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no marker after this frame. M adds one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no marker at this frame. M adds one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no marker before this frame. M adds one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is nothing to redo.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is no address. Check its brackets and its port.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This machine has no sound device.</source>
        <translation>Dieser Rechner hat kein Tongerät.</translation>
    </message>
    <message>
        <source>This program cannot read captures. Run streamstgs from Python.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This scene</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This scene could not be opened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This scene has one quality only. Compare with another scene.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This scene has one quality.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This scene opens with its own view from now on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This scene opens with this view from now on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time track</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Timeline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Title and credit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>To</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>To and fro (ping-pong)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>To the next key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>To the next keyframe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>To x, y, z</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Transparency</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Type a time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Type or paste an address.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>URL…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo edit of keyframes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undone.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unmute (Ctrl+M)</source>
        <translation>Ton einschalten (Strg+M)</translation>
    </message>
    <message>
        <source>Up axis</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use as opening view</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Version {number}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Vertical field of view in degrees</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Videos (*{suffix})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>View</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>View angle</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>Lautstärke</translation>
    </message>
    <message>
        <source>Volume (Shift+Up, Shift+Down)</source>
        <translation>Lautstärke (Umschalt+Hoch, Umschalt+Runter)</translation>
    </message>
    <message>
        <source>WebP loop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Welcome</source>
        <translation>Willkommen</translation>
    </message>
    <message>
        <source>Welcome page</source>
        <translation>Willkommensseite</translation>
    </message>
    <message>
        <source>Wheel</source>
        <translation>Mausrad</translation>
    </message>
    <message>
        <source>Wheel or pinch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>White</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Width</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Writes the Gaussians as files that other programs open.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>glTF for Blender (*.gltf)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>gsplat (CUDA)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>look from another side</source>
        <translation>von einer anderen Seite ansehen</translation>
    </message>
    <message>
        <source>move closer</source>
        <translation>näher heran</translation>
    </message>
    <message>
        <source>or F twice</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>or drop it on the window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>or the wheel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>pause and play</source>
        <translation>anhalten und abspielen</translation>
    </message>
    <message>
        <source>then W A S D, Q E, Shift</source>
        <translation>dann W A S D, Q E, Umschalt</translation>
    </message>
    <message>
        <source>turn around this point</source>
        <translation>um diesen Punkt drehen</translation>
    </message>
    <message>
        <source>x, y, z in world units. Enter applies it, Esc discards it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count:,} Gaussians</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} keyframes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{count} keys</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{error} Playing the new one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{error} Trying again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{error}. Choose another folder or name.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{error}. Choose the folder of a capture.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{keys}; key {number} at {time} is selected</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{loaded} of {all}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{meaning}. Enter applies it, Esc discards it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{median:.0f} ms, 95 %: {slow:.0f} ms</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} at {time}. Shift+M names it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{now} of {end}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{percent} %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{quality} comes next.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{rate:.0f} frames/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{rate:.0f} images/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{rate:.0f} of {all:g} frames/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{renderer}: not on this computer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{time}  ·  frame {frame}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
