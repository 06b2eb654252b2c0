"""The log file: times, counts and stages, never names or pixels."""

import logging
import logging.handlers
import tempfile
import traceback
from pathlib import Path

from classpulse import paths

FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"


def configure() -> None:
    """Log to the file from INFO up; to standard error from WARNING up."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    handlers[0].setLevel(logging.WARNING)
    file = paths.default_log_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(file, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
        )
    except OSError:
        # a class can be read without a log; the terminal still shows warnings
        logging.getLogger(__name__).warning("no log file: %s cannot be written", file)
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers)
    for chatty in ("werkzeug", "waitress", "alembic", "rapidocr", "RapidOCR"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def crash(error: BaseException) -> Path:
    """Append the traceback of `error` to the log and say which file that is; a temporary one if the log fails."""
    text = "".join(traceback.format_exception(error))
    for file in (paths.default_log_file(), Path(tempfile.gettempdir()) / "classpulse-crash.log"):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as log:
                log.write(text)
        except OSError:
            continue
        return file
    return Path("nowhere: neither the log nor the temporary folder can be written")
