"""Widgets: they draw; they never fetch, decide or parse."""
