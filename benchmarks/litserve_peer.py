"""LitServe around the same predictor: `python litserve_peer.py PORT WORKERS`."""

import sys
from typing import Any

import litserve
from peers import open_model


class Api(litserve.LitAPI):  # type: ignore[misc]  # no types
    """One photograph after the other in each worker."""

    def setup(self, device: str) -> None:  # noqa: ARG002 (LitServe's)
        self.model = open_model()

    def decode_request(self, request) -> bytes:  # type: ignore[no-untyped-def]  # LitServe goes by the type
        data: bytes = request["file"].file.read()
        return data

    def predict(self, data: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = self.model.predict(data).to_dict()
        return answer

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=int(sys.argv[2]), timeout=60)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
