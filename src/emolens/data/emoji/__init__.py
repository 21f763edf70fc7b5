"""A dataset of emoji as the vendors draw them: their packages, what each emoji stands for, and the files."""
