"""What turns playing into a film: edits of its tracks, markers, and their preview."""
