"""A file of known size and hash over HTTP: it appears whole and checked, and a download that was cut off goes on."""

import http.client
import logging
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import IO

from emolens.errors import ConfigError, ModelError
from emolens.session import file_hash

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
_BLOCK = 2**16
_FOR_NOW = (http.client.REQUEST_TIMEOUT, http.client.TOO_EARLY, http.client.TOO_MANY_REQUESTS)


class _BrokenOffError(Exception):
    """An attempt has ended before the file did; the message says why."""


class _OtherFileError(Exception):
    """What comes is not the file that was asked for; the message says how that shows."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects; to schemes but HTTP and HTTPS there is no handler (`_opener`)."""

    max_redirections = 5

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        """The next request; what stands beside the address is closed, since urllib would read all of it."""
        fp.close()
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def download(url: str, path: Path, size: int, sha256: str, silence_s: float = 30) -> None:
    """Brings a file, unless it is there already.

    What has arrived is kept beside it as `.NAME.HASH.part`, which nothing else reads. It is taken up again, by this
    call while bytes come or by a later one, with an HTTP range request; a server that knows no ranges begins anew. Of
    several processes one downloads and the others wait for it.

    Args:
        url: http or https.
        path: of the file.
        size: in bytes; more is never written.
        sha256: in hexadecimal.
        silence_s: after how many seconds without a byte, or without a connection, an attempt is over.

    Raises:
        ModelError: the download failed, or brings another file.
        ConfigError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{sha256[:8]}.part")
    try:
        with _alone(path):
            if not _is(path, size, sha256):
                if part.is_symlink():  # nothing of ours: it would lead what arrives into another file
                    part.unlink()
                _bring(url, part, size, sha256, silence_s)
                part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or path} cannot be written: {error.strerror}; make that possible, or set EMOLENS_MODELS "
            "to another folder"
        ) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Waits until no other process brings this file."""
    import filelock

    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        logger.info("another process is downloading %s; waiting for it", path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _bring(url: str, part: Path, size: int, sha256: str, silence_s: float) -> None:
    """Leaves the whole and checked file at `part`."""
    # What an earlier call has left may be damaged, which only the hash of the whole tells; then all is fetched anew.
    for _ in range(2 if _length(part) else 1):
        try:
            _receive_all(url, part, size, silence_s)
            if _is(part, size, sha256):
                return
            fault = f"its sha256 is not {sha256}"
        except _OtherFileError as error:
            fault = str(error)
        part.unlink(missing_ok=True)
    raise ModelError(
        f"{url} does not bring the file that it should: {fault}; nothing was kept; update emolens, or check the mirror "
        "or the proxy in between"
    )


def _receive_all(url: str, part: Path, size: int, silence_s: float) -> None:
    for _ in range(_ATTEMPTS):
        before = _length(part)
        try:
            _receive(url, part, size, silence_s)
            return
        except _BrokenOffError as error:
            fault = error
        if _length(part) <= before:
            break
    remedy = "what has arrived is kept, so pull again and it goes on" if _length(part) else "try again later"
    raise ModelError(f"{url} cannot be downloaded: {fault}; {remedy}")


def _receive(url: str, part: Path, size: int, silence_s: float) -> None:
    """One request: adds to `part` what is missing, or takes the whole from a server that knows no ranges."""
    start = _length(part)
    if start == size:
        return
    if start > size:
        raise _OtherFileError(f"it has more than {size:,} bytes")
    with _open(url, start, silence_s) as response:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _OtherFileError("it does not go on where it was asked to")
        announced = size if response.length is None else start + response.length
        if announced < size:
            raise _OtherFileError(f"it has {announced:,} bytes instead of {size:,}")
        if announced > size:
            raise _OtherFileError(f"it has more than {size:,} bytes")
        with open(part, "ab" if start else "wb", opener=_follow_no_link) as file:
            for block in _blocks(response, silence_s):
                start += len(block)
                if start > size:
                    raise _OtherFileError(f"it has more than {size:,} bytes")
                file.write(block)
    if start < size:
        raise _BrokenOffError(f"the connection was cut off after {start:,} of {size:,} bytes")


def _open(url: str, start: int, silence_s: float) -> http.client.HTTPResponse:
    headers = {"User-Agent": "emolens", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response: http.client.HTTPResponse = _opener().open(
            urllib.request.Request(url, headers=headers), timeout=silence_s
        )
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _OtherFileError(f"it ends before byte {start:,}") from None
        answer = f"the server answers {error.code} {error.msg}".partition("\n")[0].rstrip(".")
        if error.code in range(400, 500) and error.code not in _FOR_NOW:
            raise ModelError(f"{url} cannot be downloaded: {answer}; update emolens, or check EMOLENS_MIRROR") from None
        raise _BrokenOffError(answer) from None
    except (OSError, ValueError, http.client.HTTPException) as error:  # a ValueError where a redirect is no address
        raise _BrokenOffError(_reason(error, silence_s)) from None
    return response


def _follow_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _blocks(response: http.client.HTTPResponse, silence_s: float) -> Iterator[bytes]:
    try:
        while block := response.read1(_BLOCK):
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(_reason(error, silence_s)) from None


def _opener() -> urllib.request.OpenerDirector:
    """Speaks HTTP and HTTPS, if need be through the proxy that the environment names, and nothing else."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
        _Redirects,
    ):
        opener.add_handler(handler())
    return opener


def _reason(error: Exception, silence_s: float) -> str:
    cause = getattr(error, "reason", error)  # urllib wraps what kept it from connecting
    if isinstance(cause, TimeoutError):
        return f"nothing came for {silence_s:g} seconds"
    return str(cause).partition("\n")[0] or type(cause).__name__


def _is(path: Path, size: int, sha256: str) -> bool:
    return _length(path) == size and file_hash(path) == sha256


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
