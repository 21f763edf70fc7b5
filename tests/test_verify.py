"""Model files that are here are checked: pulled ones to the byte, others by what their cards say."""

import errno
import sys
from pathlib import Path

import onnx
import pytest

from emolens import zoo
from emolens.errors import ModelError
from emolens.verify import present, verify
from models import make_model_file, write_graph


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOLENS_MODELS", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mine(cache: Path) -> Path:
    cache.mkdir()
    return make_model_file(cache / "mine.onnx")


def test_what_comes_with_emolens_is_right() -> None:
    for name in zoo.embedded():
        verify(name)


def test_only_what_is_here_is_checked_unasked(mine: Path) -> None:
    assert present() == [*zoo.embedded(), "mine"]
    mine.with_name("yunet.onnx").touch()
    assert present() == [*zoo.embedded(), "yunet", "mine"]


def test_a_model_of_ones_own_is_checked_by_name_and_by_path(mine: Path) -> None:
    verify("mine")
    verify(str(mine))


@pytest.mark.parametrize(
    ("name", "said"),
    [("yunet", "emolens models pull yunet"), ("mina", "did you mean 'mine'"), ("/no.onnx", "no model")],
)
@pytest.mark.usefixtures("mine")
def test_what_is_not_here_is_a_fault(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        verify(name)


def test_a_pulled_file_is_checked_to_the_byte(mine: Path) -> None:
    mine.rename(mine.with_name("hsemotion-b2.onnx"))
    with pytest.raises(ModelError, match="is not the file that hsemotion-b2 stands for"):
        verify("hsemotion-b2")


def test_a_file_without_a_card_is_a_fault(mine: Path) -> None:
    write_graph(mine, 48, 1, [0.0] * 8, {})
    with pytest.raises(ModelError, match="has no model card"):
        verify("mine")


def test_a_graph_that_its_card_does_not_describe_is_a_fault(mine: Path) -> None:
    write_graph(mine, 48, 1, [0.0] * 7, zoo.card_of(mine).to_metadata())
    with pytest.raises(ModelError, match="but the graph has 'logits'"):
        verify("mine")


def test_a_detectors_card_in_a_classifier_is_a_fault(mine: Path) -> None:
    make_model_file(mine, ("face",), kind="detector", objective="detection")
    with pytest.raises(ModelError, match=str(mine)):
        verify("mine")


def test_weights_in_other_files_are_a_fault_even_if_those_are_here(mine: Path) -> None:
    onnx.save(onnx.load(mine), mine, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert mine.with_name("weights.bin").exists()
    with pytest.raises(ModelError, match=r"its weights are in other files \(external data\)"):
        verify("mine")


def test_an_operator_of_others_is_a_fault(mine: Path) -> None:
    model = onnx.load(mine)
    model.graph.node[0].domain, model.graph.node[0].op_type = "com.example", "Run"
    model.opset_import.append(onnx.helper.make_opsetid("com.example", 1))
    onnx.save(model, mine)
    with pytest.raises(ModelError, match=r"needs operators that ONNX Runtime does not have .*com\.example"):
        verify("mine")


@pytest.mark.parametrize("kept", [0, 100, -1])
def test_a_cut_file_is_a_fault(kept: int, mine: Path) -> None:
    mine.write_bytes(mine.read_bytes()[:kept])
    with pytest.raises(ModelError, match="cannot be opened as ONNX"):
        verify("mine")


def test_a_file_that_cannot_be_read_is_a_fault(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    entry = zoo.entry("yunet")
    with mine.with_name("yunet.onnx").open("wb") as file:
        file.truncate(entry.size)
    # Root, as whom this may run, can read everything.
    monkeypatch.setattr(sys.modules["emolens.zoo.entries"], "file_hash", refuse)
    with pytest.raises(ModelError, match=r"yunet\.onnx cannot be read: Permission denied"):
        verify("yunet")


def test_a_link_to_nothing_is_no_model(mine: Path) -> None:
    mine.with_name("gone.onnx").symlink_to("nowhere.onnx")
    mine.with_name("folder.onnx").mkdir()
    assert list(zoo.own()) == ["mine"]
