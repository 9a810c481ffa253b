"""What authors of diagnostics use."""

from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.findings.diagnostic import HEADINGS, Diagnostic, Explains, diagnostic
from kubedoctor.findings.logs import quote_line
from kubedoctor.findings.model import Command, Confidence, Effect, Finding, Fix, Severity

__all__ = [
    "HEADINGS",
    "Command",
    "Confidence",
    "Diagnostic",
    "Effect",
    "Evidence",
    "Explains",
    "Finding",
    "Fix",
    "Ref",
    "Severity",
    "diagnostic",
    "has_path",
    "quote",
    "quote_line",
    "ref",
]
