"""The processes that look at images: what they find, in which order, and what becomes of it when one of them dies."""

import asyncio
import io
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from emolens import zoo
from emolens.errors import ImageError
from emolens.image import Limits
from emolens.predictor import load, open_classifier
from emolens.serving import looking
from emolens.serving.look_process import Asked
from emolens.serving.looking import LookPool
from models import make_model_file
from pictures import picture

pytestmark = pytest.mark.slow

Run = Callable[..., Any]
POISON = b"poison"
DIES_OF_POISON = f"""
import os
from emolens.look import Looker
look = Looker.look
Looker.look = lambda self, data, name: os._exit(1) if data == {POISON!r} else look(self, data, name)
"""
PHOTO = (ROOT / "docs" / "images" / "astronaut.jpg").read_bytes()


@pytest.fixture
def run() -> Run:
    """What comes of asking a pool of processes that read two million pixels at most."""

    def ask(questions: Callable[[LookPool], Awaitable[Any]], processes: int = 2, seconds: float = 60) -> Any:
        async def opened() -> Any:
            pool = LookPool(processes, Limits(max_pixels=2_000_000), seconds)
            try:
                return await asyncio.wait_for(questions(pool), 60)
            finally:
                pool.stop()

        return asyncio.run(opened())

    return ask


@pytest.fixture
def whole(tmp_path: Path) -> Asked:
    """A model that takes whole images."""
    path = make_model_file(tmp_path / "tiny.onnx", bias={"happy": 100})
    model = open_classifier(path)
    return Asked(model.framings, False, path, model.about["sha256"])


@pytest.fixture
def faces() -> Asked:
    path = zoo.find("face")
    model = open_classifier(path)
    return Asked(model.framings, True, path, model.about["sha256"])


def test_a_face_is_found_and_cut_for_the_model_to_classify_in_company(run: Run, faces: Asked) -> None:
    look, rows = run(lambda pool: pool.look(PHOTO, faces))
    assert len(look) == 1
    assert rows is None


