"""What is said about nodes and about growing and shrinking their number."""
