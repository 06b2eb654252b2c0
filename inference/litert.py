"""The one place through which LiteRT is reached."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from inference.errors import InferenceError


def new_interpreter(weights: Path, threads: int, what: str, refusal: type[InferenceError]) -> Any:
    """An `ai_edge_litert.interpreter.Interpreter` with its tensors allocated; it says nothing on standard error.

    Args:
        weights: a LiteRT file.
        threads: for one run, 1 or more.
        what: the weights are of, for the message, such as "face".
        refusal: what is raised where LiteRT cannot load the file.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        with _standard_error_closed():
            interpreter = Interpreter(model_path=str(weights), num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise refusal(
            f"LiteRT cannot load the {what} weights {weights} ({error}). Install classpulse again."
        ) from error
    return interpreter


_ONE_AT_A_TIME: Final = threading.Lock()
"""Two at once would each keep, and in the end put back, what the other had put there."""


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    """LiteRT announces its delegate on standard error and has no switch for it (LiteRT issue 7420)."""
    with _ONE_AT_A_TIME:
        try:
            kept = os.dup(2)
        except OSError:  # a program without a terminal has none to protect
            yield
            return
        try:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  a device, not a path
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
