"""The transport bar: timeline, time code, speed."""
