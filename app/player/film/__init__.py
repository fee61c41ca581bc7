"""What turns playing into a film: courses of content time, markers, and the preview of tracks."""
