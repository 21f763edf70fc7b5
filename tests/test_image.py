"""Decoding: every format and mode becomes upright RGB, and whatever is broken or hostile becomes one clear error."""

import contextlib
import io
import itertools
import pickle
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from emolens.card import Crop, Input
from emolens.errors import ImageError, ModelError
from emolens.image import (
    IMAGE_SUFFIXES,
    Limits,
    Photo,
    crop_face,
    decode,
    looks_like_image,
    read_file,
    source_name,
)
from hostile import grey_tiff, make_hostile, photo_bytes, png

FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"]
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


def corners(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Red, green, blue and yellow quarters, clockwise from the top left."""
    picture = Image.new("RGB", (2, 2))
    picture.putdata([RED, GREEN, YELLOW, BLUE])
    return picture.resize(size, Image.Resampling.NEAREST)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def assert_corners(photo: Photo, tolerance: int = 40) -> None:
    height, width = photo.pixels.shape[:2]
    rows, columns = (height // 4, height * 3 // 4), (width // 4, width * 3 // 4)
    found = photo.pixels[np.ix_(rows, columns)].reshape(4, 3).astype(int)
    assert np.abs(found - np.array([RED, GREEN, YELLOW, BLUE])).max() <= tolerance, found


def code_of(source: Any, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        decode(source, **options)
    return caught.value.code


# Formats and modes


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read_from_a_path_and_from_bytes(kind: str, tmp_path: Path) -> None:
    data = saved(corners(), kind)
    path = tmp_path / f"photo.{kind.lower()}"
    path.write_bytes(data)
    for source in (path, str(path), data):
        photo = decode(source)
        assert (photo.width, photo.height, photo.scale) == (64, 48, 1)
        assert photo.pixels.shape == (48, 64, 3)
        assert photo.pixels.dtype == np.uint8
        assert_corners(photo)


def test_heic_is_read_with_its_extra() -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra 'heic' is not installed")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(corners()).save(buffer, quality=90)
    assert_corners(decode(buffer.getvalue()))


def test_heic_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(ImageError, match=r"photo\.heic.*pip install 'emolens\[heic\]'") as caught:
        decode(path)
    assert caught.value.code == "missing_extra"


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_keeps_its_colours(kind: str) -> None:
    assert_corners(decode(saved(corners().convert("CMYK"), kind)))


def test_a_cmyk_jpeg_keeps_its_colours_without_other_metadata_than_adobes_mark() -> None:
    data = saved(corners().convert("CMYK"), "JPEG", exif=b"Exif\0\0junk", comment=b"a comment")
    assert b"Adobe" in data
    assert_corners(decode(data))


def test_palettes_keep_their_colours() -> None:
    assert_corners(decode(saved(corners().quantize(4), "PNG")), tolerance=0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_bilevel_images_are_black_and_white(kind: str) -> None:
    half = Image.new("1", (10, 10))
    half.paste(1, (0, 0, 5, 10))
    pixels = decode(saved(half, kind)).pixels
    assert (pixels[:, :5] == 255).all()
    assert (pixels[:, 5:] == 0).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_by_its_full_range(kind: str) -> None:
    grey = Image.fromarray(np.array([[0, 257, 128 * 257, 65535]], np.uint16))
    assert decode(saved(grey, kind)).pixels[0, :, 0].tolist() == [0, 1, 128, 255]


def test_sixteen_bit_colours_are_read() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = (1).to_bytes(4, "big") * 2 + bytes([16, 2, 0, 0, 0])
    row = b"\0" + b"\xff\xff\x80\x80\x00\x00"
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    assert decode(data).pixels.tolist() == [[[255, 128, 0]]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 100, 255]], np.float32), [0, 100, 255]),
        (np.array([[-1, 0, 1]], np.float32), [0, 128, 255]),
        (np.array([[7, 7, 7]], np.int32), [7, 7, 7]),
        (np.array([[0, 32768, 65535]], np.int32), [0, 128, 255]),
        (np.array([[0, 2**30, 2**31 - 1]], np.int32), [0, 128, 255]),
    ],
)
def test_wide_grey_is_scaled_to_the_smallest_usual_range(values: np.ndarray, expected: list[int]) -> None:
    found = decode(saved(Image.fromarray(values), "TIFF")).pixels[0, :, 0]
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_grey_that_is_no_number_does_not_crash() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 1.0]], np.float32)
    assert decode(saved(Image.fromarray(values), "TIFF")).pixels.shape == (1, 4, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 2, 4))
    pixels = decode(saved(image.convert(mode), "PNG")).pixels
    assert (pixels[:, :2] == 0).all()
    assert (pixels[:, 2:] == 255).all()


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF"])
def test_alpha_is_white_in_every_format_that_has_it(kind: str) -> None:
    assert (decode(saved(Image.new("RGBA", (16, 16), (0, 0, 0, 0)), kind)).pixels >= 250).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF", "TIFF", "PNG"])
def test_only_the_first_frame_is_read(kind: str) -> None:
    later = Image.new("RGB", (64, 48), "black")
    assert_corners(decode(saved(corners(), kind, save_all=True, append_images=[later, later])))


# Orientation and scale


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_every_exif_orientation_is_made_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(corners(), kind, exif=exif)
    with Image.open(io.BytesIO(data)) as opened:
        upright = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    photo = decode(data)
    assert (photo.pixels == upright).all()
    assert (photo.height, photo.width) == upright.shape[:2]


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_at_a_reduced_scale_and_keeps_its_stored_size(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = decode(saved(corners((1600, 1200)), "JPEG", exif=exif), side=350)
    upright = (1600, 1200) if orientation == 1 else (1200, 1600)
    assert (photo.width, photo.height) == upright
    assert max(photo.pixels.shape) == 400
    assert photo.scale == 4


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("side", [1, 100, 333, 1000, 5000])
def test_no_format_is_reduced_below_the_side_that_is_needed(kind: str, side: int) -> None:
    photo = decode(saved(corners((1001, 301)), kind), side=side)
    assert (photo.width, photo.height) == (1001, 301)
    assert min(side, 1001) <= max(photo.pixels.shape) < max(2 * side, 9)
    if side > 1:
        assert_corners(photo)


@pytest.mark.parametrize("mode", ["L", "RGB", "I"])
@pytest.mark.parametrize("factor", [1, 7])
def test_there_are_no_seams_between_the_strips_of_a_large_image(mode: str, factor: int) -> None:
    ramp = np.repeat(np.linspace(0, 255, 2100, dtype=np.uint8)[:, None], 1500, axis=1)
    photo = decode(Image.fromarray(ramp).convert(mode), side=2100 // factor)
    steps = np.diff(photo.pixels[:, 0, 0].astype(int))
    assert photo.pixels.shape == (2100 // factor, -(-1500 // factor), 3)
    assert 0 <= steps.min() <= steps.max() <= 2
    assert (photo.pixels[0, 0, 0], photo.pixels[-1, 0, 0]) == pytest.approx((0, 255), abs=1)


def test_reduction_keeps_transparent_parts_white() -> None:
    assert (decode(saved(Image.new("RGBA", (400, 400), (0, 0, 0, 0)), "PNG"), side=50).pixels == 255).all()


# Sources


def test_pillow_images_and_arrays_are_read() -> None:
    array = np.asarray(corners())
    assert (decode(array).pixels == array).all()
    assert (decode(corners()).pixels == array).all()
    assert (decode(array[..., 0]).pixels == array[..., :1]).all()


def test_a_pillow_image_is_left_as_it_was() -> None:
    image = Image.open(io.BytesIO(saved(corners((800, 600)), "JPEG")))
    assert max(decode(image, side=100).pixels.shape) == 100
    assert image.size == (800, 600)
    assert_corners(decode(image))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
    ],
)
def test_an_array_of_another_shape_or_type_is_refused(array: np.ndarray) -> None:
    assert code_of(array) == "bad_array"


@pytest.mark.parametrize("source", [None, 3, object(), ["a.jpg"]])
def test_what_is_no_source_at_all_is_refused_by_name(source: Any) -> None:
    assert code_of(source) == "bad_source"


def test_sources_have_names() -> None:
    assert source_name(Path("a/b.jpg")) == "a/b.jpg"
    assert source_name(b"...") == "<bytes>"
    assert source_name(corners(), 3) == "<image 3>"
    assert source_name(np.zeros((1, 1), np.uint8), 0) == "<array 0>"


# Limits


def test_limits_are_configurable(tmp_path: Path) -> None:
    data = saved(corners(), "PNG")
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    for source in (path, data):
        assert code_of(source, limits=Limits(max_bytes=len(data) - 1)) == "too_many_bytes"
        assert decode(source, Limits(max_bytes=len(data))).width == 64
    for pixels in (data, corners(), np.asarray(corners())):
        assert code_of(pixels, limits=Limits(max_pixels=64 * 48 - 1)) == "too_many_pixels"
        assert decode(pixels, Limits(max_pixels=64 * 48)).width == 64


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_decoders_that_hold_an_image_several_times_get_half_the_pixels(kind: str) -> None:
    data = saved(corners(), kind)
    assert code_of(data, limits=Limits(max_pixels=64 * 48 * 2 - 1)) == "too_many_pixels"
    assert decode(data, Limits(max_pixels=64 * 48 * 2)).width == 64


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"exif": b"Exif\0\0II*\0junk"}])
def test_a_canvas_is_measured_before_its_decoder_allocates_it(options: dict[str, Any]) -> None:
    with pytest.raises(ImageError, match="64 x 48 pixels"):
        decode(saved(corners(), "WEBP", **options), Limits(max_pixels=100))


# Broken and hostile files


def test_each_hostile_file_yields_its_code_and_a_message_with_its_name(tmp_path: Path) -> None:
    expected = make_hostile(tmp_path)
    assert len(expected) == 30
    assert {path.name for path in tmp_path.iterdir()} == set(expected)
    for name, code in expected.items():
        assert Path(name).suffix in IMAGE_SUFFIXES
        with pytest.raises(ImageError, match=name) as caught:
            decode(tmp_path / name)
        assert (name, caught.value.code) == (name, code)
        assert "\n" not in str(caught.value)


def test_hostile_files_need_little_memory(tmp_path: Path) -> None:
    make_hostile(tmp_path)
    assert _peak_of_decoding(tmp_path) < 150


@pytest.mark.slow
def test_large_images_are_decoded_one_at_a_time(tmp_path: Path) -> None:
    large = Image.new("RGB", (7200, 7200), "red")
    for index in range(4):
        large.save(tmp_path / f"{index}.png", compress_level=1)
    # All four at once take over 850.
    assert _peak_of_decoding(tmp_path) < 550


def _peak_of_decoding(folder: Path) -> int:
    """Peak memory in MB of a process that decodes a folder in four threads."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not tell a process its peak memory")
    program = """if True:
        import re, sys
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path
        from emolens.errors import ImageError
        from emolens.image import decode

        def attempt(path):
            try:
                return decode(path, side=640)
            except ImageError as error:
                return error.code

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(attempt, sorted(Path(sys.argv[1]).iterdir())))
        print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
    """
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return int(done.stdout) // 1024


