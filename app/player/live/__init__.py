"""Following a live scene: `follower` says where to be and how fast to play."""
