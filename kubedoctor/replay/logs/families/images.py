"""An image that does not fit the node, or lacks what its program needs: architecture, CPU features, libraries."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.logs.families.troubles import PAGE_SIZE
from kubedoctor.replay.logs.faults import LogFault, Pattern, PatternFamily
from kubedoctor.replay.logs.subjects import first_path, quoted

ICU: Final = "libicu"


def _icu(_: str) -> str:
    return ICU


def _libssl(_: str) -> str:
    return "libssl"


FAMILIES: Final = (
    PatternFamily(
        LogFault.IMAGE_ARCHITECTURE,
        (
            Pattern(
                "exec format error",
                r"(?:exec |exec: \"?|fork/exec |cannot execute )(?P<subject>\S+?)\"?:? exec format error",
            ),
            Pattern("exec format error"),
            Pattern("cannot execute binary file", r"(?P<subject>\S+): cannot execute binary file"),
            Pattern("wrong elf class"),
            Pattern("could not open '/lib", r"Could not open '(?P<subject>/lib\w*/ld-[^']+)'"),
            Pattern("platform", r"image'?s? platform .* does not match", weak=True),
            Pattern("not a valid elf"),
        ),
        first_path,
    ),
    PatternFamily(
        LogFault.UNSUPPORTED_CPU,
        (
            Pattern("illegal instruction"),
            Pattern("sigill", r"\bSIGILL\b"),
            Pattern("requires a cpu with", r"requires a CPU with (?P<subject>[\w.-]+)", at_any_level=True),
            Pattern("cpu does not support", r"CPU does not support (?P<subject>[\w.-]+)"),
            Pattern(
                "cpu",
                r"(?P<subject>\bAVX\w*|SSE4?[\w.]*|x86-64-v\d|BMI2?|NEON) (?:instructions?|support|is|are) .*(?:not supported|required|missing|not available)",
            ),
            Pattern("cpu lacks", r"CPU lacks (?:support for )?(?P<subject>\S+)"),
            Pattern("instructions that", r"compiled to use (?P<subject>\w+).*instructions.*(?:not|aren't) available"),
            Pattern("cpu isn't supported"),
            Pattern("unsupported cpu"),
            Pattern("unsupported system page size", trouble=PAGE_SIZE),
            Pattern(
                "page size",
                r"(?:system|kernel) page size.*(?:not supported|unsupported|must be|larger than)",
                trouble=PAGE_SIZE,
            ),
        ),
    ),
    PatternFamily(
        LogFault.MISSING_LIBRARY,
        (
            Pattern("error while loading shared libraries", r"shared libraries: (?P<subject>[^\s:]+)"),
            Pattern("error loading shared library", r"shared library (?P<subject>[^\s:]+):"),
            Pattern("cannot open shared object file", r"(?P<subject>[\w.+/-]+\.so[\w.]*): cannot open shared object"),
            Pattern("unable to load shared library", r"shared library '(?P<subject>[^']+)'"),
            Pattern("unable to load dynamic library", r"library '(?P<subject>[^']+)'", weak=True),
            Pattern("' not found (required by", r"(?:version )?[`'](?P<subject>[\w.]+)' not found"),
            Pattern("relocation error", r"error: (?P<subject>[^:\s]+):"),
            Pattern("undefined symbol", r"(?P<subject>\S+\.so\S*): undefined symbol"),
            Pattern("symbol not found", r"Error relocating (?P<subject>\S+):", weak=True),
            Pattern("cannot find module", r"Cannot find (?:module|package) '(?P<subject>[^./'][^']*)'"),
            Pattern("cannot find package", r"Cannot find package '(?P<subject>[^']+)'"),
            Pattern("could not import module", r"import module \"(?P<subject>[^\"]+)\""),
            Pattern("no module named", r"No module named ['\"]?(?P<subject>[\w.-]+)"),
            Pattern("cannot import name", r"cannot import name ['\"]?(?P<subject>\w+)"),
            Pattern(
                "could not find",
                r"Could not find (?:gem )?['\"]?(?P<subject>[\w.-]+)['\"]?.* in (?:any of the sources|locally installed gems|rubygems)",
            ),
            Pattern("cannot load such file", r"cannot load such file -- (?P<subject>\S+)"),
            Pattern("bundler::gemnotfound"),
            Pattern("gem::missingspecerror"),
            Pattern("classnotfoundexception", r"ClassNotFoundException: (?P<subject>[\w.$/]+)"),
            Pattern("noclassdeffounderror", r"NoClassDefFoundError: (?P<subject>[\w.$/]+)"),
            Pattern("could not find or load main class", r"main class (?P<subject>\S+)"),
            Pattern("unsatisfiedlinkerror", r"UnsatisfiedLinkError: (?P<subject>[^\s:]+)"),
            Pattern("unsupportedclassversionerror", r"UnsupportedClassVersionError: (?P<subject>\S+)"),
            Pattern("nosuchmethoderror", r"NoSuchMethodError: (?P<subject>\S+)"),
            Pattern("could not load file or assembly", r"assembly '(?P<subject>[^',]+)"),
            Pattern("you must install or update .net"),
            Pattern("find any compatible framework version"),
            Pattern("your ruby version is", r"your Ruby version is \S+, but your Gemfile specified"),
            Pattern("composer dependencies require", r"require a PHP version|require the following PHP extensions"),
            Pattern("but your php version", r"requires php \S.* but your php version"),
            Pattern('engine "node" is incompatible'),
            Pattern("you are using node.js", r"Node\.js version .*(?:required|\d\+)"),
            Pattern("requires a different python"),
            Pattern("but the running python is"),
            Pattern("requires go ", r"requires go .{1,20}\(running go"),
            Pattern("required--this is only", r"Perl \S+ required--this is only"),
            Pattern("valid icu package", subject=_icu),
            Pattern("globalization-invariant mode", subject=_icu),
            Pattern("no usable version of libssl", subject=_libssl),
            Pattern("framework", r"framework '(?P<subject>[^']+)'.* was not found"),
            Pattern("unable to load dll", r"DLL '(?P<subject>[^']+)'"),
            Pattern("no main manifest attribute", r"in (?P<subject>\S+)"),
            Pattern("class ", r"PHP Fatal error: .*Class [\"'](?P<subject>[^\"']+)[\"'] not found"),
            Pattern("call to undefined function", r"undefined function (?P<subject>[\w\\]+)"),
            Pattern("could not find driver"),
            Pattern("could not locate the bindings file"),
            Pattern("was compiled against a different node.js version", r"module '(?P<subject>[^']+)'"),
            Pattern("libcuda", r"(?P<subject>libcuda\S*\.so\S*)"),
            Pattern("no suitable driver"),
            Pattern("failed to determine a suitable driver class", weak=True),
        ),
        quoted,
    ),
)
