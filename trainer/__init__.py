"""Multi-view video -> a trained run that `codec.encoder` can write.

The rooms in the order of a run; each imports only from those above it, and `optimization`:
    datasets/      a capture on disk -> cameras and frames
    points/        given, triangulated, swept or carved points that Gaussians start from
    coarse/        once for the capture: temporal medians, colour correction, static Gaussians
    fine/          per GOP: canonical Gaussians, temporal features, deformation field
    evaluation/    an encoded scene against recorded images
    trajectory_fit/  a sequence whose Gaussians correspond -> the files of a run, without images
    ablation/      all of it again, one part switched off at a time
    optimization/  Gaussians under Adam, density control, differentiable rasteriser, loss terms

Modules of the run as a whole: `train` (the run) and its stages `coarse_stage`, `joint_stage` and
`gop_stage`; `config` (all settings), `stage_settings` (those of each stage), `recipes` (named
settings), `setting_checks` (ranges); `memory` (does a capture fit?); `stage_reporter` with
`progress`, `validation` and `statistics_log`; `run_directory` (files of a run; a
`codec.encoder.source.SceneSource`).

Errors:
    TrainerError(RuntimeError)           base of every error that this package raises
      CaptureError(ValueError)           the capture cannot be used; names the camera or file
      EvaluationError(ValueError)        the scene has no such quality or frame
      SettingError(ValueError)           a setting is outside its range; names its option
      MemoryNeedError(MemoryError)       a capture does not fit into memory; names an option
      SequenceError(ValueError)          the Gaussians of a sequence do not correspond
      RunError(ValueError)               a run directory lacks parts or does not fit its capture
"""
