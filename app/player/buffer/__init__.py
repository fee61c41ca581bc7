"""Memory of an open scene: fetched packets and decoded GOPs."""