def test_many_faces_are_classified_where_they_were_found_as_they_are_elsewhere(run: Run, faces: Asked) -> None:
    with Image.open(io.BytesIO(PHOTO)) as one:
        small = one.resize((300, 300))
    crowd = Image.new("RGB", (1200, 900))
    for place in range(12):
        crowd.paste(small, (place % 4 * 300, place // 4 * 300))
    file = io.BytesIO()
    crowd.save(file, "PNG")
    look, rows = run(lambda pool: pool.look(file.getvalue(), faces))
    expected = load("face", threads=1).predict(file.getvalue()).faces
    assert len(expected) >= 8
    assert not len(look)
    assert look.milliseconds["classify"] > 0
    np.testing.assert_allclose(rows, [list(face.probabilities.values()) for face in expected], atol=1e-4)


def test_a_model_whose_file_has_been_replaced_meanwhile_is_not_asked_there(run: Run, faces: Asked) -> None:
    other = Asked(faces.framings, False, faces.path, "0" * 64)
    _, rows = run(lambda pool: pool.look(PHOTO, other))
    assert rows is None


def test_what_cannot_be_read_is_told_with_its_code(run: Run, whole: Asked) -> None:
    async def codes(pool: LookPool) -> list[str]:
        large = picture((1, 1, 2, 2), size=(2000, 2000))
        found = await asyncio.gather(*(pool.look(data, whole) for data in (b"no image", large)), return_exceptions=True)
        return [error.code for error in found if isinstance(error, ImageError)]

    assert run(codes) == ["not_an_image", "too_many_pixels"]


def test_who_asks_first_is_answered_first_and_who_leaves_is_not_waited_for(run: Run, whole: Asked) -> None:
    async def order(pool: LookPool) -> list[int]:
        answered: list[int] = []

        async def ask(number: int) -> None:
            await pool.look(picture((1, 1, 2, 2)), whole)
            answered.append(number)

        tasks = [asyncio.create_task(ask(number)) for number in range(40)]
        await asyncio.sleep(0)
        tasks[20].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return answered

    assert run(order, processes=1) == [number for number in range(40) if number != 20]


def _children() -> Iterator[int]:
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"look_process" in Path(f"/proc/{child}/cmdline").read_bytes():
                yield int(child)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries keep memory in ways of their own")
def test_a_process_keeps_the_memory_of_an_image_for_the_next_one(run: Run, whole: Asked) -> None:
    photo = picture((1, 1, 2, 2), size=(1400, 1400))

    async def pages(pool: LookPool) -> float:
        for _ in range(5):
            await pool.look(photo, whole)
        (child,) = _children()
        before = faults(child)
        for _ in range(20):
            await pool.look(photo, whole)
        return (faults(child) - before) / 20

    def faults(process: int) -> int:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[7])

    assert run(pages, processes=1) < 3 * 1400 * 1400 / os.sysconf("SC_PAGE_SIZE") / 4


def test_a_process_that_is_killed_loses_no_image_and_is_replaced(run: Run, whole: Asked) -> None:
    async def killed_at_work(pool: LookPool) -> tuple[int, set[int], set[int]]:
        await pool.look(PHOTO, whole)
        before = set(_children())
        tasks = [asyncio.create_task(pool.look(PHOTO, whole)) for _ in range(30)]
        await asyncio.sleep(0.01)
        os.kill(min(before), signal.SIGKILL)
        looks = await asyncio.gather(*tasks)
        return len(looks), before, set(_children())

    answered, before, after = run(killed_at_work)
    assert answered == 30
    assert len(before) == len(after) == 2
    assert len(before & after) == 1


def test_a_process_that_cannot_be_replaced_now_is_replaced_later(
    run: Run, whole: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> Any:
        raise BlockingIOError("no more processes")

    async def short_of_processes(pool: LookPool) -> None:
        await pool.look(PHOTO, whole)
        for child in _children():
            os.kill(child, signal.SIGKILL)
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", no_room)
            for _ in range(2):
                with pytest.raises(BlockingIOError):
                    await pool.look(PHOTO, whole)
        await pool.look(PHOTO, whole)

    run(short_of_processes, processes=1)


def test_a_process_that_hangs_is_replaced(run: Run, whole: Asked) -> None:
    async def stopped(pool: LookPool) -> None:
        await pool.look(PHOTO, whole)
        for child in _children():
            os.kill(child, signal.SIGSTOP)
        await pool.look(PHOTO, whole)

    run(stopped, processes=1, seconds=2)


def test_an_image_that_kills_whatever_reads_it_is_told_to_be_damaged(
    run: Run, whole: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def poisoned(pool: LookPool) -> str:
        await pool.look(PHOTO, whole)
        with pytest.raises(ImageError) as refused:
            await pool.look(POISON, whole)
        await pool.look(PHOTO, whole)
        return refused.value.code

    monkeypatch.setattr(looking, "_PROGRAM", looking._PROGRAM.replace("main()\n", f"{DIES_OF_POISON}main()\n"))
    assert run(poisoned) == "damaged"


def test_that_the_processes_do_not_start_is_no_fault_of_an_image(
    run: Run, whole: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_PROGRAM", "raise SystemExit(1)")
    with pytest.raises(RuntimeError, match="do not start"):
        run(lambda pool: pool.look(PHOTO, whole))


def test_a_program_without_a_main_guard_can_make_the_application(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "from fastapi.testclient import TestClient\n"
        "from emolens.serving import create_app\n"
        "with TestClient(create_app()) as client:\n"
        "    print('begun')\n"
        "    answer = client.post('/predict', files={'file': open(sys.argv[1], 'rb')})\n"
        "    print(answer.json()['prediction']['dominant_emotion'])\n"
    )
    photo = ROOT / "docs" / "images" / "astronaut.jpg"
    ended = subprocess.run([sys.executable, program, photo], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.split() == ["begun", "happy"]
