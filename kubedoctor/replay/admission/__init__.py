"""How the API server admits objects, and its messages when it refuses one."""
