"""Multi-view video -> a trained scene that `codec.encoder` can write.

The way through the rooms; each imports only from those above it, and `optimization`:
    datasets/      a capture on disk -> cameras and frames
    points/        triangulated, swept or carved points: where Gaussians start
    coarse/        once for the capture: what stays still, each camera's colour response, the
                   Gaussians of the static layer
    fine/          per GOP: canonical Gaussians, features, field
    evaluation/    the scene against recorded pictures, held-out cameras above all
    ablation/      all of it again, one part switched off at a time
    optimization/  Gaussians under Adam, density control, the differentiable picture, losses

Beside them lies what belongs to a run as a whole: `train` (the run) and its stages (`coarse_stage`,
`joint_stage`, `gop_stage`), its settings (`config`; named ones in `recipes`: the best we have, and
the paper's; `setting_checks` refuses what makes no sense), `memory` (whether a capture fits), and
`run_directory` (what training leaves on disk; a `codec.encoder.source.SceneSource`).

Errors:
    TrainerError(RuntimeError)           anything this package raises on purpose
      CaptureError(ValueError)           the capture cannot be used; names the camera or file
      EvaluationError(ValueError)        the scene has no such rung or frame
      SettingError(ValueError)           a setting makes no sense; names its option
      MemoryNeedError(MemoryError)       a capture does not fit into memory; says what helps
      RunError(ValueError)               a run directory lacks parts or does not fit its capture
"""
