"""What a line of the log says, and what it never does."""

import json
import logging
import sys

from emolens.serving.logs import JsonLines


def line(exc_info: object = None, **fields: object) -> dict[str, object]:
    record = logging.LogRecord("emolens.serving", logging.INFO, "", 0, "done %s", ("so",), exc_info)  # type: ignore[arg-type]
    record.fields = fields
    written = JsonLines().format(record)
    assert "\n" not in written
    read: dict[str, object] = json.loads(written)
    return read


def test_a_line_is_json_with_time_level_event_and_fields() -> None:
    said = line(request_id="mine\nyours", status=200)
    assert str(said.pop("time")).endswith("+00:00")
    assert said == {"level": "info", "event": "done so", "request_id": "mine\nyours", "status": 200}


def test_of_a_fault_it_has_kind_and_places_but_not_the_message() -> None:
    try:
        raise ValueError("what was uploaded")
    except ValueError:
        said = line(sys.exc_info())
    assert said["exception"] == "ValueError"
    assert "test_logs.py" in str(said["at"])
    assert "what was uploaded" not in str(said)
