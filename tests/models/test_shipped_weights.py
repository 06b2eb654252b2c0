import shlex
import tomllib
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from classpulse.cli import app
from engagement.emotion import EXPRESSIONS
from engagement.records import Box, Face
from inference.align import crop_face
from inference.expression import ExpressionClassifier, margins
from models.card import render_card, served
from models.data import read_faces
from models.evaluate import logits_of, write_figures
from models.export import _making as making
from models.golden import golden_faces
from models.heads import LABELS, of_head
from models.manifest import read_table
from models.metrics import ferplus_accuracy
from models.registry import MANIFEST, ModelEntry, read_figures, resolve
from models.runs import read_run
from models.train import TrainSettings, _plain, command_of


@pytest.fixture(scope="module")
def entry() -> ModelEntry:
    return resolve("expression")


@pytest.fixture(scope="module")
def classifier(entry: ModelEntry) -> ExpressionClassifier:
    return ExpressionClassifier.of(entry)


LOGITS_DIFFER = 0.2
"""Between processors, whose int8 kernels round one or two steps of 0.06 another way now and then."""


def test_the_weights_answer_as_when_they_were_exported(
    entry: ModelEntry, classifier: ExpressionClassifier
) -> None:
    golden = read_table(MANIFEST, "expression")["golden"]
    faces = golden_faces(entry.input_size)
    answer = classifier.classify(faces)
    np.testing.assert_allclose(answer, golden["probabilities"], atol=0.03)
    np.testing.assert_allclose(classifier.logits(faces), golden["logits"], atol=LOGITS_DIFFER)
    happy, fear, surprise = (answer[:, EXPRESSIONS.index(name)] for name in ("happy", "fear", "surprise"))
    # the fourth of the drawn faces smiles, the third has its eyes and mouth wide open
    assert happy[3] > np.delete(happy, 3).max() + 0.1
    for wide in (fear, surprise):
        assert wide[2] > np.delete(wide, 2).max() + 0.1


def test_no_other_order_of_labels_or_heads_answers_so() -> None:
    """Whatever the order, some label stands in another's place; if any two lie further apart on some face than twice
    what processors differ by, the test above sees that."""
    golden = np.array(read_table(MANIFEST, "expression")["golden"]["logits"])
    heads = golden.reshape(len(golden), -1, len(EXPRESSIONS))
    for one, other in combinations(range(len(EXPRESSIONS)), 2):
        apart = np.abs(heads[:, :, one] - heads[:, :, other]).max(axis=0)
        assert (apart > 2 * LOGITS_DIFFER).all(), (EXPRESSIONS[one], EXPRESSIONS[other], apart)
    for one, other in combinations(range(heads.shape[1]), 2):
        assert np.abs(heads[:, one] - heads[:, other]).max() > 2 * LOGITS_DIFFER


