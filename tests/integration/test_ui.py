"""The real page in a real browser: what visitors do, what they see, and that nothing leaves for elsewhere."""

import base64
import csv
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from conftest import require
from emolens.policy import Policy
from emolens.ui.pictures import sample
from models import make_model_file

pytestmark = pytest.mark.slow

PATIENCE = 120
ASTRONAUT = sample("An astronaut").data
# Streamlit wraps tables into an element that scrolls on small screens, and cannot be told to let the Tab key reach it.
STREAMLITS_OWN = {"scrollable-region-focusable": "[data-testid=stTable]"}
FIELD = "[data-testid=stFileUploader] input[type=file]"
# Looks at every frame that the browser shows, from the moment at which the field has the photo.
STOPWATCH = """() => {
  window.stopwatch = {};
  const picture = () => document.querySelector("[data-testid=stImage] img");
  const example = picture().src;
  const isThere = {
    answer: () => [".emo-answer", ".emo-bars", ".emo-fits"].every((part) => document.querySelector(part)?.offsetHeight),
    picture: () => picture() && picture().src !== example && picture().complete,
  };
  document.querySelector("[data-testid=stFileUploader] input").addEventListener("change", () => {
    const start = performance.now();
    const look = () => {
      for (const [what, found] of Object.entries(isThere)) {
        if (!(what in stopwatch) && found()) stopwatch[what] = performance.now() - start;
      }
      if (!("picture" in stopwatch)) requestAnimationFrame(look);
    };
    look();
  }, true);
}"""
PARTS = ("analyse", "batch", "compare", "explain", "policy", "models", "insights")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    require(chromium is not None, "chromium")
    with sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        launched = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Starts a command of emolens that answers at a free port, and gives its address."""
    folder = tmp_path_factory.mktemp("page")
    make_model_file(folder / "tiny.onnx")
    processes: list[subprocess.Popen[bytes]] = []

    def start(*command: str, path: str = "", **more: str) -> str:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMOLENS_")}
        environment |= {
            "EMOLENS_MODELS": str(folder),
            "EMOLENS_FEEDBACK_URL": f"sqlite:///{folder}/feedback.db",
            "STREAMLIT_SERVER_HEADLESS": "true",
            "OMP_NUM_THREADS": "1",
            **more,
        }
        whole = [sys.executable, "-m", "emolens", *command, "--port", str(port)]
        processes.append(subprocess.Popen(whole, env=environment, cwd=folder, start_new_session=True))
        url = f"http://127.0.0.1:{port}{path}"
        until(lambda: is_there(url))
        return url

    try:
        yield start
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def url(run: Callable[..., str]) -> str:
    return run("ui")


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    yield from opened(browser, url)


def opened(browser: Browser, url: str, **options: object) -> Iterator[Page]:
    """The first part of the page; at the end it is known whom it has asked."""
    context = browser.new_context(accept_downloads=True, **options)  # type: ignore[arg-type]
    context.set_default_timeout(1e3 * PATIENCE)
    expect.set_options(1e3 * PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    yield page
    context.close()
    host = url.partition("//")[2].partition("/")[0]
    assert [one for one in asked if f"//{host}" not in one and not one.startswith(("data:", "blob:"))] == []


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it has not come to that"
        time.sleep(0.1)


def is_there(url: str) -> bool:
    with suppress(OSError), closing(urllib.request.urlopen(f"{url}/docs", timeout=5)):
        return True
    return False


def go(page: Page, part: str) -> None:
    page.get_by_role("link", name=part.title(), exact=True).click()
    settle(page)


def settle(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_function(
        "!document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-testid=stSpinner], "
        "[data-stale=true]') && document.getAnimations().every((one) => one.playState !== 'running')"
    )


def give(page: Page, name: str, data: bytes, kind: str = "image/jpeg") -> None:
    page.locator(FIELD).last.set_input_files({"name": name, "mimeType": kind, "buffer": data})


def analyse(page: Page, data: bytes = ASTRONAUT) -> None:
    give(page, "photo.jpg", data)
    expect(page.locator(".emo-answer")).to_be_visible()
    settle(page)


def is_streamlits(page: Page, rule: str, node: dict[str, Any]) -> bool:
    within = STREAMLITS_OWN.get(rule)
    script = "(element, within) => element.closest(within) !== null"
    return within is not None and bool(page.locator(node["target"][0]).evaluate(script, within))


def main(page: Page) -> str:
    return page.get_by_test_id("stMain").inner_text()


def test_a_photo_shows_frames_chart_and_reactions_and_the_threshold_changes_them(page: Page) -> None:
    analyse(page)
    expect(page.get_by_role("img", name="a frame around each face: face 1 happy")).to_be_visible()
    expect(page.locator(".emo-bars").first.get_by_role("row")).to_have_count(8)
    assert "😀 happy 99%" in main(page)
    before = page.locator(".emo-reactions").all_inner_texts()
    assert "goes with happy" in before[0]
    page.get_by_role("slider").press("Home")
    expect(page.get_by_text("😢 sad", exact=False).first).to_be_visible()
    expect(page.locator(".emo-reactions").first).to_contain_text("goes with sad")
    assert page.locator(".emo-reactions").all_inner_texts() != before


def test_a_pasted_photo_is_read(page: Page) -> None:
    expect(page.get_by_test_id("stBidiComponentIsolated")).to_be_attached()
    settle(page)
    page.evaluate(
        """async (data) => {
          const given = new DataTransfer();
          const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
          given.items.add(new File([bytes], "image.jpg", { type: "image/jpeg" }));
          document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, bubbles: true }));
        }""",
        base64.b64encode(ASTRONAUT).decode(),
    )
    expect(page.locator(".emo-answer")).to_contain_text("happy")


def test_a_broken_photo_is_a_clear_message(page: Page) -> None:
    give(page, "broken.jpg", ASTRONAUT[:9000])
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("broken.jpg: the JPEG file ends too early; copy or download it again")
    assert "Traceback" not in main(page)


def test_a_batch_of_twenty_is_a_table_to_take_along(page: Page) -> None:
    go(page, "batch")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for number in range(19):
            target.writestr(f"{number}.jpg", ASTRONAUT)
        target.writestr("broken.jpg", ASTRONAUT[:9000])
    give(page, "photos.zip", packed.getvalue(), "application/zip")
    page.get_by_role("button", name="Read them").click()
    expect(page.get_by_text("20 photos, 1 of which could not be read")).to_be_visible()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert [row["dominant"] for row in rows] == ["happy"] * 19 + [""]
    assert rows[-1]["error_code"] == "truncated"


def test_edited_rules_hold_at_once_and_can_be_taken_along(page: Page) -> None:
    analyse(page)
    go(page, "policy")
    expect(page.locator(".emo-reactions").first).to_contain_text("🎉")
    page.get_by_role("combobox", name="Fits 😀 happy").press("Backspace")
    expect(page.locator(".emo-reactions").first).not_to_contain_text("🎉")
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Rules as YAML").click()
    assert "🎉" not in Policy.load(download.value.path()).rules["happy"].allow
    go(page, "analyse")
    expect(page.get_by_test_id("stMain")).to_contain_text("By your own rules")


def test_what_visitors_say_is_seen_in_the_insights(page: Page) -> None:
    analyse(page)
    choices = page.get_by_test_id("stButtonGroup")
    choices.get_by_text("No", exact=True).click()
    choices.get_by_text("surprise", exact=True).click()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Thank you. It is kept on the computer that shows this page")).to_be_visible()
    go(page, "insights")
    expect(page.get_by_text("0% of 1 answers agree")).to_be_visible()
    expect(page.get_by_test_id("stMain")).to_contain_text(re.compile(r"said\W+surprise"))


def test_two_models_are_compared_and_one_is_explained(page: Page) -> None:
    analyse(page)
    go(page, "compare")
    expect(page.locator(".emo-answer")).to_have_count(2)
    go(page, "explain")
    expect(page.get_by_role("img", name="orange over the parts")).to_be_visible()


@pytest.mark.parametrize(("keeps", "where"), [("1", "by the server"), ("0", "on the computer that shows this page")])
def test_a_server_answers_in_the_place_of_the_models_here(
    run: Callable[..., str], browser: Browser, keeps: str, where: str
) -> None:
    served = run("serve", EMOLENS_SERVE_FEEDBACK=keeps)
    for page in opened(browser, run("ui", "--server", served, "--base-path", "/faces", path="/faces")):
        analyse(page)
        assert "😀 happy 99%" in main(page)
        page.get_by_test_id("stButtonGroup").get_by_text("Yes", exact=True).click()
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text(f"It is kept {where}")).to_be_visible()
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_test_id("stButtonGroup").get_by_text("Yes", exact=True)).to_be_visible()
        page.get_by_role("button", name="Help for An emotion counts from").hover()
        expect(page.get_by_text("the server's own threshold counts").first).to_be_visible()
        give(page, "broken.jpg", ASTRONAUT[:9000])
        expect(page.get_by_role("alert")).to_contain_text("broken.jpg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_part_keeps_anybody_out(browser: Browser, url: str, scheme: str, width: int) -> None:
    found = {}
    for page in opened(browser, url, color_scheme=scheme, viewport={"width": width, "height": 900}):
        analyse(page)
        for part in PARTS:
            if part != "analyse":
                menu = page.get_by_test_id("stExpandSidebarButton")
                if menu.is_visible():
                    menu.click()
                go(page, part)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            for one in Axe().run(page).response["violations"]:
                nodes = [node["html"][:200] for node in one["nodes"] if not is_streamlits(page, one["id"], node)]
                if one["impact"] in ("serious", "critical") and nodes:
                    found[f"{part} {one['id']}"] = nodes
    assert found == {}


def test_a_photo_of_twelve_megapixels_does_not_freeze_it(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(page)
    large = Image.open(io.BytesIO(ASTRONAUT)).resize((4000, 3000), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).integers(-6, 7, (3000, 4000, 3))
    file = tmp_path / "large.jpg"
    Image.fromarray((np.asarray(large, np.int16) + noise).clip(0, 255).astype(np.uint8)).save(file, quality=92)
    page.evaluate(STOPWATCH)
    page.locator(FIELD).last.set_input_files(file)
    expect(page.get_by_text("4000 × 3000 pixels")).to_be_visible()
    page.wait_for_function("stopwatch.picture")
    found = page.evaluate("stopwatch")
    with capsys.disabled():
        times = " and ".join(f"{found[what]:.0f} ms to the {what}" for what in ("answer", "picture"))
        sys.stderr.write(f"\n12 megapixels, {file.stat().st_size / 1e6:.1f} MB: {times}\n")
    assert "happy" in main(page)
