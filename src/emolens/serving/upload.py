"""The body of a request -> files and fields in memory, every limit enforced while it arrives; nothing on the disk."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from emolens.serving.errors import RequestError
from emolens.serving.gate import Held

FILE_FIELD = "file"

_T = TypeVar("_T")

_OTHER_PARTS = 16
_HEADERS = 8
_HEADER_BYTES = 4096
_FIELD_BYTES = 256

# What boundaries and headers of a multipart body may add to its files.
_FRAMING_BYTES = 64 * 1024


@dataclass(frozen=True)
class Caps:
    """The limits of one upload.

    Attributes:
        file_bytes: of one file.
        body_bytes: of all files together.
        files: how many there may be.
        seconds: in which the body has to arrive.
    """

    file_bytes: int
    body_bytes: int
    files: int
    seconds: float


@dataclass
class Upload:
    """What a body holds.

    Attributes:
        files: in order; None stands for one over the limit of bytes, which has not been kept.
        fields: of a form, by name.
    """

    files: list[bytes | None] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


class _Parser(Protocol):
    def write(self, data: bytes) -> None: ...
    def finish(self) -> Upload: ...


async def read_upload(request: Request, caps: Caps, held: Held) -> Upload:
    """Reads a multipart form, or an image that is the whole body.

    Raises:
        RequestError: 400 a broken form, 408 too slow, 413 too large, 415 another type, 503 no memory for it now.
    """
    parser = _parser_for(request, caps)
    await receive(request, caps.body_bytes, caps.seconds, held, parser.write)
    upload = parser.finish()
    if not upload.files:
        raise RequestError(400, "no_file", f"the form has no file in a field '{FILE_FIELD}'")
    return upload


async def receive(request: Request, most: int, seconds: float, held: Held, write: Callable[[bytes], object]) -> None:
    """Hands the body on as it arrives.

    Args:
        request: whose body has not been read.
        most: bytes, beside some that frame them.
        seconds: in which it has to arrive.
        held: counts the bytes.
        write: takes them.

    Raises:
        RequestError: 408 too slow, 413 too large, 503 no memory for it now.
    """
    limit = most + _FRAMING_BYTES
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > limit:
        raise _too_large(most)
    received = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                received += len(chunk)
                if received > limit:
                    raise _too_large(most)
                held.add(len(chunk))
                write(chunk)
    except TimeoutError:
        message = f"the body has not arrived within {seconds:g} seconds; send it faster, or a smaller image"
        raise RequestError(408, "upload_timeout", message, {"Connection": "close"}) from None


def _parser_for(request: Request, caps: Caps) -> _Parser:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RequestError(415, "unsupported_encoding", "send the body without a content-encoding")
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        return _Form(options.get(b"boundary", b""), caps)
    if kind.startswith(b"image/") or kind == b"application/octet-stream":
        return _Raw(caps)
    message = (
        f"send multipart/form-data with a field '{FILE_FIELD}', or an image as image/* or application/octet-stream"
    )
    raise RequestError(415, "unsupported_media_type", message)


def _too_large(limit: int) -> RequestError:
    message = f"the body has more than {limit / 2**20:.1f} MiB; send smaller or fewer images"
    return RequestError(413, "too_many_bytes", message)


class _Raw:
    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._content = bytearray()

    def write(self, data: bytes) -> None:
        self._content += data
        if len(self._content) > self._caps.file_bytes:
            raise _too_large(self._caps.file_bytes)

    def finish(self) -> Upload:
        return Upload([bytes(self._content)])


class _Form:
    """A multipart form; the parser finds the boundaries, and here is what is kept of what stands between them."""

    def __init__(self, boundary: bytes, caps: Caps) -> None:
        self._caps = caps
        self._upload = Upload()
        self._parts = 0
        self._complete = False
        self._header = self._value = b""
        self._disposition = b""
        self._name = ""
        self._content = bytearray()
        self._bytes = 0
        callbacks = {
            "on_part_begin": self._begin_part,
            "on_part_data": self._add_data,
            "on_part_end": self._end_part,
            "on_header_begin": self._begin_header,
            "on_header_field": self._add_header,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_end": self._end,
        }
        if not boundary:
            raise _broken("the content type has no boundary")
        self._parser = _guarded(
            lambda: MultipartParser(
                boundary,
                callbacks,  # type: ignore[arg-type]  # a dict of the names that it knows
                max_header_count=_HEADERS,
                max_header_size=_HEADER_BYTES,
            )
        )

    def write(self, data: bytes) -> None:
        _guarded(lambda: self._parser.write(data))

    def finish(self) -> Upload:
        if not self._complete:
            raise _broken("the form ends too early, or its boundary is another than the content type says")
        return self._upload

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > self._caps.files + _OTHER_PARTS:
            raise RequestError(413, "too_many_parts", "the form has too many parts")
        self._disposition, self._content, self._bytes = b"", bytearray(), 0

    def _begin_header(self) -> None:
        self._header = self._value = b""

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise _broken("a part has no 'Content-Disposition: form-data' with a name")
        self._name = options[b"name"].decode("utf-8", "replace")
        if self._name == FILE_FIELD and len(self._upload.files) == self._caps.files:
            raise RequestError(
                413, "too_many_files", f"the form may have {self._caps.files} in '{FILE_FIELD}', no more"
            )

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._bytes += end - start
        is_file = self._name == FILE_FIELD
        if not is_file and self._bytes > _FIELD_BYTES:
            raise RequestError(422, "field_too_long", f"a field of the form has more than {_FIELD_BYTES} bytes")
        if is_file and self._bytes > self._caps.file_bytes:
            self._content.clear()
        else:
            self._content += data[start:end]

    def _end_part(self) -> None:
        if self._name == FILE_FIELD:
            self._upload.files.append(bytes(self._content) if self._bytes <= self._caps.file_bytes else None)
        elif self._name in self._upload.fields:
            raise RequestError(422, "invalid_parameter", "a field of the form stands in it twice")
        else:
            self._upload.fields[self._name] = self._content.decode("utf-8", "replace")

    def _end(self) -> None:
        self._complete = True


def _guarded(step: Callable[[], _T]) -> _T:
    try:
        return step()
    except FormParserError:
        raise _broken(
            "the form is no multipart/form-data, or its boundary is another than the content type says"
        ) from None


def _broken(message: str) -> RequestError:
    return RequestError(400, "bad_form", message)
