"""Pods and pod templates (`ValidatePodSpec`, `pkg/apis/core/validation/validation.go`, v1.37)."""

from __future__ import annotations

from typing import Any, Final

from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field
from kubedoctor.replay.validation.rules.containers import containers, profile
from kubedoctor.replay.validation.rules.metadata import OPERATORS, annotated, expression, label_selector, labels
from kubedoctor.replay.validation.rules.volumes import volumes

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NODE_OPERATORS: Final = (*OPERATORS, "Gt", "Lt")
_DNS: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")


def pod(document: Field) -> None:
    pod_spec(document["spec"])


def template(at: Field) -> None:
    """Of a workload."""
    labels(at["metadata"]["labels"])
    annotated(at["metadata"]["annotations"])
    pod_spec(at["spec"])
    if at["spec"]["ephemeralContainers"]:
        at["spec"]["ephemeralContainers"].forbidden("ephemeral containers not allowed in pod template")


def pod_spec(at: Field) -> None:
    volumes(at["volumes"])
    containers(at)
    at["restartPolicy"].one_of(("Always", "Never", "OnFailure"))
    at["dnsPolicy"].one_of(_DNS)
    if at["dnsPolicy"].text == "None" and not at["dnsConfig"]["nameservers"]:
        at["dnsConfig"]["nameservers"].required("must provide at least one DNS nameserver when `dnsPolicy` is None")
    for option in at["dnsConfig"]["options"].each():
        if not option["name"].text:
            option.required("must not be empty")
    if len(list(at["dnsConfig"]["nameservers"].each())) > 3:
        at["dnsConfig"]["nameservers"].invalid("must not have more than 3 nameservers")
    grace = at["terminationGracePeriodSeconds"]
    if grace.number is not None and grace.number < 0:
        grace.invalid("must be greater than or equal to 0")
    deadline = at["activeDeadlineSeconds"]
    if deadline.number is not None and not 1 <= deadline.number <= 2**31 - 1:
        deadline.invalid("must be between 1 and 2147483647, inclusive")
    labels(at["nodeSelector"])
    for key, check in (("serviceAccountName", names.dns_subdomain), ("nodeName", names.dns_subdomain)):
        if at[key].text:
            at[key].must(check(at[key].text))
    for key in ("hostname", "subdomain"):
        if at[key].text:
            at[key].must(names.dns_label(at[key].text))
    for key in ("priorityClassName", "runtimeClassName"):
        if at[key].text:
            at[key].must(names.dns_subdomain(at[key].text))
    at["preemptionPolicy"].one_of(("Never", "PreemptLowerPriority"))
    _tolerations(at["tolerations"])
    _affinity(at["affinity"])
    _spread(at["topologySpreadConstraints"])
    _security(at["securityContext"])
    _host_aliases(at["hostAliases"])
    seen: set[Any] = set()
    for gate in at["schedulingGates"].each():
        gate["name"].must(names.qualified_name(gate["name"].text))
        gate["name"].unlike(seen)
    for gate in at["readinessGates"].each():
        gate["conditionType"].must(names.qualified_name(gate["conditionType"].text))


def _host_aliases(at: Field) -> None:
    import ipaddress

    for alias in at.each():
        try:
            ipaddress.ip_address(alias["ip"].text)
        except ValueError:
            alias["ip"].invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        for name in alias["hostnames"].each():
            name.must(names.dns_subdomain(name.text))


def _tolerations(at: Field) -> None:
    for toleration in at.each():
        key, operator, effect = toleration["key"], toleration["operator"], toleration["effect"]
        if key.text:
            key.must(names.qualified_name(key.text))
        elif operator.text != "Exists":
            operator.invalid('operator must be Exists when `key` is empty, which means "match all values and all keys"')
        seconds = toleration["tolerationSeconds"]
        if seconds.given and effect.text != "NoExecute":
            effect.invalid("effect must be 'NoExecute' when `tolerationSeconds` is set")
        if operator.text in ("", "Equal"):
            if toleration["value"].text:
                toleration["value"].must(names.label_value(toleration["value"].text))
        elif operator.text == "Exists":
            if toleration["value"].text:
                toleration["value"].invalid("value must be empty when `operator` is 'Exists'")
        elif operator.text not in ("Lt", "Gt"):
            operator.unsupported(("Equal", "Exists"))
        if effect.text:
            effect.one_of(_EFFECTS)


