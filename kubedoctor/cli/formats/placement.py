"""Where a pod may run, as text, JSON, YAML or Markdown: pure functions."""

from __future__ import annotations

from kubedoctor.engine.placement import Placement


def render_placement(placement: Placement, name: str, *, node: str = "", colour: bool = False) -> str:
    """The answer in a format, with its last line feed. node: only this one, in full."""
    if name == "json":
        from kubedoctor.cli.formats.placement_document import to_json

        return to_json(placement, node)
    if name == "yaml":
        from kubedoctor.cli.formats.placement_document import to_yaml

        return to_yaml(placement, node)
    if name == "markdown":
        from kubedoctor.cli.formats.placement_markdown import to_markdown

        return to_markdown(placement, node)
    from kubedoctor.cli.formats.placement_text import to_text

    return to_text(placement, node, colour=colour)
