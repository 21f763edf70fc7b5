"""Runs the steps of the Dockerfile where there is no Docker, and asks the server that comes of them.

    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm ROOT
    python deploy/prove.py ROOT WORK

As root, on Linux. Copies of ROOT stand for the base images; every command is the Dockerfile's own, read from it, and an
instruction that this program does not know is an error. The server then runs as the Dockerfile's user, on a root that
is mounted read-only. What that leaves unproven is said in docs/deploy.md.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

CONTEXT = Path(__file__).parent.parent
DOCKERFILE = CONTEXT / "deploy" / "Dockerfile"
PHOTO = CONTEXT / "docs" / "images" / "astronaut.jpg"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Stage:
    """An image in the making: a root and what holds in it."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    user: str = "0:0"
    folder: str = "/"
    health: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    layers: list[tuple[str, int]] = field(default_factory=list)

    def inside(self, path: str) -> Path:
        return self.root / str(Path("/", self.folder, path)).lstrip("/")

    def command(self, *arguments: str) -> list[str]:
        assigned = [f"{name}={value}" for name, value in self.environment.items()]
        shell = 'cd "$0" && exec "$@"'
        chroot = ["chroot", f"--userspec={self.user}", str(self.root), "/usr/bin/env", "-i", *assigned]
        return [*chroot, "/bin/sh", "-c", shell, self.folder, *arguments]


def instructions(text: str) -> list[tuple[str, str]]:
    """Name and arguments of each instruction, lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines) + "\n")
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def build(text: str, base: Path, work: Path) -> Stage:
    """Follows the instructions; the last stage."""
    stages: dict[str, Stage] = {}
    stage = Stage(base)
    for count, (name, rest) in enumerate(instructions(text)):
        print(f"{name} {rest[:100]}", flush=True)
        before = size(stage.root)
        match name:
            case "FROM":
                stage = stages[rest.partition(" AS ")[2]] = Stage(work / f"stage{count}")
                subprocess.run(["cp", "-a", base, stage.root], check=True)
                prepare(stage)
                continue
            case "WORKDIR":
                stage.folder = rest
                stage.inside(".").mkdir(parents=True, exist_ok=True)
            case "ENV":
                for word in shlex.split(rest):
                    variable, _, value = word.partition("=")
                    stage.environment[variable] = value.replace("$PATH", stage.environment["PATH"])
            case "COPY":
                copy(rest.split(), stage, stages)
            case "RUN":
                subprocess.run(stage.command("/bin/sh", "-c", rest), check=True)
            case "USER":
                stage.user = rest
            case "HEALTHCHECK":
                stage.health = json.loads(rest.partition(" CMD ")[2])
            case "ENTRYPOINT":
                stage.entrypoint = json.loads(rest)
            case "EXPOSE":
                pass
            case _:
                raise SystemExit(f"{DOCKERFILE}: this program does not know {name}")
        stage.layers.append((f"{name} {rest[:60]}", size(stage.root) - before))
    return stage


def prepare(stage: Stage) -> None:
    """What Docker and the base image bring: names of hosts, and `python`; and the certificates of this machine."""
    shutil.copy("/etc/resolv.conf", stage.root / "etc/resolv.conf")
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", stage.root / "etc/ssl/certs/ca-certificates.crt")
    link = stage.root / "usr/local/bin/python"
    link.unlink(missing_ok=True)
    link.symlink_to("/usr/bin/python3")


def copy(words: list[str], stage: Stage, stages: dict[str, Stage]) -> None:
    origin = CONTEXT
    if words[0].startswith("--from="):
        origin = stages[words.pop(0).removeprefix("--from=")].root
    else:
        allowed = [line[1:] for line in (CONTEXT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
        if missing := set(words[:-1]) - set(allowed):
            raise SystemExit(f".dockerignore keeps {missing} from the build")
    *sources, target = words
    for source in sources:
        found = origin / source.lstrip("/")
        place = stage.inside(target) / found.name if target.endswith("/") else stage.inside(target)
        if found.is_dir():
            shutil.copytree(found, place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(found, place)


def size(root: Path) -> int:
    told = subprocess.run(["du", "-s", "--block-size=1", "--one-file-system", root], capture_output=True, text=True)
    return int(told.stdout.split()[0])


def ask(stage: Stage) -> None:
    """Starts the server as the image would, with a root that nobody can write to, and asks it."""
    stage.environment |= {"EMOLENS_SERVE_ALLOW_PUBLIC": "1", "EMOLENS_SERVE_PORT": "18080"}
    mounted = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", mounted, str(stage.root), *stage.command(*stage.entrypoint)]
    started = time.monotonic()
    server = subprocess.Popen(command)
    try:
        while subprocess.run(stage.command(*stage.health), stderr=subprocess.DEVNULL).returncode:
            if server.poll() is not None or time.monotonic() - started > 60:
                raise SystemExit("the server has not become healthy")
        print(f"healthy after {time.monotonic() - started:.1f} s, the check's own interpreter included")
        owner = Path(f"/proc/{server.pid}").stat().st_uid
        print(f"runs as user {owner}")
        request = urllib.request.Request(
            "http://127.0.0.1:18080/predict", PHOTO.read_bytes(), {"Content-Type": "image/jpeg"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            print("answers", answer.status, json.load(answer)["prediction"]["dominant_emotion"])
        if owner == 0:
            raise SystemExit("the server runs as root")
    finally:
        server.send_signal(signal.SIGTERM)
        print("ended with", server.wait(30), "after SIGTERM")


def main() -> None:
    if os.geteuid() != 0 or len(sys.argv) != 3:
        raise SystemExit(__doc__)
    base, work = map(Path, sys.argv[1:])
    work.mkdir(parents=True)
    stage = build(DOCKERFILE.read_text(encoding="utf-8"), base, work)
    ask(stage)
    print(f"{size(base) / 1e6:8.1f} MB  the root that stands for the base image")
    for name, added in stage.layers:
        if added:
            print(f"{added / 1e6:8.1f} MB  {name}")


if __name__ == "__main__":
    main()
