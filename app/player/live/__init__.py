"""Following a live scene: `follower` says where to be, `live_window` moves the playhead."""
