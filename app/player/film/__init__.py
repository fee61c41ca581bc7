"""What turns playing into a film: time mappings, markers, and the preview of tracks."""
