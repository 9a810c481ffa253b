"""Pages of text: searched, and saved to files."""
