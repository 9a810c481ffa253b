"""Rules of the mesh that do something else than they say."""
