"""Exports that are queued: scenes as splat files, and the queue of a viewer."""
