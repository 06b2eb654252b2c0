"""`classpulse models`: composes the workshop, which is installed with the extra `train` only."""

import json
import math
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from classpulse.errors import UsageError

if TYPE_CHECKING:
    from models.train import Phase

Row = dict[str, Any]

_LOG_LEVEL: Final = "TF_CPP_MIN_LOG_LEVEL"
_STDERR: Final = 2
"""The descriptor into which TensorFlow's C++ writes."""


@contextmanager
def files_in_words() -> Iterator[None]:
    """Around work with the user's files. Raises UsageError where one cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"A file cannot be read or written ({error}). Check the path, who may write there, and the space left."
        ) from error


@files_in_words()
def train(
    data: Path | None,
    *,
    out: Path,
    architecture: str,
    epochs: int | None,
    phases: Sequence[str],
    batch: int,
    learning_rate: float,
    heads: int,
    hard_weight: float,
    teachers: Sequence[Path],
    teacher_weight: float,
    teachers_see_views: bool,
    teachers_mirror: bool,
    posed: Sequence[Path],
    unlabelled: Sequence[Path],
    self_weight: float,
    sharpness: float,
    start: Path | None,
    pretrained: Path | None,
    cover: float,
    standardise: bool,
    precision: str,
    seed: int,
    limit: int,
    given: Collection[str],
) -> str:
    """Train with a progress bar, or go on where the run in `out` stopped; what came of it, in a sentence. `given` are
    the options that were asked for.

    Raises:
        UsageError: the extra `train` is not installed, an option would change nothing, a phase cannot be read, or a
            file not written.
        models.errors.ModelsError: the data or an option is wrong.
    """
    if epochs is not None and phases:
        raise UsageError("--epochs shares out the usual phases, --phase gives others; choose one of them.")
    check_learning_rate(learning_rate)
    check_together(given, heads)
    for phase in phases:
        phase_numbers(phase)
    demand_runs(*teachers, *([start] if start else []))
    demand_files(*posed, *unlabelled, *([pretrained] if pretrained else []))
    faces = faces_file(data)
    with needs_workshop():
        from models.train import PHASES, TrainSettings, phases_of
        from models.train import train as run_training
    check_heeded(given, architecture)
    chosen = PHASES if epochs is None else phases_of(epochs)
    settings = TrainSettings(
        data=faces,
        out=out,
        architecture=architecture,
        phases=tuple(read_phase(phase) for phase in phases) or chosen,
        batch=batch,
        learning_rate=learning_rate,
        heads=heads,
        hard_weight=hard_weight,
        teachers=tuple(teachers),
        teacher_weight=teacher_weight,
        teachers_see_views=teachers_see_views,
        teachers_mirror=teachers_mirror,
        posed=tuple(posed),
        unlabelled=tuple(unlabelled),
        self_weight=self_weight,
        sharpness=sharpness,
        start=start,
        pretrained=pretrained,
        cover=cover,
        standardise=standardise,
        precision=precision,
        seed=seed,
        limit=limit,
    )
    with progress_bar(architecture) as (on_step, say):

        def on_epoch(row: dict[str, float]) -> None:
            voters = f", as voters {row['public_ferplus']:.1%}" if "public_ferplus" in row else ""
            say(
                f"epoch {row['epoch']:.0f}: PublicTest {row['public_accuracy']:.1%}{voters}, {row['seconds']:.0f} s"
            )

        try:
            run_training(settings, on_step=on_step, on_epoch=on_epoch)
        except KeyboardInterrupt:
            say("interrupted: the same command goes on after the last whole epoch")
            raise
    report = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    served = f" Serve it with: classpulse models export {out}" if (out / "best.weights.h5").exists() else ""
    return f"PublicTest {report['accuracy']['value']:.1%}; report and figures are in {out}.{served}"


def check_learning_rate(rate: float) -> None:
    """Raises UsageError where one cannot learn at this rate."""
    if not 0 < rate < math.inf:
        raise UsageError(f"--learning-rate must be above 0, got {rate}.")


def check_heeded(given: Collection[str], architecture: str) -> None:
    """Raises UsageError where an option was given that this architecture does not heed."""
    from models import zoo

    unheeded = sorted(set(given) - {"out", "data", "architecture", "seed", "limit"})
    if architecture in zoo.MACHINES and unheeded:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in unheeded)
        raise UsageError(f"{architecture} heeds --data, --seed and --limit only; leave out {options}.")


def check_together(given: Collection[str], heads: int) -> None:
    """Raises UsageError where an option was given that would change nothing beside the others."""
    if heads > 1 and "hard_weight" in given:
        raise UsageError(
            "--hard-weight mixes label and votes for one head, --heads 2 learns them apart; choose one."
        )
    for name in ("teacher_weight", "teachers_see_views", "teachers_mirror"):
        if name in given and "teacher" not in given:
            raise UsageError(f"--{name.replace('_', '-')} needs a teacher; give --teacher, or leave it out.")
    if "teachers_mirror" in given and "teachers_see_views" not in given:
        raise UsageError(
            "--teachers-mirror mirrors the views that teachers see; give --teachers-see-views, or leave it out."
        )
    if {"start", "pretrained"} <= set(given):
        raise UsageError("--start and --pretrained both give the weights to begin with; choose one of them.")


def read_phase(text: str) -> "Phase":
    """A phase as `EPOCHS:SIZE[:DEGRADED[:ERASED[:STRENGTH[:MIXED]]]]`, such as `14:32:0.1:0.1`. Raises UsageError."""
    from models.train import Phase

    return Phase(*phase_numbers(text))


def phase_numbers(text: str) -> tuple[int, int, float, float, float, float]:
    """The numbers of a phase, which `read_phase` describes. Raises UsageError."""
    parts = text.split(":")
    try:
        epochs, size = int(parts[0]), int(parts[1])
        degraded, erased, strength, mixed, *more = (
            *map(float, parts[2:]),
            *(0.0, 0.0, 1.0, 0.0)[len(parts) - 2 :],
        )
        shares = all(0 <= share <= 1 for share in (degraded, erased, mixed))
        sensible = epochs > 0 and size >= 16 and shares and strength >= 0
        if more or not sensible:
            raise ValueError(text)
    except (ValueError, IndexError) as error:
        raise UsageError(
            f"The phase {text!r} cannot be read: give EPOCHS:SIZE:DEGRADED:ERASED:STRENGTH:MIXED, such as "
            "14:32:0.1:0.1:1:0, with at least 1 epoch, 16 pixels and shares in 0..1; the last four may be left out."
        ) from error
    return epochs, size, degraded, erased, strength, mixed


@files_in_words()
def export(run: Path, data: Path | None, prior: str, second_look: float) -> str:
    """Make a finished run the classifier that is served; what was chosen, as text."""
    try:
        wanted = None if prior == "auto" else float(prior)
    except ValueError as error:
        raise UsageError(f"--prior is `auto` or a number in 0..1, not {prior!r}.") from error
    if wanted is not None and not 0 <= wanted <= 1:
        raise UsageError(f"--prior is `auto` or a number in 0..1, not {prior}.")
    demand_runs(run)
    faces = faces_file(data)
    with needs_workshop():
        from models.export import export as export_run
    with progress_bar(f"export of {run.name}"):
        entry = export_run(run, faces, prior=wanted, second_look=second_look)
    chosen = {
        "second_look": entry.second_look,
        "temperature": entry.temperature,
        "min_height": entry.min_height,
        "thresholds": entry.thresholds,
    }
    return json.dumps({"sha256": entry.sha256, **chosen, **entry.metrics}, indent=2)


@files_in_words()
def average(runs: Sequence[Path], data: Path | None, out: Path) -> str:
    """Make one run of several; what it reaches, in a sentence."""
    demand_runs(*runs)
    faces = faces_file(data)
    with needs_workshop():
        from models.averaging import average as average_runs
    with progress_bar(f"mean of {len(runs)} runs"):
        average_runs(runs, faces, out)
    report = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    return (
        f"PublicTest {report['accuracy']['value']:.1%}; report and figures are in {out}. "
        f"Serve it with: classpulse models export {out}"
    )


@files_in_words()
def evaluate(
    run: Path | None,
    data: Path | None,
    *,
    split: str,
    engine: str | None,
    out: Path | None,
    card: Path | None,
) -> str:
    """Measure the shipped classifier, a run or an engine of others; the figures as text."""
    if sum(choice is not None for choice in (run, engine, card)) > 1:
        raise UsageError(
            "A run, --engine and --card exclude each other: the card is that of the shipped weights."
        )
    from models.data import SPLITS

    if split not in SPLITS:
        raise UsageError(f"There is no split {split!r}; choose one of {', '.join(SPLITS)}.")
    demand_runs(*([run] if run else []))
    faces = faces_file(data)
    with needs_workshop():
        from models import evaluate as measuring
    with progress_bar(f"{engine or (run.name if run else 'shipped')} on {split}"):
        if engine is not None:
            report = measuring.evaluate_engine(engine, faces, out or Path("evaluation") / engine, split=split)
        elif run is not None:
            beside = run if split == "PublicTest" else run / split
            report = measuring.evaluate_run(run, faces, split=split, out=out or beside)
        else:
            report = measuring.evaluate(faces, out or Path("evaluation"), split=split, card=card)
    return json.dumps(report, indent=2)


@files_in_words()
def compare(runs: Sequence[Path], data: Path | None, *, out: Path, engines: Sequence[str]) -> str:
    """Write the page that compares the shipped classifier with runs, engines and published figures; what was left
    out of it, one line each."""
    if not out.suffix or out.is_dir():
        raise UsageError(f"--out names the page to write, such as comparison.html, not {out}.")
    demand_runs(*runs)
    faces, kept, absent = faces_file(data), out.with_suffix(""), list[str]()
    with needs_workshop():
        from models import compare as comparing
        from models import evaluate as measuring
        from models.errors import EngineError
        from models.runs import EVALUATION, RUN
    for run in runs:
        if not ((run / RUN).exists() or (run / EVALUATION).exists()):
            raise UsageError(
                f"{run} holds neither a run nor a report; classpulse models list FOLDER shows runs."
            )
    folders = list(runs)
    with progress_bar("compare") as (on_step, say):
        steps = len(runs) + len(engines) + 1
        for done, run in enumerate(runs):
            on_step(done, steps)
            say(run.name)
            if (run / RUN).exists():
                measuring.evaluate_run(run, faces)
        for done, engine in enumerate(engines, start=len(runs)):
            on_step(done, steps)
            say(engine)
            try:
                measuring.evaluate_engine(engine, faces, kept / engine)
                folders.append(kept / engine)
            except EngineError as error:
                absent.append(str(error))
        on_step(steps - 1, steps)
        say("shipped")
        measuring.evaluate(faces, kept / "shipped", reuse=True)
        on_step(steps, steps)
    asked = [*map(_from_here, runs), *(f"--engine {engine}" for engine in engines)]
    asked += [f"--data {_from_here(data)}"] if data is not None else []
    comparing.write_page(
        [comparing.read_entry(folder) for folder in (kept / "shipped", *folders)],
        out,
        " ".join(["classpulse models compare", *asked, f"--out {_from_here(out)}"]),
    )
    return "\n".join([*absent, f"Wrote {out}"])


def _from_here(path: Path) -> str:
    """A path as a shell takes it, never from the root of this machine: as it was given, or seen from here."""
    try:
        return shlex.quote(os.path.relpath(path) if path.is_absolute() else str(path))
    except ValueError:  # on another drive
        return shlex.quote(path.name)


def catalogue() -> list[Row]:
    """The architectures that can be trained, with their size on a face of 48 px."""
    with needs_workshop():
        from models import zoo
    rows = []
    for name in zoo.ARCHITECTURES:
        network = zoo.build(name, 48)
        size = f"{network.count_params() / 1e6:.2f} M", f"{zoo.multiply_adds(network) / 1e6:.0f} M"
        rows.append(
            {"architecture": name, "parameters": size[0], "multiply-adds": size[1], "what": "network"}
        )
    return rows + [
        {"architecture": name, "parameters": "-", "multiply-adds": "-", "what": what}
        for name, what in zoo.MACHINES.items()
    ]


@files_in_words()
def runs_in(folder: Path) -> list[Row]:
    """The classifiers' runs found in a folder, best first, with what they reached on PublicTest; what is no whole run
    is left out. Raises UsageError where there is no such folder."""
    demand_runs(folder)
    with needs_workshop():
        from models.errors import TrainingError
        from models.runs import find_runs, read_record
    rows = []
    for run in find_runs(folder):
        try:
            record = read_record(run)
        except TrainingError:
            continue
        history = [row for row in record["history"] if "public_accuracy" in row]
        if not history:
            continue
        epochs = sum(phase["epochs"] for phase in record["settings"].get("phases", [{"epochs": 1}]))
        best = next((row for row in history if row["epoch"] == record.get("chosen_epoch")), history[-1])
        best = record.get("averaged", best)
        full: dict[str, Any] = {}
        with suppress(FileNotFoundError, ValueError):
            full = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
        votes = full.get("ferplus_majority")
        rows.append(
            {
                "run": run.name,
                "architecture": record["settings"]["architecture"],
                "epochs": f"{len(history)} of {epochs}",
                "PublicTest": f"{best['public_accuracy']:.1%}",
                "FER+": f"{votes['value']:.1%}" if votes and votes["value"] is not None else "-",
                "ECE": f"{full['ece']:.3f}" if full else "-",
            }
        )
    return sorted(rows, key=lambda row: float(row["PublicTest"].rstrip("%")), reverse=True)


def demand_runs(*folders: Path) -> None:
    """Raises UsageError where one of these folders, of runs or of reports, is not there: before anything is loaded."""
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}: give one that holds a run.")


def demand_files(*files: Path) -> None:
    """Raises UsageError where one of these files is not there: before anything is loaded."""
    for file in files:
        if not file.is_file():
            raise UsageError(f"There is no file {file}: correct its path.")


def faces_file(given: Path | None) -> Path:
    """The faces to train and measure with. Raises UsageError where they are not there."""
    if given is not None:
        if not given.exists():
            raise UsageError(
                f"{given} does not exist. Give fer2013plus.parquet, fer2013.csv or a folder of classes."
            )
        return given
    usual = Path(os.environ.get("CLASSPULSE_DATA", "../shared/data")) / "fer2013" / "fer2013plus.parquet"
    if not usual.exists():
        raise UsageError(
            f"There are no faces in {usual}. Give --data, or set CLASSPULSE_DATA to the folder that holds fer2013/."
        )
    return usual


@contextmanager
def progress_bar(title: str) -> Iterator[tuple[Callable[[int, int], None], Callable[[str], None]]]:
    """A progress bar on standard error: a function for steps done of a total, one for a remark."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=None)
        try:
            yield (
                lambda done, total: progress.update(task, completed=done, total=total),
                lambda remark: progress.update(task, description=f"{title}, {remark}"),
            )
        except Exception:
            # what was refused at once has no progress to show above the sentence
            if not progress.tasks[0].completed:
                progress.update(task, visible=False)
            raise


@contextmanager
def needs_workshop() -> Iterator[None]:
    """Around imports of the workshop, without TensorFlow's log. Raises UsageError where the extra `train` or the Keras
    backend is not there."""
    try:
        with without_tensorflow_log():
            yield
    except ValueError as error:
        raise UsageError(f"{error}. Set KERAS_BACKEND to tensorflow, torch or jax.") from error
    except ImportError as error:
        raise UsageError(
            f"Training and evaluation need the extra `train` ({error.name} is missing): "
            "`pip install -r requirements/train.txt`."
        ) from error


@contextmanager
def without_tensorflow_log() -> Iterator[None]:
    """Around the import of TensorFlow: what it logs meanwhile is shown only if the import fails.

    Its variable for that, TF_CPP_MIN_LOG_LEVEL, does not reach all of it (2.21: oneDNN). Who has set it sees all.
    """
    if _LOG_LEVEL in os.environ or "tensorflow" in sys.modules:
        yield
        return
    os.environ[_LOG_LEVEL] = "2"
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        terminal = os.dup(_STDERR)
        os.dup2(log.fileno(), _STDERR)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, _STDERR)
            os.close(terminal)
