"""What a reference says for command lines."""

from __future__ import annotations

from kubedoctor.cluster import Ref


def test_a_name_is_quoted_for_the_shell() -> None:
    assert Ref("Pod", "shop", "web-0").describe_command == "kubectl describe pod/web-0 -n shop"
    assert Ref("Widget.acme.example", "", "a b").describe_command == "kubectl describe 'widget.acme.example/a b'"
