"""Which License does a pod need, and is it valid?"""

from __future__ import annotations

from datetime import datetime

from kubedoctor.answers import Cell, Choices, Conclusion, Fact, Sheet, SheetRow, Table, question
from kubedoctor.cluster import Cluster, CustomResource, Pod, Ref, ref
from kubedoctor.findings import Fix, edit_command

KIND = "License.acme.example"
LABEL = "acme.example/license"


@question(help="which License a pod needs, and whether it is valid", kinds=("Pod",))
def license_of(subject: Ref, _: Choices, cluster: Cluster) -> Sheet:
    pod = cluster.get(Pod, subject.namespace, subject.name)
    name = pod.labels.get(LABEL, "") if pod is not None else ""
    if not name:
        return Sheet(subject.title, "needs no License", Conclusion.WELL)
    found = cluster.get_ref(Ref(KIND, subject.namespace, name))
    if not isinstance(found, CustomResource):
        return Sheet(subject.title, f"needs License {name}, which does not exist", Conclusion.TROUBLE)
    expires = str((found.spec or {}).get("expires", ""))
    valid = bool(expires) and datetime.fromisoformat(expires) > cluster.taken_at
    users = [one for one in cluster.all(Pod, subject.namespace) if one.labels.get(LABEL) == name]
    return Sheet(
        subject.title,
        f"its License {name} {'is valid until' if valid else 'expired on'} {expires[:10]}",
        Conclusion.WELL if valid else Conclusion.TROUBLE,
        facts=(Fact("license", ref(found).title),),
        tables=(Table(("pod",), tuple(SheetRow((Cell(one.name),), ref(one)) for one in users), "used by"),),
        fixes=() if valid else (Fix("Renew the License", edit_command(ref(found))),),
        data={"license": ref(found), "expires": expires, "valid": valid},
    )
