"""What helps a person who watches: hints, the edge of what was filmed, the welcome page."""