def test_content_under_another_images_extension_is_simply_read(tmp_path: Path) -> None:
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(saved(corners(), "PNG"))
    assert_corners(decode(path), tolerance=0)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04" + bytes(40), "ZIP"),
        (b"\x1f\x8b\x08" + bytes(40), "gzip"),
        (b"<html>", "HTML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>", "SVG"),
        ("äöü, text".encode(), "text"),
        ("ä".encode() * 3000, "text"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(40), "video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"8BPS\0\x01" + bytes(40), "Photoshop"),
    ],
)
def test_foreign_content_is_named(content: bytes, word: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpeg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=word) as caught:
        decode(path)
    assert caught.value.code == "wrong_extension"


def test_without_an_extension_that_promises_an_image_there_is_nothing_wrong_with_it() -> None:
    assert code_of(b"%PDF-1.7") == "not_an_image"
    assert code_of(b"8BPS\0\x01" + bytes(40)) == "unsupported_format"


def test_paths_that_no_file_can_have_are_not_found(tmp_path: Path) -> None:
    assert code_of("a\0b.jpg") == "not_found"
    assert code_of(tmp_path / "absent.jpg") == "not_found"
    assert code_of(__file__ + "/photo.jpg") == "not_found"
    assert code_of("x" * 5000) == "unreadable"


