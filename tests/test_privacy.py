"""What using emolens leaves behind on a machine: nothing."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_a_prediction_leaves_no_id_of_the_machine_and_no_log_to_send(tmp_path: Path) -> None:
    # ONNX Runtime would put both under the home folder as soon as it is imported.
    photo = ROOT / "docs" / "images" / "astronaut.jpg"
    script = f"import emolens; print(emolens.load('face').predict({str(photo)!r}).dominant)"
    kept = {
        name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    }
    environment = {**kept, "HOME": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "happy"
    assert not list(tmp_path.rglob("*"))
