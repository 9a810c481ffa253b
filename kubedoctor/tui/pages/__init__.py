"""What the terminal UI tells, as text: incidents, descriptions, sheets, the help. Pure."""
