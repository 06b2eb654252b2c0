"""One detector out of several runs that went on from one another."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.averaging import demand_several, made_of, mean_network
from models.detector.network import build_detector
from models.detector.train import LABELS
from models.errors import TrainingError
from models.manifest import replace_file
from models.runs import BEST, RUN, load_weights, read_run, settings_of

_PLAN: Final = ("stem", "widths", "neck", "blocks")


def average_detectors(runs: Sequence[Path], out: Path) -> Path:
    """Write the run `out`, whose weights are the mean of those of `runs`, and return it; see `models.averaging`.

    `run.json` is that of the last run, with what was averaged; the labels are the last run's.

    Raises:
        TrainingError: fewer than two runs, one that is no detector or another network than the last, or `out` holds a
            run.
    """
    demand_several(runs, out)
    plans = [{key: settings_of(run, *_PLAN)[key] for key in _PLAN} for run in runs]
    if any(plan != plans[-1] for plan in plans):
        raise TrainingError(
            f"{' and '.join(run.name for run in runs)} are different networks and have no mean."
        )
    networks = [build_detector(**plan) for plan in plans]
    for network, run in zip(networks, runs, strict=True):
        load_weights(network, run)
    out.mkdir(parents=True, exist_ok=True)
    mean_network(networks).save_weights(out / BEST)
    if (runs[-1] / LABELS).exists():
        replace_file(out / LABELS, (runs[-1] / LABELS).read_bytes())
    replace_file(out / RUN, json.dumps(read_run(runs[-1]) | {"averaged": made_of(runs)}, indent=1).encode())
    return out
