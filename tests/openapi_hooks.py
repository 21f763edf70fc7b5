"""What schemathesis cannot make up by a schema: images, and policies that break no rule."""

import io
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image

from emolens.policy import embedded_names, embedded_text


def _image(kind: str, width: int, height: int, shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (shade, 255 - shade, shade // 2)).save(file, kind)
    return file.getvalue()


IMAGES = st.builds(
    _image, st.sampled_from(["PNG", "JPEG", "WEBP", "BMP"]), st.integers(1, 64), st.integers(1, 64), st.integers(0, 255)
)
POLICIES = st.sampled_from([embedded_text(name).encode() for name in embedded_names()])

schemathesis.openapi.media_type("image/*", IMAGES, aliases=["application/octet-stream"])
schemathesis.openapi.media_type("application/yaml", POLICIES)


@schemathesis.hook
def before_load_schema(_: Any, raw_schema: dict[str, Any]) -> None:
    """Leaves out the example of a policy: schemathesis takes one, or bytes of ours."""
    del raw_schema["paths"]["/policy"]["put"]["requestBody"]["content"]["application/yaml"]["example"]
