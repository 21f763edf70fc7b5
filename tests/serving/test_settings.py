"""What can be set, what is refused, and what is never shown."""

import hashlib

import pytest

from emolens import settings
from emolens.errors import ConfigError, ModelError
from emolens.image import Limits
from emolens.serving import ServerSettings, create_app
from emolens.serving.models import open_models
from emolens.serving.security import Keys
from emolens.serving.settings import variable

DIGEST = hashlib.sha256(b"key").hexdigest()


def test_every_setting_of_the_server_is_in_the_one_list() -> None:
    assert tuple(map(variable, ServerSettings.model_fields)) == settings.SERVE


def test_the_environment_sets_and_what_is_given_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOLENS_SERVE_PORT", "9000")
    monkeypatch.setenv("EMOLENS_SERVE_QUEUE", "7")
    monkeypatch.setenv("EMOLENS_SERVE_BATCH", "")
    loaded = ServerSettings.load(port=9001, files=2)
    assert (loaded.port, loaded.queue, loaded.batch) == (9001, 7, ServerSettings.model_fields["batch"].default)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "many"), ("WORKERS", "0"), ("DEADLINE", "-1"), ("FILES", "65"), ("KEYS", "secret"), ("KEYS", "a:AB")],
)
def test_what_cannot_be_used_is_refused_by_name_and_without_its_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"EMOLENS_SERVE_{name}", value)
    with pytest.raises(ConfigError, match=f"EMOLENS_SERVE_{name}: ") as caught:
        ServerSettings.load()
    assert "secret" not in str(caught.value)


def test_a_tilde_is_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    given = {"models": "face, ~/mine.onnx", "policy": "~/mine, too.yaml", "policies": "~/versions"}
    loaded = ServerSettings.load(**given)
    assert loaded.models == "face,/home/ada/mine.onnx"
    assert (loaded.policy, loaded.policies) == ("/home/ada/mine, too.yaml", "/home/ada/versions")
    with pytest.raises(ConfigError, match="EMOLENS_SERVE_POLICY: it begins with a home"):
        ServerSettings.load(policy="~nobody-at-all/mine.yaml")


def test_secrets_are_masked() -> None:
    shown = ServerSettings.load(keys=f"ada:{DIGEST}").shown()
    assert shown["EMOLENS_SERVE_KEYS"] == "**********"
    assert shown["EMOLENS_SERVE_PORT"] == "8000"
    assert tuple(shown) == settings.SERVE


def test_another_process_gets_the_same_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ServerSettings.load(keys=f"ada:{DIGEST}", allow_public=True, batch_wait=0.5, models="a,b")
    for name, value in chosen.as_environment().items():
        monkeypatch.setenv(name, value)
    assert ServerSettings.load() == chosen


def test_a_public_address_needs_keys_or_a_word() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.4", "example.org"):
        with pytest.raises(ConfigError, match="EMOLENS_SERVE_KEYS"):
            ServerSettings.load(host=host).check_exposure()
    for given in ({"keys": f"ada:{DIGEST}"}, {"allow_public": True}):
        ServerSettings.load(host="0.0.0.0", **given).check_exposure()
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        ServerSettings.load(host=host).check_exposure()


def test_a_model_that_is_not_there_is_told_before_anything_is_served() -> None:
    with pytest.raises(ModelError, match="fase"):
        create_app(ServerSettings.load(models="fase"))
    for models in (",", "face,face"):
        with pytest.raises(ConfigError, match="EMOLENS_SERVE_MODELS"):
            create_app(ServerSettings.load(models=models))


def test_the_cores_are_shared_out_between_the_workers() -> None:
    assert ServerSettings.load(processes=3).cores() == 3
    assert ServerSettings.load(workers=64).cores() == 1


def test_a_model_takes_the_one_thread_that_calls_it() -> None:
    (served,) = open_models(ServerSettings.load(), Limits())
    options = served.predictor.model.session.get_session_options()  # type: ignore[attr-defined]
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_a_key_is_found_by_its_hash() -> None:
    keys = Keys.parse(f"ada:{DIGEST}, bob:{hashlib.sha256(b'other').hexdigest()}")
    assert (keys.holder("key"), keys.holder("other"), keys.holder(DIGEST), keys.holder("")) == (
        "ada",
        "bob",
        None,
        None,
    )
