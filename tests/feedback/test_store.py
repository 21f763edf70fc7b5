"""The store, on SQLite and on PostgreSQL: what is kept, what is refused, what is gone."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sqlalchemy")

from emolens.errors import ConfigError, FeedbackError, ImageError
from emolens.feedback import Store, store
from emolens.feedback.answer import Answer
from feedback_answers import FIRST, make_answer
from pictures import picture

NOW = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)


@pytest.fixture
def opened(feedback_url: str) -> Iterator[Store]:
    with Store.open(feedback_url) as opened:
        yield opened


def test_an_answer_comes_back_as_it_was_given(opened: Store) -> None:
    given = make_answer(
        "sad", "happy+neutral", created=NOW, sha256="a" * 64, box=(1.5, 2, 30, 40), version="2 ✓", consent=True
    )
    assert opened.add(given)
    [back] = opened.answers()
    assert back == given
    assert (list(back.probabilities), back.agreed, back.predicted) == (list(given.probabilities), False, "sad")


def test_an_answer_that_is_sent_twice_is_kept_once(opened: Store) -> None:
    first = make_answer(client_id=FIRST, consent=True, image=picture())
    again = first.model_copy(update={"created": NOW})  # a client that tries again says when it does
    assert [opened.add(first), opened.add(first), opened.add(again)] == [True, False, False]
    assert list(opened.answers()) == [first.model_copy(update={"image": None})]


@pytest.mark.parametrize(
    "other",
    [{"said": ("sad",)}, {"box": (1, 2, 3, 4)}, {"version": "2"}, {"image": picture(size=(9, 9)), "consent": True}],
)
def test_another_answer_with_the_same_id_is_refused_and_changes_nothing(
    opened: Store, other: dict[str, object]
) -> None:
    first = make_answer(client_id=FIRST)
    opened.add(first)
    with pytest.raises(FeedbackError, match=FIRST) as refused:
        opened.add(first.model_copy(update=other))
    assert refused.value.code == "conflict"
    assert list(opened.answers()) == [first]


def test_answers_come_in_the_order_of_their_time_and_by_what_is_asked(
    opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PAGE", 3)  # so that there are several
    given = [make_answer(created=NOW + timedelta(hours=hour // 2), version=str(hour % 3)) for hour in range(10)]
    for answer in reversed(given):
        opened.add(answer)
    by_time = sorted(given, key=lambda answer: (answer.created, answer.client_id))
    assert list(opened.answers()) == by_time
    assert list(opened.answers(version="1")) == [answer for answer in by_time if answer.version == "1"]
    assert list(opened.answers(model="scene")) == []
    within = list(opened.answers(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=3)))
    assert within == by_time[2:6]
    assert dict(opened.counts()) == {("face", "0"): 4, ("face", "1"): 3, ("face", "2"): 3}


def test_of_a_face_only_its_surroundings_are_kept_without_exif(opened: Store) -> None:
    exif = Image.Exif()
    exif[271] = "the maker of the camera"
    image = picture((100, 40, 40, 40), size=(400, 300), exif=exif)
    opened.add(make_answer(box=(100, 40, 40, 40), consent=True, image=image))
    [kept] = opened.kept()
    stored = Image.open(io.BytesIO(kept.picture))
    assert (stored.size, kept.box) == ((80, 80), (20.0, 20.0, 40.0, 40.0))
    assert not stored.getexif()
    x, y, w, h = (int(value) for value in kept.box)
    face = np.asarray(stored.convert("RGB"))[y + 2 : y + h - 2, x + 2 : x + w - 2]
    assert np.abs(face.astype(int) - (255, 0, 255)).mean() < 8


def test_a_large_image_is_kept_small(opened: Store) -> None:
    opened.add(make_answer(consent=True, image=picture(size=(3000, 300))))
    opened.add(make_answer(consent=True, image=picture(size=(3000, 1200)), box=(0, 0, 2000, 1000)))
    whole, face = opened.kept()
    assert (Image.open(io.BytesIO(whole.picture)).size, whole.box) == ((1024, 102), None)
    assert Image.open(io.BytesIO(face.picture)).size == (1024, 410)
    assert face.box == pytest.approx((0, 0, 2000 * 1024 / 3000, 1000 * 1024 / 3000))


def test_what_cannot_be_kept_is_refused_whole(opened: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_MAX_PIXELS", "1000")
    for image, box, code in (
        (b"no image", None, "not_an_image"),
        (picture(), None, "too_many_pixels"),
        (picture(size=(20, 20)), (30, 0, 5, 5), "outside"),
    ):
        with pytest.raises(ImageError) as refused:
            opened.add(make_answer(consent=True, image=image, box=box))
        assert refused.value.code == code
    assert list(opened.answers()) == []


def test_without_consent_nothing_of_an_image_is_kept(opened: Store) -> None:
    with pytest.raises(ValueError, match="consent"):
        make_answer(image=picture())
    opened.add(make_answer(consent=True))
    assert list(opened.kept()) == []


def test_deleting_and_purging_leave_the_others(opened: Store) -> None:
    now = datetime.now(UTC)
    old, middle, new = (make_answer(created=now - timedelta(days=days)) for days in (100, 50, 1))
    for answer in (old, middle, new):
        opened.add(answer)
    assert opened.purge(timedelta(days=90)) == 1
    assert opened.delete(middle.client_id.upper())
    assert not opened.delete(middle.client_id)
    assert not opened.delete("' OR 1=1 --")
    assert list(opened.answers()) == [new]


def test_what_is_deleted_stays_in_no_file_of_sqlite(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/feedback.db") as opened:
        opened.add(make_answer(version="not to be found again", client_id=FIRST))
        assert b"not to be found again" in b"".join(file.read_bytes() for file in tmp_path.iterdir())
        opened.delete(FIRST)
        assert b"not to be found again" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/new/feedback.db") as opened:
        opened.add(make_answer())
        assert {file.stat().st_mode & 0o077 for file in (tmp_path / "new").iterdir()} == {0}
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/nowhere/feedback.db",
        "postgresql://ada:secret@/feedback?host=/nowhere",
        "postgresql://ada:secret@127.0.0.1:1/feedback",
    ],
)
def test_a_database_that_is_away_is_told_without_its_password(url: str) -> None:
    with Store.open(url) as opened, pytest.raises(FeedbackError, match="cannot be") as told:
        opened.add(make_answer())
    assert told.value.code == "away"
    assert "secret" not in str(told.value)
    assert "happy" not in str(told.value)


@pytest.mark.parametrize("url", ["mysql://ada:secret@host/feedback", "feedback.db", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_address_of_a_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="EMOLENS_FEEDBACK_URL") as refused:
        Store.open(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "1"},
        {"said": ()},
        {"said": ("awe",)},
        {"said": ("sad", "sad")},
        {"probabilities": {"happy": 0.0, "sad": 0.0}},
        {"probabilities": {"happy": float("nan"), "sad": 0.5}},
        {"probabilities": {"happy": 1.0}},
        {"box": (0, 0, 0, 5)},
        {"model": "a\0b"},
        {"created": datetime(2026, 1, 1)},
        {"sha256": "A" * 64},
    ],
)
def test_what_is_no_answer_is_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Answer.model_validate({**make_answer().model_dump(exclude={"image"}), **wrong})


@pytest.mark.parametrize(
    "client_id", [FIRST, FIRST.upper(), "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav"]
)
def test_ids_are_uuids_and_ulids_in_one_spelling(client_id: str) -> None:
    assert make_answer(client_id=client_id).client_id in (FIRST, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
