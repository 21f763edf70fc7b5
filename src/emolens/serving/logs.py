"""Logs as JSON lines on stderr: which request, how it ended and how long it took; never what an image shows."""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

LOGGER = "emolens.serving"
SOCKETS = "uvicorn.error.sockets"


class JsonLines(logging.Formatter):
    """One JSON object per record; what `extra={"fields": {...}}` gives is part of it.

    Of an exception it has the kind and the places, not the message, which may quote what was uploaded.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            line["exception"] = type(record.exc_info[1]).__name__
            line["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, ensure_ascii=False)


CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "emolens.serving.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "ERROR"},
    "loggers": {LOGGER: {"level": "INFO"}, "uvicorn": {"level": "INFO"}, SOCKETS: {"level": "WARNING"}},
}
"""For `logging.config.dictConfig`, in each process of the server."""
