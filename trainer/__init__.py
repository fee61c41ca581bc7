"""Multi-view video -> a trained scene that `codec.encoder` can write.

The way through the room:
    datasets/ (capture on disk -> frames) -> background (temporal median, motion masks)
    -> initial_points (triangulation, plane_sweep)
    -> static_stage (the layer that never moves; each camera's color_response)
    -> dynamic_points -> gop_start -> gop_stage (per GOP: canonical Gaussians, features, field;
       losses, auxiliary and gop_density are its steps)
    -> run_directory (what training leaves on disk; a `codec.source.SceneSource`)
    -> evaluate (the encoded scene against held-out cameras)

recipes.py names settings: the best we have, and the paper's. ablation.py switches parts off.

Errors:
    TrainerError(RuntimeError)           anything this package raises on purpose
      CaptureError(ValueError)           the capture cannot be used; names the camera or file
      EvaluationError(ValueError)      the scene has no such rung or frame
      RunError(ValueError)               a run directory lacks parts or does not fit its capture
"""
