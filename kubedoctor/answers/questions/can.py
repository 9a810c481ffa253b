"""May a user, a ServiceAccount or a workload do this?"""

from __future__ import annotations

from kubedoctor.answers.permissions.access_sheet import access_sheet
from kubedoctor.answers.permissions.audit_sheet import audit_sheet
from kubedoctor.answers.question import Argument, Choices, Option, question
from kubedoctor.answers.sheet import Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster


@question(
    help="whether a ServiceAccount or a user may do something, by which binding, or which rule is nearest; who may",
    arguments=(
        Argument("verb", "VERB", "get, list, watch, create, update, patch, delete, or any other verb"),
        Argument(
            "resource", "RESOURCE", "a resource with or without a name, such as pods or deployments.apps/web, or a path"
        ),
    ),
    options=(
        Option(
            "as",
            "SUBJECT",
            "a ServiceAccount (web, shop/web, shop:web), a workload (deployment/web), user:NAME or group:NAME; without it: all who may",
        ),
        Option("as-group", "GROUP", "a group that the subject is in besides; alone: the group itself", repeatable=True),
        Option(
            "audit",
            "",
            "bindings to roles and ServiceAccounts that do not exist, and who may gain the rights of others, and how",
            alone=True,
        ),
        Option("subresource", "NAME", "log, exec, scale, status and others"),
    ),
    area="permissions",
)
def can(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    if choices.one("audit"):
        return audit_sheet(subject.name, cluster)
    return access_sheet(subject.name, choices, cluster)
