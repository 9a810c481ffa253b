"""The grammar of Corefiles (`coredns/caddy`, `caddyfile/lexer.go` and `parse.go`; CoreDNS 1.14)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from kubedoctor.replay.dns.corefile import PLUGINS

DEFAULT_FILE: Final = "Corefile"
MOST_IMPORTS: Final = 1000
_VARIABLE: Final = re.compile(r"\{\$([^{}]*)\}|\{%([^{}]*)%\}")


class CorefileProblem(ValueError):
    """Why CoreDNS does not start with a Corefile: the message of its log."""


class CorefileToken(msgspec.Struct, frozen=True):
    text: str
    file: str
    line: int
    breaks: int = 0

    @property
    def last_line(self) -> int:
        return self.line + self.breaks


class PluginConfig(msgspec.Struct, frozen=True):
    """What a server block says to one plugin: a tuple of words for each line; `{` opens a block, `}` ends it."""

    plugin: str
    lines: tuple[tuple[str, ...], ...]
    where: tuple[str, ...]

    @property
    def head(self) -> tuple[str, ...]:
        """The arguments on the plugin's own line."""
        return tuple(word for word in self.lines[0][1:] if word != "{")

    @property
    def body(self) -> Iterator[tuple[str, ...]]:
        """The lines of its block, without braces."""
        for line in self.lines[1:]:
            if words := tuple(word for word in line if word not in ("{", "}")):
                yield words


class ServerBlock(msgspec.Struct, frozen=True):
    """The zones of a block as they are written, and its plugins in the order of the file."""

    keys: tuple[str, ...]
    plugins: tuple[PluginConfig, ...]

    def all(self, plugin: str) -> tuple[PluginConfig, ...]:
        return tuple(config for config in self.plugins if config.plugin == plugin)


def server_blocks(
    text: str, files: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None
) -> tuple[ServerBlock, ...]:
    """The server blocks of a Corefile; raises CorefileProblem. files: what `import` may read, by path."""
    return tuple(_Parser(text, files or {}, variables or {}).blocks())


def _tokens(text: str, file: str) -> list[CorefileToken]:
    tokens: list[CorefileToken] = []
    value, line, start, breaks = "", 1, 1, 0
    quoted = escaped = comment = begun = False

    def end() -> None:
        nonlocal value, begun, breaks
        if begun:
            tokens.append(CorefileToken(value, file, start, breaks))
        value, begun, breaks = "", False, 0

    for char in text:
        if quoted:
            if not escaped and char == "\\":
                escaped = True
                continue
            if not escaped and char == '"':
                quoted = False
                end()
                continue
            if char == "\n":
                line += 1
                breaks += 1
            value += ("\\" if escaped and char != '"' else "") + char
            escaped = False
            continue
        if char.isspace():
            if char == "\r":
                continue
            end()
            if char == "\n":
                line += 1
                comment = False
            continue
        if comment:
            continue
        if not begun:
            if char == "#":
                comment = True
                continue
            start, begun = line, True
            if char == '"':
                quoted = True
                continue
        value += char
    end()
    return tokens


