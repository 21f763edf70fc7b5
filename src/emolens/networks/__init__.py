"""Torch architectures, one file each."""
