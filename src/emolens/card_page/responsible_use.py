"""What a model that reads emotion must not be used for, and what the law of the European Union asks of its use."""

from emolens.card_page.markdown import bullets

_READS = {
    "face": "It reads expressions, not feelings. How people show anger, disgust, fear, happiness, sadness and surprise "
    "differs between cultures, situations and persons, and one look of a face can stand for several emotions, or for "
    "none ([Barrett et al., 2019](https://doi.org/10.1177/1529100619832930)). Never report its answer as what a person "
    "feels.",
    "detector": "To find a face is not to recognise an emotion. Together with a model that reads expressions it is a "
    "part of that, and what follows holds for both.",
    "embedding": "Nobody is to be recognised by it here. Together with a model that reads expressions it is a part of "
    "that, and what follows holds for both; who identifies persons by their faces has other rules to keep.",
    "other": "It says what a picture evokes or is, not what a person in it feels. Where it is used to infer emotions "
    "of persons, what follows holds.",
}
_RULES = (
    "Decide nothing about a person by it, neither alone nor as one voice of several: not in hiring, schooling, credit, "
    "insurance, health, policing or at borders; and not whether somebody lies, is dangerous, or pays attention.",
    "Prohibited in the EU ([Regulation (EU) 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj), Art. 5(1)(f)): "
    "to place on the market, put into service for that purpose, or use an AI system to infer emotions of a person at "
    "the workplace or in an education institution, unless it is meant for medical or safety reasons.",
    "Where it is permitted, an AI system meant for emotion recognition, that is for inferring emotions or intentions "
    "of persons from their biometric data (Art. 3(39)), is listed as high-risk (Annex III, point 1(c)), with the "
    "duties that its providers and deployers then have.",
    "Who deploys an emotion recognition system tells the people who are exposed to it that it is at work, and handles "
    "their data by the EU's law of data protection (Art. 50(3); there is an exception for systems that the law permits "
    "for detecting, preventing or investigating crime).",
    "This is a summary, not legal advice; the regulation's text counts, and other countries have other laws.",
)


def responsible_use(kind: str) -> str:
    """What the page of a model of this kind says of its use, in Markdown."""
    return f"{_READS.get(kind, _READS['other'])}\n\n{bullets(_RULES)}"