class _Parser:
    def __init__(self, text: str, files: Mapping[str, str], variables: Mapping[str, str]) -> None:
        self._tokens = _tokens(text, DEFAULT_FILE)
        self._files, self._variables = files, variables
        self._at = -1
        self._snippets: dict[str, list[CorefileToken]] = {}
        self._imports = 0

    def blocks(self) -> Iterator[ServerBlock]:
        while self._next():
            keys, ended = self._addresses()
            if len(keys) == 1 and keys[0].startswith("(") and keys[0].endswith(")"):
                self._snippets[keys[0][1:-1]] = self._snippet()
                continue
            plugins = [] if ended else self._contents()
            if keys:
                yield ServerBlock(tuple(keys), tuple(plugins))

    # Tokens

    def _next(self) -> bool:
        if self._at < len(self._tokens) - 1:
            self._at += 1
            return True
        return False

    @property
    def _value(self) -> str:
        return self._tokens[self._at].text if 0 <= self._at < len(self._tokens) else ""

    @property
    def _on_new_line(self) -> bool:
        if self._at < 1:
            return True
        before, now = self._tokens[self._at - 1], self._tokens[self._at]
        return before.file != now.file or before.last_line < now.line

    def _substituted(self, text: str) -> str:
        return _VARIABLE.sub(lambda found: self._variables.get(found[1] or found[2] or "", ""), text)

    def _problem(self, what: str, kind: str = "Error during parsing") -> CorefileProblem:
        token = self._tokens[min(max(self._at, 0), len(self._tokens) - 1)]
        return CorefileProblem(f"{token.file}:{token.line} - {kind}: {what}")

    # Grammar

    def _addresses(self) -> tuple[list[str], bool]:
        """The keys, and whether the file ends with them."""
        keys: list[str] = []
        another = False
        while True:
            word = self._substituted(self._value)
            if word == "import" and self._on_new_line:
                self._import()
                if self._at >= len(self._tokens):
                    return keys, True
                continue
            if word == "{":
                if another:
                    raise self._problem(f"Expected another address but had '{word}' - check for extra comma")
                return keys, False
            if word:
                another = word.endswith(",")
                keys.append(word.removesuffix(","))
            if not self._next():
                if another:
                    raise self._problem("Unexpected EOF")
                return keys, True
            if not another and self._on_new_line:
                return keys, False

    def _contents(self) -> list[PluginConfig]:
        braced = self._value == "{"
        if not braced:
            self._at -= 1
        plugins = list(self._directives())
        if braced and self._value != "}":
            raise self._problem(f"Unexpected token '{self._value}', expecting '}}'", "Syntax error")
        return plugins

    def _directives(self) -> Iterator[PluginConfig]:
        while self._next():
            if self._value == "}":
                return
            if self._value == "import":
                self._import()
                self._at -= 1
                continue
            yield self._directive()

    def _directive(self) -> PluginConfig:
        name = self._value
        if name not in PLUGINS:
            raise self._problem(f"Unknown directive '{name}'")
        first = self._at
        nesting = 0
        tokens = [self._tokens[self._at]]
        while self._next():
            word = self._value
            if word == "{":
                nesting += 1
            elif self._on_new_line and nesting == 0:
                self._at -= 1
                break
            elif word == "}" and nesting > 0:
                nesting -= 1
            elif word == "}":
                raise self._problem("Unexpected '}' because no matching opening brace")
            tokens.append(self._tokens[self._at])
        if nesting:
            raise self._problem("Unexpected EOF")
        return self._config(name, tokens, first)

    def _config(self, name: str, tokens: list[CorefileToken], first: int) -> PluginConfig:
        lines: list[list[str]] = []
        where: list[str] = []
        for place, token in enumerate(tokens):
            before = tokens[place - 1] if place else None
            if before is None or before.file != token.file or before.last_line < token.line:
                lines.append([])
                where.append(f"{token.file}:{token.line}")
            lines[-1].append(self._substituted(token.text))
        return PluginConfig(name, tuple(tuple(line) for line in lines), tuple(where))

    def _snippet(self) -> list[CorefileToken]:
        if self._value != "{":
            raise self._problem(f"Unexpected token '{self._value}', expecting '{{'", "Syntax error")
        depth = 1
        found: list[CorefileToken] = []
        while self._next():
            depth += {"{": 1, "}": -1}.get(self._value, 0)
            if depth == 0:
                return found
            found.append(self._tokens[self._at])
        raise self._problem("Unexpected EOF")

    def _import(self) -> None:
        """Replaces the line by what it names; the next token is then the first of that."""
        self._imports += 1
        line = self._tokens[self._at]
        end = self._at + 1
        while end < len(self._tokens) and self._same_line(line, self._tokens[end]):
            end += 1
        arguments = [self._substituted(token.text) for token in self._tokens[self._at + 1 : end]]
        if not arguments:
            raise self._problem("Wrong argument count or unexpected line ending after 'import'")
        if self._imports > MOST_IMPORTS:
            raise self._problem("maximum snippet import depth reached")
        self._tokens[self._at : end] = self._imported(arguments[0], arguments[1:])

    def _imported(self, pattern: str, arguments: list[str]) -> list[CorefileToken]:
        if pattern in self._snippets:
            return [
                msgspec.structs.replace(token, text=_with_arguments(token.text, arguments))
                for token in self._snippets[pattern]
            ]
        names = sorted(name for name in self._files if fnmatchcase(name, pattern) or name == pattern)
        if not names and not re.search(r"[*?\[]", pattern):
            raise self._problem(f"File to import not found: {pattern}")
        return [token for name in names for token in _tokens(self._files[name], name)]

    @staticmethod
    def _same_line(line: CorefileToken, token: CorefileToken) -> bool:
        return token.file == line.file and token.line == line.last_line


def _with_arguments(text: str, arguments: list[str]) -> str:
    for place, argument in enumerate(arguments):
        text = text.replace(f"{{args[{place}]}}", argument)
    return text
