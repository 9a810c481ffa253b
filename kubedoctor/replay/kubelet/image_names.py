"""Names of images, in parts (`github.com/distribution/reference`)."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

_DOMAIN = compiled_later(r"^(?:localhost|.*[.:].*)$")


class ImageName(msgspec.Struct, frozen=True):
    """`registry` is `docker.io` where the name has none; `tag` and `digest` may be empty."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def without_tag(self) -> str:
        return f"{self.registry}/{self.repository}"


def parse_image_name(image: str) -> ImageName:
    """The parts of a reference as the runtime completes it; an invalid reference ends up in `repository`."""
    reference, _, digest = image.partition("@")
    registry, slash, path = reference.partition("/")
    if not slash or not _DOMAIN.match(registry):
        registry, path = "docker.io", reference
    name, colon, tag = path.rpartition(":")
    if not colon or "/" in tag:
        name, tag = path, ""
    if registry == "docker.io" and "/" not in name:
        name = f"library/{name}"
    return ImageName(registry, name, tag, digest)
