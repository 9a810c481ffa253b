"""What lines of a log are about, apart from faults: success, waiting, shutting down, and the words after a failure."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

_IGNORE_CASE: Final = re.IGNORECASE


def _any(*expressions: str) -> re.Pattern[str]:
    return compiled_later("|".join(expressions), _IGNORE_CASE)


_CONSEQUENCE: Final = _any(
    # Package managers, shells and supervisors about the program that they started.
    r"^npm (?:ERR!|error) *(?:code \w+|errno|path|syscall|command|signal|Exit status|Failed at the|This is probably not|"
    r"A complete log|There is likely|lifecycle|workspace|location|in workspace|argv|node v|npm +v|Linux|cwd|If you need help|"
    r"Please (?:include|try)|Make sure|Tell the author|Or if that|You can get|<https|[\w@/.-]+ \w+: `|/|    |Lifecycle script|$)",
    r"^npm (?:ERR!|error)\s*$",
    r"^error Command failed with",
    r"^info Visit https://yarnpkg",
    r"ELIFECYCLE",
    r"Command failed with exit code \d+",
    r"A complete log of this run",
    r"^(?:Aborted|Killed|Terminated)(?: \(core dumped\))?$",
    r"line \d+: +\d+ (?:Aborted|Killed|Terminated)\b",
    r"^make(?:\[\d+\])?: \*\*\*",
    r"(?:child )?process (?:[\w\[\]:=, ]{0,40})?exited with (?:exit )?(?:code|status|value)",
    r"exited: \S+ \((?:exit status|terminated)",
    r"gave up: \S+ entered FATAL state",
    r"^(?:ERROR: |while [\w -]{1,60}: )?(?:exit status|command terminated with exit code|exited with code|exit code:?) \d+\.?$",
    r"with exit code \d+\W*$",
    r"\[nodemon\] (?:app crashed|clean exit)",
    r"removing (?:contents of )?data directory",
    r"data directory .* not removed at user's request",
    r"Worker failed to boot",
    r"Worker \(pid[: ]\d+\) (?:exited|was sent|failed)",
    r"\bHaltServer\b",
    r"Shutting down: Master",
    r"^\S*(?:docker-)?entrypoint\S* .*(?:exited|failed) with",
    r"^Program .* exited with code",
    r"^\s*[a-z_]\w*:'?[\w/<>,$^-]+'?/\d+,? line \d+",
    # Footers of runtimes.
    r"^Node\.js v\d",
    r"run with `RUST_BACKTRACE",
    r"JoinError::Panic|PoisonError",
    r"^stack backtrace:",
    r"^\[signal SIG",
    r"^(?:rax|rbx|rip|rflags|cs|fs|gs|r\d+) +0x",
    r"^Crash dump (?:is being written|was written)|Slogan:|erl_crash\.dump",
    r"^init terminating in do_boot \(\)$|^Kernel pid terminated",
    r"See (?:'.*--help'|above|the logs?\b)|--help' (?:for|to see)|Try '.*--help'",
    r"^(?:[^.!]|[.!](?! +[A-Z]))*For more (?:details|information|help)",
    r"check (?:the )?(?:logs?|messages above)\b|likely additional logging output",
    r"did not exit normally",
    r"An error report file with more information|^# ?(?:If you would like|An error report|/\S+\.log$|$)",
    r"Error\(s\) found in configuration file",
    r"Fatal errors found in configuration",
    r"configuration file (?:[\"'(]\S+ )?contains (?:format )?errors",
    r"FPM initialization failed",
    r"configuration file .* test failed",
    r"^(?:The )?(?:above|following) (?:exception|error) was the direct cause",
    r"During handling of the above exception",
    r"Emitted 'error' event",
    r"triggerUncaughtException",
    r"^(?:Received|Got) (?:error|failure), (?:exiting|stopping)",
    r"in the console|^\W*(?:Please |For \w+,? )?visit https?://|https://errors\.pydantic\.dev|^\s*See https?://",
    r"terminating connection because of crash|terminating any other active server processes|rolled? back the current transaction",
    r"^(?:HINT|STATEMENT|CONTEXT|QUERY):|\b(?:HINT|STATEMENT|CONTEXT):  ",
    r"was terminated by signal \d+",
    r"while waiting for http server to close",
    r"(?:shutdown|cleanup|stop) task failed",
    r"^\W*\d+ error\(s\) (?:decoding|occurred|found)",
)
_SHUTTING_DOWN: Final = _any(
    r"\b(?:stopp(?:ing|ed)|shut(?:ting|s)?[ -]?down|shut ?down|closing|closed|terminat(?:ing|ed)|exit(?:ing|ed)?|destroy(?:ing|ed)|"
    r"unregister(?:ed|ing)?|unload(?:ing|ed)|draining|drained|flush(?:ing|ed)|cleanup|cleaning up|cleaned up|bye|goodbye|"
    r"cancel(?:led|ling|ed|ing)?|abort(?:ed|ing)|disconnect(?:ed|ing)|releas(?:ed|ing)|dispos(?:ed|ing)|halt(?:ed|ing)|quit(?:ting)?|"
    r"undeploy(?:ed|ing)|deregister(?:ed|ing)?|stop(?:s)?|finaliz(?:ed|ing)|in-flight|interrupt(?:ed)?|dump(?:ing|ed)?|"
    r"stack ?trace|thread dump|goodbye|giving up|leav(?:ing|es)|persist(?:ed|ing)|has been stopped|need to stop)\b",
)
_SUPERVISOR: Final = _any(
    r"spawned: '|entered RUNNING state|supervisord|exited: \S+ \(|gave up:|^\[nodemon\]|^\[s6-|s6-rc|runit|my_init",
    r"received SIGCHLD|reaped unknown pid",
)
_SUCCEEDED: Final = _any(
    r"(?<!not )(?<!dis)(?<!be )(?<!to be )\b(?:connected|reconnected|succeeded|successful(?:ly)?|recovered|re-?established|listening|ready|started|serving|"
    r"accepting connections|available now|up and running|is running|is up|now running|completed|finished|healthy|"
    r"became leader|elected|acquired lease|synced|restored|resumed|resuming|initiali[sz]ed|running on|startup complete|in sync)\b",
)
_NOT_SUCCEEDED: Final = _any(
    r"\b(?:not|n't|never|un\w+|fail\w*|error\w*|wait\w*|retry\w*|retri\w*|until|make sure|please|ensure|starting|before|cannot|could not|refused|timed out|to be|when|if|"
    r"stopp\w*|clos\w*|shut\w*|terminat\w*|exit\w*|backoff|attempt\w*)\b",
)
_WAITING: Final = _any(
    r"\bwait(?:ing|ed)?\b|\bretry(?:ing)?\b|\bretries\b|\bre-?trying\b|\bback-?off\b|\battempt\w*\b|\btrying\b|\breconnect(?:ing)\b|sleep(?:ing)?|"
    r"will try|try again|not (?:yet )?ready|unavailable",
)
_OPTIONAL: Final = _any(
    r"\b(?:optional|optionally|skip(?:s|ping|ped)?|no extra config|skipp(?:ing|ed)|ignor(?:ing|ed)|fall(?:ing)? ?back|defaulting|using defaults?|default(?:s)? (?:will be|to|is) |not critical|"
    r"non-fatal|deprecat\w*|harmless|can be ignored|will be ignored|continu(?:e|ing) (?:without|anyway|with)|proceeding|disabled|disabling|"
    r"not (?:be )?(?:enabled|used)|may be|if you|consider|recommend\w*|for better|could not reliably|no problem|assuming|unless)\b",
    r"\.env\b(?:\S+)? ?(?:file)?(?:,| not| does| was|:| is|$)|\bopen \.env",
)
_STOPPED_FROM_OUTSIDE: Final = _any(
    r"\bSIG(?:TERM|INT|QUIT)\b",
    r"signal[: ]+(?:terminated|15|interrupt|2\b|term|int\b)",
    r"(?:received|got|caught|handling|sending) (?:a |an |the )?(?:\w+ )?(?:termination|stop|shutdown|kill|interrupt|terminate|exit|smart shutdown|fast shutdown|quit)\b",
    r"received (?:\w+ )?signal|terminated by (?:a )?signal|caught signal|signal (?:received|caught)|os signal",
    r"user requested shutdown|scheduling shutdown|asked to (?:stop|shut)|SIGNAL=|\bshutdown requested\b|graceful(?:ly)?\)? (?:stop|shut|exit)\w*|\(gracefully\)",
)
_DONE: Final = _any(
    r"\b(?:completed?|finished|done|success(?:ful|fully)?|succeeded|all .* (?:applied|processed)|nothing to do|no (?:more )?work|"
    r"up[ -]to[ -]date|has been shutdown|stopping pipeline|exiting normally|finalized)\b",
)
_GENERIC: Final = (
    "a abnormal abnormally migration migrations assertion abort aborted aborting above action after an and app "
    "application at be because been before below boot booting bootstrap bootstrapping by can can't cannot caught "
    "cause check cmd code command component container context could couldn't create creating critical daemon database "
    "db dead description detail details dev development down due during elasticsearch encountered end error errors "
    "exception exceptions execute executing execution exit exited exiting fail failed failing fails failure failures "
    "fatal for framework from gave giving happened halting halted has have in information init initialisation "
    "initialise initialising initialization initialize initializing instance internal is issue it its kafka launch "
    "launching load loading log logs main manager message mode module more multiple node non-zero nonzero not now "
    "occurred of on one opensearch please prepare problem problems process prod production profile program quit "
    "raised reason register report reporting return returned root run runner running runs see server servers service "
    "set setup several severe shut shutdown shutting spring springframework start start-up started starting startup "
    "status stop stopped stopping system terminate terminated terminating that the this thread to trouble unable "
    "uncaught unexpected unhandled unknown up was when while will with worker"
)
_GENERIC_WORDS: Final = frozenset(_GENERIC.split())
_WORD: Final = compiled_later(r"[A-Za-z][\w'-]*")
_DETAIL: Final = compiled_later(r"[\"'`/=]|\w\.\w|\d{2,}")
_TRAILING_LOGGER: Final = compiled_later(r"(?<!\s)\s*(?:\([\w.$-]+(?:\.[\w$-]+)+\)|\{[^{}]*\}|\[[\w. -]+\])\s*$")
_USAGE: Final = ("usage:", "usage of ", "options:", "flags:", "available commands:", "global flags:")
_FAILURE: Final = _any(
    r"\b(?:fail\w*|error\w*|cannot|can't|couldn't|could not|unable|invalid|missing|not found|denied|refused|abort\w*|exception|fatal|panic|"
    r"illegal|unsupported|not supported|unknown|unexpected|mismatch|conflict|not allowed|must|required|wrong|expired|exceeded|incompatible|"
    r"corrupt\w*|crash\w*|bad|no such|does not|doesn't|did not|was not|is not|impossible|giving up|gave up|violat\w*|rejected)\b",
)


def has_words(message: str) -> bool:
    """More than punctuation and numbers."""
    return _WORD.search(message) is not None


def is_consequence(message: str, text: str) -> bool:
    """Words after a failure, without its cause."""
    return _CONSEQUENCE.search(message) is not None or _CONSEQUENCE.search(text) is not None


def is_shutting_down(message: str) -> bool:
    """The program, or a supervisor about it, talks of its end."""
    return _SHUTTING_DOWN.search(message) is not None


def is_supervisor(text: str) -> bool:
    """A process supervisor talks about what it runs."""
    return _SUPERVISOR.search(text) is not None


def is_success(message: str) -> bool:
    """Something works now."""
    return _SUCCEEDED.search(message) is not None and _NOT_SUCCEEDED.search(message) is None


def is_waiting(message: str) -> bool:
    """The program tries again or waits."""
    return _WAITING.search(message) is not None


def is_optional(message: str) -> bool:
    """A complaint that the program itself calls no reason to stop."""
    return _OPTIONAL.search(message) is not None


def is_generic(message: str) -> bool:
    """Only the common words of failing to start, without a reason."""
    bare = _TRAILING_LOGGER.sub("", message)
    words = _WORD.findall(bare)
    return not _DETAIL.search(bare) and all(word.lower() in _GENERIC_WORDS for word in words)


def reports_failure(message: str) -> bool:
    """The words of a failure, without a level."""
    return _FAILURE.search(message) is not None


def stopped_from_outside(text: str) -> bool:
    """The program got a signal or a request to stop."""
    return _STOPPED_FROM_OUTSIDE.search(text) is not None


def is_done(message: str) -> bool:
    """The program says that its work is complete."""
    return _DONE.search(message) is not None


def is_usage(text: str) -> bool:
    """The heading of what a program says of its arguments."""
    return text.strip().lower().startswith(_USAGE)
