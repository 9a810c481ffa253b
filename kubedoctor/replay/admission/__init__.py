"""How the API server admits objects, and what it says when it refuses one."""
