"""The hand-over of a connection to a service mesh, and what the mesh decides."""
