"""The incidents of a report as rows, and their few words."""
