"""What the claims and volumes hold, who uses them, and what is lost with them."""
