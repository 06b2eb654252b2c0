"""The one place through which LiteRT is reached."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inference.errors import InferenceError

_LARGEST: Final = 49
"""Batch, the tiles of the largest gallery: of more faces the memory would grow for nothing. Any smaller one is
allocated as it comes, which takes 0.2 ms at the most and less than filling a batch up would."""


class BatchInterpreter:
    """Weights with one input (N, ...) and one output (N, ...), for any number of samples; not for two threads at once.

    Args and raised errors are those of `new_interpreter`.

    Attributes:
        takes, gives: shapes of input and output, N first.
        floats: whether both are float32.
    """

    def __init__(self, weights: Path, threads: int, what: str, refusal: type[InferenceError]) -> None:
        self._interpreter: Any = new_interpreter(weights, threads, what, refusal)
        taken, given = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        self.takes, self.gives = tuple(taken["shape"].tolist()), tuple(given["shape"].tolist())
        self.floats: bool = taken["dtype"] == given["dtype"] == np.float32
        self._input, self._output = taken["index"], given["index"]
        self._batch = 0

    def run(self, samples: NDArray[np.number[Any]]) -> NDArray[np.float32]:
        """What the weights say of one sample or more, of the shape that they take."""
        parts = [self._run(samples[start : start + _LARGEST]) for start in range(0, len(samples), _LARGEST)]
        return np.concatenate(parts)

    def _run(self, samples: NDArray[np.number[Any]]) -> NDArray[np.float32]:
        if len(samples) != self._batch:
            self._interpreter.resize_tensor_input(self._input, samples.shape)
            self._interpreter.allocate_tensors()
            self._batch = len(samples)
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(samples, np.float32))
        self._interpreter.invoke()
        given: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return given


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
