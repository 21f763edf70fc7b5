"""What `/openapi.json` and `/docs` say."""

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from emolens import Policy
from emolens.serving.description import EXAMPLES


@pytest.fixture
def described(client: TestClient) -> dict[str, Any]:
    described: dict[str, Any] = client.get("/openapi.json").json()
    return described


def test_every_endpoint_has_an_example_of_its_answer_that_fits_its_schema(described: dict[str, Any]) -> None:
    operations = {(method, path) for path, methods in described["paths"].items() for method in methods}
    assert operations <= set(EXAMPLES)
    for method, path in operations:
        (content,) = described["paths"][path][method]["responses"]["200"]["content"].values()
        schema = {**content.get("schema", {}), "components": described["components"]}
        Draft202012Validator(schema).validate(content["example"])


def test_the_example_of_a_policy_is_one(described: dict[str, Any]) -> None:
    (content,) = described["paths"]["/policy"]["put"]["requestBody"]["content"].values()
    assert Policy.from_yaml(yaml.safe_dump(content["example"]), "policy").name == "party"


def test_options_are_the_same_in_addresses_and_forms_and_name_what_there_is(described: dict[str, Any]) -> None:
    predict = described["paths"]["/predict"]["post"]
    asked = {parameter["name"]: parameter["schema"] for parameter in predict["parameters"]}
    form = predict["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {name: form["properties"][name] for name in asked} == asked
    assert asked["model"]["enum"] == ["tiny"]
    assert asked["policy"]["enum"] == ["live", "social"]
    assert asked["threshold"]["type"] == "number"
    assert form["additionalProperties"] is False


def test_the_page_asks_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text.replace("http://testserver", "")
    assert "https://" not in page.text
    assert "default-src 'none'; script-src 'self' 'sha256-" in page.headers["content-security-policy"]
    for part in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/docs/parts/{part}" in page.text
        assert client.get(f"/docs/parts/{part}").status_code == 200
