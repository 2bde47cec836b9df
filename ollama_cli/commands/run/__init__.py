"""``run``: ask a model."""
