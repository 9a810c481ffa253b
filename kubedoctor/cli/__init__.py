"""The one-shot command line."""

from kubedoctor.cli.run import main

__all__ = ["main"]
