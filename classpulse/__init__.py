"""The front door: commands, settings and paths."""
