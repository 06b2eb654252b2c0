"""A run's folder between two rounds: written whole or not at all, and gone on with under the same settings only."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from models.backends import backend
from models.data import data_hash
from models.errors import TrainingError
from models.manifest import replace_file
from models.runs import BEST, CHECKPOINT, RUN, read_record

_MADE_WITH = "made_with"
_DONE = "done"
"""Name of the number of rounds in a checkpoint; the variables are named by numbers."""
_NAMES: Final = {"photographs_sha256": "set of photographs", "start_sha256": "start"}
"""What `made_of` tells, as a message calls it."""


def made_of(data: Path, start: Path | None) -> dict[str, str]:
    """SHA-256 of the photographs in the shared data and of the weights that a run begins with, if it does: a name can
    come to mean another run. Raises DataError."""
    begun = {} if start is None else {"start_sha256": data_hash(start / BEST)}
    return {"photographs_sha256": data_hash(data / "faces")} | begun


def resume(
    out: Path, settings: dict[str, Any], origin: Mapping[str, str], state: Sequence[Any]
) -> list[dict[str, float]]:
    """Load the folder's checkpoint, if any, into the variables of `state`, and return the history so far.

    Raises:
        TrainingError: the run was begun with other settings or is `made_of` something else, or cannot be read.
    """
    if not (out / RUN).exists():
        return []
    before = read_record(out)
    differing = [key for key in settings if before["settings"].get(key) != settings[key]]
    # older runs do not tell of what they are made
    differing += [_NAMES[key] for key in origin if before.get(key, origin[key]) != origin[key]]
    if differing:
        raise TrainingError(
            f"{out} was begun with another {', '.join(dict.fromkeys(differing))}; "
            "give the same settings and data, or another folder."
        )
    return load_state(out, state, before["history"])


def load_state(out: Path, state: Sequence[Any], history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Load the folder's checkpoint into the variables of `state`, and return the part of `history` that it has learnt.

    A round of which only run.json was written before the power failed is to be done again. Raises TrainingError.
    """
    path = out / CHECKPOINT
    if len(history) == 1 and not path.exists():
        return []
    try:
        with path.open("rb") as file, np.load(file) as saved:
            for number, variable in enumerate(state):
                variable.assign(saved[str(number)])
            done = int(saved[_DONE]) if _DONE in saved else len(history)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise TrainingError(
            f"{path} cannot be loaded ({error}), so this run cannot go on; begin anew in another folder."
        ) from error
    return list(history)[:done]


def save_state(out: Path, state: Sequence[Any], done: int) -> None:
    """Write the folder's checkpoint, of `done` rounds, whole or not at all."""
    temporary = out / f"new.{CHECKPOINT}"
    values: dict[str, Any] = {str(n): keras.ops.convert_to_numpy(v) for n, v in enumerate(state)}
    np.savez(temporary, **values | {_DONE: np.int64(done)})
    temporary.replace(out / CHECKPOINT)


def digest(**settings: Any) -> str:
    """A word for what pictures of a round were made with."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def load_made(path: Path, names: Sequence[str], made_with: str | None) -> list[NDArray[Any]] | None:
    """The arrays of a round that were kept in `path`; None where they are to be made (anew), because there are none,
    they were made with other settings (None: any will do), or the file is broken."""
    try:
        with path.open("rb") as file, np.load(file) as kept:
            same = made_with is None or str(kept[_MADE_WITH]) == made_with
            return [kept[name] for name in names] if same else None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def save_made(path: Path, arrays: Mapping[str, NDArray[Any]], made_with: str) -> None:
    """Keep the arrays of a round, whole or not at all."""
    temporary = path.with_name(f"new.{path.name}")
    values: dict[str, Any] = {**arrays, _MADE_WITH: np.array(made_with)}
    np.savez(temporary, **values)
    temporary.replace(path)


def keep(
    out: Path,
    settings: dict[str, Any],
    origin: Mapping[str, str],
    state: Sequence[Any],
    history: Sequence[dict[str, float]],
    best: dict[str, float],
    network: keras.Model,
) -> None:
    """Write the weights of `network` if `best` is the last of `history`, `run.json`, and then the checkpoint: what is
    cut off before it is done again from the one before."""
    if best is history[-1]:
        temporary = out / f"new.{BEST}"
        network.save_weights(temporary)
        temporary.replace(out / BEST)
    name = keras.backend.backend()
    run = {
        "settings": settings,
        **origin,
        "parameters": network.count_params(),
        "device": backend().device(),
        "versions": {name: metadata.version(name) for name in ("keras", "numpy")}
        | {name: import_module(name).__version__},
        "chosen_round": best["round"],
        "history": history,
    }
    replace_file(out / RUN, json.dumps(run, indent=1).encode())
    save_state(out, state, len(history))


def plain_settings(settings: Any) -> dict[str, Any]:
    """The settings of a run, a dataclass, as JSON knows them, without the places on this machine."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(settings), default=str))
    del plain["data"], plain["out"]
    start = getattr(settings, "start", None)
    if "start" in plain:
        plain["start"] = start.name if start is not None else None
    return plain
