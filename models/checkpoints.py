"""A run's folder between two rounds: written whole or not at all, and gone on with under the same settings only."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from models.errors import TrainingError
from models.runs import BEST, CHECKPOINT, RUN


def resume(out: Path, settings: dict[str, Any], state: Sequence[Any]) -> list[dict[str, float]]:
    """Load the folder's checkpoint, if any, into the variables of `state`, and return the history so far.

    Raises:
        TrainingError: the run was begun with other settings.
    """
    path = out / CHECKPOINT
    if not path.exists():
        return []
    before = json.loads((out / RUN).read_text(encoding="utf-8"))
    differing = [key for key in settings if before["settings"].get(key) != settings[key]]
    if differing:
        raise TrainingError(
            f"{out} was begun with another {', '.join(differing)}; give the same settings or choose a new --out."
        )
    with np.load(path) as saved:
        for number, variable in enumerate(state):
            variable.assign(saved[str(number)])
    return list(before["history"])


def keep(
    out: Path,
    settings: dict[str, Any],
    state: Sequence[Any],
    history: Sequence[dict[str, float]],
    best: dict[str, float],
    network: keras.Model,
) -> None:
    """Write the checkpoint, `run.json`, and the weights of `network` if `best` is the last of `history`."""
    if best is history[-1]:
        temporary = out / f"new.{BEST}"
        network.save_weights(temporary)
        temporary.replace(out / BEST)
    temporary = out / f"new.{CHECKPOINT}"
    np.savez(temporary, **{str(number): variable.numpy() for number, variable in enumerate(state)})
    temporary.replace(out / CHECKPOINT)
    run = {
        "settings": settings,
        "parameters": network.count_params(),
        "versions": {name: metadata.version(name) for name in ("keras", "numpy")}
        | {"tensorflow": tf.__version__},
        "chosen_round": best["round"],
        "history": history,
    }
    temporary = out / f"new.{RUN}"
    temporary.write_text(json.dumps(run, indent=1), encoding="utf-8")
    temporary.replace(out / RUN)


def plain_settings(settings: Any) -> dict[str, Any]:
    """The settings of a run, a dataclass, as JSON knows them, without the places on this machine."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(settings), default=str))
    del plain["data"], plain["out"]
    start = getattr(settings, "start", None)
    if "start" in plain:
        plain["start"] = start.name if start is not None else None
    return plain
