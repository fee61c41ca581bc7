"""The implementation of the public names of `streamstgs`; docs/api.md is their page.

The modules compose codec, renderer, player and trainer and hold no logic of their own that a
player or a command would need too.
"""
