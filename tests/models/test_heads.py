import numpy as np
import pytest

from engagement.emotion import EXPRESSIONS
from models.data import VOTE_OF, VOTES, FaceSet, targets_of_heads
from models.evaluate import measure_heads
from models.golden import golden_faces
from models.heads import LABELS, fit_temperature, heads_in, of_head, truth_of
from models.heads import VOTES as VOTERS
from models.metrics import of_heads, softmax

HAPPY, SAD = EXPRESSIONS.index("happy"), EXPRESSIONS.index("sad")


def votes(**given: int) -> list[float]:
    return [float(given.get(name, 0)) for name in VOTES]


@pytest.fixture
def faces() -> FaceSet:
    """Labelled sad, sad, happy, happy; most voters saw happy, happy, nothing, contempt."""
    rows = [
        votes(happiness=10),
        votes(happiness=8, neutral=2),
        votes(happiness=5, sadness=5),
        votes(contempt=10),
    ]
    return FaceSet(golden_faces(48, 4), np.array([SAD, SAD, HAPPY, HAPPY]), np.array(rows, np.float32))


def sure_of(*expressions: int) -> np.ndarray:
    return np.eye(7)[list(expressions)] * 10


def test_the_logits_of_heads_stand_side_by_side() -> None:
    logits = np.arange(28.0).reshape(2, 14)
    assert heads_in(logits) == 2
    assert of_head(logits, VOTERS).tolist() == logits[:, 7:].tolist()
    np.testing.assert_allclose(of_heads(logits)[:, LABELS], softmax(logits[:, :7]))
    np.testing.assert_allclose(of_heads(logits).sum(axis=2), 1)


def test_each_head_has_its_own_truth(faces: FaceSet) -> None:
    labels, voters = truth_of(faces, LABELS), truth_of(faces, VOTERS)
    assert labels.labels.tolist() == [SAD, SAD, HAPPY, HAPPY]
    assert labels.counted.all()
    assert voters.labels.tolist() == [HAPPY, HAPPY, -1, -1]
    assert voters.counted.tolist() == [True, True, False, True]  # contempt is a majority that we never name


def test_a_face_without_votes_teaches_its_label_to_both_heads(faces: FaceSet) -> None:
    targets = targets_of_heads(faces, smoothing=0.0)
    assert targets.shape == (4, 14)
    assert targets[1, 7 + HAPPY] == pytest.approx(0.8)
    assert targets[1, 7 + EXPRESSIONS.index("neutral")] == pytest.approx(0.2)
    assert targets[:, :7].argmax(axis=1).tolist() == [SAD, SAD, HAPPY, HAPPY]
    assert targets[3, 7 + HAPPY] == 1  # contempt is none of the seven
    unvoted = targets_of_heads(FaceSet(faces.images, faces.labels), smoothing=0.0)
    assert unvoted[:, :7].tolist() == unvoted[:, 7:].tolist()


def test_the_temperature_of_a_head_comes_from_faces_that_have_an_answer(faces: FaceSet) -> None:
    rows = np.array([votes(**{VOTE_OF[name]: 10}) for name in EXPRESSIONS] * 4, np.float32)
    known = FaceSet(np.zeros((28, 48, 48), np.uint8), np.zeros(28, np.int64), rows)
    logits = np.tile(np.eye(7), (4, 1))  # right, and far less sure than it might be
    assert fit_temperature(logits, truth_of(known, VOTERS)) < 0.2
    assert (
        fit_temperature(sure_of(SAD, SAD, SAD, SAD) / 10, truth_of(faces, VOTERS)) > 5
    )  # and these are wrong


def test_two_heads_are_measured_each_against_its_own_truth(faces: FaceSet) -> None:
    def classify(images: np.ndarray) -> np.ndarray:
        by_label, by_votes = sure_of(SAD, SAD, SAD, HAPPY), sure_of(HAPPY, SAD, HAPPY, HAPPY)
        return np.concatenate([by_label, by_votes], axis=1)

    steps = ((48.0, 0.5),)
    seen = np.array([True, False, False, False])
    report = measure_heads(
        classify, faces, temperatures=[((48, 1.0),)] * 2, thresholds=[steps, steps], seen=seen
    )
    assert (report["accuracy"]["value"], report["accuracy"]["n"]) == (0.75, 4)
    # of happy, happy and contempt the first alone; of all that were named, too, and nobody agreed on the third
    assert (report["ferplus_majority"]["value"], report["ferplus_majority"]["n"]) == (pytest.approx(1 / 3), 3)
    assert report["votes"]["at_threshold"] == {"threshold": 0.5, "coverage": 1.0, "accuracy": 0.25}
    assert report["votes"]["by_expression"]["happy"]["support"] == 2
    assert report["votes"]["by_height"][-1]["named_accuracy"] == 0.25
    assert report["unseen"]["accuracy"]["n"] == 3
    assert (report["unseen"]["ferplus_majority"]["value"], report["unseen"]["ferplus_majority"]["n"]) == (
        0,
        2,
    )

    alone = measure_heads(classify, faces, temperatures=[((48, 1.0),)], thresholds=[steps])
    assert alone["ferplus_majority"]["value"] == pytest.approx(
        0
    )  # the first head names none of them happy but one
    assert "votes" not in alone
