"""What a request changes, as the API server decides it: decoding, defaults, validation, admission, versions, deletion.

`Writer` is the door; nothing here runs a controller or a container.
"""

from kubedoctor.sandbox.writes.writer import Writer

__all__ = ["Writer"]
