"""The second flow: recipe + dataset -> run."""
