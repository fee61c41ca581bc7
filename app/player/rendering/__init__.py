"""The render thread, frame pacing, and the times of its stages."""
