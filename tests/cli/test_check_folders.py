"""`kubedoctor check -f DIR`: a folder holds more than objects. What is none is passed over and said, all else is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from tests.cli.test_run import Capture, run

SICK: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sick}\ndata: {a: 5}\n"
GOOD: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\ndata: {a: b}\n"
DEPLOYMENT: Final = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n"
    "  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: app, image: 'web:1'}]}\n"
)
COMPOSE: Final = "services:\n  web:\n    image: nginx\n    ports: ['80:80']\nvolumes:\n  data: {}\n"
TEMPLATE: Final = (
    '{{- if .Values.enabled }}\napiVersion: v1\nkind: Service\nmetadata:\n  name: {{ include "web.name" . }}\n'
    "spec:\n  ports:\n  {{- range .Values.ports }}\n  - port: {{ . }}\n  {{- end }}\n{{- end }}\n"
)
PLAIN_TEMPLATE: Final = (
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: '{{ .Release.Name }}'\nspec:\n  ports: [{port: 80}]\n"
)
PATCH: Final = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n"
PATCHES: Final = "- op: replace\n  path: /spec/replicas\n  value: 4\n"
CHART: Final = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
DEFINITION: Final = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n"
    "spec:\n  group: example.com\n  scope: Namespaced\n"
    "  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}\n"
    "  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n"
    "        type: object\n        properties: {spec: {type: object, properties: {size: {type: integer}}}}\n"
)
WIDGET: Final = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: %s}\n"

FOLDERS: Final[dict[str, tuple[dict[str, str | bytes], int, tuple[str, ...]]]] = {
    "a Compose file": ({"docker-compose.yml": COMPOSE}, 0, ("docker-compose.yml: a Compose file",)),
    "a Compose file of another name": ({"stack/local.yaml": COMPOSE}, 0, ("local.yaml: a Compose file",)),
    "values of a chart": (
        {"web-values.yaml": "replicas: 3\nimage: {tag: '1'}\n"},
        0,
        ("web-values.yaml: it holds no object of Kubernetes",),
    ),
    "JSON that is no object": (
        {"package.json": '{\n\t"name": "web",\n\t"version": "1"\n}', "list.json": "[1, 2]", "word.json": '"a"'},
        0,
        ("package.json", "list.json", "word.json"),
    ),
    "JSON with comments": ({"tsconfig.json": '{\n  // the compiler\n  "strict": true\n}'}, 0, ("tsconfig.json",)),
    "a workflow": ({"ci.yml": "on: push\njobs: {a: {runs-on: x, steps: [{run: 'true'}]}}\n"}, 0, ("ci.yml",)),
    "a playbook": ({"play.yml": "- hosts: all\n  tasks: []\n"}, 0, ("play.yml",)),
    "empty documents": ({"empty.yaml": "---\n---\n# nothing\n---\n", "none.yaml": "", "comment.yaml": "# a\n"}, 0, ()),
    "a file that is no text": (
        {"blob.yaml": b"\x00\xff\xfe\x01binary\x80", "text.yaml": b"a: \xff\n"},
        1,
        ("blob.yaml", "text.yaml", "no UTF-8 text"),
    ),
    "UTF-16": ({"wide.yaml": GOOD.replace("good", "wide").encode("utf-16")}, 0, ()),
    "a chart": (
        {
            "web/Chart.yaml": CHART,
            "web/values.yaml": "enabled: true\n",
            "web/values-prod.yaml": "enabled: true\n",
            "web/values.schema.json": '{"type": "object"}',
            "web/templates/service.yaml": TEMPLATE,
            "web/templates/plain.yaml": PLAIN_TEMPLATE,
            "web/templates/tests/test.yaml": TEMPLATE,
            "web/ci/test-values.yaml": "a: b\n",
            "web/charts/inner/Chart.yaml": CHART,
            "web/charts/inner/templates/x.yaml": TEMPLATE,
            "web/charts/inner/values.yaml": "a: b\n",
        },
        3,
        ("Helm chart", "helm template"),
    ),
    "a definition in a chart": (
        {
            "web/Chart.yaml": CHART,
            "web/templates/x.yaml": TEMPLATE,
            "web/crds/widgets.yaml": DEFINITION,
            "widget.yaml": WIDGET % "large",
        },
        1,
        ("spec.size", "helm template"),
    ),
    "a template outside a chart": (
        {"service.yaml": TEMPLATE, "quoted.yaml": PLAIN_TEMPLATE},
        3,
        ("service.yaml", "quoted.yaml", "is a template that was not rendered"),
    ),
    "braces that are no template": (
        {
            "flow.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: flow}\n"
            "data:\n  a: '{{inputs.parameters.name}}'\n  b: \"{{ $labels.pod }}\"\n"
        },
        0,
        (),
    ),
    "a kustomization": (
        {
            "web/kustomization.yaml": "resources: [deployment.yaml]\npatches:\n- path: patch.yaml\n- path: six.yaml\n  target: {kind: Deployment}\n"
            "configMapGenerator: [{name: generated, literals: [a=b]}]\n",
            "web/deployment.yaml": DEPLOYMENT.replace(
                "image: 'web:1'", "image: 'web:1', envFrom: [{configMapRef: {name: generated}}]"
            ),
            "web/patch.yaml": PATCH,
            "web/six.yaml": PATCHES,
        },
        3,
        ("kustomization", "kustomize build"),
    ),
    "nested kustomizations": (
        {
            "base/kustomization.yaml": "resources: [deployment.yaml]\n",
            "base/deployment.yaml": DEPLOYMENT,
            "overlays/dev/kustomization.yaml": "resources: [../../base]\nnamespace: dev\npatchesStrategicMerge: [../patches/replicas.yaml]\n",
            "overlays/dev/config.yaml": GOOD,
            "overlays/prod/Kustomization": "kind: Kustomization\nbases: [../../base]\npatchesJson6902: [{target: {kind: Deployment, name: web}, path: six.yaml}]\n",
            "overlays/prod/six.yaml": PATCHES,
            "overlays/prod/config.yaml": GOOD,
            "overlays/patches/replicas.yaml": PATCH,
            "components/tls/kustomization.yml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: tls.yaml}]\n",
            "components/tls/tls.yaml": PATCH.replace(
                "replicas: 3", "template: {spec: {volumes: [{name: tls, secret: {secretName: x}}]}}"
            ),
        },
        3,
        ("3 kustomizations (", "are not built: kustomize build"),
    ),
    "a wrong field in a resource of a kustomization": (
        {
            "web/kustomization.yaml": "resources: [deployment.yaml]\n",
            "web/deployment.yaml": DEPLOYMENT.replace("  selector:", "  replica: 3\n  selector:"),
        },
        1,
        ("replica", "kustomize build"),
    ),
    "a kustomization that cannot be read": (
        {"web/kustomization.yaml": "resources: [a\n", "web/a.yaml": GOOD.replace("good", "other")},
        1,
        ("kustomization.yaml",),
    ),
    "definitions": ({"widgets.yaml": DEFINITION, "widget.yaml": WIDGET % 5}, 0, ()),
    "a configuration of kind": (
        {"kind.yaml": "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}]\n"},
        0,
        ("kind.yaml",),
    ),
    "a kubeconfig": (
        {"config.yaml": "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n"},
        0,
        ("config.yaml: a kubeconfig",),
    ),
    "an object without its kind": (
        {"half.yaml": "metadata: {name: half}\nspec: {replicas: 2}\n"},
        1,
        ("half.yaml", "apiVersion and kind"),
    ),
    "an object without its version": (
        {"half.yaml": "kind: ConfigMap\nmetadata: {name: half}\n"},
        1,
        ("apiVersion: Required value",),
    ),
    "JSON objects one after another": (
        {
            "two.json": '{\n\t"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}\n'
            '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}, "data": {"a": 5}}'
        },
        1,
        ("ConfigMap default/two",),
    ),
    "a definition whose schema is no schema": (
        {
            "widgets.yaml": DEFINITION.replace(
                "size: {type: integer}", "size: {minimum: x, enum: 3, oneOf: [4], pattern: 5}"
            ),
            "widget.yaml": WIDGET % 5,
        },
        1,
        ("CustomResourceDefinition widgets.example.com",),
    ),
    "a folder that ends as a file": ({"x.yaml/inner.yaml": GOOD.replace("good", "inner")}, 0, ()),
}
"""What a folder holds beside a good object, the exit code, and what is said."""


def _write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("name", FOLDERS)
def test_what_is_no_object_is_said_and_all_else_is_checked(name: str, tmp_path: Path, capsys: Capture) -> None:
    files, expected, says = FOLDERS[name]
    _write(tmp_path, {"zz-good.yaml": GOOD, **files})
    code, out, err = run(capsys, "check", "-f", str(tmp_path), "--offline")
    said = " ".join(f"{out} {err}".split())
    assert code == expected, said
    for words in says:
        assert words in said
    _write(tmp_path, {"zz-sick.yaml": SICK})
    code, out, _ = run(capsys, "check", "-f", str(tmp_path), "--offline", "-o", "json")
    assert code == 1
    assert "zz-sick.yaml" in {Path(finding["place"]["file"]).name for finding in json.loads(out)["findings"]}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"kustomization.yaml": "resources: []\n"}, "kustomize build"),
        ({"Chart.yaml": CHART, "templates/a.yaml": TEMPLATE}, "helm template"),
        ({"docker-compose.yml": COMPOSE}, "the files hold no objects"),
    ],
)
def test_a_folder_without_objects_says_what_it_holds(
    files: dict[str, str | bytes], says: str, tmp_path: Path, capsys: Capture
) -> None:
    _write(tmp_path, files)
    code, _, err = run(capsys, "check", "-f", str(tmp_path), "--offline")
    assert code == 2
    assert says in err


def test_files_that_are_named_are_sorted_as_in_a_folder(tmp_path: Path, capsys: Capture) -> None:
    """As a pre-commit hook names them, each by itself."""
    _write(
        tmp_path,
        {
            "web/kustomization.yaml": "resources: [good.yaml]\npatches: [{path: patch.yaml}]\n",
            "web/good.yaml": GOOD,
            "web/patch.yaml": PATCH,
            "chart/Chart.yaml": CHART,
            "chart/values.yaml": "a: b\n",
            "chart/templates/a.yaml": TEMPLATE,
            "compose.yaml": COMPOSE,
        },
    )
    names = [str(file) for file in sorted(tmp_path.rglob("*.yaml"))]
    code, out, err = run(capsys, "check", "--offline", *names)
    assert code == 3, out
    assert "helm template" in out
    assert "compose.yaml: a Compose file" in err
