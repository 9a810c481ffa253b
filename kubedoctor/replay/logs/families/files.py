"""Files, folders and commands that are not there."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.logs.faults import LogFault, Pattern, PatternFamily
from kubedoctor.replay.logs.subjects import file

FAMILIES: Final = (
    PatternFamily(
        LogFault.MISSING_FILE,
        (
            Pattern("cannot find module", r"Cannot find module '(?P<subject>[./][^']*)'"),
            Pattern("cannot find module", r"Cannot find module (?P<subject>/\S+)"),
            Pattern(
                "no such file or directory",
                r"no such file or directory(?::|,| -) [\"'`]?(?P<subject>/[\w./@+-]+)",
            ),
            Pattern(
                "no such file or directory",
                r"(?:open|stat|lstat|read|chdir|exec|fork/exec|scandir|access|mkdir|unlink|opendir|readlink)(?:ing)? [\"'`]?(?P<subject>[\w./@+-]+)[\"'`]?:? no such file",
            ),
            Pattern("no such file or directory", r"[\"'`](?P<subject>[^\"'`]+)[\"'`]:? \(?(?:\d+: )?no such file"),
            Pattern(
                "no such file or directory",
                r"no such file or directory(?::|,| -|) (?:\w+ )?[\"'`@]?(?:rb_sysopen - )?(?P<subject>[/.\w][\w./@+-]*)",
            ),
            Pattern("no such file or directory"),
            Pattern("enoent", r"ENOENT: .*[\"'](?P<subject>[^\"']+)[\"']"),
            Pattern("enoent"),
            Pattern("filenotfound", r"FileNotFound(?:Exception|Error):? (?:\[Errno 2\] )?(?P<subject>/?[\w./-]+) \("),
            Pattern("filenotfound"),
            Pattern("nosuchfileexception", r"NoSuchFileException: (?P<subject>\S+)"),
            Pattern("unable to access jarfile", r"jarfile (?P<subject>\S+)"),
            Pattern("cannot find the file"),
            Pattern("could not find file", r"file '(?P<subject>[^']+)'"),
            Pattern("could not find a part of the path", r"path '(?P<subject>[^']+)'"),
            Pattern("can't open file", r"can't open file '(?P<subject>[^']+)'"),
            Pattern("could not open input file", r"input file: (?P<subject>\S+)"),
            Pattern("failed opening required", r"required '(?P<subject>[^']+)'"),
            Pattern("failed to open stream", r"\((?P<subject>[^()]+)\): failed to open stream", weak=True),
            Pattern(
                "config file",
                r"(?:config(?:uration)? file|Config File) ?(?:\S+ )?(?:[\"'(]?(?P<subject>/[\w./-]+)[\"')]? )?.{0,80}?(?:not found|does not exist|doesn't exist|not exist|missing(?! or invalid))",
            ),
            Pattern(
                "configuration file",
                r"configuration file ?(?:[\"'(]?(?P<subject>/[\w./-]+)[\"')]? )?.*(?:not found|does not exist|doesn't exist|missing)",
            ),
            Pattern("file not found"),
            Pattern("file does not exist"),
            Pattern("file doesn't exist"),
            Pattern(
                "does not exist",
                r"(?:file|path|directory|folder|dir)\b.{0,80}does not exist|(?P<subject>(?:\./|/)[\w./-]+)[\"'`)]* does not exist",
            ),
            Pattern(
                "doesn't exist",
                r"^(?:error: )?[\"'`](?P<subject>(?:\.{0,2}/)[^\"'`]+)[\"'`] (?:doesn't|does not) exist",
            ),
            Pattern(
                "could not find a ",
                r"could not find an? [^'\"`]{1,40} in the ['\"`](?P<subject>[^'\"`]+)['\"`] directory",
            ),
            Pattern("file is missing", r"(?:^|[\s:'\"(])(?P<subject>[\w./-]+) file is missing(?! or invalid)"),
            Pattern("failed to execute ", r"failed to execute (?P<subject>[\w./-]+): no such file"),
            Pattern("doesn't exist", r"(?:file|path|directory|folder)\b.{0,80}doesn't exist"),
            Pattern(
                "not found",
                r"(?:file|directory|path|module) [\"'`]?(?P<subject>[./][\w./-]+)[\"'`]? (?:was |is )?not found",
            ),
            Pattern("not found", r"^(?:.*: )?(?P<subject>[\w./@+-]+): (?:command )?not found\s*$"),
            Pattern("not found", r"line \d+: (?P<subject>[\w./@+-]+): (?:command )?not found"),
            Pattern("executable file not found", r"\"(?P<subject>[^\"]+)\": executable file not found"),
            Pattern("could not find java", r"(?:at|in) (?P<subject>/\S+)"),
            Pattern("java_home", r"JAVA_HOME .*(?:not|incorrect|invalid)"),
            Pattern("could not find", r"could not find (?:\w+ ){0,4}[\"'`]?(?P<subject>(?:\./|/)[\w./-]+)"),
            Pattern("unable to find", r"unable to find (?:\w+ ){0,4}[\"'`]?(?P<subject>(?:\./|/)[\w./-]+)"),
            Pattern("unable to open config", r"(?P<subject>/[\w./-]+)"),
            Pattern("couldn't open file"),
            Pattern("cannot open file"),
            Pattern("fatal error, can't open config file", r"config file '(?P<subject>[^']+)'"),
            Pattern("is a directory", r"(?P<subject>/[\w./+@-]+).{0,12}is a directory|is a directory"),
            Pattern("eisdir"),
            Pattern("not a directory", r"(?P<subject>/[\w./+@-]+).{0,12}not a directory|not a directory"),
            Pattern("cannot read directory"),
            Pattern("no module named", r"No module named '?(?P<subject>__main__\S*)"),
            Pattern("cannot access '", r"cannot access '(?P<subject>[^']+)'"),
            Pattern("unable to load the service index", weak=True),
            Pattern("no config file", r"no config(?:uration)? files? (?:found|specified|provided)?"),
            Pattern("no such file", weak=True),
            Pattern(
                "not found",
                r"(?P<subject>(?:\.{0,2}/)[\w./@+-]+)[\"'`)]*:? (?:was |is |could )?(?:not (?:be )?found|missing)|not found(?: at| in|:)? [\"'`(]*(?P<path>(?:\.{0,2}/)[\w./@+-]+)",
                weak=True,
            ),
            Pattern(
                "",
                r"(?:could not|couldn't|cannot|can't|can not|unable to|failed to|failure to|error) (?:find|locate|open|opening|read|reading|load|loading|stat|access|get) (?:\w+ ){0,4}[\"'`(]*(?P<subject>(?:\.{0,2}/)[\w./@+-]+|[\w-]+\.(?:ya?ml|json|toml|conf|cfg|ini|xml|properties|env|pem|crt|key|jar|py|js|sh|sql|db|so|txt|log))\b",
                weak=True,
            ),
            Pattern(
                "file",
                r"\bfiles?\b.{0,60}(?:\bmissing|not found|not exist|cannot be found|could not be found)|(?:missing|no) (?:\w+ ){0,2}files?\b",
                weak=True,
            ),
        ),
        file,
    ),
)
