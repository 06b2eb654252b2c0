"""The workshop where the networks are made; at run time only `models.registry` is imported."""
