"""Where playback is: the playhead and its seeks, and the decoded frame that is due there."""
