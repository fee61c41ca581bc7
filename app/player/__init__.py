"""Playback without Qt: clock, decode thread, state machine, cameras, pictures, films.

`Playback` plays a scene, `OrbitCamera` looks at it, `RenderThread` draws it in a thread;
`render_scene` writes films and pictures, `bench` measures.

Errors:
    PlayerError(Exception)               anything this package raises on purpose
      CameraPathError(ValueError)        no such camera, or a malformed path.json
      OutputError(ValueError)            a film or picture that cannot be written like that
A running `Playback` raises nothing: it reports `PlaybackError` events.
"""
