"""The actions for the object of any screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kubedoctor.answers.question import Question
from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible, with_article
from kubedoctor.collect.settings import today
from kubedoctor.engine import Report, ReportedFinding
from kubedoctor.engine.questions import load_questions
from kubedoctor.findings import Fix
from kubedoctor.findings.commands import in_cluster, is_by_hand
from kubedoctor.tui import work
from kubedoctor.tui.incidents.suppressions import suppressing, suppressions_page
from kubedoctor.tui.messages import PageOpened
from kubedoctor.tui.pages.keys import changing_command
from kubedoctor.tui.pages.lessons import lesson_page
from kubedoctor.tui.rows import WITH_LOGS, Row
from kubedoctor.tui.screens.arguments_screen import ArgumentsScreen
from kubedoctor.tui.screens.copy_screen import CopyScreen, commands_of
from kubedoctor.tui.screens.questions_screen import QuestionsScreen
from kubedoctor.tui.screens.sheet_screen import SheetScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.screens.what_if_screen import WhatIfScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.rehearsing import TriedChange
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.incident_pane import IncidentPane


class ObjectScreen(Screen[None]):
    """A screen with an incident pane about one object at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "copy_fix", "Copy the fix"),
        Binding("X,shift+x", "copy_command", "All commands"),
        Binding("e", "lesson", "Lesson"),
        Binding("a", "questions", "Ask"),
        Binding("d", "describe", "Describe"),
        Binding("y", "yaml", "YAML"),
        Binding("l", "logs(False)", "Logs"),
        Binding("p", "logs(True)", "Previous logs"),
        Binding("u", "users", "Used by"),
        Binding("b", "tree", "What belongs to it"),
        Binding("c", "copy_name", "Copy the name"),
        Binding("Y,shift+y", "copy_namespace", "Copy the namespace"),
        Binding("r", "rehearse", "Rehearse the fix"),
        Binding("R,shift+r", "report", "Write the report"),
        Binding("W,shift+w", "what_if", "What if"),
        Binding("i", "suppress", "Suppress the finding"),
        Binding("z", "suppressed", "What is suppressed"),
        *(Binding(key, f"changing('{key}')", show=False) for key in ("ctrl+d", "ctrl+k", "s")),
    ]
    session: Session
    report: Report | None

    def subject(self) -> Row | None:
        """The row that keys apply to."""
        raise NotImplementedError

    def on_key(self, event: events.Key) -> None:
        """Handle the keys of questions."""
        row = self.subject()
        if row is None or not event.character:
            return
        asked = [question for question in load_questions().questions if question.key == event.character]
        if not asked:
            return
        event.stop()
        fitting = next((question for question in asked if question.fits(row.ref)), None)
        if fitting is not None:
            self._ask(fitting, row.ref)
        else:
            names = " or ".join(question.name for question in asked)
            self.notify(f"No {names} of {with_article(visible(row.ref.short_kind, 60))}.", timeout=3)

    def action_questions(self) -> None:
        row = self.subject()
        if row is None:
            return
        about, questions = row.ref, self.session.questions_about(row.ref)
        if not questions:
            self.notify(f"No question applies to {with_article(visible(about.short_kind, 60))}.", timeout=3)
            return

        # What its findings point to comes first.
        verdict = self.query_one(IncidentPane).verdict
        areas = {finding.diagnostic.partition("/")[0] for finding in (verdict.findings if verdict else ())}
        nearest = tuple(sorted(questions, key=lambda question: question.area not in areas))
        QuestionsScreen.show(self.app, nearest, about, lambda question: self._ask(question, about))

    def ask_by_name(self, name: str, words: tuple[str, ...], namespace: str) -> None:
        """Ask about the row, or about the namespace (empty: all) where the question has no subject of its own.

        words: of the question's arguments.
        """
        row = self.subject()
        question = next((candidate for candidate in load_questions().questions if candidate.name == name), None)
        if question is not None and not question.kinds:
            self._ask(question, Ref("Namespace", "", namespace), words)
        elif question is not None and row is not None and question.fits(row.ref):
            self._ask(question, row.ref, words)
        else:
            self.notify(f"{name} does not apply to this row.", timeout=3)

    def _ask(self, question: Question, about: Ref, words: tuple[str, ...] = ()) -> None:
        """Ask the question, after prompting for missing words."""
        about = question.about(about)
        if len(words) > len(question.arguments):
            unexpected = visible(words[len(question.arguments)], 60)
            self.notify(f"Unexpected argument: {unexpected}. {question.name} is about the selected row.")
        elif len(words) < len(question.arguments):
            self.app.push_screen(
                ArgumentsScreen(question, about, words),
                lambda given: self._ask(question, about, given) if given is not None else None,
            )
        else:
            SheetScreen.ask(self.app, self.session, question, about, words)

    opened_fix = 1
    """The fix whose command is shown, counted from 1."""

    def _open_fix(self) -> tuple[ReportedFinding, Fix] | None:
        """The fix that is open, and its cause; None where there is none with a command."""
        verdict = self.query_one(IncidentPane).verdict
        cause = verdict.causes[0] if verdict is not None and verdict.causes else None
        fixes = cause.fixes if cause is not None else ()
        fix = fixes[min(self.opened_fix, len(fixes)) - 1] if fixes else None
        return (cause, fix) if cause is not None and fix is not None and fix.command else None

    def action_copy_fix(self) -> None:
        """The command of the fix that is open; without one, or where only a look further is offered, all to choose from."""
        opened = self._open_fix()
        if opened is None:
            self.action_copy_command()
            return
        if self.session.live and not self.session.is_past and self.report is not None:
            job = partial(work.follow_fix, self.session, opened[0].id, opened[1], self.report)
            self.run_worker(InThread(job, self.post_message), group="follow")
        line = in_cluster(opened[1].command, self.session.flags)
        line = visible(line)  # a control character must not run anything where it is pasted
        self.app.copy_to_clipboard(line)
        self.notify(f"Copied: {line[:300]}\nRun it in a terminal: kubedoctor is read-only.", timeout=4)

    def action_rehearse(self) -> None:
        """Try the fix that is open on a copy of what is shown; one that is made by hand is typed."""
        row, opened = self.subject(), self._open_fix()
        if row is None or self.report is None:
            return
        if opened is None:
            self.notify("No fix with a command here. W tries any change.", timeout=3)
        elif is_by_hand(opened[1].command):  # what is changed is decided in an editor
            self.action_what_if()
        else:
            cause, fix = opened
            attempt = TriedChange(fix.command, cause.about, cause.id, fix)
            SheetScreen.rehearse(self.app, self.session, attempt, self.report)

    def action_what_if(self) -> None:
        """Type a change of the object, and try it."""
        row, report = self.subject(), self.report
        if row is None or report is None or row.ref.kind == "Context":
            return
        about = row.ref

        def attempt(line: str | None) -> None:
            if line is not None:
                SheetScreen.rehearse(self.app, self.session, TriedChange(line, about), report)

        self.app.push_screen(WhatIfScreen(about), attempt)

    def action_copy_command(self) -> None:
        row = self.subject()
        if row is not None:
            CopyScreen.show(self.app, commands_of(self.query_one(IncidentPane).verdict, row))

    def action_lesson(self) -> None:
        verdict = self.query_one(IncidentPane).verdict
        if verdict is None or not verdict.causes:
            self.notify("No finding here, so no lesson.", timeout=3)
            return
        self.show_lesson(verdict.causes[0].code)

    def show_lesson(self, words: str) -> None:
        """Show the lesson of a code, or of what kubectl shows."""
        TextScreen.show(self.app, visible(words, 60), lesson_page(visible(words, 60), self.session.catalogue))

    def action_suppress(self) -> None:
        """Copy what leaves the finding out of the incidents; kubedoctor writes neither objects nor settings."""
        verdict = self.query_one(IncidentPane).verdict
        if verdict is None or not verdict.causes:
            self.notify("No finding here to suppress.", timeout=3)
            return
        CopyScreen.show(self.app, suppressing(verdict.causes[0], today()))

    def action_suppressed(self) -> None:
        self.show_suppressed()

    def show_suppressed(self) -> None:
        """What is left out of the incidents."""
        if self.report is not None:
            TextScreen.show(self.app, "Suppressed", suppressions_page(self.report))

    def action_report(self) -> None:
        """Write the incidents as pages into files; which, is said when they are there."""
        if self.report is not None:
            job = partial(work.write_report, self.session, self.report)
            self.app.run_worker(InThread(job, self.app.post_message))

    def action_describe(self) -> None:
        self._text("Describe", lambda ref: partial(work.describe_object, self.session, ref, lambda: self.report))

    def action_tree(self) -> None:
        self._text("Tree", lambda ref: partial(work.show_tree, self.session, ref, lambda: self.report))

    def action_yaml(self) -> None:
        self._text("YAML", lambda ref: partial(work.show_yaml, self.session, ref))

    def action_logs(self, previous: bool) -> None:
        row = self.subject()
        if row is not None and row.ref.kind not in WITH_LOGS:
            self.notify(f"A {visible(row.ref.short_kind, 60)} has no pods, so no logs.", timeout=3)
            return
        if row is not None and row.ref.kind != "Context":
            about, session, report = row.ref, self.session, self.report

            def show(app: App[Any]) -> None:
                from kubedoctor.tui.logs.log_screen import LogScreen  # see `work.LATER`

                app.push_screen(LogScreen(session, about, report, previous=previous))

            show(self.app)
            self.app.post_message(PageOpened(f"Logs {about.title}", show))

    def action_users(self) -> None:
        self._text("Used by", lambda ref: partial(work.show_users, self.session, ref))

    def action_copy_name(self) -> None:
        row = self.subject()
        if row is not None:
            self.app.copy_to_clipboard(visible(row.ref.name))
            self.notify(f"Copied: {visible(row.ref.name, 253)}", timeout=3)

    def action_copy_namespace(self) -> None:
        row = self.subject()
        if row is None or not row.ref.namespace:
            self.notify("No namespace here.", timeout=3)
            return
        self.app.copy_to_clipboard(visible(row.ref.namespace))
        self.notify(f"Copied: {visible(row.ref.namespace, 253)}", timeout=3)

    def action_changing(self, key: str) -> None:
        row = self.subject()
        if row is None or row.ref.kind == "Context":
            return
        CopyScreen.show(self.app, (changing_command(key, row.ref, self.session.scaler_of(row.ref)),))

    def _text(self, title: str, job: Callable[[Ref], Callable[..., None]]) -> None:
        row = self.subject()
        if row is not None and row.ref.kind != "Context":
            TextScreen.show(self.app, f"{title} {row.ref.title}", work=job(row.ref))
