"""Trackers: what is asked for arrives in each of them, and none of them can spoil a training."""

import contextlib
import hashlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import lightning
import numpy as np
import pytest
import torch
import wandb
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from emolens.errors import ConfigError, InterruptedTrainingError, MissingExtraError
from emolens.evaluation.plots import draw_confusion
from emolens.training.recipe import load_recipe
from emolens.training.run import Run
from emolens.training.trackers import Trackers
from emolens.training.trainer import quiet_lightning

# MLflow's tables, and a Lightning trainer of one batch without workers.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
]

LABELS = ("happy", "sad")
CONFUSION = [[30, 2], [0, 8]]
MODEL = b"not really a model"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's settings, and nothing written outside of the test's folder."""
    for name in tuple(os.environ):
        if name.startswith(("MLFLOW_", "WANDB_")):
            monkeypatch.delenv(name)
    for name in ("CACHE", "CONFIG", "DATA", "ARTIFACT"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / "wandb"))
    monkeypatch.setenv("WANDB_CONSOLE", "off")
    monkeypatch.setenv("NETRC", str(tmp_path / "no-passwords"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of runs, since MLflow takes seconds to make the database beside them."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def run(runs: Path, request: pytest.FixtureRequest) -> Run:
    recipe = load_recipe("face", ["optimisation.epochs=3", f"limits=[{'long ' * 200}]"])
    return Run.start(runs / request.node.name, recipe, resume=False)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Weights & Biases without a network; it reads the environment once for all runs of a process."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    wandb.teardown()
    yield
    wandb.teardown()


class Toy(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor) -> torch.Tensor:
        loss = self.layer(batch).square().mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(trackers: Trackers) -> None:
    """Two steps of a training."""
    with quiet_lightning():
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=1,
            logger=trackers.loggers,
            log_every_n_steps=1,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Toy(), DataLoader(torch.ones(2, 1)))


def track(run: Run, *names: str, resume: bool = False) -> None:
    """All that a training tells."""
    model = run.folder / "model.onnx"
    model.write_bytes(MODEL)
    with Trackers(names) as trackers:
        trackers.start(run, resume)
        fit(trackers)
        trackers.add_confusion(CONFUSION, LABELS)
        trackers.add_model(model)


def is_the_picture(file: Path) -> bool:
    with Image.open(file) as found:
        return np.array_equal(np.asarray(found.convert("RGB")), np.asarray(draw_confusion(CONFUSION, LABELS)))


def tracked_id(run: Run, name: str) -> str:
    found: str = json.loads((run.folder / "tracking.json").read_text())[name]
    return found


def store(run: Run) -> MlflowClient:
    return MlflowClient(f"sqlite:///{run.folder.parent}/mlflow.db")


def in_mlflow(run: Run) -> MlflowRun:
    return store(run).get_run(tracked_id(run, "mlflow"))


def test_tensorboard_shows_recipe_curves_confusion_and_where_the_model_file_is(run: Run) -> None:
    track(run, "tensorboard")
    events = EventAccumulator(str(run.folder / "logs")).Reload()
    assert [event.step for event in events.Scalars("loss")] == [0, 1]
    texts = {tag: events.Tensors(f"{tag}/text_summary")[0].tensor_proto.string_val[0] for tag in ("recipe", "model")}
    assert yaml.safe_load(texts["recipe"]) == yaml.safe_load((run.folder / "recipe.yaml").read_text())
    for fact in (f"{run.folder}/model.onnx", f"{len(MODEL)} bytes", hashlib.sha256(MODEL).hexdigest()):
        assert fact in texts["model"].decode()
    (picture,) = events.Images("confusion")
    assert min(picture.width, picture.height) > 200
    assert not (run.folder / "tracking.json").exists()


def test_mlflow_keeps_everything_in_a_database_beside_the_run(run: Run, tmp_path: Path) -> None:
    before = dict(os.environ)
    track(run, "mlflow")
    client, tracked = store(run), in_mlflow(run)
    assert client.get_experiment(tracked.info.experiment_id).name == "emolens"
    assert (tracked.info.run_name, tracked.info.status) == (run.folder.name, "FINISHED")
    assert [point.step for point in client.get_metric_history(tracked.info.run_id, "loss")] == [0, 1]
    parameters = tracked.data.params
    assert (parameters["optimisation.epochs"], parameters["name"], parameters["data.labels"]) == (
        "3",
        "face",
        "social8",
    )
    assert parameters["limits"].startswith('["long long')
    files = Path(client.download_artifacts(tracked.info.run_id, "", str(tmp_path)))
    assert (files / "recipe.yaml").read_bytes() == (run.folder / "recipe.yaml").read_bytes()
    assert (files / "model.onnx").read_bytes() == MODEL
    assert json.loads((files / "confusion.json").read_text()) == {"labels": [*LABELS], "confusion": CONFUSION}
    assert is_the_picture(files / "confusion.png")
    assert (run.folder.parent / "mlartifacts").is_dir()
    # Else the next training of this process would be tracked in the folder of this one.
    assert {name: value for name, value in os.environ.items() if before.get(name) != value} == {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "WANDB_ERROR_REPORTING": "false",
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError, "FAILED"), (InterruptedTrainingError, "KILLED"), (KeyboardInterrupt, "KILLED")],
)
def test_a_training_that_breaks_off_is_marked_so(run: Run, error: type[BaseException], status: str) -> None:
    trackers = Trackers(["mlflow"])
    trackers.start(run)
    with pytest.raises(error), trackers:
        raise error
    assert in_mlflow(run).info.status == status


def test_a_resumed_training_goes_on_in_the_tracked_run_and_a_new_one_does_not(run: Run) -> None:
    track(run, "mlflow")
    first = tracked_id(run, "mlflow")
    with Trackers(["mlflow"]) as trackers:
        trackers.start(run, resume=True)
        assert in_mlflow(run).info.status == "RUNNING"
        fit(trackers)
    assert tracked_id(run, "mlflow") == first
    assert in_mlflow(run).info.status == "FINISHED"
    assert len(store(run).get_metric_history(first, "loss")) == 4
    track(run, "mlflow")
    assert tracked_id(run, "mlflow") != first


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"mlflow": "../../x"}', b'{"wandb": 1}', b" " * 9999])
def test_a_damaged_file_of_ids_is_named(run: Run, content: bytes) -> None:
    (run.folder / "tracking.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"tracking\.json is damaged; delete it"):
        Trackers(["mlflow"]).start(run, resume=True)


def test_a_tracked_run_that_is_gone_is_named_with_the_file_that_names_it(run: Run) -> None:
    (run.folder / "tracking.json").write_text(json.dumps({"mlflow": "0" * 32}))
    with pytest.raises(ConfigError, match=r"0{32}.*or delete .*tracking\.json"):
        Trackers(["mlflow"]).start(run, resume=True)


@pytest.mark.parametrize("uri", ["http://somebody:secret@127.0.0.1:9", "htp://127.0.0.1", "no/such\0place"])
def test_a_wrong_uri_fails_at_once_in_one_line_without_the_password(
    run: Run, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.replace("\0", "_"))
    begin = time.monotonic()
    with pytest.raises(ConfigError, match=r"MLflow cannot track this: .*; check MLFLOW_TRACKING_URI") as caught:
        Trackers(["mlflow"]).start(run)
    assert time.monotonic() - begin < 20
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@contextlib.contextmanager
def mlflow_server(run: Run) -> Iterator[tuple[str, Callable[[], None]]]:
    """A server with a database beside the run: its address, and how to end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = run.folder.parent
    command = f"-m mlflow server --workers 1 --host 127.0.0.1 --port {port} --backend-store-uri sqlite:///{folder}/s.db"
    files = ["--artifacts-destination", str(folder / "served")]
    light = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command.split(), *files], stdout=log, stderr=log, env=light, start_new_session=True
        )

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with its workers
        process.wait()

    uri = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=5):
                break
            time.sleep(0.5)
        yield uri, end
    finally:
        end()


