"""schemathesis over every endpoint of a live server, with all its checks."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT
from server_process import Server

pytestmark = pytest.mark.slow


def entry(name: str) -> str:
    return f"{name}:{hashlib.sha256(name.encode()).hexdigest()}"


def test_every_endpoint_keeps_to_what_openapi_says_of_it(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve(keys=entry("user"), admin_keys=entry("admin"))
    options = {"checks": "all", "max-examples": "20", "seed": "1", "header": "Authorization: Bearer admin"}
    command = [Path(sys.executable).with_name("st"), "run", f"{server.url}/openapi.json"]
    command += [f"--{name}={value}" for name, value in options.items()]
    places = [ROOT / "tests", ROOT / "src"]
    environment = {"SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": os.pathsep.join(map(str, places))}
    ended = subprocess.run(
        command, env=os.environ | environment, cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert ended.returncode == 0, ended.stdout
    assert "Tested: 13\n" in ended.stdout
    assert not [line for line in server.lines if '"fault"' in line]