def test_the_answer_does_not_depend_on_the_rest_of_the_batch(
    entry: ModelEntry, classifier: ExpressionClassifier
) -> None:
    faces = golden_faces(entry.input_size, 49)
    together = classifier.classify(faces)
    np.testing.assert_allclose(classifier.classify(faces[7:8]), together[7:8], atol=1e-4)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_the_least_decided_faces_are_looked_at_twice(
    entry: ModelEntry, classifier: ExpressionClassifier
) -> None:
    faces = golden_faces(entry.input_size, 400)
    faces[:, :, : entry.input_size // 3] //= 2  # lit from one side, as drawn they are their own mirror images
    plain = ExpressionClassifier.of(replace(entry, second_look=0.0))
    once, mirrored = plain.logits(faces), plain.logits(faces[:, :, ::-1])
    again, served = margins(once) < entry.second_look, classifier.logits(faces)
    assert 0 < again.sum() < len(faces)
    np.testing.assert_array_equal(served[~again], once[~again])
    np.testing.assert_allclose(served[again], (once + mirrored)[again] / 2, atol=1e-4)
    assert np.abs(served - once).max() > 0.1


def test_the_network_is_small(entry: ModelEntry) -> None:
    assert entry.path.stat().st_size < 2_000_000
    assert tomllib.loads(MANIFEST.read_text())["expression"]["parameters"] < 1_500_000


def test_public_faces_are_read_as_the_manifest_claims(
    entry: ModelEntry, classifier: ExpressionClassifier, shared_data: Path
) -> None:
    faces = read_faces(shared_data / "fer2013" / "fer2013plus.parquet")["PublicTest"]
    logits = logits_of(classifier, faces.images)
    accuracy = float((of_head(logits, LABELS).argmax(axis=1) == faces.labels).mean())
    # another processor may round int8 another way now and then
    assert abs(accuracy - entry.metrics["public_accuracy"]) <= 0.002
    assert faces.votes is not None
    agreed, voted = ferplus_accuracy(of_head(logits, entry.head).argmax(axis=1), faces.votes)
    assert abs(agreed / voted - entry.metrics["public_ferplus"]) <= 0.002


def test_the_shift_of_the_frequencies_was_judged_by_what_is_served_with_it(entry: ModelEntry) -> None:
    table = read_table(MANIFEST, "expression")
    (chosen,) = [point for point in table["operating_points"] if point["prior"] == table["prior"]]
    assert chosen["ferplus"] == pytest.approx(entry.metrics["public_ferplus_float"], abs=2e-4)


def test_about_shows_what_was_measured_of_these_weights(entry: ModelEntry) -> None:
    figures = read_figures("expression")
    assert figures is not None
    assert figures["min_height"] == entry.min_height
    assert [row["height"] for row in figures["by_height"]] == [16, 24, 32, 40, 48]


def test_small_faces_ask_for_no_less(entry: ModelEntry) -> None:
    steps = [threshold for _, threshold in entry.thresholds]
    assert steps == sorted(steps, reverse=True)
    assert entry.thresholds[0][0] == entry.min_height
    assert entry.threshold == steps[-1]


def test_labels_and_preprocessing_are_those_of_the_training(entry: ModelEntry) -> None:
    table = tomllib.loads(MANIFEST.read_text())["expression"]
    assert table["labels"] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    # a red, a green and a blue square: BT.601 luma, not a mean and not BGR
    picture = np.zeros((60, 180, 3), np.uint8)
    for channel in range(3):
        picture[:, channel * 60 : (channel + 1) * 60, channel] = 255
    face = Face(Box(60, 0, 60, 60), np.float32([[75, 20], [105, 20], [90, 30], [80, 45], [100, 45]]), 1.0)
    for offset, luma in ((-60, 76), (0, 150), (60, 29)):
        moved = replace(
            face, box=Box(60 + offset, 0, 60, 60), landmarks=face.landmarks + np.float32([offset, 0])
        )
        crop = crop_face(picture, moved, entry.crop, entry.input_size)
        assert crop.shape == (entry.input_size, entry.input_size)
        assert abs(int(crop[entry.input_size // 2, entry.input_size // 2]) - luma) <= 1


def test_a_card_tells_all_that_a_network_was_taught_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    teachers = MANIFEST.parent / "teachers"
    record = read_run(teachers / "pair-r5")
    record |= {"averaged": {"runs": ["pair-r4", "pair-r5"]}, "unlabelled_faces": 981}
    record["settings"]["unlabelled"] = ["people.parquet"]
    table = read_table(MANIFEST, "expression") | making(record, record["data_sha256"])
    card = render_card(dict(read_figures("expression") or {}), table, "expression")
    for told in (
        "Trained from weights of the run pair-r4 on ",
        "3 epochs at 44 px (degraded 5%, erased 0%, turned, moved and scaled 0.7 times as far as usual). ",
        "0.5 of the targets are the mean probabilities of 3 other runs (pair-mean; pair-slim; pair-vgg), asked of every"
        " view that the network saw, of half of them mirrored (Beyer et al. 2022). 927 posed faces (ck48.parquet) were "
        "learnt beside them by their labels alone, which are sure. Of 981 faces without labels (people.parquet) all "
        "that was learnt is what the teachers say. The weights are the mean of those of the runs pair-r4 and pair-r5 "
        "(Wortsman et al. 2022), the last of which is described here.",
        f"`{command_of(record['settings'])}` trains such a run; the other runs stand there by name. `classpulse models "
        "average OUT pair-r4 pair-r5` takes the mean.",
        "CK+ (Lucey et al. 2010): 118 people, who posed for it; research use. people.parquet. No picture is part of",
    ):
        assert told in card

    asked: list[TrainSettings] = []

    def stop(settings: TrainSettings, **_: object) -> None:
        asked.append(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr("models.train.train", stop)
    for run in teachers.iterdir():
        (tmp_path / run.name).symlink_to(run)
    (tmp_path / "ck48.parquet").touch()
    (tmp_path / "pair-r12").symlink_to(teachers / "pair-r4")  # which is not kept
    monkeypatch.chdir(tmp_path)  # where the names lead to the runs
    for name in ("pair-r4", "pair-r5", "pair-slim", "pair-vgg"):
        settings = read_run(teachers / name)["settings"]
        words = shlex.split(command_of(settings).replace("OUT", "out"))[1:]
        assert CliRunner().invoke(app, [*words, "--data", "."]).exit_code == 130
        plain = {key: value for key, value in _plain(asked[-1]).items() if not key.endswith("_sha256")}
        assert plain == {"teachers_see_views": False, "teachers_mirror": False} | {
            key: value for key, value in settings.items() if not key.endswith("_sha256")
        }


def test_the_card_is_what_was_measured_of_these_weights(entry: ModelEntry, tmp_path: Path) -> None:
    card = MANIFEST.with_name("MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Measured on PrivateTest" in card
    figures = read_figures("expression")
    assert figures is not None
    assert figures["sha256"] == entry.sha256
    assert card == render_card(dict(figures), read_table(MANIFEST, "expression"), "expression")
    write_figures(served(figures), tmp_path)
    for drawn in tmp_path.iterdir():
        assert drawn.read_text() == (MANIFEST.parent / "card" / drawn.name).read_text(), drawn.name
