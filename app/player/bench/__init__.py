"""The benchmark of the player: stages, floors, playback, seeks, and comparing two runs."""
