"""The front door: commands, settings and paths."""

__version__ = "0.1.0"
