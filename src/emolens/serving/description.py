"""What `/openapi.json` says beyond what the code tells: the models and policies of this server, forms, examples."""

from typing import Any

from fastapi import FastAPI

_PROBABILITIES = {"happy": 0.97, "neutral": 0.03}
_FACE = {
    "box": [176.2, 68.1, 98.7, 127.4],
    "score": 0.98,
    "dominant": "happy",
    "confidence": 0.97,
    "emotions": ["happy"],
    "probabilities": _PROBABILITIES,
}
_IMAGE = {
    "prediction": {"dominant_emotion": "happy", "confidence": 0.97, "probability_distribution": _PROBABILITIES},
    "all_emotions": ["happy", "neutral"],
    "predicted_emotions": ["happy"],
    "allowed_emojis": ["😀", "🎉"],
    "blocked_emojis": ["😢"],
    "suggested_emojis": ["😀", "🎉"],
    "reasons": {
        "😀": {"allowed_by": ["happy"], "blocked_by": []},
        "🎉": {"allowed_by": ["happy"], "blocked_by": []},
        "😢": {"allowed_by": [], "blocked_by": ["happy"]},
    },
    "unsure": False,
    "faces": [_FACE],
    "width": 512,
    "height": 512,
    "model": "emolens-face",
    "milliseconds": {"wait": 0.1, "decode": 2.1, "detect": 14.2, "classify": 1.9, "total": 18.3},
}
_ID = "0f8fad5bd9cb469fa16570867728950e"
_FAILED = {"error": {"code": "truncated", "message": "the image ends too early; copy or download it again"}}
_VERSION = {"version": 1, "name": "social", "since": "2026-01-01T12:00:00+00:00"}
_POLICY = {**_VERSION, "yaml": "name: social\nlabels: social8\n", "versions": [_VERSION]}
_MODEL = {
    "name": "face",
    "version": "0.3.0",
    "kind": "face",
    "labels": ["happy", "neutral"],
    "objective": "distribution",
    "licence": "MIT",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "default": True,
}

EXAMPLES: dict[tuple[str, str], Any] = {
    ("post", "/predict"): {"status": "success", **_IMAGE, "request_id": _ID},
    ("post", "/predict_emojis"): {"emojis": ["😀", "🎉"]},
    ("post", "/predict/batch"): {"status": "success", "results": [_IMAGE, _FAILED], "request_id": _ID},
    ("get", "/emotions"): {"emotions": ["happy", "neutral"], "num_emotions": 2},
    ("get", "/emotion_mappings"): {"mappings": {"happy": {"allowed": ["😀", "🎉"], "blocked": ["😢"]}}},
    ("get", "/models"): {"models": [_MODEL]},
    ("get", "/metrics"): 'emolens_requests_total{path="/predict",status="200"} 1.0\n',
    ("get", "/policy"): _POLICY,
    ("put", "/policy"): _POLICY,
    ("post", "/policy/rollback"): _POLICY,
    ("post", "/feedback"): {"client_id": "0b2f8a52-5f1e-4a57-9d0c-0d6a5c1f3a01", "new": True},
    ("get", "/health"): {"status": "ok", "model_loaded": True},
    ("get", "/ready"): {"ready": True},
    ("get", "/hello"): {"message": "emolens is here", "version": "0.1.0"},
}
"""What each endpoint answers when all is well."""


class Described(FastAPI):
    """An application whose description names what requests can ask for.

    Attributes:
        names: per option the values that this server knows.
    """

    names: dict[str, list[str]]

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            for path, operations in described["paths"].items():
                for method, operation in operations.items():
                    self._describe(operation)
                    _add_example(operation, EXAMPLES.get((method, path)))
        return super().openapi()

    def methods(self, path: str) -> list[str]:
        """Those of an endpoint, or none where there is no such endpoint."""
        return sorted(method.upper() for method in self.openapi()["paths"].get(path, ()))

    def _describe(self, operation: dict[str, Any]) -> None:
        options = {}
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"] = _without_null(parameter["schema"])
            if parameter["name"] in self.names:
                schema["enum"] = self.names[parameter["name"]]
            options[parameter["name"]] = schema
        content = operation.get("requestBody", {}).get("content", {})
        if form := content.get("multipart/form-data"):
            form["schema"]["properties"] |= options
            form["schema"]["additionalProperties"] = False


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is optional is left out, since there is no null in an address or a form."""
    kinds = schema.pop("anyOf", [{}])
    return {**schema, **next(kind for kind in kinds if kind.get("type") != "null")}


def _add_example(operation: dict[str, Any], example: Any) -> None:
    done = (answer for status, answer in operation["responses"].items() if status.startswith("2"))
    for answer in done:
        for content in answer.get("content", {}).values():
            content["example"] = example
