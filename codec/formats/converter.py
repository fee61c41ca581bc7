"""Conversion of packed splat files by gaussforge and fourdgs, in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
import threading
from pathlib import Path

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CodecError, CorruptSegment
from streamstgs.codec.limits import CONVERTER_BYTES, CONVERTER_S

SCRIPT = Path(__file__).with_name("converter_process.py")
ERROR_MAX_BYTES = 4_096
MISSING = "This kind of file needs the package gaussforge; install it with: pip install gaussforge"


class Converter:
    """Converts files from one kind to another. Owner: one thread; `close` may come from any.

    The process starts with the first conversion and serves the next ones. A crash, an overrun of
    the time limit or of the memory limit ends it, and costs the one file.

    Args:
        limit_s: seconds for one file.
    """

    def __init__(self, limit_s: float = CONVERTER_S) -> None:
        self._limit_s = limit_s
        self._process: subprocess.Popen[bytes] | None = None

    def convert(
        self,
        data: bytes,
        source: str,
        target: str,
        name: str,
        most_bytes: int,
        cancel: CancelToken = NEVER,
    ) -> bytes:
        """The content of a file in another format.

        Args:
            source, target: "ply", "compressed.ply", "splat", "ksplat", "spz" or "sog"; or from
                "4dgs" to "npz".
            name: of the file, for messages.
            most_bytes: longer results are refused before they are read.

        Raises:
            CorruptSegment: the library refuses the file, crashes, or takes too long.
            CodecError: the library is not installed.
            Cancelled: through the token.
        """
        cancel.raise_if_cancelled(f"reading {name}")
        process = self._process = self._process or _started()
        late = threading.Event()

        def end_late() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._limit_s, end_late)
        timer.daemon = True
        timer.start()
        try:
            with cancel.on_cancel(process.kill):
                return _ask(process, data, f"{source} {target}", name, most_bytes)
        except _Refused:
            raise  # the process can go on
        except (OSError, ValueError) as error:
            self.close()
            cancel.raise_if_cancelled(f"reading {name}")
            if isinstance(error, CodecError):
                raise
            why = f"took longer than {self._limit_s:g} s" if late.is_set() else "failed"
            raise CorruptSegment(f"{name} cannot be read: its decoder {why}.") from error
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the process; safe to call twice. The next conversion starts another one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # of what a dead process did not read
                    pipe.close()
        process.wait()


def _started() -> subprocess.Popen[bytes]:
    if importlib.util.find_spec("gaussforge") is None:
        raise CodecError(MISSING)
    return subprocess.Popen(
        [sys.executable, "-P", str(SCRIPT), str(CONVERTER_BYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _ask(
    process: subprocess.Popen[bytes], data: bytes, kinds: str, name: str, most_bytes: int
) -> bytes:
    """Raises CorruptSegment for what the library refuses, OSError or ValueError for its end."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{kinds} {len(data)}\n".encode("ascii"))
    process.stdin.write(data)
    process.stdin.flush()
    status, length = process.stdout.readline().decode("ascii").split()
    size_bytes = int(length)
    if status != "ok":
        told = process.stdout.read(size_bytes)[:ERROR_MAX_BYTES].decode("utf-8", "replace")
        raise _Refused(f"{name} is damaged: {' '.join(told.split())[:200]}.")
    if size_bytes > most_bytes:
        raise CorruptSegment(f"{name} holds more than it declares.")
    content = process.stdout.read(size_bytes)
    if len(content) != size_bytes:
        raise OSError("the process ended")
    return content


class _Refused(CorruptSegment):
    """The library told what is wrong."""
