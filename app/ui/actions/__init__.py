"""What the commands of the window do: files, playback and camera."""
