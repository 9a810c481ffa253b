"""A snapshot kept current by list and watch, whatever the server does."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.news import News
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live import following, watching
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.live.watching import Watcher
from kubedoctor.collect.options import Options
from kubedoctor.sandbox import Fault, Sandbox, SandboxState, faults, serve
from tests.collect.live.watched import PATIENCE, Watched, watched
from tests.collect.served import OBJECTS, make, pod


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.05)


def test_what_is_added_changed_and_deleted_is_seen() -> None:
    with watched() as made:
        made.until(made.is_("Pod", "watching"))
        assert made.source.snapshot.covers(Want("Pod"))
        made.sandbox.put(pod("web-3"))
        made.until(lambda: "web-3" in made.names("Pod"))
        made.sandbox.put(pod("web-3", node="n9"))
        made.until(lambda: made.source.snapshot.index("Pod", "node").get("n9") is not None)
        made.sandbox.delete(pod("web-1"))
        made.until(lambda: made.names("Pod") == ["stranger", "web-2", "web-3"])

    (asked,) = [query for query in made.requests("pods") if "watch" in query]
    assert asked["allowWatchBookmarks"] == "true"
    assert int(asked["resourceVersion"]) > 0


def test_a_heartbeat_is_kept_but_is_no_news() -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "n1", "namespace": "kube-node-lease", "creationTimestamp": "2026-11-28T09:00:00Z"},
        "spec": {"holderIdentity": "n1", "renewTime": "2026-11-28T10:00:00.000000Z"},
    }
    notices: list[News] = []
    with watched(kinds=("Lease", "Pod"), objects=(*OBJECTS, lease), on_change=notices.append) as made:
        made.until(made.is_("Lease", "watching"))
        made.until(made.is_("Pod", "watching"))
        made.until(lambda: frozenset().union(*(news.all_kinds for news in notices)) == {"Lease", "Pod"})
        made.sandbox.put(pod("web-4"))  # its notice is the last of the start
        made.until(lambda: any(about.name == "web-4" for news in notices for about in news.objects))
        notices.clear()
        (before,) = made.source.snapshot.of_kind("Lease")
        renewed = {**lease, "spec": {"holderIdentity": "n1", "renewTime": "2026-11-28T10:00:10.000000Z"}}
        made.sandbox.put(renewed)
        made.until(lambda: made.source.snapshot.of_kind("Lease") != (before,))
        made.sandbox.put(pod("web-3"))
        made.until(lambda: bool(notices))
        assert notices == [News(objects=frozenset({Ref("Pod", "shop", "web-3")}))]


def test_what_comes_unreadable_is_known() -> None:
    odd = pod("odd")
    odd["spec"]["tolerations"] = "any"
    with watched() as made:
        made.until(made.is_("Pod", "watching"))
        made.sandbox.put(odd)
        made.until(lambda: bool(made.source.snapshot.losses("Pod")))
    (lost,) = made.source.snapshot.losses("Pod")
    assert lost in made.source.snapshot.problems


def test_only_the_namespace_is_watched_where_one_is_named() -> None:
    with watched(namespace="shop", kinds=("Pod", "Node")) as made:
        made.until(made.is_("Pod", "watching"))
        made.until(made.is_("Node", "watching"))
        made.sandbox.put(pod("elsewhere", "other"))
        made.sandbox.put(pod("web-3"))
        made.until(lambda: made.names("Pod") == ["web-1", "web-2", "web-3"])


def test_a_dropped_watch_goes_on_where_it_was() -> None:
    with watched(faults.watch_drops("pods", after_events=1)) as made:
        made.until(made.is_("Pod", "watching"))
        for number in range(3, 8):
            made.sandbox.put(pod(f"web-{number}"))
        made.until(lambda: len(made.names("Pod")) == 8)

    assert len([query for query in made.requests("pods") if "watch" not in query]) == 1


@pytest.mark.parametrize(
    "fault", [faults.watch_expired("pods"), Fault(410, "Expired", "old", ("pods",), ("watch",), times=1)]
)
def test_an_expired_watch_lists_again(fault: Fault) -> None:
    with watched(fault) as made:
        made.until(lambda: len([query for query in made.requests("pods") if "watch" not in query]) == 2)
        made.until(made.is_("Pod", "watching"))
        made.sandbox.put(pod("web-3"))
        made.until(lambda: "web-3" in made.names("Pod"))


def test_what_went_while_nobody_looked_is_gone_after_a_new_list() -> None:
    with watched(kinds=("Pod", "Secret")) as made:
        made.until(made.is_("Pod", "watching"))
        made.until(made.is_("Secret", "watching"))
        broken = Fault(503, "ServiceUnavailable", "down", verbs=("watch", "list"))
        made.sandbox.faults.append(broken)
        made.until(lambda: made.disturbed("Pod"))
        made.until(lambda: made.disturbed("Secret"))
        assert made.names("Pod") == ["stranger", "web-1", "web-2"]
        made.sandbox.delete(pod("web-1"))
        made.sandbox.delete(make("Secret", "db"))
        made.sandbox.forget_history()
        made.sandbox.faults.remove(broken)
        made.until(lambda: made.names("Pod") == ["stranger", "web-2"])
        made.until(lambda: made.names("Secret") == [])


def test_a_server_that_is_gone_leaves_the_snapshot_stale_with_its_age() -> None:
    sandbox = Sandbox(SandboxState(list(OBJECTS), namespace="shop"))
    with serve(sandbox) as served:
        connection = connect(Options(kubeconfig=str(served.kubeconfig)), {})
        made = Watched(LiveSource(Transport(connection, pause=lambda _: None)), sandbox, ("Pod",), None)
        made.until(made.is_("Pod", "watching"))
    try:
        made.until(made.is_("Pod", "stale"))
        assert "refuses the connection" in made.status("Pod").why or "broke" in made.status("Pod").why
        assert made.names("Pod") == ["stranger", "web-1", "web-2"]
    finally:
        made.watcher.stop()
        made.source.close()


def test_a_refused_kind_says_why_and_comes_back_when_it_is_allowed() -> None:
    with watched(faults.forbidden("nodes"), kinds=("Node",)) as made:
        made.until(made.is_("Node", "refused"))
        assert made.status("Node").why == "list nodes is forbidden"
        assert made.source.snapshot.refusal(Want("Node")) == "list nodes is forbidden"
        made.sandbox.faults.clear()
        made.until(made.is_("Node", "watching"))

    assert made.names("Node") == ["n1"]
    assert made.source.snapshot.refusals() == ()


def test_where_all_namespaces_are_refused_the_own_one_is_watched() -> None:
    with watched(faults.forbidden("pods", namespaces=("",))) as made:
        made.until(made.is_("Pod", "watching"))
        made.sandbox.put(pod("web-3"))
        made.until(lambda: made.names("Pod") == ["web-1", "web-2", "web-3"])

    why = "only namespace shop could be read: list pods at cluster scope is forbidden"
    assert made.status("Pod").why == why
    assert made.source.snapshot.limitation(Want("Pod")) == why


def test_changes_that_come_while_the_last_are_looked_at_are_told_together() -> None:
    told: list[News] = []
    looking, looked = threading.Event(), threading.Event()

    def on_change(news: News) -> None:
        told.append(news)
        if len(told) == 1:
            looking.set()
            looked.wait(PATIENCE)

    sandbox = Sandbox(SandboxState(list(OBJECTS), namespace="shop"))
    with serve(sandbox) as served:
        transport = Transport(connect(Options(kubeconfig=str(served.kubeconfig)), {}))
        watcher = Watcher(transport, ("Pod",), None, on_change)
        try:
            assert looking.wait(PATIENCE)
            for number in range(300):
                sandbox.put(pod(f"many-{number:03}"))
            ends = time.monotonic() + PATIENCE
            while watcher.snapshot.count() < 303 and time.monotonic() < ends:
                time.sleep(0.01)
            before = len(told)
            looked.set()
            while len(told) == before and time.monotonic() < ends:
                time.sleep(0.01)
        finally:
            looked.set()
            watcher.stop()
            transport.close()

    assert watcher.snapshot.count() == 303
    assert before == 1
    assert [news.all_kinds for news in told] == [{"Pod"}] * 2
    assert len(told[1].objects) == 300


def test_a_changed_secret_is_asked_for_again_and_its_values_are_never_sent() -> None:
    with watched(kinds=("Secret",)) as made:
        made.until(made.is_("Secret", "watching"))
        made.source.gather(frozenset({Want("Secret", "shop", "db")}))
        assert made.source.snapshot.covers(Want("Secret", "shop", "db"))
        made.sandbox.put(make("Secret", "db", data={"other": "eA=="}))
        made.until(lambda: not made.source.snapshot.covers(Want("Secret", "shop", "db")))

    (asked,) = [each for each in made.sandbox.requests if each.watches]
    assert "as=PartialObjectMetadata;" in asked.headers["accept"]


def test_stopping_ends_all_threads_at_once() -> None:
    with watched(kinds=("Pod", "Node", "Event")) as made:
        for kind in ("Pod", "Node", "Event"):
            made.until(made.is_(kind, "watching"))
        made.watcher.stop()
        made.watcher.stop()

    assert not [thread for thread in made.watcher._threads if thread.is_alive()]


NO_EVENTS = {
    "a web page": ("<html>\nLog in\n</html>", "the watch returned a web page"),
    "a web page of one line": ("<html>Log in</html>", "the watch returned a web page"),
    "an event without object": ('{"type":"MODIFIED"}\n', "the server returned JSON without kind instead of a Pod"),
    "an event of unknown type": ('{"type":"CHANGED","object":{}}\n', "the server returned JSON without kind"),
    "a type that is a number": ('{"type":7,"object":{}}\n', "the server returned JSON without kind"),
    "another kind": (
        '{"type":"ADDED","object":{"kind":"Service","apiVersion":"v1","metadata":{"name":"web"}}}\n',
        "the server returned a Service instead of a Pod",
    ),
    "no name": ('{"type":"ADDED","object":{"kind":"Pod","metadata":{}}}\n', "the server returned a Pod without name"),
    "a list": ('{"kind":"PodList","apiVersion":"v1","items":[]}\n', "the server returned a PodList instead of"),
    "a Status": (
        '{"kind":"Status","message":"expired"}\n',
        "the server returned a Status instead of a WatchEvent: expired",
    ),
}


@pytest.mark.parametrize("name", NO_EVENTS)
def test_a_watch_that_sends_something_else_is_stale_and_changes_nothing(name: str) -> None:
    page, sentence = NO_EVENTS[name]
    with watched(replace(faults.html_page("pods", page=page), verbs=("watch",))) as made:
        made.until(made.is_("Pod", "stale"))
        assert sentence in made.status("Pod").why
        made.sandbox.put(pod("web-3"))
        made.until(lambda: "web-3" in made.names("Pod"))  # Lists go on.
        made.until(made.is_("Pod", "stale"))
        assert made.names("Pod") == ["stranger", "web-1", "web-2", "web-3"]


def test_a_login_page_for_a_list_is_said() -> None:
    with watched(faults.html_page("pods")) as made:
        made.until(made.is_("Pod", "stale"))
        assert "it returned a web page" in made.status("Pod").why


def test_a_failure_of_discovery_does_not_end_the_thread() -> None:
    custom = "Rollout.argoproj.io"
    with watched(replace(faults.html_page(page='{"error":"x"}'), paths=("/apis",)), kinds=(custom,)) as made:
        made.until(made.is_(custom, "stale"))
        assert "the server returned JSON without kind instead of an APIGroupList" in made.status(custom).why
        assert all(thread.is_alive() for thread in made.watcher._threads)


def test_a_defect_does_not_end_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("any")

    monkeypatch.setattr(following, "read_list", fails)
    with watched() as made:
        made.until(made.is_("Pod", "stale"))
        assert made.status("Pod").why == "list pods at cluster scope: the response cannot be handled (KeyError)"
        monkeypatch.undo()
        made.until(made.is_("Pod", "watching"))


def test_a_report_that_fails_is_said_and_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "AGAIN", 0.01)
    told: list[News] = []
    broken = threading.Event()
    broken.set()

    def on_change(news: News) -> None:
        if broken.is_set():
            raise KeyError("any")
        told.append(news)

    with watched(on_change=on_change) as made:
        made.until(lambda: any(status.kind == "changes" for status in made.watcher.status()))
        assert made.status("changes").state == "stale"
        assert made.status("changes").why == "they cannot be shown (KeyError)"
        broken.clear()
        made.until(lambda: [news.all_kinds for news in told[-1:]] == [{"Pod"}])
        made.until(lambda: all(status.kind != "changes" for status in made.watcher.status()))


@pytest.mark.parametrize("of", ["Pod", "changes"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_is_said(of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(*_: object) -> None:
        raise SystemExit

    if of == "Pod":
        monkeypatch.setattr(following.Follower, "_list", ends)
    with watched(on_change=ends if of == "changes" else lambda _: None) as made:
        made.until(lambda: any(status.kind == of and status.state == "stale" for status in made.watcher.status()))
        assert made.status(of).why == "the thread that reads it has ended; start kubedoctor again"


EXPIRED = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}\n'


@pytest.mark.parametrize("fault", ["at once", "as an event"])
def test_a_watch_that_always_expires_is_listed_less_and_less(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LONGEST_PAUSE", 30.0)
    expired = {
        "at once": Fault(410, "Expired", "old", ("pods",), ("watch",)),
        "as an event": replace(faults.html_page("pods", page=EXPIRED), verbs=("watch",)),
    }[fault]
    with watched(expired) as made:
        time.sleep(0.8)
        assert len(made.requests("pods")) <= 20
        made.until(lambda: len(made.requests("pods")) >= 2)


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        (Fault(410, "Expired", "old", ("pods",), ("watch",)), "as expired (410)"),
        (replace(faults.html_page("pods", page=EXPIRED), verbs=("watch",)), "as expired (410)"),
        (replace(faults.html_page("pods", page="\n"), verbs=("watch",)), "at once"),
    ],
)
def test_watches_that_all_end_at_once_are_said_as_long_as_they_do(fault: Fault, how: str) -> None:
    """The list between two of them does not make the kind current."""
    with watched(fault) as made:
        made.until(made.is_("Pod", "stale"))
        assert made.status("Pod").why == f"the server ends each watch {how}, and only lists show changes"
        since, asked = made.status("Pod").since, len(made.requests("pods"))
        made.sandbox.put(pod("web-3"))
        made.until(lambda: len(made.requests("pods")) > asked + 4)
        assert made.status("Pod").since == since
        made.sandbox.faults.remove(fault)

        def speaks() -> bool:
            made.sandbox.put(pod("web-4", turn=str(time.monotonic_ns())))
            return made.status("Pod").state == "watching"

        made.until(speaks)


BAD_VALUES = {
    "a float": ('{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"web-9","generation":1e999}}}', True),
    "a long integer": (
        '{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"web-9","generation":%s}}}' % ("9" * 6000),
        True,
    ),
    "500 deep": (
        '{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"web-9","labels":%s}}}' % ("[" * 500 + "]" * 500),
        True,
    ),
    "5,000 deep": (
        '{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"web-9","labels":%s}}}' % ("[" * 5000 + "]" * 5000),
        True,
    ),
    "half of an event": ('{"type":"ADDED","object":{"kind":"Pod","met', False),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_bad_value_in_an_event_harms_that_object_at_most(name: str) -> None:
    event, kept = BAD_VALUES[name]
    page = event + "\n" if kept else event
    with watched(replace(faults.html_page("pods", page=page), verbs=("watch",))) as made:
        if kept:
            made.until(lambda: "web-9" in made.names("Pod"))
            made.until(lambda: bool(made.source.snapshot.losses("Pod")))
        else:
            made.until(made.is_("Pod", "stale"))
        assert {"web-1", "web-2"} <= set(made.names("Pod"))
        assert all(thread.is_alive() for thread in made.watcher._threads)


def test_a_watch_that_has_more_to_read_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_AT_ONCE", -1.0)  # as if each piece had been waited for
    with watched() as made:
        made.until(made.is_("Pod", "watching"))
        monkeypatch.setattr(following, "_TOGETHER", 10 * PATIENCE)
        for number in range(5):
            made.sandbox.put(make("Pod", f"large-{number}", spec={"nodeName": "n" * 50_000}))
        made.until(lambda: "large-4" in made.names("Pod"))
