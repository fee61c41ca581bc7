"""Multi-view video -> a trained scene that `codec.encoder` can write.

The way through the room:
    datasets/ (capture on disk -> frames) -> background (temporal median, motion masks)
    -> initial_points -> static_stage (the layer that never moves)
    -> dynamic_points -> gop_stage (per GOP: canonical Gaussians, features, field)
    -> run_directory (what training leaves on disk; a `codec.source.SceneSource`)
    -> evaluate (the encoded scene against held-out cameras)

Errors:
    TrainerError(RuntimeError)           anything this package raises on purpose
      CaptureError(ValueError)           the capture cannot be used; names the camera or file
      EvaluationError(ValueError)      the scene has no such rung or frame
      RunError(ValueError)               a run directory lacks parts or does not fit its capture
"""
