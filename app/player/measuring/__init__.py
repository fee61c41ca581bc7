"""What a viewer measures over time, and the report of a bug. Knows no Qt."""
