"""Errors of inference.

ClasspulseError
└── InferenceError
    ├── DetectorError       a face detector cannot be loaded
    ├── ClassifierError     the expression weights do not fit what the manifest says of them
    └── LabelReaderError    the text recogniser cannot be loaded
"""

from engagement.errors import ClasspulseError


class InferenceError(ClasspulseError):
    """Base of the errors of inference."""


class DetectorError(InferenceError):
    """A face detector cannot be loaded; the message says what is missing."""


class ClassifierError(InferenceError):
    """The expression weights do not fit what the manifest says of them."""


class LabelReaderError(InferenceError):
    """The text recogniser cannot be loaded."""
