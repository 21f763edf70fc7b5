"""Face detectors: an image -> face boxes with scores and, if the detector has them, landmarks."""
