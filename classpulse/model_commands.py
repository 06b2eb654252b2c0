"""`classpulse models`: the workshop of the networks."""

import json
from pathlib import Path
from typing import Annotated

import typer

from classpulse.face_commands import face_app, landmarks_app, presence_app
from classpulse.terminal import print_table

models_app = typer.Typer(
    help="Train and evaluate the networks (needs the extra `train`).", no_args_is_help=True
)
models_app.add_typer(face_app, name="face")
models_app.add_typer(landmarks_app, name="landmarks")
models_app.add_typer(presence_app, name="presence")

DataOption = Annotated[
    Path | None,
    typer.Option(
        help="fer2013plus.parquet, Kaggle's fer2013.csv, or a folder of classes.",
        show_default="fer2013/fer2013plus.parquet in CLASSPULSE_DATA or ../shared/data",
    ),
]


@models_app.command("train")
def train(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="Folder of the run; one that was interrupted goes on.")],
    data: DataOption = None,
    architecture: Annotated[
        str, typer.Option(help="Network or machine to train; classpulse models list names them.")
    ] = "resnet-s",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs in all, shared out as usual.", show_default="48")
    ] = None,
    phase: Annotated[
        list[str] | None,
        typer.Option(
            help="EPOCHS:SIZE:DEGRADED:ERASED:STRENGTH:MIXED, such as 14:32:0.1:0.1:1:0; once for each phase, in order."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Faces per step.")] = 96,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 0.1,
    heads: Annotated[
        int,
        typer.Option(
            min=1, max=2, help="1 learns FER2013's label and FER+'s votes mixed, 2 learn them apart."
        ),
    ] = 1,
    hard_weight: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of FER2013's label in the targets, beside FER+'s votes."),
    ] = 0.6,
    teacher: Annotated[
        list[Path] | None, typer.Option(help="Folder of a finished run to learn from; may be given again.")
    ] = None,
    teacher_weight: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the teachers in the targets.")
    ] = 0.6,
    teachers_see_views: Annotated[
        bool,
        typer.Option("--teachers-see-views", help="Teachers judge each view, not the whole faces once."),
    ] = False,
    teachers_mirror: Annotated[
        bool,
        typer.Option(
            "--teachers-mirror",
            help="Each teacher sees half of the views mirrored; needs --teachers-see-views.",
        ),
    ] = False,
    posed: Annotated[
        list[Path] | None,
        typer.Option(help="Parquet of actors' faces, whose labels are sure; may be given again."),
    ] = None,
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(help="Parquet of pictures of people, of whose faces teachers tell; may be given again."),
    ] = None,
    self_weight: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of its own earlier probabilities in the targets at the end; it grows from 0.",
        ),
    ] = 0.0,
    sharpness: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="How far uphill to look for sharp minima, such as 0.1; half as dear again."
        ),
    ] = 0.0,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a finished run whose weights to begin with; a wider one is made slimmer."
        ),
    ] = None,
    pretrained: Annotated[
        Path | None, typer.Option(help="File of ImageNet weights, for resnet50 and xception.")
    ] = None,
    cover: Annotated[
        float, typer.Option(min=0.5, max=1.5, help="Share of the picture's side that a training view shows.")
    ] = 44 / 48,
    standardise: Annotated[
        bool, typer.Option("--standardise", help="Bring every face to one light and contrast first.")
    ] = False,
    precision: Annotated[str, typer.Option(help="float32 or mixed_bfloat16.")] = "mixed_bfloat16",
    seed: Annotated[int, typer.Option(help="Seed of weights, order and augmentation.")] = 1,
    limit: Annotated[int, typer.Option(min=0, help="Use this many faces only, for a try; 0 uses all.")] = 0,
) -> None:
    """Train an expression classifier; interrupt it at will, it resumes."""
    from classpulse import workshop

    told = workshop.train(
        data,
        out=out,
        architecture=architecture,
        epochs=epochs,
        phases=phase or (),
        batch=batch,
        learning_rate=learning_rate,
        heads=heads,
        hard_weight=hard_weight,
        teachers=teacher or (),
        teacher_weight=teacher_weight,
        teachers_see_views=teachers_see_views,
        teachers_mirror=teachers_mirror,
        posed=posed or (),
        unlabelled=unlabelled or (),
        self_weight=self_weight,
        sharpness=sharpness,
        start=start,
        pretrained=pretrained,
        cover=cover,
        standardise=standardise,
        precision=precision,
        seed=seed,
        limit=limit,
        given=_given(context),
    )
    typer.echo(told, err=True)


def _given(context: typer.Context) -> set[str]:
    """The parameters that stood on the command line, whatever their values."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


@models_app.command("list")
def list_runs(
    folder: Annotated[Path | None, typer.Argument(help="List the runs in this folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List the architectures, or the runs in a folder with what they reached."""
    from classpulse import workshop

    rows = workshop.catalogue() if folder is None else workshop.runs_in(folder)
    if as_json:
        typer.echo(json.dumps(rows))
    elif not rows:
        typer.echo(f"No run in {folder}. Try: classpulse models train")
    else:
        print_table(rows)


@models_app.command("average")
def average(
    out: Annotated[Path, typer.Argument(help="Folder of the new run.")],
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of finished runs that went on from one another.")
    ],
    data: DataOption = None,
) -> None:
    """Take the mean of the weights of runs that went on from one another."""
    from classpulse import workshop

    typer.echo(workshop.average(runs, data, out), err=True)


@models_app.command("export")
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    data: DataOption = None,
    prior: Annotated[
        str,
        typer.Option(
            help="How far towards FER2013's class frequencies, 0..1; auto keeps both FER2013 and FER+ in sight, and of "
            "two heads misses less of what is rare where that costs hardly any accuracy."
        ),
    ] = "auto",
    second_look: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of the faces, the least decided ones, that are read mirrored too; takes that much longer.",
        ),
    ] = 0.08,
) -> None:
    """Quantise a trained classifier and make it the one that is served."""
    from classpulse import workshop

    typer.echo(workshop.export(run, data, prior, second_look))


@models_app.command("evaluate")
def evaluate(
    run: Annotated[
        Path | None, typer.Argument(help="Folder of a run; without it, the shipped classifier.")
    ] = None,
    data: DataOption = None,
    split: Annotated[
        str, typer.Option(help="PublicTest to choose on, PrivateTest once per model.")
    ] = "PublicTest",
    engine: Annotated[
        str | None, typer.Option(help="Measure an engine of others instead: fer, deepface or emotiefflib.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for evaluation.json, report.txt and figures.",
            show_default="evaluation, or the run's",
        ),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(help="Also write the model card to this file, and what the page About shows."),
    ] = None,
) -> None:
    """Measure the shipped expression classifier, a run, or an engine of others."""
    from classpulse import workshop

    typer.echo(workshop.evaluate(run, data, split=split, engine=engine, out=out, card=card))


@models_app.command("compare")
def compare(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Folders of runs, or of reports of `models evaluate`.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("comparison.html"),
    data: DataOption = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            help="Also measure an engine of others: fer, deepface or emotiefflib; may be given again."
        ),
    ] = None,
) -> None:
    """Write one page with the shipped classifier, runs, engines and published figures side by side."""
    from classpulse import workshop

    typer.echo(workshop.compare(runs or (), data, out=out, engines=engine or ()), err=True)
