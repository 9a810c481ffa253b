"""The words and options of the command line: what each command declares, and what was typed."""
