"""The log file: times, counts and stages, never names or pixels."""

import logging
import logging.handlers
import traceback
from pathlib import Path

from classpulse import paths

FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"


def configure(part: str) -> None:
    """Log to the file of `part` ("agent", "pages") from INFO up; to standard error from WARNING up.

    Each part has a file of its own, because two processes cannot rotate one.
    """
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    # a sentence for who sits there, like that of an error; when and where from stands in the file
    terminal.setFormatter(logging.Formatter("classpulse: %(message)s"))
    handlers: list[logging.Handler] = [terminal]
    file = paths.log_file(part)
    try:
        _make_private(file.parent)
        handlers.append(
            logging.handlers.RotatingFileHandler(file, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
        )
        missing = ""
    except OSError as error:
        # a class can be read without a log; the terminal still shows warnings
        missing = f"no log: {file} cannot be written ({error.strerror})"
    # a full disk must not print a traceback for each line that cannot be logged
    logging.raiseExceptions = False
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers)
    if missing:
        logging.getLogger(__name__).warning(missing)
    for chatty in ("werkzeug", "waitress", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _make_private(folder: Path) -> None:
    """Make the folder of the logs, for its owner alone: a traceback may hold what somebody typed."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def crash(error: BaseException) -> Path | None:
    """Append the traceback of `error` to the log of crashes and say which file that is; None if it failed."""
    file = paths.log_file("crash")
    try:
        _make_private(file.parent)
        with file.open("a", encoding="utf-8") as log:
            log.write("".join(traceback.format_exception(error)))
    except OSError:
        return None
    return file
