"""The runtimes of programs, by what they log of themselves."""
