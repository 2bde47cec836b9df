"""Asking a model: what a question is made of, and an answer as a whole."""
