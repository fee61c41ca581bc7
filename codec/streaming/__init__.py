"""Where a scene's bytes come from: directories, archives, web servers; one contract for all."""
