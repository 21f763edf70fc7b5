"""The folder of the policy's versions, which several processes share; here each of them is an application."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emolens.errors import ConfigError
from emolens.serving.policies import Policies
from emolens.serving.versions import number_of
from pictures import picture

ADMIN = {"Authorization": "Bearer the-admin-key"}
PARTY = "name: party\nlabels: social8\nrules:\n  happy:\n    allow: [🎈]\n"

Start = Callable[[], TestClient]


@pytest.fixture
def start(serve: Callable[..., TestClient], tmp_path: Path) -> Start:
    """Another worker over the same folder."""
    keys = f"ops:{hashlib.sha256(b'the-admin-key').hexdigest()}"
    return lambda: serve(admin_keys=keys, policies=str(tmp_path / "policies"))


def put(client: TestClient, text: str = PARTY) -> int:
    number: int = client.put("/policy", content=text.encode(), headers=ADMIN).json()["version"]
    return number


def live(client: TestClient) -> str:
    name: str = client.get("/policy").json()["name"]
    return name


def test_what_one_worker_is_given_every_other_serves_from_the_next_request_on(start: Start) -> None:
    one, other = start(), start()
    for count in range(5):  # at once, so that no clock's tick lies between
        put((one, other)[count % 2], PARTY.replace("party", f"party{count}").replace("🎈", "🎈🎉🎂🎁🎊"[count]))
        for client in (one, other):
            answer = client.post(
                "/predict", content=picture((10, 20, 40, 50)), headers={"Content-Type": "image/png"}
            ).json()
            assert answer["allowed_emojis"] == ["🎈🎉🎂🎁🎊"[count]]
            assert live(client) == f"party{count}"


def test_another_worker_rolls_back(start: Start) -> None:
    one, other = start(), start()
    put(one)
    answer = other.post("/policy/rollback", params={"version": 1}, headers=ADMIN)
    assert (answer.json()["version"], live(one), live(other)) == (3, "social", "social")


def test_a_worker_that_is_started_later_has_all_versions(start: Start) -> None:
    one = start()
    put(one)
    assert start().get("/policy").json() == one.get("/policy").json()


def test_concurrent_replacements_are_all_kept_once_and_numbered_upwards(start: Start) -> None:
    clients = [start(), start()]
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(put, clients * 8, [PARTY.replace("party", f"p{count}") for count in range(16)]))
    assert sorted(numbers) == list(range(2, 18))
    names = [{one["version"]: one["name"] for one in client.get("/policy").json()["versions"]} for client in clients]
    assert names[0] == names[1] == {1: "social"} | {number: f"p{count}" for count, number in enumerate(numbers)}


def test_the_last_twenty_files_are_kept(start: Start, tmp_path: Path) -> None:
    client = start()
    for _ in range(25):
        put(client)
    files = [path.name for path in (tmp_path / "policies").glob("[!.]*")]
    assert sorted(files) == sorted(f"{number}.yaml" for number in range(7, 27))


def test_files_that_are_no_policy_are_told_once_and_never_served(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client, folder = start(), tmp_path / "policies"
    put(client)
    (folder / "7.yaml").write_text("name: broken\nlabels: nothing\n")
    (folder / "8.yaml").write_bytes(b"\xff\xfe")
    (folder / "9.yaml").mkdir()
    (folder / "notes.txt").write_text("buy milk")
    (folder / "010.yaml").write_text(PARTY)
    with caplog.at_level(logging.WARNING, "emolens.serving"):
        assert [live(client), live(client), live(start())] == ["party"] * 3
    told = [record.fields["file"] for record in caplog.records if record.getMessage() == "policy ignored"]  # type: ignore[attr-defined]
    assert sorted(told) == sorted(["7.yaml", "8.yaml", "9.yaml", "notes.txt", "010.yaml"] * 2)
    assert put(client) == 10


def test_a_folder_that_is_gone_fails_no_request(start: Start, tmp_path: Path) -> None:
    client = start()
    put(client)
    (tmp_path / "policies").rename(tmp_path / "elsewhere")
    assert live(client) == "party"


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="EMOLENS_SERVE_POLICIES"):
        Policies("social", tmp_path / "file")


def test_the_policy_of_the_settings_counts_only_while_there_are_no_versions(tmp_path: Path) -> None:
    asyncio.run(Policies("social", tmp_path).replace(PARTY))
    assert Policies("social", tmp_path).live.policy.name == "party"


@pytest.mark.parametrize(
    ("name", "number"), [("1.yaml", 1), ("20.yaml", 20), ("01.yaml", None), ("-1.yaml", None), ("².yaml", None)]
)
def test_the_number_is_the_name(name: str, number: int | None) -> None:
    assert number_of(name) == number
