"""What programs send that mean no good, or mean something else: images, forms and bytes that are hardly HTTP."""

import io
import struct
import zipfile
import zlib

from PIL import Image

from hostile import photo_bytes
from pictures import picture

PICTURE = picture()
"""A good image, for what is wrong around it."""

_BOMB = zlib.compress(bytes(64 * 2**20), 9)


def _plain(kind: str, side: int, **options: object) -> bytes:
    """A large area of one colour: few bytes, many pixels."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), (9, 9, 9)).save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def _with_chunk(name: bytes, data: bytes) -> bytes:
    """The good PNG with something behind its header."""
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return PICTURE[:33] + chunk + PICTURE[33:]


def _frames() -> bytes:
    images = [Image.new("P", (800, 800), shade) for shade in range(200)]
    file = io.BytesIO()
    images[0].save(file, "GIF", save_all=True, append_images=images[1:])
    return file.getvalue()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("page.html", "<script>alert(1)</script>")
    return file.getvalue()


def images() -> dict[str, tuple[int, bytes]]:
    """Per name the status that the image is answered with by a server of 16 megapixels at most, and the image."""
    return {
        "a bomb of pixels, PNG": (413, _plain("PNG", 6000)),
        "a bomb of pixels, GIF": (413, _plain("GIF", 6000)),
        "a bomb of pixels, WebP": (413, _plain("WEBP", 6000, method=0, quality=1)),
        "a bomb of pixels, AVIF": (413, _plain("AVIF", 6000, speed=10, quality=1)),
        "as many pixels as may be": (200, _plain("PNG", 4000)),
        "a bomb of text": (200, _with_chunk(b"zTXt", b"Comment\0\0" + _BOMB)),
        "a bomb of international text": (200, _with_chunk(b"iTXt", b"Comment\0\1\0\0\0" + _BOMB)),
        "a bomb of a colour profile": (200, _with_chunk(b"iCCP", b"icc\0\0" + _BOMB)),
        "many large frames": (200, _frames()),
        "an image that is a zip, too": (200, photo_bytes("GIF") + _zip()),
        "an image with a page behind it": (200, photo_bytes("JPEG") + b"<html><script>alert(1)</script>"),
        "a zip": (415, _zip()),
        "a document": (415, b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF"),
        "a document that begins as an image": (422, b"\xff\xd8\xff\xe0%PDF-1.7\n1 0 obj\n<< >>"),
        "a program that begins as an image": (413, b"GIF89a/*<html><script>alert(1)</script>*/=1;"),
        "a page that begins as an image": (422, b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>"),
        "a page": (415, b"<!DOCTYPE html><html><body>404</body></html>"),
        "a drawing with entities": (
            415,
            b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
            b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/>&b;</svg>',
        ),
        "a PostScript program": (415, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"),
        "an image that is compressed once more": (415, zlib.compress(PICTURE)),
    }


_POST = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
_NEXT = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
_LENGTH = b"Content-Length: %d\r\n" % len(PICTURE)
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_CHUNK = b"%x\r\n" % len(PICTURE) + PICTURE + b"\r\n0\r\n\r\n"


def _get(more: bytes, target: bytes = b"/hello") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + more + b"\r\n"


REQUESTS: dict[str, tuple[list[int], bytes]] = {
    # One body, two lengths: whoever stands in front may see a border where the server sees none.
    "length and chunks": ([400], _POST + b"Content-Length: 6\r\n" + _CHUNKED + b"0\r\n\r\nX" + _NEXT),
    "chunks and length, of a good image": ([400], _POST + _LENGTH + _CHUNKED + _CHUNK + _NEXT),
    "length and chunks where no body is wanted": (
        [400],
        b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + _CHUNKED + b"0\r\n\r\n" + _NEXT,
    ),
    "two lengths": ([400], _POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345" + _NEXT),
    "two lengths in one line": ([400], _POST + b"Content-Length: 5, 6\r\n\r\n12345" + _NEXT),
    "twice the same length": ([200], _POST + _LENGTH * 2 + b"Connection: close\r\n\r\n" + PICTURE),
    "chunks twice": ([400], _POST + b"Transfer-Encoding: chunked\r\n" + _CHUNKED + b"0\r\n\r\n" + _NEXT),
    **{
        f"the length {length!r}": ([400], _POST + b"Content-Length: " + length + b"\r\n\r\n12345" + _NEXT)
        for length in (b"-1", b"+5", b"0x5", b"1e3", b"", b"9" * 30, "٥".encode())
    },
    "the length of a planet": ([413], _POST + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n12345"),
    **{
        f"the encoding {encoding!r}": (
            [400],
            _POST + b"Transfer-Encoding: " + encoding + b"\r\n\r\n0\r\n\r\n" + _NEXT,
        )
        for encoding in (b"gzip, chunked", b"xchunked", b"chunked, chunked", b"identity", b"\x0bchunked")
    },
    "a space before the colon": ([400], _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + _NEXT),
    **{
        f"the chunk {chunk[:9]!r}": ([400], _POST + _CHUNKED + chunk + _NEXT)
        for chunk in (b"zz\r\n\r\n", b"-1\r\n\r\n", b"f" * 25 + b"\r\n\r\n", b"3\r\nabcXX0\r\n\r\n")
    },
    "a chunk with a long extension": ([400], _POST + _CHUNKED + b"3;" + b"a" * 2**20 + b"\r\nabc\r\n0\r\n\r\n"),
    "a flood of trailers": ([400], _POST + _CHUNKED + b"3\r\nabc\r\n0\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n"),
    "a flood of headers": ([400], _get(b"X-Flood: a\r\n" * 100_000)),
    "a header without end": ([400], _get(b"X-Flood: " + b"a" * 2**20 + b"\r\n")),
    "an address without end": ([400], _get(b"", b"/" + b"a" * 2**20)),
    "NUL in a header": ([400], _get(b"X-Request-ID: a\0b\r\n")),
    "half a line's end in a header": ([400], _get(b"X-A: a\rContent-Length: 9\r\n")),
    "no UTF-8 in a header": ([200], _get(b"X-Request-ID: \xff\xfe\r\n")),
    "no host": ([400], b"GET /hello HTTP/1.1\r\n\r\n"),
    "two hosts": ([400], _get(b"Host: b\r\n")),
    "NUL in the address": ([404], _get(b"", b"/hello%00")),
    "no UTF-8 in the address": ([404], _get(b"", b"/%ff%fe?policy=%ff")),
    "the way out of the folder": ([404], _get(b"", b"/../../etc/passwd")),
    "a request for another": ([404], _get(b"", b"http://169.254.169.254/hello")),
    "a tunnel": ([404], b"CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
    "TLS": ([400], b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"),
    "HTTP/2": ([404, 400], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/9": ([400], b"GET / HTTP/9\r\n\r\n"),
    "many requests at once": ([200] * 200, _get(b"").replace(b"Connection: close\r\n", b"") * 199 + _NEXT),
    "a body that asks before it comes": (
        [100, 200],
        _POST + _LENGTH + b"Expect: 100-continue\r\nConnection: close\r\n\r\n" + PICTURE,
    ),
    "a body that asks and would be too large": (
        [413],
        _POST + b"Content-Length: 999999999\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    ),
}
"""Per name the statuses that come, in their order, and the bytes that are sent; the server closes after them."""

_STREAM = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Type: "
_FORM = b"multipart/form-data; boundary=xyz\r\n\r\n"
_PART = b'--xyz\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n'

STREAMS: dict[str, tuple[int, bytes, bytes]] = {
    "bytes": (413, _STREAM + b"image/png\r\n\r\n", bytes(2**16)),
    "tiny parts": (413, _STREAM + _FORM, b"".join(_PART % count for count in range(1000))),
    "parts of another boundary": (400, _STREAM + _FORM, b"--abc\r\n" * 9000),
    "what nobody wants": (404, _STREAM.replace(b"/predict", b"/nowhere") + b"image/png\r\n\r\n", bytes(2**16)),
}
"""Per name the status, the head of a request without a length, and a chunk that comes again and again."""
