"""Batch: many photographs, or a zip file of them, as a table to look through and to take along."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emolens.errors import ImageError
from emolens.image import Limits
from emolens.results import Failure, Prediction
from emolens.ui import session
from emolens.ui.archive import MOST_MEMBERS, Archive
from emolens.ui.choose import IMAGE_TYPES, choose_reading
from emolens.ui.launch import ARCHIVE_MB
from emolens.ui.paste import accept_paste
from emolens.ui.pictures import Picture, thumbnail
from emolens.ui.session import Choice
from emolens.ui.tables import FAILED, shown_rows, to_csv, to_parquet, verdict


@dataclass(frozen=True)
class Read:
    """One photograph of a batch.

    Attributes:
        result: as the model gave it.
        thumbnail: JPEG; empty where it could not be read.
    """

    result: Prediction | Failure
    thumbnail: bytes


def show() -> None:
    """Draws the page."""
    st.title("Many photos at once", anchor=False)
    files = st.file_uploader(
        "Drop photos here, or a zip file of photos",
        [*IMAGE_TYPES, "zip"],
        accept_multiple_files=True,
        max_upload_size=ARCHIVE_MB,
        key="batch files",
    )
    accept_paste()
    choice = choose_reading()
    if st.button("Read them", disabled=not files, icon="▶️"):
        st.session_state.batch = _read(files, choice)
    batch: list[Read] | None = st.session_state.get("batch")
    if batch:
        _show_results(batch, choice)


def _read(files: Sequence[UploadedFile], choice: Choice) -> list[Read]:
    """Reads all of them, with a bar that tells how far it is."""
    limits = session.limits()
    total, items = _gathered(files, limits)
    bar = st.progress(0.0, f"0 of {total} photos")
    batch = []
    for done, one in enumerate(_results(items, choice, limits), 1):
        batch.append(one)
        bar.progress(min(1.0, done / max(total, 1)), f"{done} of {total} photos")
    bar.empty()
    return batch


def _gathered(files: Sequence[UploadedFile], limits: Limits) -> tuple[int, list[UploadedFile | Archive | Failure]]:
    """How many photographs there are, and where they are."""
    items: list[UploadedFile | Archive | Failure] = []
    for file in files[:MOST_MEMBERS]:
        if not file.name.lower().endswith(".zip"):
            items.append(file)
            continue
        try:
            items.append(Archive(file.name, file.getvalue(), limits))
        except ImageError as error:
            items.append(Failure.from_error(file.name, error))
    return sum(len(item) if isinstance(item, Archive) else 1 for item in items), items


def _unpacked(items: Sequence[UploadedFile | Archive | Failure]) -> Iterator[Picture | Failure]:
    for item in items:
        if isinstance(item, Archive):
            yield from item
        elif isinstance(item, Failure):
            yield item
        else:
            yield Picture(item.name, item.getvalue())


def _results(items: Sequence[UploadedFile | Archive | Failure], choice: Choice, limits: Limits) -> Iterator[Read]:
    """Every photograph with its result, in order; only those that are being read are in memory."""
    waiting: deque[Picture | Failure] = deque()

    def readable() -> Iterator[Picture]:
        for item in _unpacked(items):
            waiting.append(item)
            if isinstance(item, Picture):
                yield item

    def failed() -> Iterator[Read]:
        while waiting and isinstance(waiting[0], Failure):
            yield Read(waiting.popleft(), b"")  # type: ignore[arg-type]

    for result in session.backend().predict_many(readable(), choice.model, choice.detector):
        yield from failed()
        picture = waiting.popleft()
        assert isinstance(picture, Picture)
        yield Read(result, b"" if isinstance(result, Failure) else thumbnail(picture, limits))
    yield from failed()


def _show_results(batch: Sequence[Read], choice: Choice) -> None:
    decided = [
        one if isinstance(one.result, Failure) else Read(session.under_rules(one.result, choice), one.thumbnail)
        for one in batch
    ]
    failed = sum(isinstance(one.result, Failure) for one in decided)
    st.subheader(f"{len(decided)} photos, {failed} of which could not be read" if failed else f"{len(decided)} photos")
    verdicts = sorted({verdict(one.result) for one in decided}, key=lambda one: (one == FAILED, one))
    wanted = st.pills("Show only", verdicts, selection_mode="multi", key="batch filter")
    shown = [one for one in decided if not wanted or verdict(one.result) in wanted]
    st.caption("A click on a column's head sorts by it.")
    st.dataframe(
        shown_rows([one.result for one in shown], [one.thumbnail for one in shown]),
        column_config=_columns(),
        hide_index=True,
        row_height=64,
        alt="Every photo with its answer",
    )
    results = [one.result for one in shown]
    left, right = st.columns(2)
    left.download_button(
        "Table as CSV",
        to_csv(results),
        "emotions.csv",
        "text/csv",
        on_click="ignore",
        width="stretch",
    )
    right.download_button(
        "Table as Parquet",
        lambda: to_parquet(results),
        "emotions.parquet",
        "application/vnd.apache.parquet",
        on_click="ignore",
        width="stretch",
    )


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "photo": column.ImageColumn("photo", width="small"),
        "name": column.TextColumn("name"),
        "answer": column.TextColumn("answer"),
        "sure": column.ProgressColumn("how sure", format="%d%%", min_value=0, max_value=100),
        "faces": column.NumberColumn("faces", width="small"),
        "reactions": column.TextColumn("reactions that fit"),
        "problem": column.TextColumn("problem"),
    }
