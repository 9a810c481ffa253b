"""What the kernel does not let the container's user do: bind a low port, open or change a file."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.logs.families.troubles import FILE_TOO_OPEN
from kubedoctor.replay.logs.faults import LogFault, Pattern, PatternFamily
from kubedoctor.replay.logs.subjects import address, file, port


def _bound(message: str) -> str:
    return address(message) or (f":{bound}" if (bound := port(message)) else "")


_DENIED: Final = r"(?:permission denied|EACCES|not permitted|access denied)"

FAMILIES: Final = (
    PatternFamily(
        LogFault.PERMISSION_PORT,
        (
            Pattern("bind", rf"\bbind(?:ing)?\b[^/]*?(?P<subject>(?:[\w.\[\]-]*|\[::\]):\d{{1,4}})\b.*{_DENIED}"),
            Pattern("bind", rf"listen \w+ (?P<subject>\S*:\d+): bind: {_DENIED}"),
            Pattern("bind", rf"\bbind(?:ing|\(\))?\b.*{_DENIED}|{_DENIED}.*\bbind(?:ing)?\b(?!.*mount)"),
            Pattern("listen eacces", r"listen EACCES:? (?:permission denied:? )?(?P<subject>\S+)"),
            Pattern("socketexception: permission denied"),
            Pattern("socketexception (13): permission denied"),
            Pattern("ah00072", r"address (?P<subject>\S+)"),
            Pattern("could not bind to address", r"Permission denied.*address (?P<subject>\S+)"),
            Pattern("make_sock", rf"{_DENIED}.*make_sock.*address (?P<subject>\S+)"),
            Pattern(
                "permission denied",
                r"(?:cannot|can't|could not|failed to|unable to|error) (?:listen|bind|open (?:port|listening socket)|creat\w+ (?:socket|listener)).*permission denied",
            ),
            Pattern("listening socket", rf"(?P<subject>\S*:\d+).*{_DENIED}|listening socket.*{_DENIED}"),
            Pattern("privileged port"),
            Pattern("could not create server socket", r"permission denied|EACCES"),
            Pattern("errno::eacces", r"Permission denied - bind"),
            Pattern("cannot bind", rf"cannot bind .*(?:{_DENIED})"),
            Pattern("bindexception: permission denied"),
            Pattern("socket", r"(?:start|create|open)\w* .*socket.*permission denied"),
            Pattern("listen tcp", rf"listen tcp\d? (?P<subject>\S+): .*{_DENIED}"),
        ),
        _bound,
    ),
    PatternFamily(
        LogFault.PERMISSION_FILE,
        (
            Pattern("failed to open stream", r"\w\((?P<subject>[^()]+)\): failed to open stream: permission denied"),
            Pattern("could not be opened in append mode", r"file \"(?P<subject>[^\"]+)\" could.*permission denied"),
            Pattern("error when reading", r"reading (?P<subject>/\S+): eacces"),
            Pattern("must be accessible by owner only", r"file (?P<subject>/\S+) must be"),
            Pattern("permission denied", r"(?:^|[\s:])(?P<subject>/[\w./+@-]+): permission denied"),
            Pattern("permission denied", r"\b(?:dir(?:ectory)?|file|folder) (?P<subject>[\w.+-]+): permission denied"),
            Pattern("permission denied", r"(?<!publickey )permission denied(?! for | to | \(publickey)"),
            Pattern("eacces"),
            Pattern("operation not permitted"),
            Pattern("eperm"),
            Pattern("accessdeniedexception: /", r"AccessDeniedException: (?P<subject>/[\w./+@-]+)"),
            Pattern("unauthorizedaccessexception"),
            Pattern("access to the path", r"path '(?P<subject>[^']+)' is denied"),
            Pattern("is not writable", r"[\"'`](?P<subject>/[^\"'`]+)[\"'`] is not writable"),
            Pattern("must be a writable directory", r"[Pp]ath \"?(?P<subject>/[^\"\s]+)\"? must be a writable"),
            Pattern("must be owned by", r"\(?\"(?P<subject>[^\"]+)\"\)? must be owned by"),
            Pattern("access to file denied", r"denied: (?P<subject>/[\w./+@-]+)"),
            Pattern("is not writable"),
            Pattern("is not writeable"),
            Pattern("is not readable"),
            Pattern("not writable by"),
            Pattern("cannot write to", r"cannot write to (?!.*(?:socket|connection|client|\bdial (?:tcp|udp)))"),
            Pattern("unable to write", r"unable to write (?:to |in )(?!.*(?:socket|connection|client))(?:the |')?"),
            Pattern(
                "can not write to", r"can not write to (?!.*(?:socket|connection|client|\bdial (?:tcp|udp)))", weak=True
            ),
            Pattern(
                "could not write to",
                r"could not write to (?!.*(?:socket|connection|client|\bdial (?:tcp|udp)))",
                weak=True,
            ),
            Pattern("failed to initialize logging subsystem", weak=True),
            Pattern("file access denied"),
            Pattern(
                "access denied",
                r"(?:file|path|directory|folder|drive).*access denied|access denied.*(?:file|path|director)",
            ),
            Pattern("wrong volume permissions", weak=True),
            Pattern("has wrong permissions"),
            Pattern("has invalid permissions"),
            Pattern("insecure permissions"),
            Pattern("unprotected private key file"),
            Pattern("bad permissions"),
            Pattern("permissions 0", r"Permissions 0\d+ for '(?P<subject>[^']+)' are too open", trouble=FILE_TOO_OPEN),
            Pattern(
                "too open",
                r"permissions (?:on|of|for) (?:file )?['\"]?(?P<subject>/[^\s'\"]+)['\"]? are too open",
                at_any_level=True,
                trouble=FILE_TOO_OPEN,
            ),
            Pattern("could not open error log file"),
            Pattern("dubious ownership", r"repository at '(?P<subject>[^']+)'"),
            Pattern("unable to open database file", r"(?P<subject>/[\w./-]+)?"),
            Pattern("cannot be accessed", r"(?P<subject>/\S++).*cannot be accessed", weak=True),
            Pattern("could not change owner"),
            Pattern("must not be run as root", weak=True),
            Pattern("should not be run as root", weak=True),
            Pattern("can not run elasticsearch as root"),
            Pattern("cannot be run as root"),
            Pattern("must be run as root", weak=True),
            Pattern("are you root?"),
            Pattern("requires root privileges"),
            Pattern("failed to obtain node lock"),
        ),
        file,
    ),
)
