"""Offline rendering, video files, and the benchmark."""
