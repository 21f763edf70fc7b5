"""Pictures of what was measured can be read."""

import numpy as np

from emolens.evaluation.plots import draw_confusion


def test_a_confusion_matrix_is_coloured_by_its_rows_and_stays_a_picture_for_many_labels() -> None:
    picture = np.asarray(draw_confusion([[9000, 0], [0, 1]], ["happy", "sad"])).astype(int)
    ground, dark = picture[10:-10, 80:-130].reshape(-1, 3), (8, 48, 107)
    share = (np.abs(ground - dark).sum(axis=1) < 10).mean()
    assert 0.3 < share < 0.6, "both rows are all right, whatever their counts"
    assert max(draw_confusion(np.ones((300, 300), int).tolist(), [str(label) for label in range(300)]).size) < 4000
