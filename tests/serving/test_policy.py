"""The live policy: who may replace it, what is refused, and the way back."""

import hashlib
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from pictures import picture

PNG = {"Content-Type": "image/png"}
ADMIN = {"Authorization": "Bearer the-admin-key"}
USER = {"Authorization": "Bearer the-user-key"}
PARTY = "name: party\nlabels: social8\nrules:\n  happy:\n    allow: [🎈]\n"


def entry(name: str, key: str) -> str:
    return f"{name}:{hashlib.sha256(key.encode()).hexdigest()}"


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve(admin_keys=entry("ops", "the-admin-key"))


def allowed(client: TestClient) -> list[str]:
    answer = client.post("/predict", content=picture((10, 20, 40, 50)), headers=PNG)
    emojis: list[str] = answer.json()["allowed_emojis"]
    return emojis


def test_a_new_policy_is_live_with_the_next_request(client: TestClient) -> None:
    answer = client.put("/policy", content=PARTY, headers=ADMIN)
    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["name"], answer.json()["yaml"]) == (2, "party", PARTY)
    assert client.get("/policy").json() == answer.json()
    assert allowed(client) == ["🎈"]
    assert client.get("/emotion_mappings").json()["mappings"]["happy"] == {"allowed": ["🎈"], "blocked": []}


def test_a_policy_that_breaks_a_rule_changes_nothing_and_the_line_is_named(client: TestClient) -> None:
    before = client.get("/policy").json()
    answer = client.put("/policy", content=PARTY.replace("happy", "hapy"), headers=ADMIN)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_policy"
    assert answer.json()["error"]["message"].startswith("policy:4: ")
    assert client.get("/policy").json() == before


@pytest.mark.parametrize(
    ("content", "status"), [(b"\xff\xfe", 422), (b"# " + b"a" * 100_000, 413), (b"", 422), (b"a: &a [*a, *a]", 422)]
)
def test_what_is_no_policy_is_refused(client: TestClient, content: bytes, status: int) -> None:
    assert client.put("/policy", content=content, headers=ADMIN).status_code == status


def test_an_earlier_version_comes_back_as_a_new_one(client: TestClient) -> None:
    before = allowed(client)
    client.put("/policy", content=PARTY, headers=ADMIN)
    answer = client.post("/policy/rollback", params={"version": 1}, headers=ADMIN)
    assert answer.json()["version"] == 3
    assert [version["name"] for version in answer.json()["versions"]] == ["social", "party", "social"]
    assert allowed(client) == before
    assert client.post("/policy/rollback", params={"version": 9}, headers=ADMIN).status_code == 404


def test_the_last_twenty_versions_are_kept(client: TestClient) -> None:
    for _ in range(25):
        client.put("/policy", content=PARTY, headers=ADMIN)
    versions = [version["version"] for version in client.get("/policy").json()["versions"]]
    assert versions == list(range(7, 27))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dXNlcg=="}])
def test_nobody_replaces_it_without_an_admin_key(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.put("/policy", content=PARTY, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/policy").json()["version"] == 1


def test_nobody_replaces_it_where_there_are_no_admin_keys(serve: Callable[..., TestClient]) -> None:
    assert serve().put("/policy", content=PARTY, headers=ADMIN).status_code == 403


def test_keys_open_everything_but_the_policy_and_probes_need_none(serve: Callable[..., TestClient]) -> None:
    client = serve(keys=entry("ada", "the-user-key"), admin_keys=entry("ops", "the-admin-key"))
    for path in ("/models", "/emotions", "/policy", "/metrics", "/emotion_mappings"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=USER).status_code == 200
        assert client.get(path, headers=ADMIN).status_code == 200
    for path in ("/health", "/ready", "/hello"):
        assert client.get(path).status_code == 200
    assert client.post("/predict", content=b"", headers=PNG).status_code == 401
    assert client.post("/predict", content=b"", headers={**PNG, **USER}).status_code == 400
    assert client.put("/policy", content=PARTY, headers=USER).status_code == 401
