"""What both clients return, and that it is what the predictor returns."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emolens import Failure, Policy, Prediction, Predictor
from emolens.errors import ImageError, ServerError
from feedback_answers import make_answer
from pictures import picture

FACE = (10, 20, 40, 50)
PARTY = "name: party\nlabels: social8\nrules:\n  happy:\n    allow: [🎈]\n"


def alike(remote: Any, local: Any) -> bool:
    """Whether two results say the same, but for the time that they took."""
    strip = {"milliseconds": {}}
    return remote.to_dict() | strip == local.to_dict() | strip


def test_it_returns_what_the_predictor_returns(client: Any, local: Predictor) -> None:
    image = picture(FACE, (100, 10, 60, 80))
    remote = client.predict(image)
    assert isinstance(remote, Prediction)
    assert alike(remote, local.predict(image))
    assert remote.reactions.reasons == local.predict(image).reactions.reasons
    assert set(remote.milliseconds) >= {"decode", "detect", "classify", "total"}


def test_every_kind_of_source_is_taken(client: Any, local: Predictor, tmp_path: Path) -> None:
    data = picture(FACE)
    file = tmp_path / "photo.png"
    file.write_bytes(data)
    image = Image.open(io.BytesIO(data))
    turned = image.copy()
    turned.getexif()[0x0112] = 6
    for source in (file, str(file), data, image, turned, np.asarray(image), np.asarray(image.convert("L"))):
        assert alike(client.predict(source), local.predict(source))


def test_options_are_the_requests_own(client: Any) -> None:
    assert len(client.predict(picture(FACE), threshold=0.0, policy="social", model="tiny").emotions) == 8
    with pytest.raises(ServerError, match="no such model") as refused:
        client.predict(picture(FACE), model="none")
    assert (refused.value.status, refused.value.code) == (422, "unknown_model")


def test_the_emoji_alone(client: Any, local: Predictor) -> None:
    assert client.predict_emojis(picture(FACE)) == list(local.predict(picture(FACE)).reactions.suggested)


@pytest.mark.parametrize("source", [picture(FACE)[:300], b"no image", b""])
def test_an_image_that_cannot_be_read_is_the_predictors_error(client: Any, local: Predictor, source: bytes) -> None:
    with pytest.raises(ImageError) as here:
        local.predict(source)
    with pytest.raises(ImageError, match=r"^<bytes>: ") as there:
        client.predict(source)
    assert there.value.code == here.value.code
    assert isinstance(there.value, ServerError)


def test_a_file_that_is_not_there_is_not_asked_about(make_client: Callable[..., Any]) -> None:
    with make_client("http://127.0.0.1:1") as client, pytest.raises(ImageError, match="no such file"):
        client.predict("missing.jpg")


def test_many_images_come_back_in_order_and_bad_ones_in_their_places(
    client: Any, local: Predictor, tmp_path: Path
) -> None:
    good = [picture(*[FACE, (100, 10, 60, 80)][: count % 3]) for count in range(11)]
    sources: list[Any] = [*good[:5], tmp_path / "missing.png", *good[5:], b"no image", good[0][:300]]
    there = list(client.predict_many(sources, batch_size=3, parallel=2))
    here = list(local.predict_many(sources))
    assert [one.input for one in there] == [one.input for one in here]
    for remote, own in zip(there, here, strict=True):
        if isinstance(own, Failure):
            assert (type(remote), remote.code) == (Failure, own.code)
            assert remote.message.startswith(own.input)
        else:
            assert alike(remote, own)


def test_many_is_lazy(url: str) -> None:
    from emolens.client import Client

    taken = []

    def sources() -> Any:
        for count in range(100):
            taken.append(count)
            yield picture(FACE)

    with Client(url) as client:
        results = client.predict_many(sources(), batch_size=2, parallel=2)
        next(results)
        results.close()
    assert len(taken) <= 8


def test_a_bad_image_that_is_asked_about_alone_is_a_failure_too(client: Any) -> None:
    (failure,) = client.predict_many([b"no image"])
    assert isinstance(failure, Failure)
    assert failure.code == "not_an_image"


def test_what_the_server_knows(client: Any) -> None:
    labels = client.emotions()
    assert "happy" in labels
    assert client.emotion_mappings()["sad"]["allowed"] == list(Policy.load("social").rules["sad"].allow)
    (model,) = client.models()
    assert (model.name, model.default, model.labels) == ("tiny", True, tuple(labels))
    assert client.health() is True
    assert client.ready() is True


def test_the_policy_is_shown_replaced_and_rolled_back(make_client: Callable[..., Any], url: str) -> None:
    with make_client(url, key="the-admin-key") as admin:
        first = admin.policy()
        second = admin.put_policy(PARTY)
        assert (second.name, second.yaml) == ("party", PARTY)
        assert admin.predict(picture(FACE)).reactions.allowed == ("🎈",)
        third = admin.roll_back_policy(first.version)
        assert (third.version, third.yaml) == (second.version + 1, first.yaml)
        assert third.versions[-1] == replace(third.versions[-1], version=third.version, name=first.name)
        with pytest.raises(ServerError, match="policy:4: ") as refused:
            admin.put_policy(PARTY.replace("happy", "hapy"))
        assert refused.value.code == "invalid_policy"


def test_a_wrong_key_is_refused_and_never_shown(
    make_client: Callable[..., Any], url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with make_client(url, key="a-secret") as client:
        with pytest.raises(ServerError) as refused:
            client.put_policy(PARTY)
        assert (refused.value.status, refused.value.code) == (401, "unauthorized")
        assert "a-secret" not in f"{client!r} {vars(client)} {refused.value} {caplog.text}"
        assert url in repr(client)


def test_feedback_is_kept_once(client: Any) -> None:
    answer = make_answer(consent=True, image=picture(FACE), box=FACE)
    assert [client.feedback(answer), client.feedback(answer)] == [True, False]
    with pytest.raises(ServerError, match="another answer") as refused:
        client.feedback(answer.model_copy(update={"said": ("sad",)}))
    assert (refused.value.status, refused.value.code) == (409, "conflict")


def test_feedback_is_withdrawn(client: Any) -> None:
    answer = make_answer()
    client.feedback(answer)
    assert [client.delete_feedback(answer.client_id), client.delete_feedback(answer.client_id)] == [True, False]
    assert client.feedback(answer) is True
    assert client.delete_feedback("not #1") is False
