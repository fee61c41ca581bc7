"""The side panel and its sections."""
