"""A server of one file that can misbehave in every way that a download has to survive."""

from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

CONTENT = bytes(range(256)) * 400
HALF = len(CONTENT) // 2


class FileServer(ThreadingHTTPServer):
    """Serves `CONTENT` at every address; the first part of the path says how.

    Attributes:
        asked: per request its path and its `Range`, if it had one.
        drunk: whether somebody has read all of what stands beside a new address.
        end: lets those requests go that are kept waiting.
    """

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.drunk = False
        self.end = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def address(self, way: str) -> str:
        return f"{self.url}/{way}/model.onnx"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        way = self.path.split("/")[1]
        again = any(path == self.path for path, _ in self.server.asked)
        self.server.asked.append((self.path, wanted))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        match way:
            case "whole":
                self._send(start)
            case "cut":
                self._send(start, CONTENT[start : start + HALF])
            case "cut-once-without-ranges":
                self._send(0, CONTENT if again else CONTENT[:HALF])
            case "cut-without-ranges":
                self._send(0, CONTENT[:HALF])
            case "stall":
                self._send(start, CONTENT[start : start + HALF])
                self.server.end.wait(20)
            case "deaf":
                self.server.end.wait(20)
            case "wrong":
                self._send(start, CONTENT[::-1][start:])
            case "elsewhere":
                self._send(0, headers={"Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}, status=206)
            case "unsatisfiable":
                self._send(0) if not wanted else self._send(0, b"", {"Content-Length": "0"}, 416)
            case "endless":
                self._send(0, CONTENT * 3, {})
            case "short":
                self._send(0, CONTENT[:HALF], {"Content-Length": str(HALF)})
            case "long":
                self._send(0, CONTENT * 2, {"Content-Length": str(2 * len(CONTENT))})
            case "moved":
                self._send(0, b"", {"Location": "/whole/model.onnx"}, 302)
            case "moved-with-much-to-say":
                with suppress(ConnectionError):
                    self._send(0, bytes(2**26), {"Location": "/whole/model.onnx"}, 302)
                    self.server.drunk = True
            case "long-number":
                self._send(0, headers={"Content-Length": "9" * 5000})
            case "very-long":
                self._send(0, headers={"Content-Length": "9" * 4300})
            case "loop":
                self._send(0, b"", {"Location": self.path}, 302)
            case "to-a-file":
                self._send(0, b"", {"Location": "file:///etc/hostname"}, 302)
            case "to-ftp":
                self._send(0, b"", {"Location": "ftp://127.0.0.1/model.onnx"}, 302)
            case "500" | "404" | "408" | "425" | "429":
                self._send(0, b"no", {}, int(way))

    def _send(
        self, start: int, body: bytes | None = None, headers: dict[str, str] | None = None, status: int = 0
    ) -> None:
        length = {"Content-Length": str(len(CONTENT) - start)} if status in (0, 206) else {}
        ranged = {"Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"} if start else {}
        self.send_response(status or (206 if start else 200))
        for name, value in (length | ranged if headers is None else headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(CONTENT[start:] if body is None else body)

    def log_message(self, *args: object) -> None:
        pass
