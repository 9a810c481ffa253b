"""Versions of a runtime that a program needs and that its image has, in the words of each runtime."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log
from kubedoctor.replay.logs.runtimes.versions import RuntimeVersions, runtime_versions

DOTNET = """You must install or update .NET to run this application.

App: /app/web.dll
Architecture: x64
Framework: 'Microsoft.AspNetCore.App', version '8.0.0' (x64)
.NET location: /usr/share/dotnet/

The following frameworks were found:
  6.0.36 at [/usr/share/dotnet/shared/Microsoft.AspNetCore.App]
  7.0.20 at [/usr/share/dotnet/shared/Microsoft.AspNetCore.App]

Learn more:
https://aka.ms/dotnet/app-launch-failed"""
DOTNET_5 = """It was not possible to find any compatible framework version
The framework 'Microsoft.NETCore.App', version '3.1.0' (x64) was not found.
  - The following frameworks were found:
      5.0.17 at [/usr/share/dotnet/shared/Microsoft.NETCore.App]"""
DOTNET_NONE = """You must install or update .NET to run this application.
Framework: 'Microsoft.NETCore.App', version '9.0.0' (arm64)
No frameworks were found."""
NODE_MODULE = """Error: The module '/app/node_modules/better-sqlite3/build/Release/better_sqlite3.node'
was compiled against a different Node.js version using
NODE_MODULE_VERSION 108. This version of Node.js requires
NODE_MODULE_VERSION 115. Please try re-compiling or re-installing"""


@pytest.mark.parametrize(
    ("log", "runtime", "needs", "has"),
    [
        (DOTNET, "Microsoft.AspNetCore.App", "8.0.0", "6.0.36, 7.0.20"),
        (DOTNET_5, "Microsoft.NETCore.App", "3.1.0", "5.0.17"),
        (DOTNET_NONE, "Microsoft.NETCore.App", "9.0.0", ""),
        (
            "bundler/definition.rb:486:in `validate_ruby!': Your Ruby version is 3.1.4, but your Gemfile specified ~> 3.2.0"
            " (Bundler::RubyVersionMismatch)",
            "Ruby",
            "~> 3.2.0",
            "3.1.4",
        ),
        (
            'PHP Fatal error:  Composer detected issues in your platform: Your Composer dependencies require a PHP version ">='
            ' 8.2.0". You are running 8.1.27. in /app/vendor/composer/platform_check.php on line 24',
            "PHP",
            ">= 8.2.0",
            "8.1.27",
        ),
        (
            "    - Root composer.json requires php ^8.2 but your php version (8.1.27) does not satisfy that requirement.",
            "PHP",
            "^8.2",
            "8.1.27",
        ),
        (
            'Exception in thread "main" java.lang.UnsupportedClassVersionError: com/acme/Main has been compiled by a more recent'
            " version of the Java Runtime (class file version 61.0), this version of the Java Runtime only recognizes class file"
            " versions up to 55.0",
            "Java",
            "17",
            "11",
        ),
        (
            'error next@14.1.0: The engine "node" is incompatible with this module. Expected version ">=18.17.0". Got "16.20.2"',
            "Node.js",
            ">=18.17.0",
            "16.20.2",
        ),
        (
            'You are using Node.js 16.20.2. For Next.js, Node.js version ">= v18.17.0" is required.',
            "Node.js",
            ">= v18.17.0",
            "16.20.2",
        ),
        (
            "You are using Node.js 18.12.0. Vite requires Node.js version 20.19+ or 22.12+. Please upgrade your Node.js version.",
            "Node.js",
            "20.19+ or 22.12+",
            "18.12.0",
        ),
        ("ERROR: Package 'acme' requires a different Python: 3.8.10 not in '>=3.10'", "Python", ">=3.10", "3.8.10"),
        ("go: go.mod requires go >= 1.22.0 (running go 1.21.5; GOTOOLCHAIN=local)", "Go", ">= 1.22.0", "1.21.5"),
        (
            "Perl v5.36.0 required--this is only v5.34.0, stopped at /app/run.pl line 3.",
            "Perl",
            "v5.36.0",
            "v5.34.0",
        ),
    ],
)
def test_versions(log: str, runtime: str, needs: str, has: str) -> None:
    lines = tuple(log.split("\n"))
    cause = read_log(lines, 1)
    assert cause is not None
    assert cause.fault is LogFault.MISSING_LIBRARY
    assert runtime_versions(lines, cause.index) == RuntimeVersions(runtime, needs, has)


def test_native_module() -> None:
    lines = tuple(NODE_MODULE.split("\n"))
    cause = read_log(lines, 1)
    assert cause is not None
    assert runtime_versions(lines, cause.index) == RuntimeVersions("NODE_MODULE_VERSION", "108", "115")


def test_other_lines() -> None:
    assert runtime_versions(("Your Ruby version is 3.2.2",), 0) is None
    assert runtime_versions(("ModuleNotFoundError: No module named 'flask'",), 0) is None


def test_a_gemfile_is_no_limit_of_open_files() -> None:
    cause = read_log(("Could not locate Gemfile or .bundle/ directory",), 10)
    assert cause is None or cause.fault is not LogFault.KERNEL_SETTING
    limit = read_log(("Error: EMFILE: too many files, watch '/app'",), 1)
    assert limit is not None
    assert limit.fault is LogFault.KERNEL_SETTING
