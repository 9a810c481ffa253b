"""Discovery, which kubectl requests first: the served groups, versions and resources. Aggregated and legacy forms."""

from __future__ import annotations

from kubedoctor.sandbox.exchange import Object, Request, Response, no_such_path, respond
from kubedoctor.sandbox.resources import Resource, Resources

_AGGREGATED = ("v2", "v2beta1")


def versions_or_groups(request: Request, resources: Resources, hidden: frozenset[str]) -> Response:
    """`/api` and `/apis`, in the form that the client accepts. `hidden` are the groups that are not served."""
    core = request.path.strip("/") == "api"
    for version in _AGGREGATED:
        form = f"g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
        if request.accepts(form):
            return respond(_aggregated(resources, version, core, hidden), content_type=f"application/json;{form}")
    if core:
        return respond({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
    groups = [_group(name, list(versions)) for name, versions in resources.groups().items() if name not in hidden]
    return respond({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group for group in groups if group["name"]]})


def group(resources: Resources, name: str) -> Response:
    """`/apis/GROUP`."""
    versions = resources.groups().get(name)
    if not name or not versions:
        raise no_such_path()
    return respond({"kind": "APIGroup", "apiVersion": "v1", **_group(name, list(versions))})


def resource_list(resources: Resources, group_name: str, version: str) -> Response:
    """`/api/v1` and `/apis/GROUP/VERSION`."""
    rows = resources.groups().get(group_name, {}).get(version)
    if not rows:
        raise no_such_path()
    listed: list[Object] = []
    for row in rows:
        listed.append(
            {
                "name": row.plural,
                "singularName": row.singular,
                "namespaced": row.namespaced,
                "kind": row.kind,
                "verbs": list(row.verbs),
                **_names(row),
            }
        )
        listed += [
            {
                "name": f"{row.plural}/{subresource}",
                "singularName": "",
                "namespaced": row.namespaced,
                "verbs": list(row.verbs_of(subresource)),
                **_subresource_kind(row, subresource),
            }
            for subresource in row.subresources
        ]
    group_version = f"{group_name}/{version}" if group_name else version
    return respond({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed})


def _group(name: str, versions: list[str]) -> Object:
    rows = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": rows, "preferredVersion": rows[0]}


def _names(row: Resource) -> Object:
    names: Object = {}
    if row.short_names:
        names["shortNames"] = list(row.short_names)
    if row.categories:
        names["categories"] = list(row.categories)
    return names


def _subresource_kind(row: Resource, subresource: str) -> Object:
    if subresource == "scale":
        return {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    if subresource == "eviction":
        return {"group": "policy", "version": "v1", "kind": "Eviction"}
    return {"group": row.group, "version": row.version, "kind": row.kind}


def _aggregated(resources: Resources, api_version: str, core: bool, hidden: frozenset[str]) -> Object:
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [
                {"version": version, "freshness": "Current", "resources": [_aggregated_row(row) for row in rows]}
                for version, rows in versions.items()
            ],
        }
        for name, versions in resources.groups().items()
        if (name == "") == core and name not in hidden
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{api_version}",
        "metadata": {},
        "items": items,
    }


def _aggregated_row(row: Resource) -> Object:
    kind = {"group": row.group, "version": row.version, "kind": row.kind}
    answer: Object = {
        "resource": row.plural,
        "responseKind": kind,
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular,
        "verbs": list(row.verbs),
        **_names(row),
    }
    if row.subresources:
        answer["subresources"] = [
            {
                "subresource": subresource,
                "responseKind": _subresource_kind(row, subresource),
                "verbs": list(row.verbs_of(subresource)),
            }
            for subresource in row.subresources
        ]
    return answer
