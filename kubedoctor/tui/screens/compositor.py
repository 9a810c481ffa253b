"""Puts the lines of widgets together to those of the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip


class FrontCompositor(Compositor):
    """As Textual's, but what lies wholly behind other widgets is not drawn, and each line is cut once: containers fill the
    screen behind their widgets."""

    def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Sequence[Mapping[int, Strip]]:
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [
            dict.fromkeys(line[:-1]) if is_rendered_line(y) else {} for y, line in enumerate(cuts)
        ]
        missing = [len(line) for line in chops]
        for widget, (region, clip) in self.visible_widgets.items():
            if not crop.overlaps(clip):
                continue
            seen = region.intersection(clip)
            lines = [y for y in seen.line_range if missing[y]]
            if not lines or not seen.width:
                continue
            strips = widget.render_lines(seen.translate(-region.offset))
            (first, last), top = seen.column_span, seen.y
            before: list[int] | None = None
            inside, widths = list[int](), list[int]()
            for y in lines:
                if cuts[y] != before:
                    before = cuts[y]
                    inside = [cut for cut in before if first <= cut <= last]
                    widths = [cut - first for cut in inside[1:]]
                line = chops[y]
                for cut, part in zip(inside, strips[y - top].divide(widths), strict=False):
                    if line[cut] is None:  # the widgets in front come first
                        line[cut] = part
                        missing[y] -= 1
        return cast("Sequence[Mapping[int, Strip]]", chops)
