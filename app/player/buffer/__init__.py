"""What is in memory of an open scene: fetched packets and decoded GOPs."""
