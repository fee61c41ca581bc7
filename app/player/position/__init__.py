"""Where playback is: the clock, the playhead and its seeks, and the decoded frame that is due."""
