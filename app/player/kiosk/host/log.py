"""The log of a kiosk: what was shown, who came, what failed."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from platformdirs import user_log_path
from streamstgs.app.player.errors import PlaylistError
from streamstgs.codec.streaming.disk_cache import APPLICATION

LOG_NAME = "kiosk.log"
_FILE_BYTES, _FILES = 2_000_000, 5  # months of a busy booth
_PROGRAM = __name__.partition(".")[0]
_KIOSK = __name__.removesuffix(".host.log")
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def default_log() -> Path:
    """The log file where none is named."""
    return user_log_path(APPLICATION) / LOG_NAME


def start_log(file: Path) -> logging.Handler:
    """Write what the kiosk does, and all warnings of this program, to a file from now on.

    Old files are kept up to a bound.

    Returns:
        The handler, to be passed to `stop_log`.

    Raises:
        PlaylistError: The file cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            file, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8"
        )
    except OSError as error:
        raise PlaylistError(f"The log {file} cannot be written: {error.strerror}.") from error
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.addFilter(_matters)
    logger = logging.getLogger(_PROGRAM)
    logger.addHandler(handler)
    logger.setLevel(min(logger.level or logging.INFO, logging.INFO))
    return handler


def stop_log(handler: logging.Handler) -> None:
    """Close the file of `start_log`."""
    logging.getLogger(_PROGRAM).removeHandler(handler)
    handler.close()


def _matters(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.startswith(_KIOSK)
