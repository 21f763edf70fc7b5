"""Policy: which emoji fit which emotion, to be changed and tried on the current photograph."""

from dataclasses import replace
from typing import Literal

import streamlit as st

from emolens.errors import PolicyError
from emolens.policy import MAX_BYTES, Policy
from emolens.ui import markup, session
from emolens.ui.choose import choose_picture
from emolens.ui.pictures import annotated, described, opened
from emolens.ui.policy_rows import Row, known_emoji, rows, to_yaml, with_rows
from emolens.ui.say import show_error
from emolens.ui.session import Choice
from emolens.ui.words import headline, named

_CONFLICTS: dict[str, Literal["block_wins", "allow_wins"]] = {
    "it does not fit": "block_wins",
    "it fits": "allow_wins",
}
_FALLBACKS: dict[str, Literal["top", "none"]] = {
    "the likeliest one counts": "top",
    "none counts, and no reaction fits": "none",
}


def show() -> None:
    """Draws the page."""
    st.title("Which reactions fit which emotion?", anchor=False)
    st.markdown(
        "What you change here holds on every page of this visit, and for nobody else. Take the file along to keep it."
    )
    _start_over()
    problem = st.container()
    policy = Policy.from_yaml(session.policy_text(), "policy")
    edited = _edited(policy)
    try:
        checked = Policy.from_yaml(to_yaml(edited), "policy")
    except PolicyError as error:
        with problem:  # above the fields, which are longer than a screen
            # Without file and line, since here is none.
            show_error(PolicyError("\n".join(line.partition(": ")[2] for line in str(error).splitlines())))
            st.warning("Until that is mended, the rules stay as they were.", icon="↩️")
    else:
        if checked != policy:
            session.keep_policy(to_yaml(checked))
    st.download_button(
        "Rules as YAML", session.policy_text(), "policy.yaml", "application/yaml", on_click="ignore", width="stretch"
    )
    st.subheader("Try them on a photo", anchor=False)
    _try()


def _start_over() -> None:
    with st.expander("Begin with other rules"):
        if st.button("With those that come with the models", disabled=not session.has_own_policy()):
            _begin_with(None)
        given = st.file_uploader(
            "With a file of yours", ["yaml", "yml"], max_upload_size=1, key=f"policy file {_generation()}"
        )
        if given is None:
            return
        try:
            text = given.getvalue()[: MAX_BYTES + 1].decode("utf-8")
            if len(text) > MAX_BYTES:
                raise PolicyError(f"{given.name}: is over {MAX_BYTES // 1024} KB, which no policy needs")
            Policy.from_yaml(text, given.name)
        except UnicodeDecodeError:
            st.error("The file is not UTF-8 text; save it with that encoding.", icon="⚠️")
        except PolicyError as error:
            show_error(error)
        else:
            _begin_with(text)


def _begin_with(text: str | None) -> None:
    session.keep_policy(text)
    # The widgets below have keys of their own generation, so that new ones show the new rules.
    st.session_state["policy generation"] = _generation() + 1
    st.rerun()


def _generation() -> int:
    count: int = st.session_state.get("policy generation", 0)
    return count


def _edited(policy: Policy) -> Policy:
    """The policy as the fields of the page say."""
    emoji = known_emoji(policy)
    changed = [_edit(row, emoji) for row in rows(policy)]
    added = _add_together(policy)
    with st.expander("Finer points"):
        conflict = st.radio(
            "Where one emotion allows an emoji and another one blocks it",
            list(_CONFLICTS),
            index=list(_CONFLICTS.values()).index(policy.conflict),
            key=f"conflict {_generation()}",
        )
        fallback = st.radio(
            "Where no emotion is likely enough",
            list(_FALLBACKS),
            index=list(_FALLBACKS.values()).index(policy.fallback),
            key=f"fallback {_generation()}",
        )
    edited = with_rows(policy, [*changed, *added])
    return replace(edited, conflict=_CONFLICTS[conflict], fallback=_FALLBACKS[fallback])


def _edit(row: Row, emoji: list[str]) -> Row:
    fits, not_fits = st.columns(2)
    allow = _emoji_field(fits, f"Fits {row.title}", row.allow, emoji)
    block = _emoji_field(not_fits, f"Does not fit {row.title}", row.block, emoji)
    return replace(row, allow=allow, block=block)


def _emoji_field(
    place: "st.delta_generator.DeltaGenerator", label: str, chosen: tuple[str, ...], known: list[str]
) -> tuple[str, ...]:
    key = f"{label} {_generation()}"
    # What is chosen stays on offer, so that the field is the same one after every change.
    options: list[str] = st.session_state.setdefault(f"options {key}", list(dict.fromkeys([*chosen, *known])))
    options += [emoji for emoji in st.session_state.get(key, ()) if emoji not in options]
    return tuple(
        place.multiselect(
            label,
            options,
            list(chosen) if key not in st.session_state else None,
            key=key,
            accept_new_options=True,
            placeholder="none",
            wrap=True,
        )
    )


def _add_together(policy: Policy) -> list[Row]:
    with st.expander("A rule for emotions that are found together"):
        with st.form("together", clear_on_submit=True, border=False):
            when = st.multiselect("Emotions", policy.labels, format_func=named, key="together when")
            block = st.multiselect("Reactions that do not fit then", known_emoji(policy), accept_new_options=True)
            sent = st.form_submit_button("Add")
        if not sent:
            return []
        if len(when) < 2 or not block:
            st.warning("Choose two emotions or more, and a reaction.", icon="☝️")
            return []
        return [Row(tuple(when), (), tuple(block))]


def _try() -> None:
    picture = choose_picture()
    if picture is None:
        return
    who = session.backend()
    choice = Choice(who.models[0], next(iter(who.detectors), ""))
    prediction = session.answer(picture, choice)
    left, right = st.columns([1, 2], gap="large")
    drawn = session.last(
        "tried", (picture.key, choice), lambda: annotated(opened(picture, session.limits()), prediction)
    )
    left.image(drawn, width="stretch", alt=described(prediction))
    right.markdown(f"**{headline(prediction)}**")
    with right:
        st.html(markup.reactions_list(prediction.reactions))
