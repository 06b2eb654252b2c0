"""One network out of several runs that went on from one another."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models import zoo
from models.backends import backend
from models.data import data_hash, named_split, read_faces
from models.errors import TrainingError
from models.evaluate import judge, report_run
from models.manifest import replace_file
from models.runs import (
    BEST,
    RUN,
    architecture_of,
    heads_of,
    load_run,
    predict,
    read_run,
    wants_standardised,
    weights_of,
)


def average(runs: Sequence[Path], data: Path, out: Path) -> Path:
    """Write the run `out`, whose weights are the mean of those of `runs`, and return it.

    Where one run went on from the other, networks between the two are often better than either (Wortsman et al. 2022,
    "Model soups"). `run.json` is that of the last run, with what was averaged; the report is of PublicTest, as
    `models.train.train` writes it.

    Raises:
        TrainingError: fewer than two runs, one that is no network, networks of several plans or that read faces in
            several ways, or `out` holds a run.
        DataError: the data set cannot be read.
    """
    demand_several(runs, out)
    splits = read_faces(data)
    public = named_split(splits, "PublicTest", data)
    for run in runs:
        if (architecture := architecture_of(run)) in zoo.MACHINES:
            raise TrainingError(f"{run} is a {architecture}; only networks have a mean.")
    records = [read_run(run) for run in runs]
    networks = [load_run(run) for run in runs]
    plans = {
        (record["settings"].get("architecture"), heads_of(record), wants_standardised(record), size)
        for record, (_, size) in zip(records, networks, strict=True)
    }
    if len(plans) > 1:
        raise TrainingError(
            "Only runs of one --architecture, --heads, --standardise and size of the last views have a mean that is a "
            f"network; {' and '.join(run.name for run in runs)} differ."
        )
    network = mean_network([one for one, _ in networks])
    out.mkdir(parents=True, exist_ok=True)
    network.save_weights(out / BEST)
    size, standardise = networks[-1][1], wants_standardised(records[-1])
    logits = predict(backend().make_forward(network), public.images, size, standardise=standardise)
    record = records[-1] | {
        "averaged": made_of(runs) | judge(logits, public),
    }
    replace_file(out / RUN, json.dumps(record, indent=1).encode())
    report_run(out, splits, data_hash(data))
    return out


def demand_several(runs: Sequence[Path], out: Path) -> None:
    """Raises TrainingError where there are fewer than two runs, or `out` holds one."""
    if len(runs) < 2:
        raise TrainingError("A mean takes two runs or more; give the folders of both.")
    if (out / RUN).exists():
        raise TrainingError(f"{out} holds a run already; give another folder.")


def mean_network(networks: Sequence[keras.Model]) -> keras.Model:
    """The last of networks of one plan, with the mean of their weights."""
    weights = zip(*(network.get_weights() for network in networks), strict=True)
    networks[-1].set_weights([np.mean(layers, axis=0) for layers in weights])
    return networks[-1]


def made_of(runs: Sequence[Path]) -> dict[str, Any]:
    """What a run's record says of those whose mean it is."""
    return {"runs": [run.name for run in runs], "sha256": [data_hash(weights_of(run)) for run in runs]}
