from __future__ import annotations

import json

import pytest

from kubedoctor.collect.alerts.payload import MOST_ALERTS, Alert, read_alerts
from kubedoctor.problems import UsageProblem

LABELS = {"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": "web-1"}
EXPECTED = Alert("KubePodCrashLooping", {"namespace": "shop", "pod": "web-1"})
TEXT = """Alerts Firing:
Labels:
 - alertname = KubePodCrashLooping
 - namespace = shop
 - pod = web-1
Annotations:
 - summary = Pod is crash looping.
Source: https://prometheus.example/graph
"""


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(
            {
                "version": "4",
                "commonLabels": LABELS,
                "groupLabels": LABELS,
                "alerts": [{"status": "firing", "labels": LABELS}],
            },
            id="webhook of Alertmanager or Grafana",
        ),
        pytest.param([{"labels": LABELS, "status": {"state": "active", "silencedBy": []}}], id="API of Alertmanager"),
        pytest.param(
            {"status": "success", "data": {"alerts": [{"labels": LABELS, "state": "firing", "value": "1e+00"}]}},
            id="API of Prometheus",
        ),
        pytest.param(
            {
                "event_action": "trigger",
                "payload": {"summary": "[FIRING:1]", "custom_details": {"firing": TEXT, "resolved": ""}},
            },
            id="PagerDuty",
        ),
        pytest.param(
            {
                "action": "Create",
                "alert": {"message": "[FIRING:1]", "description": TEXT, "tags": [], "details": LABELS},
            },
            id="Opsgenie",
        ),
        pytest.param(
            {"attachments": [{"text": 'KubePodCrashLooping{namespace="shop", pod="web-1"} for 15m'}]}, id="chat"
        ),
    ],
)
def test_what_monitoring_sends(payload: object) -> None:
    assert read_alerts(json.dumps(payload)) == (EXPECTED,)


def test_plain_text() -> None:
    assert read_alerts(TEXT) == (EXPECTED,)
    assert read_alerts('KubePodCrashLooping{namespace="shop",pod="web-1"}') == (EXPECTED,)


def test_an_escaped_value() -> None:
    (alert,) = read_alerts(r'Disk{path="C:\\x","a",message="say \"no\"{}"}')
    assert alert.labels == {"path": "C:\\x", "message": 'say "no"{}'}


@pytest.mark.parametrize(
    "payload",
    [
        {"alerts": [{"status": "resolved", "labels": LABELS}]},
        {"status": "resolved", "alerts": [{"labels": LABELS}]},
        {"event_action": "resolve", "payload": {"custom_details": LABELS}},
        {"action": "Close", "alert": {"details": LABELS}},
    ],
)
def test_one_that_is_over(payload: object) -> None:
    (alert,) = read_alerts(json.dumps(payload))
    assert not alert.firing


def test_one_that_fires_again_fires() -> None:
    (alert,) = read_alerts(
        json.dumps([{"status": "resolved", "labels": LABELS}, {"status": "firing", "labels": LABELS}])
    )
    assert alert.firing


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "down", '{"labels": {"pod": "web-1"}}', "[" * 5000, "{" * 70000]
)
def test_what_is_no_alert(text: str) -> None:
    with pytest.raises(UsageProblem, match="no alert is in it"):
        read_alerts(text)


def test_a_flood_is_cut() -> None:
    flood = [{"labels": {**LABELS, "pod": f"web-{number}"}} for number in range(MOST_ALERTS + 10)]
    assert len(read_alerts(json.dumps(flood))) == MOST_ALERTS
