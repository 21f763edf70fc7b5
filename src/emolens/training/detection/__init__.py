"""Training of the face detector: crops made of photographs, which cell answers for which face, the loss, the run."""
