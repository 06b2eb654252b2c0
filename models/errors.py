"""What can go wrong in the workshop.

ClasspulseError
└── ModelsError
    ├── DataError          a data set cannot be read or holds something unexpected
    ├── ManifestError      models/manifest.toml is missing an entry or a field
    ├── WeightsError       a weight file is absent or differs from its SHA-256
    ├── TrainingError      a run cannot be started, resumed or exported
    └── EngineError        an engine of others is not installed or not usable without a download
"""

from engagement.errors import ClasspulseError


class ModelsError(ClasspulseError):
    """Anything that `models` refuses."""


class DataError(ModelsError):
    """A data set cannot be read or holds something unexpected."""


class ManifestError(ModelsError):
    """The manifest lacks an entry or a field, or cannot be parsed."""


class WeightsError(ModelsError):
    """A weight file is absent or is not the one the manifest describes."""


class TrainingError(ModelsError):
    """A run cannot be started, resumed or exported."""


class EngineError(ModelsError):
    """An engine of others is not installed, or not usable without a download."""
