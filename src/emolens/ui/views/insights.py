"""Insights: what people say of the answers, and whether the answers have shifted since the model was evaluated."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import streamlit as st

from emolens.card import ModelCard
from emolens.card_page.markdown import text
from emolens.text import percent
from emolens.ui import session
from emolens.ui.asking import has_feedback, store
from emolens.ui.words import named

if TYPE_CHECKING:
    from emolens.feedback import Answer
    from emolens.feedback.drift import Shift
    from emolens.feedback.insights import Period

_SPANS = {"all time": None, "90 days": 90, "30 days": 30, "7 days": 7}
_PERIODS: dict[str, "Period"] = {"by week": "week", "by day": "day", "by month": "month"}
_VERDICTS = {
    "too few": "Too few answers to tell.",
    "as evaluated": "As when it was evaluated.",
    "somewhat different": "Somewhat different from when it was evaluated.",
    "clearly different": "Clearly different from when it was evaluated: look at new photos, or train anew.",
}


def show() -> None:
    """Draws the page."""
    st.title("What people say of the answers", anchor=False)
    if not has_feedback():
        return
    counts = store().counts()
    if not counts:
        st.info(
            "Nobody has said anything yet. The page Analyse asks below every answer whether it was right.", icon="🌱"
        )
        return
    model, version = st.selectbox(
        "Model",
        list(counts),
        format_func=lambda key: f"{key[0]} {key[1]}, {counts[key]} answers",
        key="insights model",
    )
    span = _SPANS[st.segmented_control("How far back", list(_SPANS), default="all time", required=True, key="span")]
    since = None if span is None else datetime.now(UTC) - timedelta(days=span)
    answers = list(store().answers(model=model, version=version, since=since))
    if not answers:
        st.info("Nothing was said in that time.", icon="🌱")
        return
    _show_agreement(answers)
    _show_confusion(answers)
    _show_drift(answers, _card(model, version))


def _show_agreement(answers: "Sequence[Answer]") -> None:
    import altair
    import pandas

    from emolens.feedback.insights import agreement, agreement_over_time

    whole = agreement(answers)
    low, high = whole.interval
    st.subheader("How often people agree", anchor=False)
    reach = f"the true share may lie from {percent(low)} to {percent(high)}"
    st.markdown(f"**{percent(whole.value)}** of {whole.of} answers agree; {reach}.")
    if whole.few:
        st.caption("These are few answers: read nothing into them yet.")
    chosen = st.segmented_control("Put together", list(_PERIODS), default="by week", required=True, key="period")
    found = pandas.DataFrame(
        [
            {
                "from": one.start,
                "predicted": "all" if one.emotion is None else named(one.emotion),
                "agree": one.share.value,
                "low": one.share.interval[0],
                "high": one.share.interval[1],
                "answers": one.share.of,
            }
            for one in agreement_over_time(answers, _PERIODS[chosen])
        ]
    )
    wanted = st.pills(
        "Of the emotions", list(found["predicted"].unique()), selection_mode="multi", default=["all"], key="over time"
    )
    shown = found[found["predicted"].isin(wanted)]
    if len(shown):
        base = altair.Chart(shown, description="The share of answers that agree, over time").encode(
            altair.X("from:T", title=None, axis=altair.Axis(format="%d %b")),
            color=altair.Color("predicted:N", title=None),
        )
        scale = altair.Scale(domain=[0, 1])
        share = altair.Axis(format="%")
        line = base.mark_line(point=True).encode(altair.Y("agree:Q", title="agree", scale=scale, axis=share))
        bars = base.mark_errorbar(opacity=0.5).encode(altair.Y("low:Q", title="agree"), altair.Y2("high:Q"))
        st.altair_chart(bars + line, width="stretch")
    with st.expander("The same as a table"):
        st.table(found.assign(**{name: found[name].map(percent) for name in ("agree", "low", "high")}))


def _show_confusion(answers: "Sequence[Answer]") -> None:
    import pandas

    from emolens.feedback.insights import confusion

    st.subheader("What people say, by what was predicted", anchor=False)
    st.caption(
        "A row for each emotion that people said, a column for each that was predicted; where they agree is bold."
    )
    found = confusion(answers)
    names = [named(label) for label in found.labels]
    cells = [[_cell(count, said == label) for label, count in enumerate(row)] for said, row in enumerate(found.counts)]
    frame = pandas.DataFrame(cells, index=[f"said {name}" for name in names], columns=names)
    st.table(frame[found.counts.sum(axis=1) > 0])


def _cell(count: float, agree: bool) -> str:
    if not count:
        return "·"
    return f"**{count:g}**" if agree else f"{count:g}"


def _show_drift(answers: "Sequence[Answer]", card: ModelCard | None) -> None:
    from emolens.feedback.drift import Reference, drift

    st.subheader("Has anything shifted?", anchor=False)
    reference = None if card is None else Reference.of_card(card)
    if reference is None:
        st.caption("Nothing is on record of what this version predicted when it was evaluated.")
        return
    found = drift(answers, reference)
    st.caption(f"{found.answers} answers, held against {text(found.source)}.")
    _show_shift("What is predicted", found.emotions, emotions=True)
    if found.confidence is not None:
        _show_shift("How sure it is", found.confidence, emotions=False)


def _show_shift(title: str, shift: "Shift", emotions: bool) -> None:
    st.markdown(f"**{title}:** {_VERDICTS[shift.verdict]}")
    st.table(
        [
            {
                "": named(name) if emotions else name,
                "when evaluated": percent(float(expected)),
                "now": percent(float(found)),
            }
            for name, expected, found in zip(shift.names, shift.expected, shift.found, strict=True)
        ]
    )


def _card(model: str, version: str) -> ModelCard | None:
    """The card of that version, if it is here."""
    for name in session.backend().models:
        card = session.about(name).card
        if card is not None and (card.name, card.version) == (model, version):
            return card
    return None