def test_junk_in_the_metadata_of_a_jpeg_does_not_matter() -> None:
    tags = (
        b"Exif\0\0II*\0\x08\0\0\0\x02\0" + b"\x0e\x01\x02\0\xff\xff\xff\x7f\xff\xff\xff\x7f" + b"\x12\x01\x03\0\x01\0"
    )
    for exif in (b"Exif\0\0junk", tags, b"Exif\0\0MM\0*\xff\xff\xff\xff", tags * 50):
        assert_corners(decode(saved(corners(), "JPEG", exif=exif, icc_profile=b"junk" * 50_000, comment=b"\xff" * 99)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_junk_in_exif_and_colour_profile_does_not_matter(kind: str) -> None:
    junk: dict[str, Any] = {} if kind == "TIFF" else {"exif": b"Exif\0\0II*\0junk"}
    assert_corners(decode(saved(corners(), kind, icc_profile=b"junk" * 1000, **junk)))


def test_compressed_text_without_end_does_not_matter() -> None:
    bomb = b"Comment\0\0" + zlib.compress(bytes(50_000_000))
    pixels = (b"\0" + bytes([9]) * 8) * 8
    data = png(8, 8, *[(b"zTXt", bomb)] * 3, (b"acTL", b"\xff" * 8), (b"iCCP", bomb), pixels=pixels)
    assert (decode(data).pixels == 9).all()


def test_tags_of_a_tiff_that_point_nowhere_do_not_matter() -> None:
    data = grey_tiff(16, 16, (270, 2, 2**31, 2**31), (34665, 4, 1, 2**32 - 1), (700, 1, 2**30, 8), (33432, 99, 1, 1))
    assert decode(data).pixels.shape == (16, 16, 3)


def test_a_directory_of_a_tiff_that_points_to_itself_does_not_matter() -> None:
    data = bytearray(saved(corners(), "TIFF"))
    start = int.from_bytes(data[4:8], "little")
    end = start + 2 + 12 * int.from_bytes(data[start : start + 2], "little")
    data[end : end + 4] = data[4:8]
    assert_corners(decode(bytes(data)))


WHOLE = [photo_bytes(kind) for kind in FORMATS] + [photo_bytes("JPEG", progressive=True)]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid file with bytes changed, a part of another file put in, or its end cut off."""
    data = bytearray(draw(st.sampled_from(WHOLE)))
    # Headers and directories are where parsers decide, so half of the changes go there.
    place = st.one_of(st.integers(0, min(len(data), 200) - 1), st.integers(0, len(data) - 1))
    for at, value in draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=12)):
        data[at] = value
    if draw(st.booleans()):
        other = draw(st.sampled_from(WHOLE))
        start, at, length = draw(st.integers(0, len(other) - 1)), draw(place), draw(st.integers(0, 400))
        data[at : at + draw(st.sampled_from([0, length]))] = other[start : start + length]
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


@settings(max_examples=1000, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(), st.sampled_from([None, 20]))
def test_a_mutated_image_is_a_photo_or_an_image_error(data: bytes, side: int | None) -> None:
    with contextlib.suppress(ImageError):
        photo = decode(data, Limits(max_pixels=4_000_000), side)
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.ndim == 3
        assert photo.width * photo.height <= 4_000_000


# Finding images


def test_images_are_known_by_their_content_and_nothing_blocks_on_a_pipe(tmp_path: Path) -> None:
    hostile = make_hostile(tmp_path / "hostile")
    path = tmp_path / "no_extension"
    path.write_bytes(photo_bytes("WEBP"))
    assert looks_like_image(path)
    for name in hostile:
        if hostile[name] in ("not_a_file", "is_directory", "not_found", "wrong_extension", "empty", "not_an_image"):
            assert not looks_like_image(tmp_path / "hostile" / name)


# Crops


def square(side: int, channels: int = 3) -> Input:
    return Input(height=side, width=side, channels=channels)  # type: ignore[arg-type]  # a literal in the card


def test_a_crop_is_what_stands_in_the_box() -> None:
    pixels = np.asarray(corners((64, 48)))
    assert (crop_face(pixels, (4, 4, 16, 16), Crop(), square(8)) == RED).all()
    assert (crop_face(pixels, (40, 30, 16, 16), Crop(), square(8)) == BLUE).all()


def test_a_square_crop_takes_the_longer_side_about_the_centre() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[30:70, 30:70] = 255
    narrow = (45.0, 30.0, 10.0, 40.0)
    assert (crop_face(pixels, narrow, Crop(), square(40)) == 255).all()
    assert (crop_face(pixels, (20.0, 30.0, 60.0, 40.0), Crop(square=False), square(30))[:, 7:23] == 255).all()


def test_a_margin_adds_that_part_of_the_side_on_every_side() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[40:60, 40:60] = 255
    crop = crop_face(pixels, (40, 40, 20, 20), Crop(margin=0.5), square(40))
    assert crop[10:30, 10:30].min() == 255
    assert crop[:9].max() == crop[31:].max() == crop[:, :9].max() == crop[:, 31:].max() == 0


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_a_file_of_unknown_size_that_comes_in_parts_is_read_to_its_end() -> None:
    content = read_file("/proc/self/smaps", "smaps", Limits())
    assert len(content) > 2 * 4096
    assert content.splitlines()[-1].startswith(b"VmFlags")
    with pytest.raises(ImageError) as caught:
        read_file("/proc/self/smaps", "smaps", Limits(max_bytes=100))
    assert caught.value.code == "too_many_bytes"


def test_outside_of_the_image_its_edge_is_repeated() -> None:
    pixels = np.asarray(corners((64, 48)))
    assert (crop_face(pixels, (-30, -30, 40, 40), Crop(), square(16)) == RED).all()
    assert (crop_face(pixels, (60, -20, 30, 30), Crop(), square(16)) == GREEN).all()


@given(st.integers(-30, 30), st.integers(-30, 40), st.integers(1, 40))
def test_each_edge_is_repeated_as_far_as_a_crop_reaches(x: int, y: int, side: int) -> None:
    pixels = np.random.default_rng(side).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    left, top = (min(max(start, -(side // 2)), end - (side + 1) // 2) for start, end in ((x, 30), (y, 40)))
    around = np.pad(pixels, [(60, 60), (60, 60), (0, 0)], mode="edge")
    crop = crop_face(pixels, (left, top, side, side), Crop(), square(side))
    assert (crop == around[60 + top :, 60 + left :][:side, :side]).all()


def test_grey_crops_have_one_channel() -> None:
    crop = crop_face(np.asarray(corners()), (0, 0, 20, 20), Crop(), square(8, channels=1))
    assert crop.shape == (8, 8, 1)
    assert (crop == np.asarray(Image.new("RGB", (1, 1), RED).convert("L"))).all()


def test_without_a_box_the_whole_image_is_resized() -> None:
    crop = crop_face(np.asarray(corners()), None, Crop(margin=0.5), Input(height=24, width=32, channels=3))
    assert crop.shape == (24, 32, 3)
    assert_corners(Photo(crop, 32, 24), tolerance=0)


def test_a_card_without_a_size_takes_no_crops() -> None:
    with pytest.raises(ModelError, match="height and a width"):
        crop_face(np.asarray(corners()), None, Crop(), Input(height=None, width=None, channels=3))


@pytest.mark.parametrize("side", [20.0, 300.0])
def test_a_small_shift_of_the_box_changes_the_crop_little(side: float) -> None:
    across, down = np.meshgrid(np.linspace(0, 12, 500), np.linspace(0, 12, 400))
    waves = (127.5 + 127.5 * np.sin(across) * np.cos(down)).astype(np.uint8)
    pixels = np.repeat(waves[..., None], 3, axis=2)
    crops = [
        crop_face(pixels, (150 + shift, 50, side, side), Crop(), square(32)).astype(int)
        for shift in (0, 0.25, 0.5, 0.75)
    ]
    steps = [np.abs(after - before).mean() for before, after in itertools.pairwise(crops)]
    assert 0 < max(steps) < 1.5
    assert max(steps) < 3 * min(steps)


anything = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=200, deadline=2000)
@given(
    box=st.tuples(anything, anything, anything, anything),
    margin=st.floats(-0.4, 2),
    is_square=st.booleans(),
    shape=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    channels=st.sampled_from([1, 3]),
)
def test_any_box_gives_a_crop_of_the_right_size_within_the_range_of_the_image(
    box: tuple[float, float, float, float], margin: float, is_square: bool, shape: tuple[int, int], channels: int
) -> None:
    pixels = np.full((*shape, 3), 70, np.uint8)
    size = Input(height=24, width=16, channels=channels)  # type: ignore[arg-type]  # a literal in the card
    crop = crop_face(pixels, box, Crop(margin=margin, square=is_square), size)
    assert crop.shape == (24, 16, channels)
    assert crop.dtype == np.uint8
    assert (crop == 70).all()


def test_an_error_passes_from_a_users_process_to_another() -> None:
    error = pickle.loads(pickle.dumps(ImageError("empty", "a.jpg: is empty")))  # noqa: S301 (our own)
    assert (error.code, str(error)) == ("empty", "a.jpg: is empty")
