"""The pieces of HTML."""

from html.parser import HTMLParser

from emolens.results import Face, Prediction, Reactions
from emolens.ui.markup import answer, bars, face_cards, reactions_list

HOSTILE = "<script>alert(1)</script>"


class Reading(HTMLParser):
    """Collects tags and text as a browser would."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_bars_are_a_table_that_begins_with_the_likeliest_and_has_a_caption() -> None:
    read = Reading(bars({"sad": 0.2, "happy": 0.8}, "How likely"))
    assert read.texts == ["How likely", "😀 happy", "80%", "😢 sad", "20%"]
    widths = [attributes["style"] for tag, attributes in read.tags if tag == "span"]
    assert widths == ["width:80.0%", "width:20.0%"]


def test_labels_of_others_are_text_and_nothing_else() -> None:
    face = Face((0, 0, 9, 9), 0.9, {HOSTILE: 0.6, "b": 0.4}, (HOSTILE, "b"))
    prediction = Prediction("a.jpg", "tiny", 9, 9, {HOSTILE: 1.0}, (HOSTILE,), (face,), Reactions())
    reactions = Reactions(("😀",), (), ("😀",), {"😀": {"allowed_by": (HOSTILE,), "blocked_by": ()}})
    for markup in (
        bars({HOSTILE: 1.0}, HOSTILE),
        answer(prediction, HOSTILE),
        face_cards([face], [b"jpeg"]),
        reactions_list(reactions),
    ):
        read = Reading(markup)
        assert "script" not in [tag for tag, _ in read.tags]
        assert HOSTILE in "".join(read.texts)


def test_an_unsure_answer_has_a_badge_in_words() -> None:
    unsure = Prediction("a.jpg", "tiny", 9, 9, {"happy": 0.3}, ("happy",), (), Reactions(), unsure=True)
    assert "not sure" in Reading(answer(unsure, "")).texts


def test_an_answer_says_at_once_which_reactions_fit() -> None:
    for fitting, said in (("😀", "🎉"), "😀 🎉"), ((), "none"):
        prediction = Prediction("a.jpg", "tiny", 9, 9, {"happy": 1.0}, ("happy",), (), Reactions(suggested=fitting))
        assert Reading(answer(prediction, "")).texts[-2:] == ["Reactions that fit: ", said]


def test_every_picture_of_a_face_has_a_text_in_its_place() -> None:
    face = Face((0, 0, 9, 9), 0.9, {"happy": 1.0}, ("happy",))
    pictures = [attributes for tag, attributes in Reading(face_cards([face, face], [b"", b""])).tags if tag == "img"]
    assert [picture["alt"] for picture in pictures] == ["Face 1", "Face 2"]


def test_no_reaction_is_said_too() -> None:
    assert Reading(reactions_list(Reactions())).texts.count("none") == 2
