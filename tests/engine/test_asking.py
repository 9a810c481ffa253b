"""A question is asked in rounds; what could not be seen stands in its sheet."""

from __future__ import annotations

from kubedoctor.answers.question import Choices, Question
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, ConfigMap, Ref, Service
from kubedoctor.engine.asking import ask
from tests.engine.clinic import live, pod
from tests.engine.test_examination import Server

SUBJECT = Ref("Service", "shop", "web")


def _answer(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    services = cluster.all(Service, subject.namespace)
    maps = cluster.maybe.all(ConfigMap, subject.namespace)
    told = f"{len(services)} and {len(maps)}, {choices.one('how')} {choices.all('what')}"
    return Sheet(subject.title, told, Conclusion.WELL, gaps=("not replayed",))


HOW_MANY = Question("how-many", "counts", ("Service",), _answer)


def test_what_is_lacking_is_fetched_and_what_is_refused_becomes_a_gap() -> None:
    snapshot = live()
    server = Server(snapshot, pod("web-1"), refused=("ConfigMap",))
    choices = Choices({"how": ("often",), "what": ("a", "b")})
    answered = ask(HOW_MANY, SUBJECT, choices, snapshot, server.gather)
    assert answered.sheet.verdict == "0 and 0, often ('a', 'b')"
    assert answered.sheet.gaps == ("not replayed", "ConfigMap: list ConfigMap is forbidden")
    assert (answered.question, answered.rounds, answered.taken_at) == ("how-many", 2, snapshot.taken_at)
    assert (Choices().one("how"), Choices().all("what")) == ("", ())


def test_what_decides_and_cannot_be_seen_leaves_the_question_open() -> None:
    snapshot = live()
    server = Server(snapshot, refused=("Service",))
    sheet = ask(HOW_MANY, SUBJECT, Choices(), snapshot, server.gather).sheet
    assert (sheet.conclusion, sheet.verdict) == (Conclusion.UNKNOWN, "could not be answered")
    assert sheet.gaps == ("Service: list Service is forbidden",)


def test_a_question_fits_the_kinds_that_it_names() -> None:
    assert HOW_MANY.fits(SUBJECT)
    assert not HOW_MANY.fits(Ref("Pod", "shop", "web-1"))
