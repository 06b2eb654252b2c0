import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engagement.emotion import EXPRESSIONS
from engagement.records import Box, Face
from inference.align import crop_face
from inference.expression import ExpressionClassifier
from models.card import render_card, served
from models.data import read_faces
from models.evaluate import logits_of, write_figures
from models.golden import golden_faces
from models.heads import LABELS, of_head
from models.manifest import read_table
from models.metrics import ferplus_accuracy
from models.registry import MANIFEST, ModelEntry, read_figures, resolve


@pytest.fixture(scope="module")
def entry() -> ModelEntry:
    return resolve("expression")


@pytest.fixture(scope="module")
def classifier(entry: ModelEntry) -> ExpressionClassifier:
    return ExpressionClassifier.of(entry)


def test_the_weights_answer_as_when_they_were_exported(
    entry: ModelEntry, classifier: ExpressionClassifier
) -> None:
    golden = tomllib.loads(MANIFEST.read_text())["expression"]["golden"]["probabilities"]
    answer = classifier.classify(golden_faces(entry.input_size))
    np.testing.assert_allclose(answer, golden, atol=0.03)  # int8 kernels differ a little between processors
    happy = answer[:, EXPRESSIONS.index("happy")]
    assert happy[-1] > happy[0] + 0.1  # the last drawn face smiles, the first does not


def test_the_answer_does_not_depend_on_the_rest_of_the_batch(
    entry: ModelEntry, classifier: ExpressionClassifier
) -> None:
    faces = golden_faces(entry.input_size, 49)
    together = classifier.classify(faces)
    np.testing.assert_allclose(classifier.classify(faces[7:8]), together[7:8], atol=1e-4)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_a_mirrored_face_is_read_alike(entry: ModelEntry, classifier: ExpressionClassifier) -> None:
    if not entry.flip:
        pytest.skip("the weights are run once a face")
    faces = golden_faces(entry.input_size)
    faces[:, :, : entry.input_size // 3] //= 2  # lit from one side
    np.testing.assert_allclose(classifier.classify(faces), classifier.classify(faces[:, :, ::-1]), atol=1e-4)


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
