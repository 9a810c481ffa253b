"""Protobuf as kubectl's typed commands post it: they have no other form to fall back to."""

from kubedoctor.sandbox.protobuf.decoding import decode, is_protobuf

__all__ = ["decode", "is_protobuf"]
