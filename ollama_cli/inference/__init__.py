"""Asking a model: what a question is made of, which model answers it, and what becomes of the answer."""
