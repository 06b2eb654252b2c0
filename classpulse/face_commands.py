"""`classpulse models face`, `landmarks` and `presence`: the three networks that find faces."""

from pathlib import Path
from typing import Annotated

import typer

face_app = typer.Typer(
    help="Train, export and measure the face detector (needs the extras `train` and `mtcnn`).",
    no_args_is_help=True,
)
landmarks_app = typer.Typer(
    help="Train and export the network that refines landmarks (needs the extras `train` and `mtcnn`).",
    no_args_is_help=True,
)

presence_app = typer.Typer(
    help="Train and export the network that tells faces from others (needs the extras `train` and `mtcnn`).",
    no_args_is_help=True,
)

SharedDataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Folder with faces/, galleries/ and reference/.",
        show_default="CLASSPULSE_DATA or ../shared/data",
    ),
]


@face_app.command("train")
def face_train(
    out: Annotated[Path, typer.Argument(help="Folder of the run; one that was interrupted goes on.")],
    data: SharedDataOption = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, each with pictures of its own.")] = 24,
    fresh: Annotated[int, typer.Option(min=1, help="Pictures composed per round.")] = 700,
    steps: Annotated[int, typer.Option(min=1, help="Steps per round.")] = 500,
    batch: Annotated[int, typer.Option(min=1, help="Pictures per step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 3e-3,
    landmark_weight: Annotated[float, typer.Option(min=0, help="Weight of the landmarks' loss.")] = 25.0,
    least_tile: Annotated[int, typer.Option(min=24, help="Height in pixels of the lowest tiles.")] = 72,
    start: Annotated[
        Path | None, typer.Option(help="Folder of a finished run whose weights to begin with.")
    ] = None,
    precision: Annotated[str, typer.Option(help="float32 or mixed_bfloat16.")] = "mixed_bfloat16",
    seed: Annotated[int, typer.Option(help="Seed of weights, pictures and order.")] = 1,
) -> None:
    """Train a face detector on composed galleries and photographs; interrupt it at will, it resumes."""
    from classpulse import face_workshop

    told = face_workshop.train(
        data,
        out=out,
        rounds=rounds,
        fresh=fresh,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        landmark_weight=landmark_weight,
        least_tile=least_tile,
        start=start,
        precision=precision,
        seed=seed,
    )
    typer.echo(told, err=True)


@face_app.command("average")
def face_average(
    out: Annotated[Path, typer.Argument(help="Folder of the new run.")],
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of finished runs that went on from one another.")
    ],
) -> None:
    """Take the mean of the weights of detectors that went on from one another."""
    from classpulse import face_workshop

    typer.echo(face_workshop.average(runs, out), err=True)


@face_app.command("export")
def face_export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    data: SharedDataOption = None,
    precision: Annotated[
        str, typer.Option(help="int8, float32, or auto: int8 if it costs next to nothing.")
    ] = "auto",
) -> None:
    """Make a trained face detector the one that is used."""
    from classpulse import face_workshop

    typer.echo(face_workshop.export(run, data, precision))


@face_app.command("evaluate")
def face_evaluate(
    data: SharedDataOption = None,
    out: Annotated[Path, typer.Option(help="Folder for detector.json and detector.svg.")] = Path(
        "evaluation"
    ),
    labels: Annotated[
        Path | None, typer.Option(help="labels.npz of an earlier run; otherwise the teachers label anew.")
    ] = None,
    card: Annotated[Path | None, typer.Option(help="Also write the detector's card to this file.")] = None,
) -> None:
    """Measure the face detector, with and without the presence network, and the landmark network beside YuNet, on
    people that neither training nor any choice has seen."""
    from classpulse import face_workshop

    typer.echo(face_workshop.evaluate(data, out=out, labels=labels, card=card))


@landmarks_app.command("train")
def landmarks_train(
    out: Annotated[Path, typer.Argument(help="Folder of the run; one that was interrupted goes on.")],
    data: SharedDataOption = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, each with tiles of its own.")] = 8,
    fresh: Annotated[
        int, typer.Option(min=1, help="Tiles composed per round, each giving three crops.")
    ] = 3000,
    steps: Annotated[int, typer.Option(min=1, help="Steps per round.")] = 600,
    batch: Annotated[int, typer.Option(min=1, help="Crops per step.")] = 128,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 3e-3,
    precision: Annotated[str, typer.Option(help="float32 or mixed_bfloat16.")] = "mixed_bfloat16",
    seed: Annotated[int, typer.Option(help="Seed of weights, crops and order.")] = 1,
) -> None:
    """Train a landmark network on crops of composed tiles; interrupt it at will, it resumes."""
    from classpulse import face_workshop

    told = face_workshop.train_landmarks(
        data,
        out=out,
        rounds=rounds,
        fresh=fresh,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        precision=precision,
        seed=seed,
    )
    typer.echo(told, err=True)


@landmarks_app.command("export")
def landmarks_export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    data: SharedDataOption = None,
    precision: Annotated[
        str, typer.Option(help="int8, float32, or auto: int8 if it costs next to nothing.")
    ] = "auto",
) -> None:
    """Make a trained landmark network the one that is used."""
    from classpulse import face_workshop

    typer.echo(face_workshop.export_landmarks(run, data, precision))


@presence_app.command("train")
def presence_train(
    out: Annotated[Path, typer.Argument(help="Folder of the run; one that was interrupted goes on.")],
    data: SharedDataOption = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, after each of which it is measured.")] = 12,
    steps: Annotated[int, typer.Option(min=1, help="Steps per round.")] = 500,
    batch: Annotated[int, typer.Option(min=2, help="Crops per step, half of them faces.")] = 128,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 3e-3,
    view: Annotated[
        str, typer.Option(help="turned (upright, by the landmarks) or upright (around the box).")
    ] = "turned",
    precision: Annotated[str, typer.Option(help="float32 or mixed_bfloat16.")] = "mixed_bfloat16",
    seed: Annotated[int, typer.Option(help="Seed of weights, crops and order.")] = 1,
) -> None:
    """Train a network for one view of what the face detector marks, faces and others; interrupt it at will, it
    resumes."""
    from classpulse import face_workshop

    told = face_workshop.train_presence(
        data,
        out=out,
        rounds=rounds,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        view=view,
        precision=precision,
        seed=seed,
    )
    typer.echo(told, err=True)


@presence_app.command("export")
def presence_export(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs, one for each view.")],
    data: SharedDataOption = None,
    precision: Annotated[
        str, typer.Option(help="int8, float32, or auto: int8 if it costs next to nothing.")
    ] = "auto",
) -> None:
    """Make trained networks, one for each view, the presence network that is used."""
    from classpulse import face_workshop

    typer.echo(face_workshop.export_presence(runs, data, precision))
