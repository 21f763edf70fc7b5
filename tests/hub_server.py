"""A stand-in for the Hugging Face hub: as much of its HTTP interface as fetching and pushing a file needs."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_the_right_token"
COMMIT = "c0ffee" * 6 + "cafe"


@dataclass
class Repository:
    """Files by name, at the one commit that there is: `main`, the tag `v1`, and `COMMIT`."""

    files: dict[str, bytes] = field(default_factory=dict)
    private: bool = False
    announced_size: int | None = None


class HubServer(ThreadingHTTPServer):
    """Holds repositories by `owner/name`; `asked` are the requests, as `METHOD /path`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.asked: list[str] = []
        self.broken = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: HubServer

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        if self.server.broken:
            self._refuse(500)
        elif self.path.startswith("/api/models/"):
            self._describe(self.path.removeprefix("/api/models/"))
        else:
            owner, name, _, revision, file = self.path[1:].split("/", 4)
            self._give(f"{owner}/{name}", revision, file)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/validate-yaml":
            self._answer({})
        elif not self._is_known():
            self._refuse(401)
        elif self.path == "/api/repos/create":
            self._make(json.loads(body))
        else:
            owner, name, what, _ = self.path.removeprefix("/api/models/").split("/")
            {"preupload": self._prepare, "commit": self._commit}[what](f"{owner}/{name}", body)

    def _describe(self, name: str) -> None:
        repository = self._visible(name)
        if repository:
            self._answer({"id": name, "private": repository.private})

    def _give(self, name: str, revision: str, file: str) -> None:
        repository = self._visible(name)
        if repository is None:
            return
        if revision not in ("main", "v1", COMMIT):
            self._refuse(404, "RevisionNotFound")
        elif file not in repository.files:
            self._refuse(404, "EntryNotFound")
        else:
            body = repository.files[file]
            headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT}
            self._send(200, body, headers | {"Content-Length": str(repository.announced_size or len(body))})

    def _make(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        if asked["organization"] != "ada":
            return self._refuse(403)
        is_new = name not in self.server.repositories
        # The library's first releases with this interface say it the first way, later ones the second.
        is_private = asked.get("private") or asked.get("visibility") == "private"
        self.server.repositories.setdefault(name, Repository(private=bool(is_private)))
        return self._answer({"url": f"{self.server.url}/{name}"}, 200 if is_new else 409)

    def _prepare(self, _: str, body: bytes) -> None:
        paths = [one["path"] for one in json.loads(body)["files"]]
        self._answer({"files": [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]})

    def _commit(self, name: str, body: bytes) -> None:
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                content = base64.b64decode(line["value"]["content"])
                self.server.repositories[name].files[line["value"]["path"]] = content
        self._answer({"commitUrl": f"{self.server.url}/{name}/commit/{COMMIT}", "commitOid": COMMIT})

    def _visible(self, name: str) -> Repository | None:
        """The repository, if there is one for who asks; else that is answered."""
        repository = self.server.repositories.get(name)
        if repository and (self._is_known() or not repository.private):
            return repository
        self._refuse(404 if self._is_known() else 401, "RepoNotFound")
        return None

    def _is_known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _answer(self, value: dict[str, Any], status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str = "") -> None:
        self._send(status, b"", {"X-Error-Code": code} if code else {})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass
