"""The certificates group: requests for certificates, with which kubelets get and renew theirs."""

import base64
import binascii

from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, Part

_NODE = b"system:node:"


class CertificateSigningRequestSpec(Part):
    """`request`: PEM in base64, without the private key."""

    signer_name: str = ""
    username: str = ""
    request: str = ""
    usages: tuple[str, ...] | None = None


class CertificateSigningRequestStatus(Part):
    conditions: tuple[Condition, ...] | None = None
    certificate: str = ""


class CertificateSigningRequest(KubernetesObject):
    spec: CertificateSigningRequestSpec = CertificateSigningRequestSpec()
    status: CertificateSigningRequestStatus = CertificateSigningRequestStatus()

    @property
    def node(self) -> str:
        """The node that it is for: by who asks, or, where a machine that joins asks, by the common name in the request.
        Empty where it is for no node."""
        prefix = _NODE.decode()
        return self.spec.username.removeprefix(prefix) if self.spec.username.startswith(prefix) else self._named()

    def _named(self) -> str:
        try:
            lines = base64.b64decode(self.spec.request).decode("ascii").split("\n")
            der = base64.b64decode("".join(line for line in lines if not line.startswith("-----")))
        except (binascii.Error, ValueError):
            return ""
        start = der.find(_NODE)
        length = der[start - 1] if start > 0 else 0  # Before a string of ASN.1 stands its length.
        return der[start + len(_NODE) : start + length].decode("ascii", "replace")
