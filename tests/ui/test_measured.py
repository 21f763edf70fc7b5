"""What a card has measured, as bars."""

from emolens.ui.measured import per_emotion


def test_recall_of_each_emotion_is_shown_where_it_is_told() -> None:
    metrics = {"PublicTest": {"n": 2, "per_class": {"happy": {"recall": 0.9}, "sad": {"recall": 0.4}}}, "other": {}}
    charts = per_emotion(metrics)
    assert list(charts) == ["PublicTest"]
    assert "90%" in charts["PublicTest"]


def test_cards_may_hold_anything() -> None:
    assert per_emotion({"a": 1, "b": {"per_class": [1]}, "c": {"per_class": {"x": {"recall": "much"}, "y": 2}}}) == {}
