"""Classifiers of other makers into model files."""
