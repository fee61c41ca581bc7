"""The player without Qt: fetching, decoding, playback, cameras, rendering, export.

`ViewerModel` is what a window or a script drives. Below it `Playback` plays a scene, its `Pipeline`
fetches and decodes, and `RenderThread` renders. `render_scene` writes videos and images, `bench`
measures.

Errors:
    PlayerError(Exception)               every error that this package raises on purpose
      CameraPathError(ValueError)        no such camera, or a malformed camera path file
      TimeTrackError(ValueError)         an empty or malformed time track
      PlaylistError(ValueError)          an empty or malformed playlist of a kiosk
      OutputError(ValueError)            a video or image that cannot be written as asked
      BenchError(ValueError)             a file without the figures of a benchmark
      NoSceneError(RuntimeError)         an operation of a viewer that needs an open scene
      SceneFailed(RuntimeError)          the scene of a viewer cannot be opened or played
      SceneTimeout(TimeoutError)         the scene of a viewer had no frame in time
A running `Playback` raises nothing: it reports `PlaybackError` events.
"""
