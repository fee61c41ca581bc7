"""Parts of the viewer model for those who watch: a playlist, and sound."""