@pytest.mark.slow
def test_a_tracking_uri_is_used_and_a_server_that_goes_away_ends_no_training(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with mlflow_server(run) as (uri, end_server):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "ours")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        track(run, "mlflow")
        client = MlflowClient(uri)
        tracked = client.get_run(tracked_id(run, "mlflow"))
        assert client.get_experiment(tracked.info.experiment_id).name == "ours"
        assert (tracked.info.status, tracked.data.params["optimisation.epochs"]) == ("FINISHED", "3")
        assert len(client.get_metric_history(tracked.info.run_id, "loss")) == 2
        files = Path(client.download_artifacts(tracked.info.run_id, "", str(tmp_path)))
        names = sorted(file.name for file in files.iterdir())
        assert names == ["confusion.json", "confusion.png", "model.onnx", "recipe.yaml"]
        assert (files / "model.onnx").read_bytes() == MODEL
        assert capsys.readouterr().out == ""

        with caplog.at_level(logging.WARNING, "emolens"), Trackers(["mlflow", "tensorboard"]) as trackers:
            trackers.start(run)
            end_server()
            fit(trackers)
            trackers.add_confusion(CONFUSION, LABELS)
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    said = [record.getMessage() for record in warned if record.name.startswith("emolens")]
    assert ["no more curves" in line or "given up" in line for line in said] == [True, True]
    events = EventAccumulator(str(run.folder / "logs")).Reload()
    assert len(events.Scalars("loss")) == 2
    assert events.Images("confusion")


