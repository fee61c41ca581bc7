"""Training GOPs on the machines of a Ray cluster.

`ray_cluster` hands the GOPs out, `shared_run` moves files through a store where the machines share
no disk. Everything else of the trainer knows neither.
"""
