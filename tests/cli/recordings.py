"""The recordings that the project ships, as bundles for the command line."""

from __future__ import annotations

import kubedoctor.sandbox

OOM = str(kubedoctor.sandbox.recording_path("oom-killed"))