def _affinity(at: Field) -> None:
    node = at["nodeAffinity"]
    required = node["requiredDuringSchedulingIgnoredDuringExecution"]
    if required.given:
        if not required["nodeSelectorTerms"]:
            required["nodeSelectorTerms"].required("must have at least one node selector term")
        for term in required["nodeSelectorTerms"].each():
            _node_term(term)
    for preferred in node["preferredDuringSchedulingIgnoredDuringExecution"].each():
        _weight(preferred["weight"])
        _node_term(preferred["preference"])
    for kind in ("podAffinity", "podAntiAffinity"):
        for term in at[kind]["requiredDuringSchedulingIgnoredDuringExecution"].each():
            _pod_term(term)
        for weighted in at[kind]["preferredDuringSchedulingIgnoredDuringExecution"].each():
            _weight(weighted["weight"])
            _pod_term(weighted["podAffinityTerm"])


def _weight(at: Field) -> None:
    if not 1 <= (at.number or 0) <= 100:
        at.invalid("must be in the range 1-100")


def _node_term(at: Field) -> None:
    for requirement in at["matchExpressions"].each():
        _node_requirement(requirement)
    for requirement in at["matchFields"].each():
        if requirement["key"].text != "metadata.name":
            requirement["key"].invalid("not a valid field selector key")


def _node_requirement(at: Field) -> None:
    expression(at, _NODE_OPERATORS)
    if at["operator"].text in ("In", "NotIn"):
        for value in at["values"].each():
            value.must(names.label_value(value.text))


def _pod_term(at: Field) -> None:
    label_selector(at["labelSelector"])
    label_selector(at["namespaceSelector"])
    topology_key(at["topologyKey"])
    for space in at["namespaces"].each():
        space.must(names.dns_label(space.text))


def topology_key(at: Field) -> None:
    if not at.text:
        at.required("can not be empty")
    else:
        at.must(names.qualified_name(at.text))


def _spread(at: Field) -> None:
    seen: set[tuple[str, str]] = set()
    for constraint in at.each():
        skew = constraint["maxSkew"]
        if (skew.number or 0) <= 0:
            skew.invalid("must be greater than zero")
        if not constraint["topologyKey"].text:
            constraint["topologyKey"].required("can not be empty")
        when = constraint["whenUnsatisfiable"]
        if when.text not in ("DoNotSchedule", "ScheduleAnyway"):
            when.unsupported(("DoNotSchedule", "ScheduleAnyway"))
        pair = (constraint["topologyKey"].text, when.text)
        if pair in seen:
            Field(
                f"{{{pair[0]}, {pair[1]}}}", (*constraint.path, "{topologyKey, whenUnsatisfiable}"), at.sink
            ).duplicate()
        seen.add(pair)
        domains = constraint["minDomains"]
        if domains.number is not None:
            if domains.number <= 0:
                domains.invalid("must be greater than zero")
            if when.text != "DoNotSchedule":
                domains.invalid("can only use minDomains if whenUnsatisfiable=DoNotSchedule")
        for key in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            constraint[key].one_of(("Honor", "Ignore"))
        label_selector(constraint["labelSelector"])


def _security(at: Field) -> None:
    for key in ("runAsUser", "runAsGroup", "fsGroup"):
        user = at[key]
        if user.number is not None and not 0 <= user.number < 2**31:
            user.invalid("must be between 0 and 2147483647, inclusive")
    at["fsGroupChangePolicy"].one_of(("Always", "OnRootMismatch"))
    profile(at["seccompProfile"])
    profile(at["appArmorProfile"])
    seen: set[Any] = set()
    for sysctl in at["sysctls"].each():
        if not sysctl["name"].text:
            sysctl["name"].required()
        else:
            sysctl["name"].unlike(seen)
