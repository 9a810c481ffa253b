"""All problems that are reported to people, as one tree.

    Problem                     a sentence for the person, and what to try
    ├── UsageProblem            the command line is not valid
    ├── NoSuchObject            the object that was asked for does not exist
    ├── SourceProblem           the cluster or the bundle cannot be read at all
    │   ├── KubeconfigProblem   no kubeconfig, a broken one, no such context
    │   ├── ConnectionProblem   the API server cannot be reached or does not speak TLS as expected
    │   ├── LoginProblem        the API server does not accept the credentials
    │   └── BundleProblem       not a bundle, a truncated or an unsafe bundle
    └── PluginProblem           a package of diagnostics cannot be used

`CannotSee` and `NotCollected` (kubedoctor.cluster) are not problems: they are how a reading says what it lacks.
"""

from __future__ import annotations

from kubedoctor.cluster.grammar.credentials import without_credentials


class Problem(Exception):
    """What could not be done, and what to try; credentials are removed from both."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = without_credentials(what)
        self.hint = without_credentials(hint)
        super().__init__(self.what)

    def __str__(self) -> str:
        return f"{self.what}\n{self.hint}" if self.hint else self.what


class UsageProblem(Problem):
    """The command line is not valid."""


class NoSuchObject(Problem):
    """The object does not exist; `nearest` holds names that look like it."""

    def __init__(self, what: str, hint: str = "", nearest: tuple[str, ...] = ()) -> None:
        super().__init__(what, hint)
        self.nearest = nearest


class SourceProblem(Problem):
    """The cluster or the bundle cannot be read at all."""


class KubeconfigProblem(SourceProblem):
    """No kubeconfig, a broken one, or no such context in it."""


class ConnectionProblem(SourceProblem):
    """The API server cannot be reached, is too slow, or its certificate is not trusted."""


class LoginProblem(SourceProblem):
    """The API server does not accept the credentials (401)."""


class BundleProblem(SourceProblem):
    """Not a bundle, a truncated one, or one that must not be unpacked."""


class PluginProblem(Problem):
    """A package of diagnostics cannot be used; names the package."""
