"""The texts of the terminal UI: incidents, descriptions, sheets, the help. Pure."""