@pytest.mark.usefixtures("offline")
def test_an_offline_folder_of_weights_and_biases_holds_everything(run: Run) -> None:
    track(run, "wandb")
    (folder,) = (run.folder / "wandb").glob("offline-run-*")
    files = folder / "files"
    assert (files / "recipe.yaml").read_bytes() == (run.folder / "recipe.yaml").read_bytes()
    assert (files / "model.onnx").read_bytes() == MODEL
    assert not any(file.is_symlink() for file in files.rglob("*"))
    (picture,) = files.glob("media/images/confusion_*.png")
    assert is_the_picture(picture)
    (table,) = files.glob("media/table/confusion_table_*.json")
    assert json.loads(table.read_text())["data"] == [["happy", 30, 2], ["sad", 0, 8]]
    log = next(folder.glob("*.wandb")).read_bytes()
    for said in (b"loss", b"trainer/global_step", b"optimisation", b"emolens", run.folder.name.encode()):
        assert said in log


@pytest.mark.usefixtures("offline")
def test_a_resumed_training_has_the_same_id_at_weights_and_biases(run: Run) -> None:
    track(run, "wandb")
    first = tracked_id(run, "wandb")
    track(run, "wandb", resume=True)
    assert tracked_id(run, "wandb") == first
    assert len([*(run.folder / "wandb").glob(f"offline-run-*-{first}*")]) == 2


@pytest.mark.parametrize(
    ("name", "value"), [("WANDB_MODE", "sideways"), ("WANDB_BASE_URL", "nonsense"), ("WANDB_API_KEY", "short")]
)
@pytest.mark.usefixtures("offline")
def test_weights_and_biases_set_up_wrongly_fails_at_once(
    run: Run, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"Weights & Biases cannot track this: .*WANDB_MODE=offline$"):
        Trackers(["wandb"]).start(run)


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_is_named_before_anything_begins(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"to track a training with .*emolens\[track\]"):
        Trackers(["tensorboard", name])


def test_an_unknown_tracker_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="'mlfow' is no tracker; did you mean 'mlflow'"):
        Trackers(["mlfow"])


def test_of_several_processes_only_the_first_tracks(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "torchrun sets it")
    monkeypatch.setenv("RANK", "1")
    track(run, "tensorboard", "mlflow")
    assert not (run.folder / "logs").exists()
    assert not (run.folder / "tracking.json").exists()
