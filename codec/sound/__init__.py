"""The sound of a scene: an Opus track in segments, and how it becomes samples."""
