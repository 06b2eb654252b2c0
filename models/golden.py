"""Drawn pictures and what the shipped weights said of them when they were exported."""

import numpy as np
from numpy.typing import NDArray

from inference.expression import ExpressionClassifier


def golden_faces(size: int, count: int = 6) -> NDArray[np.uint8]:
    """`count` crude grey faces uint8 (count, size, size), drawn by arithmetic alone. They differ in smile, brows and
    how far eyes and mouth are open, so that no two labels have like numbers on all of them."""
    y, x = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    faces = []
    for number in range(count):
        smile = (-0.4, -0.07, 0.27, 0.6)[number % 4]
        frown = (0.0, 0.35, -0.3)[number % 3]
        wide = (0.0, 0.0, 0.28, 0.04, 0.0)[number % 5]
        picture = np.where((x / 0.75) ** 2 + (y / 0.95) ** 2 < 1, 190.0, 60.0) + 12 * y
        for side in (-1, 1):
            across = x * side - 0.36
            picture -= 130 * np.exp(-((across / 0.14) ** 2 + ((y + 0.22) / (0.08 + 0.3 * wide)) ** 2))
            brow = y + 0.45 + 0.3 * wide - 0.1 * smile + frown * across
            picture -= 80 * np.exp(-((across / 0.22) ** 2 + (brow / 0.05) ** 2))
        picture -= 50 * np.exp(-((x / 0.1) ** 2 + ((y - 0.15) / 0.2) ** 2))
        mouth = y - 0.55 + smile * (x**2 * 1.6 - 0.12)
        picture -= 120 * np.exp(-((x / (0.36 - wide)) ** 4 + (mouth / (0.07 + wide)) ** 2))
        faces.append(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
    return np.stack(faces)


def golden_answers(classifier: ExpressionClassifier) -> dict[str, list[list[float]]]:
    """What the manifest keeps of the golden faces: `probabilities` (N, 7) as they are served, and the `logits` (N, 7 H)
    of all heads, which tell apart labels that the probabilities leave near 0."""
    faces = golden_faces(classifier.size)
    answers = {"probabilities": classifier.classify(faces), "logits": classifier.logits(faces)}
    return {
        name: [[round(float(value), 4) for value in row] for row in rows] for name, rows in answers.items()
    }
