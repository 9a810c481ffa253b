"""Images that are not pulled."""
