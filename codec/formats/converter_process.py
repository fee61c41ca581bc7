"""The process that runs native decoders and encoders: `converter` starts it as a script.

A request is a line `SOURCE TARGET LENGTH` and so many bytes; the answer is a line `ok LENGTH` or
`error LENGTH` and so many bytes. It imports nothing of this package, so that it starts fast, and
its memory is limited, so that a file made to exhaust memory ends it and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import sys


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # the library prints to standard output
    os.dup2(silence, 2)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        limit = int(sys.argv[1])
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    import gaussforge

    converter = gaussforge.GaussForge()
    requests = sys.stdin.buffer
    while line := requests.readline():
        source, target, length = line.decode("ascii").split()
        data = requests.read(int(length))
        try:
            result = converter.convert(data, source, target)
            status = "error" if "error" in result else "ok"
            content = result["error"].encode() if "error" in result else result["data"]
        except Exception as error:  # whatever the library raises is the answer
            status, content = "error", str(error).encode("utf-8", "replace")
        answers.write(f"{status} {len(content)}\n".encode("ascii"))
        answers.write(content)
        answers.flush()


if __name__ == "__main__":
    main()
