"""Dashboard and alerts ask for what the server tells."""

import json
import re

import yaml

from conftest import ROOT
from emolens.serving.metrics import Metrics

DEPLOY = ROOT / "deploy"


def told() -> set[str]:
    """The names in `/metrics`, of which a histogram has three."""
    names = set()
    for family in Metrics().registry.collect():
        ends = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}.get(family.type, ("",))
        names |= {family.name + end for end in ends}
    return names


def test_every_figure_of_dashboard_and_alerts_is_one_of_the_servers() -> None:
    dashboard = json.loads((DEPLOY / "grafana/dashboards/emolens.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    alerts = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8"))
    asked += [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    names = set(re.findall(r"\bemolens_\w+", " ".join(asked)))
    assert len(names) > 6
    assert names <= told()


def test_compose_mounts_what_is_there_and_opens_nothing_to_the_network() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        folders = [volume.partition(":")[0] for volume in service.get("volumes", ()) if volume.startswith(".")]
        assert all((DEPLOY / folder).is_dir() for folder in folders)
    assert (DEPLOY / services["emolens"]["build"]["context"] / services["emolens"]["build"]["dockerfile"]).is_file()
