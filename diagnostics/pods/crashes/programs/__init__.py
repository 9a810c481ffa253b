"""What well-known programs and their images run into, in words."""
