<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source> px</source>
        <translation> px</translation>
    </message>
    <message>
        <source>1 key</source>
        <translation>1 Schlüssel</translation>
    </message>
    <message>
        <source>1 keyframe</source>
        <translation>1 Keyframe</translation>
    </message>
    <message>
        <source>2 x 2 samples for each pixel</source>
        <translation>2 x 2 Abtastungen je Pixel</translation>
    </message>
    <message>
        <source>2 × brighter</source>
        <translation>2 × heller</translation>
    </message>
    <message>
        <source>2 × darker</source>
        <translation>2 × dunkler</translation>
    </message>
    <message>
        <source>3D depth</source>
        <translation>3D-Tiefe</translation>
    </message>
    <message>
        <source>3D display</source>
        <translation>3D-Anzeige</translation>
    </message>
    <message>
        <source>4 x 4 samples for each pixel</source>
        <translation>4 x 4 Abtastungen je Pixel</translation>
    </message>
    <message>
        <source>4 × brighter</source>
        <translation>4 × heller</translation>
    </message>
    <message>
        <source>4 × darker</source>
        <translation>4 × dunkler</translation>
    </message>
    <message>
        <source>4DGS (one file)</source>
        <translation>4DGS (eine Datei)</translation>
    </message>
    <message>
        <source>75 %</source>
        <translation>75 %</translation>
    </message>
    <message>
        <source>A background layer could not be loaded; some detail is missing: {error}</source>
        <translation>Eine Schicht des Hintergrunds konnte nicht geladen werden; Einzelheiten fehlen: {error}</translation>
    </message>
    <message>
        <source>A bug report is on the clipboard. Paste it where you report.</source>
        <translation>Ein Fehlerbericht ist in der Zwischenablage. Fügen Sie ihn ein, wo Sie den Fehler melden.</translation>
    </message>
    <message>
        <source>A little softer than the best quality, {share:.0%} of its data.</source>
        <translation>Etwas weicher als die beste Qualität, {share:.0%} ihrer Daten.</translation>
    </message>
    <message>
        <source>A time (1:02.5) or a frame (87f). Enter goes there.</source>
        <translation>Eine Zeit (1:02.5) oder ein Bild (87f). Eingabe geht dorthin.</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Info</translation>
    </message>
    <message>
        <source>About {program}</source>
        <translation>Info zu {program}</translation>
    </message>
    <message>
        <source>Add key</source>
        <translation>Schlüssel hinzufügen</translation>
    </message>
    <message>
        <source>Add keyframe</source>
        <translation>Keyframe hinzufügen</translation>
    </message>
    <message>
        <source>Add keyframe (Enter)</source>
        <translation>Keyframe hinzufügen (Eingabe)</translation>
    </message>
    <message>
        <source>Add marker</source>
        <translation>Marke setzen</translation>
    </message>
    <message>
        <source>Add the present camera	Enter</source>
        <translation>Jetzige Kamera hinzufügen	Eingabe</translation>
    </message>
    <message>
        <source>Address of a scene, a splat file, or frames such as clip/frame_%04d.ply</source>
        <translation>Adresse einer Szene, einer Splat-Datei oder von Bildern wie clip/frame_%04d.ply</translation>
    </message>
    <message>
        <source>Addresses with {scheme}: cannot be opened. Use https:, http: or file:.</source>
        <translation>Adressen mit {scheme}: lassen sich nicht öffnen. Möglich sind https:, http: und file:.</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>Für Fachleute</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
    <message>
        <source>All of them</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>All {count} frames</source>
        <translation>Alle {count} Bilder</translation>
    </message>
    <message>
        <source>As captured ({rate:g})</source>
        <translation>Wie aufgenommen ({rate:g})</translation>
    </message>
    <message>
        <source>As captured ({width} x {height})</source>
        <translation>Wie aufgenommen ({width} x {height})</translation>
    </message>
    <message>
        <source>As in the window</source>
        <translation>Wie im Fenster</translation>
    </message>
    <message>
        <source>As the scene says</source>
        <translation>Wie in der Szene</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Automatic quality</source>
        <translation>Automatische Qualität</translation>
    </message>
    <message>
        <source>Back 1 second</source>
        <translation>1 Sekunde zurück</translation>
    </message>
    <message>
        <source>Back to the filmed side</source>
        <translation>Zurück zur gefilmten Seite</translation>
    </message>
    <message>
        <source>Back to the scene</source>
        <translation>Zurück zur Szene</translation>
    </message>
    <message>
        <source>Background</source>
        <translation>Hintergrund</translation>
    </message>
    <message>
        <source>Backwards until the next key</source>
        <translation>Rückwärts bis zum nächsten Schlüssel</translation>
    </message>
    <message>
        <source>Best</source>
        <translation>Beste</translation>
    </message>
    <message>
        <source>Bitrate and network</source>
        <translation>Bitrate und Netz</translation>
    </message>
    <message>
        <source>Black</source>
        <translation>Schwarz</translation>
    </message>
    <message>
        <source>Brightness of scene and background</source>
        <translation>Helligkeit von Szene und Hintergrund</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <source>Camera keyframes: drag to move, Alt and drag to copy, right click for more. Enter adds the present camera.</source>
        <translation>Keyframes der Kamera: ziehen verschiebt, mit Alt ziehen kopiert, Rechtsklick zeigt mehr. Eingabe fügt die jetzige Kamera hinzu.</translation>
    </message>
    <message>
        <source>Camera path in the picture (Ctrl+Shift+K)</source>
        <translation>Kamerapfad im Bild (Strg+Umschalt+K)</translation>
    </message>
    <message>
        <source>Camera paths (*.json)</source>
        <translation>Kamerapfade (*.json)</translation>
    </message>
    <message>
        <source>Camera position x, y, z in world units</source>
        <translation>Ort der Kamera x, y, z in Welteinheiten</translation>
    </message>
    <message>
        <source>Camera presets of the scene</source>
        <translation>Standpunkte der Szene</translation>
    </message>
    <message>
        <source>Camera track</source>
        <translation>Kameraspur</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Cancel export</source>
        <translation>Export abbrechen</translation>
    </message>
    <message>
        <source>Cannot open {location}: {reason}</source>
        <translation>{location} lässt sich nicht öffnen: {reason}</translation>
    </message>
    <message>
        <source>Change speed gradually</source>
        <translation>Tempo allmählich ändern</translation>
    </message>
    <message>
        <source>Check that you may read it.</source>
        <translation>Prüfen Sie, ob Sie sie lesen dürfen.</translation>
    </message>
    <message>
        <source>Check the address and the network, then open it again.</source>
        <translation>Prüfen Sie Adresse und Netz, und öffnen Sie sie dann noch einmal.</translation>
    </message>
    <message>
        <source>Check the path.</source>
        <translation>Prüfen Sie den Pfad.</translation>
    </message>
    <message>
        <source>Choose the best quality that the network can carry (A)</source>
        <translation>Die beste Qualität wählen, die das Netz schafft (A)</translation>
    </message>
    <message>
        <source>Chosen by you. Better quality needs a faster network.</source>
        <translation>Von Ihnen gewählt. Bessere Qualität braucht ein schnelleres Netz.</translation>
    </message>
    <message>
        <source>Chosen for this computer and network.</source>
        <translation>Für diesen Computer und dieses Netz gewählt.</translation>
    </message>
    <message>
        <source>Click on the time code</source>
        <translation>Klick auf den Zeitcode</translation>
    </message>
    <message>
        <source>Click to type a time (1:02.5) or a frame (87f)</source>
        <translation>Klicken, um eine Zeit (1:02.5) oder ein Bild (87f) einzugeben</translation>
    </message>
    <message>
        <source>Closer</source>
        <translation>Näher heran</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>Colour behind the scene</source>
        <translation>Farbe hinter der Szene</translation>
    </message>
    <message>
        <source>Colours of the controls</source>
        <translation>Farben der Bedienung</translation>
    </message>
    <message>
        <source>Comes with the player</source>
        <translation>Mitgeliefert</translation>
    </message>
    <message>
        <source>Commands for the picture</source>
        <translation>Befehle für das Bild</translation>
    </message>
    <message>
        <source>Compare with another quality</source>
        <translation>Mit anderer Qualität vergleichen</translation>
    </message>
    <message>
        <source>Compare with another scene</source>
        <translation>Mit anderer Szene vergleichen</translation>
    </message>
    <message>
        <source>Compare with another scene…</source>
        <translation>Mit anderer Szene vergleichen…</translation>
    </message>
    <message>
        <source>Compare with the capture</source>
        <translation>Mit der Aufnahme vergleichen</translation>
    </message>
    <message>
        <source>Compare with the capture…</source>
        <translation>Mit der Aufnahme vergleichen…</translation>
    </message>
    <message>
        <source>Compared with</source>
        <translation>Verglichen mit</translation>
    </message>
    <message>
        <source>Compressed PLY</source>
        <translation>Komprimiertes PLY</translation>
    </message>
    <message>
        <source>Content time: drag keys, double click adds one, right click holds, slows down, turns around and loops.</source>
        <translation>Zeit der Szene: Schlüssel ziehen, Doppelklick fügt einen hinzu, Rechtsklick hält an, verlangsamt, kehrt um und wiederholt.</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy	Ctrl+C</source>
        <translation>Kopieren	Strg+C</translation>
    </message>
    <message>
        <source>Copy bug report</source>
        <translation>Fehlerbericht kopieren</translation>
    </message>
    <message>
        <source>Copy camera</source>
        <translation>Kamera kopieren</translation>
    </message>
    <message>
        <source>Copy the camera (Ctrl+Shift+C)</source>
        <translation>Kamera kopieren (Strg+Umschalt+C)</translation>
    </message>
    <message>
        <source>Coverage</source>
        <translation>Deckung</translation>
    </message>
    <message>
        <source>Crop</source>
        <translation>Ausschnitt</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>Dekodieren</translation>
    </message>
    <message>
        <source>Deform</source>
        <translation>Verformen</translation>
    </message>
    <message>
        <source>Delete	Del</source>
        <translation>Löschen	Entf</translation>
    </message>
    <message>
        <source>Depth</source>
        <translation>Tiefe</translation>
    </message>
    <message>
        <source>Difference (x 4)</source>
        <translation>Unterschied (x 4)</translation>
    </message>
    <message>
        <source>Display</source>
        <translation>Darstellung</translation>
    </message>
    <message>
        <source>Done again.</source>
        <translation>Wiederhergestellt.</translation>
    </message>
    <message>
        <source>Double click</source>
        <translation>Doppelklick</translation>
    </message>
    <message>
        <source>Double speed until the next key</source>
        <translation>Doppeltes Tempo bis zum nächsten Schlüssel</translation>
    </message>
    <message>
        <source>Drag</source>
        <translation>Ziehen</translation>
    </message>
    <message>
        <source>Drag on the timeline</source>
        <translation>Ziehen auf der Zeitleiste</translation>
    </message>
    <message>
        <source>Drawing with: {renderer}</source>
        <translation>Gezeichnet mit: {renderer}</translation>
    </message>
    <message>
        <source>Drop a scene, a splat file such as .ply or .spz, or a folder here, or choose one.</source>
        <translation>Eine Szene, eine Splat-Datei wie .ply oder .spz oder einen Ordner hierher ziehen, oder auswählen.</translation>
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
        <source>Drop to play these files as one sequence</source>
        <translation>Ablegen, um diese Dateien als eine Sequenz abzuspielen</translation>
    </message>
    <message>
        <source>Drop to play these scenes in turn</source>
        <translation>Ablegen, um diese Szenen nacheinander abzuspielen</translation>
    </message>
    <message>
        <source>Ellipsoids</source>
        <translation>Ellipsoide</translation>
    </message>
    <message>
        <source>End</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>End slowly</source>
        <translation>Sanft enden</translation>
    </message>
    <message>
        <source>End slowly (ramp down)</source>
        <translation>Sanft enden (auslaufen)</translation>
    </message>
    <message>
        <source>End the comparison</source>
        <translation>Vergleich beenden</translation>
    </message>
    <message>
        <source>Export scene</source>
        <translation>Szene exportieren</translation>
    </message>
    <message>
        <source>Export scene…</source>
        <translation>Szene exportieren…</translation>
    </message>
    <message>
        <source>Export video</source>
        <translation>Video exportieren</translation>
    </message>
    <message>
        <source>Export video…</source>
        <translation>Video exportieren…</translation>
    </message>
    <message>
        <source>Exported {path}</source>
        <translation>{path} exportiert</translation>
    </message>
    <message>
        <source>Exporting {name}: {share:.0%}</source>
        <translation>{name} wird exportiert: {share:.0%}</translation>
    </message>
    <message>
        <source>Exporting {name}: {share:.0%}, {left:.0f} s left</source>
        <translation>{name} wird exportiert: {share:.0%}, noch {left:.0f} s</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>Exposure</source>
        <translation>Belichtung</translation>
    </message>
    <message>
        <source>Farther</source>
        <translation>Weiter weg</translation>
    </message>
    <message>
        <source>Faster</source>
        <translation>Schneller</translation>
    </message>
    <message>
        <source>Fetched QP</source>
        <translation>Geladener QP</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Film lanes</source>
        <translation>Filmspuren</translation>
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
        <source>Fold or unfold this section</source>
        <translation>Diesen Abschnitt zu- oder aufklappen</translation>
    </message>
    <message>
        <source>Folder of OpenEXR images</source>
        <translation>Ordner mit OpenEXR-Bildern</translation>
    </message>
    <message>
        <source>Folder of PNG images</source>
        <translation>Ordner mit PNG-Bildern</translation>
    </message>
    <message>
        <source>Folder of {format}</source>
        <translation>Ordner mit {format}</translation>
    </message>
    <message>
        <source>Folders</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Folders (*)</source>
        <translation>Ordner (*)</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Folgen</translation>
    </message>
    <message>
        <source>Follow keyframes</source>
        <translation>Keyframes folgen</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Vergessen</translation>
    </message>
    <message>
        <source>Forget opening view</source>
        <translation>Anfangsansicht vergessen</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>Forward 1 second</source>
        <translation>1 Sekunde vor</translation>
    </message>
    <message>
        <source>Frame all</source>
        <translation>Alles zeigen</translation>
    </message>
    <message>
        <source>Frame {number} skipped: {reason}</source>
        <translation>Bild {number} ausgelassen: {reason}</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Frames per second</source>
        <translation>Bilder pro Sekunde</translation>
    </message>
    <message>
        <source>Free</source>
        <translation>Frei</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Von</translation>
    </message>
    <message>
        <source>From the scene</source>
        <translation>Aus der Szene</translation>
    </message>
    <message>
        <source>From x, y, z</source>
        <translation>Von x, y, z</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>Voll</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Vollbild</translation>
    </message>
    <message>
        <source>Full screen (F11)</source>
        <translation>Vollbild (F11)</translation>
    </message>
    <message>
        <source>GIF loop</source>
        <translation>GIF-Schleife</translation>
    </message>
    <message>
        <source>Gaussian scenes ({patterns})</source>
        <translation>Gauß-Szenen ({patterns})</translation>
    </message>
    <message>
        <source>Gaussians</source>
        <translation>Gauß-Elemente</translation>
    </message>
    <message>
        <source>Gaussians kept</source>
        <translation>Behaltene Gauß-Elemente</translation>
    </message>
    <message>
        <source>Getting ready: scene {number} of {count}, {share:.0%}.</source>
        <translation>Vorbereitung: Szene {number} von {count}, {share:.0%}.</translation>
    </message>
    <message>
        <source>Go back to the opening view (0)</source>
        <translation>Zurück zur Anfangsansicht (0)</translation>
    </message>
    <message>
        <source>Go to</source>
        <translation>Gehe zu</translation>
    </message>
    <message>
        <source>Go to a time or frame…</source>
        <translation>Zu Zeit oder Bild gehen…</translation>
    </message>
    <message>
        <source>Go to the end</source>
        <translation>Ans Ende gehen</translation>
    </message>
    <message>
        <source>Go to the live edge</source>
        <translation>Zum Live-Rand</translation>
    </message>
    <message>
        <source>Go to the live edge (Ctrl+End)</source>
        <translation>Zum Live-Rand (Strg+Ende)</translation>
    </message>
    <message>
        <source>Go to the start</source>
        <translation>An den Anfang gehen</translation>
    </message>
    <message>
        <source>Half</source>
        <translation>Halb</translation>
    </message>
    <message>
        <source>Half speed until the next key</source>
        <translation>Halbes Tempo bis zum nächsten Schlüssel</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>Höhe</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>High</source>
        <translation>Hoch</translation>
    </message>
    <message>
        <source>High contrast</source>
        <translation>Hoher Kontrast</translation>
    </message>
    <message>
        <source>Higher</source>
        <translation>Höher</translation>
    </message>
    <message>
        <source>Higher quality</source>
        <translation>Höhere Qualität</translation>
    </message>
    <message>
        <source>Highest corner</source>
        <translation>Höchste Ecke</translation>
    </message>
    <message>
        <source>Hold for 1 second (bullet time)</source>
        <translation>1 Sekunde anhalten (Bullet Time)</translation>
    </message>
    <message>
        <source>How far things stand out of a 3D screen</source>
        <translation>Wie weit Dinge aus einem 3D-Bildschirm heraustreten</translation>
    </message>
    <message>
        <source>How many of the window&apos;s pixels are rendered while something moves</source>
        <translation>Wie viele Pixel des Fensters gerendert werden, während sich etwas bewegt</translation>
    </message>
    <message>
        <source>Image every</source>
        <translation>Ein Bild alle</translation>
    </message>
    <message>
        <source>Image size</source>
        <translation>Bildgröße</translation>
    </message>
    <message>
        <source>Importance</source>
        <translation>Wichtigkeit</translation>
    </message>
    <message>
        <source>In its own colours, as a whole</source>
        <translation>In ihren eigenen Farben, als Ganzes</translation>
    </message>
    <message>
        <source>It may be damaged: fetch it again.</source>
        <translation>Sie ist vielleicht beschädigt: laden Sie sie noch einmal.</translation>
    </message>
    <message>
        <source>Keep view</source>
        <translation>Ansicht merken</translation>
    </message>
    <message>
        <source>Key {number} of {count}</source>
        <translation>Schlüssel {number} von {count}</translation>
    </message>
    <message>
        <source>Keyboard and mouse</source>
        <translation>Tastatur und Maus</translation>
    </message>
    <message>
        <source>Keyframe at {time:.2f} s.</source>
        <translation>Keyframe bei {time:.2f} s.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Language of all texts of the window</source>
        <translation>Sprache aller Texte des Fensters</translation>
    </message>
    <message>
        <source>Large (125 %)</source>
        <translation>Groß (125 %)</translation>
    </message>
    <message>
        <source>Larger (150 %)</source>
        <translation>Größer (150 %)</translation>
    </message>
    <message>
        <source>Largest (200 %)</source>
        <translation>Am größten (200 %)</translation>
    </message>
    <message>
        <source>Last fetch</source>
        <translation>Zuletzt geladen</translation>
    </message>
    <message>
        <source>Late frames</source>
        <translation>Verspätete Bilder</translation>
    </message>
    <message>
        <source>Layout of the comparison</source>
        <translation>Anordnung des Vergleichs</translation>
    </message>
    <message>
        <source>Leave full screen (Esc)</source>
        <translation>Vollbild verlassen (Esc)</translation>
    </message>
    <message>
        <source>Leave full screen, or cancel</source>
        <translation>Vollbild verlassen, oder abbrechen</translation>
    </message>
    <message>
        <source>Leave out what is outside of a box</source>
        <translation>Weglassen, was außerhalb eines Quaders liegt</translation>
    </message>
    <message>
        <source>Leave the background out</source>
        <translation>Hintergrund weglassen</translation>
    </message>
    <message>
        <source>Let the camera leave what was filmed; the picture may be wrong</source>
        <translation>Die Kamera darf den gefilmten Bereich verlassen; das Bild kann dort falsch sein</translation>
    </message>
    <message>
        <source>Level {number}</source>
        <translation>Stufe {number}</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>Live</translation>
    </message>
    <message>
        <source>Loaded ahead</source>
        <translation>Vorausgeladen</translation>
    </message>
    <message>
        <source>Looks at</source>
        <translation>Blickt auf</translation>
    </message>
    <message>
        <source>Looks like the best quality, with {share:.0%} of its data.</source>
        <translation>Sieht aus wie die beste Qualität, mit {share:.0%} ihrer Daten.</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>Schleife</translation>
    </message>
    <message>
        <source>Loop (R)</source>
        <translation>Schleife (R)</translation>
    </message>
    <message>
        <source>Loop the scene beyond its ends</source>
        <translation>Szene über ihre Enden hinaus wiederholen</translation>
    </message>
    <message>
        <source>Louder</source>
        <translation>Lauter</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>Niedrig</translation>
    </message>
    <message>
        <source>Lower</source>
        <translation>Niedriger</translation>
    </message>
    <message>
        <source>Lower quality</source>
        <translation>Niedrigere Qualität</translation>
    </message>
    <message>
        <source>Lowest</source>
        <translation>Minimal</translation>
    </message>
    <message>
        <source>Lowest corner</source>
        <translation>Tiefste Ecke</translation>
    </message>
    <message>
        <source>MOV, ProRes 4444 (for editing)</source>
        <translation>MOV, ProRes 4444 (zum Schneiden)</translation>
    </message>
    <message>
        <source>MP4, AV1 (smallest)</source>
        <translation>MP4, AV1 (am kleinsten)</translation>
    </message>
    <message>
        <source>MP4, H.264 (plays everywhere)</source>
        <translation>MP4, H.264 (läuft überall)</translation>
    </message>
    <message>
        <source>MP4, HEVC</source>
        <translation>MP4, HEVC</translation>
    </message>
    <message>
        <source>Made with {libraries}.</source>
        <translation>Gemacht mit {libraries}.</translation>
    </message>
    <message>
        <source>Marker {number}</source>
        <translation>Marke {number}</translation>
    </message>
    <message>
        <source>Markers</source>
        <translation>Marken</translation>
    </message>
    <message>
        <source>Measurements of the last two minutes</source>
        <translation>Messwerte der letzten zwei Minuten</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>Method:</source>
        <translation>Verfahren:</translation>
    </message>
    <message>
        <source>Missing parts</source>
        <translation>Fehlende Teile</translation>
    </message>
    <message>
        <source>Motion</source>
        <translation>Bewegung</translation>
    </message>
    <message>
        <source>Mouse</source>
        <translation>Maus</translation>
    </message>
    <message>
        <source>Move beyond the edge; the picture may be wrong there</source>
        <translation>Über die Grenze hinaus bewegen; das Bild kann dort falsch sein</translation>
    </message>
    <message>
        <source>Move towards the pointer</source>
        <translation>Auf den Zeiger zu bewegen</translation>
    </message>
    <message>
        <source>Move with W A S D, Q E and Shift; drag to look around (V)</source>
        <translation>Mit W A S D, Q E und Umschalt bewegen; ziehen zum Umsehen (V)</translation>
    </message>
    <message>
        <source>Moving</source>
        <translation>Bewegt</translation>
    </message>
    <message>
        <source>Much softer than the best quality, {share:.0%} of its data.</source>
        <translation>Viel weicher als die beste Qualität, {share:.0%} ihrer Daten.</translation>
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
        <translation>Marke benennen</translation>
    </message>
    <message>
        <source>Name marker…</source>
        <translation>Marke benennen…</translation>
    </message>
    <message>
        <source>Name of the marker at {time}</source>
        <translation>Name der Marke bei {time}</translation>
    </message>
    <message>
        <source>Named views of the scene (1 to 9)</source>
        <translation>Benannte Ansichten der Szene (1 bis 9)</translation>
    </message>
    <message>
        <source>Name…</source>
        <translation>Benennen…</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>Netz</translation>
    </message>
    <message>
        <source>Next frame</source>
        <translation>Nächstes Bild</translation>
    </message>
    <message>
        <source>Next frame (Right)</source>
        <translation>Nächstes Bild (Rechts)</translation>
    </message>
    <message>
        <source>Next marker</source>
        <translation>Nächste Marke</translation>
    </message>
    <message>
        <source>Next scene or view</source>
        <translation>Nächste Szene oder Ansicht</translation>
    </message>
    <message>
        <source>No frame of this scene can be read. Choose another one.</source>
        <translation>Kein Bild dieser Szene ist lesbar. Wählen Sie eine andere.</translation>
    </message>
    <message>
        <source>No part of this scene can be decoded. Fetch it again or ask its maker.</source>
        <translation>Kein Teil dieser Szene lässt sich dekodieren. Laden Sie sie noch einmal, oder fragen Sie ihren Hersteller.</translation>
    </message>
    <message>
        <source>No renderer is ready: {error}. The processor (cpu) draws instead.</source>
        <translation>Kein Renderer ist bereit: {error}. Stattdessen zeichnet der Prozessor (cpu).</translation>
    </message>
    <message>
        <source>No scene is available now. It is tried again soon.</source>
        <translation>Zurzeit ist keine Szene verfügbar. Gleich folgt ein neuer Versuch.</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>Normal</translation>
    </message>
    <message>
        <source>Normal depth</source>
        <translation>Normale Tiefe</translation>
    </message>
    <message>
        <source>Normal speed</source>
        <translation>Normales Tempo</translation>
    </message>
    <message>
        <source>Normals</source>
        <translation>Normalen</translation>
    </message>
    <message>
        <source>Nothing comes from {host}. Still asking.</source>
        <translation>Von {host} kommt nichts. Wir fragen weiter.</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>One moment, please</source>
        <translation>Einen Moment bitte</translation>
    </message>
    <message>
        <source>One speed</source>
        <translation>Ein Tempo</translation>
    </message>
    <message>
        <source>One speed along the whole track</source>
        <translation>Ein Tempo auf der ganzen Spur</translation>
    </message>
    <message>
        <source>One third</source>
        <translation>Ein Drittel</translation>
    </message>
    <message>
        <source>Opacity of Gaussians</source>
        <translation>Opazität der Gauß-Elemente</translation>
    </message>
    <message>
        <source>Open URL</source>
        <translation>Adresse öffnen</translation>
    </message>
    <message>
        <source>Open URL…</source>
        <translation>Adresse öffnen…</translation>
    </message>
    <message>
        <source>Open a .stgs file or a folder that holds a scene.json.</source>
        <translation>Öffnen Sie eine .stgs-Datei oder einen Ordner mit einer scene.json.</translation>
    </message>
    <message>
        <source>Open a scene</source>
        <translation>Szene öffnen</translation>
    </message>
    <message>
        <source>Open a scene folder</source>
        <translation>Ordner einer Szene öffnen</translation>
    </message>
    <message>
        <source>Open a scene to choose its quality.</source>
        <translation>Öffnen Sie eine Szene, um ihre Qualität zu wählen.</translation>
    </message>
    <message>
        <source>Open another…</source>
        <translation>Andere öffnen…</translation>
    </message>
    <message>
        <source>Open camera path</source>
        <translation>Kamerapfad öffnen</translation>
    </message>
    <message>
        <source>Open camera path…</source>
        <translation>Kamerapfad öffnen…</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>Datei öffnen…</translation>
    </message>
    <message>
        <source>Open folder…</source>
        <translation>Ordner öffnen…</translation>
    </message>
    <message>
        <source>Open recent</source>
        <translation>Zuletzt Geöffnetes</translation>
    </message>
    <message>
        <source>Open this scene with its own axis and view again.</source>
        <translation>Diese Szene wieder mit eigener Achse und Ansicht öffnen.</translation>
    </message>
    <message>
        <source>Open this scene with the present view of the camera from now on.</source>
        <translation>Diese Szene von jetzt an mit der jetzigen Ansicht öffnen.</translation>
    </message>
    <message>
        <source>OpenEXR, 16-bit floats</source>
        <translation>OpenEXR, 16-Bit-Gleitkomma</translation>
    </message>
    <message>
        <source>OpenGL</source>
        <translation>OpenGL</translation>
    </message>
    <message>
        <source>OpenGL cannot draw here: {error}. Choose another renderer.</source>
        <translation>OpenGL kann hier nicht zeichnen: {error}. Wählen Sie einen anderen Renderer.</translation>
    </message>
    <message>
        <source>OpenGL cannot draw this: {error}. Choose another renderer.</source>
        <translation>OpenGL kann das nicht zeichnen: {error}. Wählen Sie einen anderen Renderer.</translation>
    </message>
    <message>
        <source>OpenGL cannot show images: {error}. Choose another renderer.</source>
        <translation>OpenGL kann keine Bilder zeigen: {error}. Wählen Sie einen anderen Renderer.</translation>
    </message>
    <message>
        <source>Opened {name}.</source>
        <translation>{name} geöffnet.</translation>
    </message>
    <message>
        <source>Opening</source>
        <translation>Wird geöffnet</translation>
    </message>
    <message>
        <source>Orbit</source>
        <translation>Umkreisen</translation>
    </message>
    <message>
        <source>Orbit around the point under the pointer</source>
        <translation>Den Punkt unter dem Zeiger umkreisen</translation>
    </message>
    <message>
        <source>Orbit centre x, y, z in world units</source>
        <translation>Mitte der Umkreisung x, y, z in Welteinheiten</translation>
    </message>
    <message>
        <source>Orbit down</source>
        <translation>Nach unten umkreisen</translation>
    </message>
    <message>
        <source>Orbit left</source>
        <translation>Nach links umkreisen</translation>
    </message>
    <message>
        <source>Orbit right</source>
        <translation>Nach rechts umkreisen</translation>
    </message>
    <message>
        <source>Orbit up</source>
        <translation>Nach oben umkreisen</translation>
    </message>
    <message>
        <source>Other colour…</source>
        <translation>Andere Farbe…</translation>
    </message>
    <message>
        <source>PLY (nothing is lost)</source>
        <translation>PLY (nichts geht verloren)</translation>
    </message>
    <message>
        <source>PNG, 8 bits</source>
        <translation>PNG, 8 Bit</translation>
    </message>
    <message>
        <source>PSNR {db:.1f} dB</source>
        <translation>PSNR {db:.1f} dB</translation>
    </message>
    <message>
        <source>PSNR {decibels:.1f} dB</source>
        <translation>PSNR {decibels:.1f} dB</translation>
    </message>
    <message>
        <source>Pan</source>
        <translation>Verschieben</translation>
    </message>
    <message>
        <source>Part {number} skipped: {reason}</source>
        <translation>Teil {number} ausgelassen: {reason}</translation>
    </message>
    <message>
        <source>Parts {first} to {last} skipped: {reason}</source>
        <translation>Teile {first} bis {last} ausgelassen: {reason}</translation>
    </message>
    <message>
        <source>Paste</source>
        <translation>Einfügen</translation>
    </message>
    <message>
        <source>Paste at the time of the film	Ctrl+V</source>
        <translation>Zur Zeit des Films einfügen	Strg+V</translation>
    </message>
    <message>
        <source>Paste camera</source>
        <translation>Kamera einfügen</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Pause (Space)</source>
        <translation>Pause (Leertaste)</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Pictures (*{suffix})</source>
        <translation>Bilder (*{suffix})</translation>
    </message>
    <message>
        <source>Play (Space)</source>
        <translation>Abspielen (Leertaste)</translation>
    </message>
    <message>
        <source>Play / pause</source>
        <translation>Abspielen / Pause</translation>
    </message>
    <message>
        <source>Play again (Space)</source>
        <translation>Noch einmal abspielen (Leertaste)</translation>
    </message>
    <message>
        <source>Play backwards, again: faster</source>
        <translation>Rückwärts abspielen, noch einmal: schneller</translation>
    </message>
    <message>
        <source>Play forwards, again: faster</source>
        <translation>Vorwärts abspielen, noch einmal: schneller</translation>
    </message>
    <message>
        <source>Play the film (Ctrl+Space)</source>
        <translation>Film abspielen (Strg+Leertaste)</translation>
    </message>
    <message>
        <source>Play the scene once</source>
        <translation>Szene einmal abspielen</translation>
    </message>
    <message>
        <source>Playback</source>
        <translation>Wiedergabe</translation>
    </message>
    <message>
        <source>Playback stopped</source>
        <translation>Wiedergabe angehalten</translation>
    </message>
    <message>
        <source>Playback stopped by a fault in this program ({error}). Open it again.</source>
        <translation>Ein Fehler in diesem Programm hat die Wiedergabe beendet ({error}). Öffnen Sie die Szene noch einmal.</translation>
    </message>
    <message>
        <source>Plays dynamic Gaussian scenes from files and servers.</source>
        <translation>Spielt bewegte Gauß-Szenen aus Dateien und von Servern ab.</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>Punkte</translation>
    </message>
    <message>
        <source>Position</source>
        <translation>Ort</translation>
    </message>
    <message>
        <source>Preparing to draw faster on this processor. This takes up to a minute, once after an installation or an update.</source>
        <translation>Das schnellere Zeichnen auf diesem Prozessor wird vorbereitet. Das dauert bis zu einer Minute, einmal nach einer Installation oder Aktualisierung.</translation>
    </message>
    <message>
        <source>Present</source>
        <translation>Anzeigen</translation>
    </message>
    <message>
        <source>Presenter</source>
        <translation>Anzeigeweg</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Standpunkt</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>Standpunkte</translation>
    </message>
    <message>
        <source>Preview film</source>
        <translation>Filmvorschau</translation>
    </message>
    <message>
        <source>Previous frame</source>
        <translation>Voriges Bild</translation>
    </message>
    <message>
        <source>Previous frame (Left)</source>
        <translation>Voriges Bild (Links)</translation>
    </message>
    <message>
        <source>Previous marker</source>
        <translation>Vorige Marke</translation>
    </message>
    <message>
        <source>Previous scene or view</source>
        <translation>Vorige Szene oder Ansicht</translation>
    </message>
    <message>
        <source>Processor (CPU)</source>
        <translation>Prozessor (CPU)</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>Qualität</translation>
    </message>
    <message>
        <source>Quantiser (QP) {qp}</source>
        <translation>Quantisierer (QP) {qp}</translation>
    </message>
    <message>
        <source>Quieter</source>
        <translation>Leiser</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Rasterise</source>
        <translation>Rastern</translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Redo edit of the film</source>
        <translation>Änderung am Film wiederholen</translation>
    </message>
    <message>
        <source>Reduced</source>
        <translation>Verringert</translation>
    </message>
    <message>
        <source>Reference (slow)</source>
        <translation>Referenz (langsam)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove marker</source>
        <translation>Marke entfernen</translation>
    </message>
    <message>
        <source>Remove the time track</source>
        <translation>Zeitspur entfernen</translation>
    </message>
    <message>
        <source>Render picture</source>
        <translation>Bild rendern</translation>
    </message>
    <message>
        <source>Render picture…</source>
        <translation>Bild rendern…</translation>
    </message>
    <message>
        <source>Renderer</source>
        <translation>Renderer</translation>
    </message>
    <message>
        <source>Renderer choice</source>
        <translation>Wahl des Renderers</translation>
    </message>
    <message>
        <source>Render…</source>
        <translation>Rendern…</translation>
    </message>
    <message>
        <source>Repeat</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Repeat from here (A)</source>
        <translation>Ab hier wiederholen (A)</translation>
    </message>
    <message>
        <source>Repeat no part</source>
        <translation>Keinen Teil wiederholen</translation>
    </message>
    <message>
        <source>Repeat until here (B)</source>
        <translation>Bis hier wiederholen (B)</translation>
    </message>
    <message>
        <source>Repeats from {start}. Shift+B sets the end.</source>
        <translation>Wiederholt ab {start}. Umschalt+B setzt das Ende.</translation>
    </message>
    <message>
        <source>Repeats {start} to {end}. Shift+Backspace ends it.</source>
        <translation>Wiederholt {start} bis {end}. Umschalt+Rücktaste beendet es.</translation>
    </message>
    <message>
        <source>Replace by the present camera	Shift+Enter</source>
        <translation>Durch die jetzige Kamera ersetzen	Umschalt+Eingabe</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Reset camera</source>
        <translation>Kamera zurücksetzen</translation>
    </message>
    <message>
        <source>Resolution</source>
        <translation>Auflösung</translation>
    </message>
    <message>
        <source>Right click</source>
        <translation>Rechtsklick</translation>
    </message>
    <message>
        <source>Right or middle drag</source>
        <translation>Rechts oder mittig ziehen</translation>
    </message>
    <message>
        <source>Roll</source>
        <translation>Neigung</translation>
    </message>
    <message>
        <source>Roll in degrees; 0 keeps the horizon level (Q and E)</source>
        <translation>Neigung in Grad; 0 hält den Horizont waagrecht (Q und E)</translation>
    </message>
    <message>
        <source>Roll left</source>
        <translation>Nach links neigen</translation>
    </message>
    <message>
        <source>Roll right</source>
        <translation>Nach rechts neigen</translation>
    </message>
    <message>
        <source>Run from source</source>
        <translation>Aus dem Quelltext gestartet</translation>
    </message>
    <message>
        <source>SOG (smallest)</source>
        <translation>SOG (am kleinsten)</translation>
    </message>
    <message>
        <source>SPLAT (without reflections)</source>
        <translation>SPLAT (ohne Spiegelungen)</translation>
    </message>
    <message>
        <source>SPZ (small)</source>
        <translation>SPZ (klein)</translation>
    </message>
    <message>
        <source>Save camera path</source>
        <translation>Kamerapfad speichern</translation>
    </message>
    <message>
        <source>Save camera path…</source>
        <translation>Kamerapfad speichern…</translation>
    </message>
    <message>
        <source>Save picture</source>
        <translation>Bild speichern</translation>
    </message>
    <message>
        <source>Save picture…</source>
        <translation>Bild speichern…</translation>
    </message>
    <message>
        <source>Saved {path}</source>
        <translation>{path} gespeichert</translation>
    </message>
    <message>
        <source>Scene</source>
        <translation>Szene</translation>
    </message>
    <message>
        <source>Screen</source>
        <translation>Bildschirm</translation>
    </message>
    <message>
        <source>Scrub</source>
        <translation>Spulen</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Show a box only</source>
        <translation>Nur ein Quader</translation>
    </message>
    <message>
        <source>Show camera path</source>
        <translation>Kamerapfad zeigen</translation>
    </message>
    <message>
        <source>Show only what is inside of a box in the scene</source>
        <translation>Nur zeigen, was in einem Quader der Szene liegt</translation>
    </message>
    <message>
        <source>Show path</source>
        <translation>Pfad zeigen</translation>
    </message>
    <message>
        <source>Show the scene</source>
        <translation>Szene zeigen</translation>
    </message>
    <message>
        <source>Show the whole scene (F)</source>
        <translation>Die ganze Szene zeigen (F)</translation>
    </message>
    <message>
        <source>Shown QP</source>
        <translation>Gezeigter QP</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Nebeneinander</translation>
    </message>
    <message>
        <source>Side by side (full)</source>
        <translation>Nebeneinander (voll)</translation>
    </message>
    <message>
        <source>Side by side (half)</source>
        <translation>Nebeneinander (halb)</translation>
    </message>
    <message>
        <source>Side panel</source>
        <translation>Seitenleiste</translation>
    </message>
    <message>
        <source>Side panel (P)</source>
        <translation>Seitenleiste (P)</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Size in pixels</source>
        <translation>Größe in Pixel</translation>
    </message>
    <message>
        <source>Size of texts and controls; the picture keeps all its pixels</source>
        <translation>Größe von Texten und Bedienung; das Bild behält alle Pixel</translation>
    </message>
    <message>
        <source>Size of the Gaussians; small ones show the structure</source>
        <translation>Größe der Gauß-Elemente; kleine zeigen den Aufbau</translation>
    </message>
    <message>
        <source>Slower</source>
        <translation>Langsamer</translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation>Weich</translation>
    </message>
    <message>
        <source>Smooth slow motion</source>
        <translation>Weiche Zeitlupe</translation>
    </message>
    <message>
        <source>Software</source>
        <translation>Software</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Ton</translation>
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
        <translation>Tempo</translation>
    </message>
    <message>
        <source>Speed ([ and ])</source>
        <translation>Tempo ([ und ])</translation>
    </message>
    <message>
        <source>Splat size</source>
        <translation>Größe der Splats</translation>
    </message>
    <message>
        <source>Split</source>
        <translation>Geteilt</translation>
    </message>
    <message>
        <source>Split of the comparison</source>
        <translation>Teilung des Vergleichs</translation>
    </message>
    <message>
        <source>Standard</source>
        <translation>Standard</translation>
    </message>
    <message>
        <source>Start and end slowly</source>
        <translation>Sanft beginnen und enden</translation>
    </message>
    <message>
        <source>Start slowly</source>
        <translation>Sanft beginnen</translation>
    </message>
    <message>
        <source>Start slowly (ramp up)</source>
        <translation>Sanft beginnen (anlaufen)</translation>
    </message>
    <message>
        <source>Static</source>
        <translation>Unbewegt</translation>
    </message>
    <message>
        <source>Static and moving</source>
        <translation>Unbewegt und bewegt</translation>
    </message>
    <message>
        <source>Static layers</source>
        <translation>Unbewegte Schichten</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>Messwerte</translation>
    </message>
    <message>
        <source>Statistics over the picture</source>
        <translation>Messwerte über dem Bild</translation>
    </message>
    <message>
        <source>Stay, then jump</source>
        <translation>Bleiben, dann springen</translation>
    </message>
    <message>
        <source>Stop film</source>
        <translation>Film anhalten</translation>
    </message>
    <message>
        <source>Straight, at one speed</source>
        <translation>Gerade, mit einem Tempo</translation>
    </message>
    <message>
        <source>Strong</source>
        <translation>Stark</translation>
    </message>
    <message>
        <source>Supersampling</source>
        <translation>Überabtastung</translation>
    </message>
    <message>
        <source>System</source>
        <translation>System</translation>
    </message>
    <message>
        <source>Take the camera of the clipboard (Ctrl+Shift+V)</source>
        <translation>Die Kamera der Zwischenablage nehmen (Strg+Umschalt+V)</translation>
    </message>
    <message>
        <source>The address names no server.</source>
        <translation>Die Adresse nennt keinen Server.</translation>
    </message>
    <message>
        <source>The address should begin with https:// or http://.</source>
        <translation>Die Adresse sollte mit https:// oder http:// beginnen.</translation>
    </message>
    <message>
        <source>The axis that points up; it is guessed where the file does not tell it. Your choice is remembered for this scene.</source>
        <translation>Die Achse, die nach oben zeigt; sie wird geschätzt, wo die Datei sie nicht nennt. Ihre Wahl bleibt für diese Szene gespeichert.</translation>
    </message>
    <message>
        <source>The camera follows the camera track ({count}).</source>
        <translation>Die Kamera folgt der Kameraspur ({count}).</translation>
    </message>
    <message>
        <source>The camera follows the film (Ctrl+K)</source>
        <translation>Die Kamera folgt dem Film (Strg+K)</translation>
    </message>
    <message>
        <source>The camera is on the clipboard.</source>
        <translation>Die Kamera ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>The camera track has no keyframe. Add one with Ctrl+Enter first.</source>
        <translation>Die Kameraspur hat keinen Keyframe. Fügen Sie zuerst einen mit Strg+Eingabe hinzu.</translation>
    </message>
    <message>
        <source>The camera track has {count}.</source>
        <translation>Die Kameraspur hat {count}.</translation>
    </message>
    <message>
        <source>The cameras saw nothing beyond this edge.</source>
        <translation>Hinter dieser Grenze haben die Kameras nichts gesehen.</translation>
    </message>
    <message>
        <source>The clipboard holds no camera. Copy one first with Ctrl+Shift+C.</source>
        <translation>In der Zwischenablage ist keine Kamera. Kopieren Sie zuerst eine mit Strg+Umschalt+C.</translation>
    </message>
    <message>
        <source>The end of the part is not after its start. Go to a later frame.</source>
        <translation>Das Ende des Teils liegt nicht nach seinem Anfang. Gehen Sie zu einem späteren Bild.</translation>
    </message>
    <message>
        <source>The export of {name} was cancelled.</source>
        <translation>Der Export von {name} wurde abgebrochen.</translation>
    </message>
    <message>
        <source>The film cannot be kept: {error}. Save the camera path.</source>
        <translation>Der Film lässt sich nicht aufbewahren: {error}. Speichern Sie den Kamerapfad.</translation>
    </message>
    <message>
        <source>The film plays the scene once. Double click to shape its time.</source>
        <translation>Der Film spielt die Szene einmal. Ein Doppelklick formt seine Zeit.</translation>
    </message>
    <message>
        <source>The frame that is shown</source>
        <translation>Das gezeigte Bild</translation>
    </message>
    <message>
        <source>The most important Gaussians are kept: opaque and large ones.</source>
        <translation>Die wichtigsten Gauß-Elemente bleiben: undurchsichtige und große.</translation>
    </message>
    <message>
        <source>The network carries {rate}; {ahead:.1f} s are loaded ahead.</source>
        <translation>Das Netz schafft {rate}; {ahead:.1f} s sind vorausgeladen.</translation>
    </message>
    <message>
        <source>The package miniaudio is missing; install it.</source>
        <translation>Das Paket miniaudio fehlt; installieren Sie es.</translation>
    </message>
    <message>
        <source>The picture cannot be drawn: {error}. Choose another renderer.</source>
        <translation>Das Bild lässt sich nicht zeichnen: {error}. Wählen Sie einen anderen Renderer.</translation>
    </message>
    <message>
        <source>The picture shows the present view at the best quality.</source>
        <translation>Das Bild zeigt die jetzige Ansicht in der besten Qualität.</translation>
    </message>
    <message>
        <source>The program that draws the Gaussians</source>
        <translation>Das Programm, das die Gauß-Elemente zeichnet</translation>
    </message>
    <message>
        <source>The renderer {name} cannot draw here: {error}. The processor (cpu) draws instead.</source>
        <translation>Der Renderer {name} kann hier nicht zeichnen: {error}. Stattdessen zeichnet der Prozessor (cpu).</translation>
    </message>
    <message>
        <source>The scene cannot be opened. Try another one.</source>
        <translation>Die Szene lässt sich nicht öffnen. Versuchen Sie eine andere.</translation>
    </message>
    <message>
        <source>The size changes when the program starts again.</source>
        <translation>Die Größe ändert sich beim nächsten Start des Programms.</translation>
    </message>
    <message>
        <source>The sound device cannot be opened: {error}.</source>
        <translation>Das Tongerät kann nicht geöffnet werden: {error}.</translation>
    </message>
    <message>
        <source>The video shows the scene from the present camera.</source>
        <translation>Das Video zeigt die Szene aus der jetzigen Kamera.</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Farbschema</translation>
    </message>
    <message>
        <source>There is no marker after this frame. M adds one.</source>
        <translation>Nach diesem Bild gibt es keine Marke. M setzt eine.</translation>
    </message>
    <message>
        <source>There is no marker at this frame. M adds one.</source>
        <translation>Bei diesem Bild gibt es keine Marke. M setzt eine.</translation>
    </message>
    <message>
        <source>There is no marker before this frame. M adds one.</source>
        <translation>Vor diesem Bild gibt es keine Marke. M setzt eine.</translation>
    </message>
    <message>
        <source>There is nothing to redo.</source>
        <translation>Es gibt nichts zu wiederholen.</translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation>Es gibt nichts zurückzunehmen.</translation>
    </message>
    <message>
        <source>This is no address. Check its brackets and its port.</source>
        <translation>Das ist keine Adresse. Prüfen Sie Klammern und Port.</translation>
    </message>
    <message>
        <source>This machine has no sound device.</source>
        <translation>Dieser Rechner hat kein Tongerät.</translation>
    </message>
    <message>
        <source>This program cannot read captures. Run streamstgs from Python.</source>
        <translation>Dieses Programm kann keine Aufnahmen lesen. Starten Sie streamstgs aus Python.</translation>
    </message>
    <message>
        <source>This scene</source>
        <translation>Diese Szene</translation>
    </message>
    <message>
        <source>This scene could not be opened</source>
        <translation>Diese Szene ließ sich nicht öffnen</translation>
    </message>
    <message>
        <source>This scene has one quality only. Compare with another scene.</source>
        <translation>Diese Szene hat nur eine Qualität. Vergleichen Sie mit einer anderen Szene.</translation>
    </message>
    <message>
        <source>This scene has one quality.</source>
        <translation>Diese Szene hat eine Qualität.</translation>
    </message>
    <message>
        <source>This scene opens with its own view from now on.</source>
        <translation>Diese Szene öffnet sich von jetzt an mit ihrer eigenen Ansicht.</translation>
    </message>
    <message>
        <source>This scene opens with this view from now on.</source>
        <translation>Diese Szene öffnet sich von jetzt an mit dieser Ansicht.</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Time track</source>
        <translation>Zeitspur</translation>
    </message>
    <message>
        <source>Timeline</source>
        <translation>Zeitleiste</translation>
    </message>
    <message>
        <source>Title and credit</source>
        <translation>Titel und Urheber</translation>
    </message>
    <message>
        <source>To</source>
        <translation>Bis</translation>
    </message>
    <message>
        <source>To and fro (ping-pong)</source>
        <translation>Hin und her (Ping-Pong)</translation>
    </message>
    <message>
        <source>To the next key</source>
        <translation>Bis zum nächsten Schlüssel</translation>
    </message>
    <message>
        <source>To the next keyframe</source>
        <translation>Bis zum nächsten Keyframe</translation>
    </message>
    <message>
        <source>To x, y, z</source>
        <translation>Bis x, y, z</translation>
    </message>
    <message>
        <source>Top and bottom (half)</source>
        <translation>Übereinander (halb)</translation>
    </message>
    <message>
        <source>Transparency</source>
        <translation>Transparenz</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Two pictures for 3D screens, projectors and headsets</source>
        <translation>Zwei Bilder für 3D-Bildschirme, Projektoren und Headsets</translation>
    </message>
    <message>
        <source>Type a time</source>
        <translation>Eine Zeit eingeben</translation>
    </message>
    <message>
        <source>Type or paste an address.</source>
        <translation>Geben Sie eine Adresse ein, oder fügen Sie sie ein.</translation>
    </message>
    <message>
        <source>URL…</source>
        <translation>Adresse…</translation>
    </message>
    <message>
        <source>Undo edit of the film</source>
        <translation>Änderung am Film zurücknehmen</translation>
    </message>
    <message>
        <source>Undone.</source>
        <translation>Zurückgenommen.</translation>
    </message>
    <message>
        <source>Unmute (Ctrl+M)</source>
        <translation>Ton einschalten (Strg+M)</translation>
    </message>
    <message>
        <source>Up axis</source>
        <translation>Hochachse</translation>
    </message>
    <message>
        <source>Use as opening view</source>
        <translation>Als Anfangsansicht nehmen</translation>
    </message>
    <message>
        <source>Version {number}</source>
        <translation>Version {number}</translation>
    </message>
    <message>
        <source>Vertical field of view in degrees</source>
        <translation>Senkrechter Bildwinkel in Grad</translation>
    </message>
    <message>
        <source>Videos (*{suffix})</source>
        <translation>Videos (*{suffix})</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>View angle</source>
        <translation>Bildwinkel</translation>
    </message>
    <message>
        <source>View mode, exposure, splat size, crop and background</source>
        <translation>Darstellung, Belichtung, Splatgröße, Ausschnitt und Hintergrund</translation>
    </message>
    <message>
        <source>Visibly softer than the best quality, {share:.0%} of its data.</source>
        <translation>Sichtbar weicher als die beste Qualität, {share:.0%} ihrer Daten.</translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>Lautstärke</translation>
    </message>
    <message>
        <source>Volume (Shift+Up, Shift+Down)</source>
        <translation>Lautstärke (Umschalt+Hoch, Umschalt+Herunter)</translation>
    </message>
    <message>
        <source>Weak</source>
        <translation>Schwach</translation>
    </message>
    <message>
        <source>WebP loop</source>
        <translation>WebP-Schleife</translation>
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
        <source>What the picture shows: colours, depth or the Gaussians themselves</source>
        <translation>Was das Bild zeigt: Farben, Tiefe oder die Gauß-Elemente selbst</translation>
    </message>
    <message>
        <source>Wheel</source>
        <translation>Mausrad</translation>
    </message>
    <message>
        <source>Wheel or pinch</source>
        <translation>Rad oder Zusammenziehen</translation>
    </message>
    <message>
        <source>Whether the camera glides and the controls fade</source>
        <translation>Ob die Kamera gleitet und die Bedienung ausblendet</translation>
    </message>
    <message>
        <source>White</source>
        <translation>Weiß</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>Breite</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Write the Gaussians as files of other programs</source>
        <translation>Die Gauß-Elemente als Dateien anderer Programme schreiben</translation>
    </message>
    <message>
        <source>Writes the Gaussians as files that other programs open.</source>
        <translation>Schreibt die Gauß-Elemente als Dateien, die andere Programme öffnen.</translation>
    </message>
    <message>
        <source>glTF for Blender (*.gltf)</source>
        <translation>glTF für Blender (*.gltf)</translation>
    </message>
    <message>
        <source>gsplat (CUDA)</source>
        <translation>gsplat (CUDA)</translation>
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
        <translation>oder zweimal F</translation>
    </message>
    <message>
        <source>or drop it on the window</source>
        <translation>oder aufs Fenster ziehen</translation>
    </message>
    <message>
        <source>or the wheel</source>
        <translation>oder das Rad</translation>
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
        <translation>x, y, z in Welteinheiten. Eingabe übernimmt, Esc verwirft.</translation>
    </message>
    <message>
        <source>{count:,} Gaussians</source>
        <translation>{count:,} Gauß-Elemente</translation>
    </message>
    <message>
        <source>{count} keyframes</source>
        <translation>{count} Keyframes</translation>
    </message>
    <message>
        <source>{count} keys</source>
        <translation>{count} Schlüssel</translation>
    </message>
    <message>
        <source>{error} Playing the new one.</source>
        <translation>{error} Die neue wird abgespielt.</translation>
    </message>
    <message>
        <source>{error} Trying again.</source>
        <translation>{error} Neuer Versuch.</translation>
    </message>
    <message>
        <source>{error}. Choose another folder or name.</source>
        <translation>{error}. Wählen Sie einen anderen Ordner oder Namen.</translation>
    </message>
    <message>
        <source>{error}. Choose the folder of a capture.</source>
        <translation>{error}. Wählen Sie den Ordner einer Aufnahme.</translation>
    </message>
    <message>
        <source>{keys}; key {number} at {time} is selected</source>
        <translation>{keys}; Schlüssel {number} bei {time} ist gewählt</translation>
    </message>
    <message>
        <source>{loaded} of {all}</source>
        <translation>{loaded} von {all}</translation>
    </message>
    <message>
        <source>{meaning}. Enter applies it, Esc discards it.</source>
        <translation>{meaning}. Eingabe übernimmt, Esc verwirft.</translation>
    </message>
    <message>
        <source>{median:.0f} ms, 95 %: {slow:.0f} ms</source>
        <translation>{median:.0f} ms, 95 %: {slow:.0f} ms</translation>
    </message>
    <message>
        <source>{name} at {time}. Shift+M names it.</source>
        <translation>{name} bei {time}. Umschalt+M benennt sie.</translation>
    </message>
    <message>
        <source>{now} of {end}</source>
        <translation>{now} von {end}</translation>
    </message>
    <message>
        <source>{percent} %</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>{quality} comes next.</source>
        <translation>Als Nächstes kommt: {quality}.</translation>
    </message>
    <message>
        <source>{rate:.0f} frames/s</source>
        <translation>{rate:.0f} Bilder/s</translation>
    </message>
    <message>
        <source>{rate:.0f} images/s</source>
        <translation>{rate:.0f} Anzeigen/s</translation>
    </message>
    <message>
        <source>{rate:.0f} of {all:g} frames/s</source>
        <translation>{rate:.0f} von {all:g} Bildern/s</translation>
    </message>
    <message>
        <source>{renderer}: not on this computer</source>
        <translation>{renderer}: nicht auf diesem Computer</translation>
    </message>
    <message>
        <source>{time}  ·  frame {frame}</source>
        <translation>{time}  ·  Bild {frame}</translation>
    </message>
    <message>
        <source>{time}, shows {content} of the scene</source>
        <translation>{time}, zeigt {content} der Szene</translation>
    </message>
</context>
</TS>
