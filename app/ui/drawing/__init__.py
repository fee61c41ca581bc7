"""Render loop, backend selection, and the surfaces that show rendered frames."""
