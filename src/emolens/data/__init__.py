"""Datasets: samples, their splits and targets, and one reader per real layout."""
