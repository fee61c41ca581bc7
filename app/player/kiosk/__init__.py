"""Kiosk: a playlist that plays by itself, and gives way to visitors. Knows no Qt."""
