"""Memory that a runtime, or a graphics card, ran out of by its own limit."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.logs.faults import LogFault, Pattern, PatternFamily

FAMILIES: Final = (
    PatternFamily(
        LogFault.HEAP,
        (
            Pattern("outofmemoryerror", r"OutOfMemoryError(?!: unable to create)"),
            Pattern("terminating due to java.lang.outofmemoryerror"),
            Pattern("heap out of memory"),
            Pattern("reached heap limit"),
            Pattern("near heap limit", r"near heap limit"),
            Pattern("heap limit allocation failed"),
            Pattern("fatal process out of memory"),
            Pattern("invalid array length allocation failed"),
            Pattern("runtime: out of memory"),
            Pattern("goroutine stack exceeds", weak=True),
            Pattern("cannot allocate memory"),
            Pattern("insufficient memory for the java runtime"),
            Pattern("native memory allocation"),
            Pattern("could not reserve enough space for"),
            Pattern("too small initial heap"),
            Pattern("initial heap size set to a larger value"),
            Pattern("std::bad_alloc"),
            Pattern("memoryerror"),
            Pattern("numpy.core._exceptions._arraymemoryerror"),
            Pattern("memory allocation of", r"memory allocation of \d+ bytes failed"),
            Pattern("outofmemoryexception"),
            Pattern(
                "out of memory",
                r"^(?:\W*(?:fatal|error)\W*)?(?:\w+: )?out of memory|(?:CUDA|HIP|GPU|device).*out of memory|hipErrorOutOfMemory",
            ),
            Pattern("cuda out of memory"),
            Pattern("allowed memory size of", r"Allowed memory size of (?P<subject>\d+) bytes exhausted"),
            Pattern("failed to allocate memory", r"NoMemoryError|failed to allocate memory"),
            Pattern("no available memory for the cache blocks"),
            Pattern(
                "kv cache",
                r"(?:larger than|No available memory|not enough).*KV cache|KV cache.*(?:larger than|not enough|needed)",
            ),
            Pattern(
                "free memory on device",
                r"(?:less than|insufficient|not enough).*memory|Free memory on device.*is less than",
            ),
            Pattern("cannot allocate", r"(?:eheap_alloc|binary_alloc|sys_alloc|ets_alloc): Cannot allocate"),
            Pattern("oom command not allowed", weak=True),
            Pattern("innodb: cannot allocate memory for the buffer pool"),
            Pattern("mmap", r"mmap\w*\(?.*(?:Cannot allocate|failed.*memory)"),
            Pattern("java heap space"),
            Pattern("gc overhead limit exceeded"),
            Pattern("allocation failure", r"(?:fatal|error).*memory allocation failure"),
        ),
    ),
)
