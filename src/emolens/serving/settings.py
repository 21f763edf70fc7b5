"""What can be set of the server: `EMOLENS_SERVE_*` in the environment, or in `.env`."""

import ipaddress
import math
import re
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from emolens.cores import usable_cores
from emolens.errors import ConfigError
from emolens.image import Limits
from emolens.serving.security import Keys

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")


class ServerSettings(BaseSettings):
    """The settings of one server; each is the variable `EMOLENS_SERVE_` and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="EMOLENS_SERVE_", env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", description="the address to listen at")
    port: int = Field(8000, ge=0, le=65535, description="the port to listen at; 0 takes any free one")
    workers: int = Field(1, ge=1, le=64, description="server processes")
    models: str = Field("face", description="names or files of emotion models, comma between them; the first answers")
    policy: str = Field("social", description="the policy at the start: a name or a YAML file")
    policies: str = Field("", description="the folder of the policy's versions; without it they end with the server")
    processes: int = Field(0, ge=0, le=256, description="that decode and detect, per worker; 0: the cores it can have")
    batch: int = Field(32, ge=1, le=1024, description="faces in one call of the model")
    batch_wait: float = Field(3.0, ge=0, le=1000, description="milliseconds that a face waits for others")
    queue: int = Field(64, ge=1, le=100_000, description="images accepted and not yet answered, per process")
    memory: int = Field(256 * 2**20, ge=1, description="bytes of uploads held at once, per process")
    files: int = Field(16, ge=1, le=1000, description="files in one request to /predict/batch")
    feedback: bool = Field(False, description="1: takes what people say of predictions, into EMOLENS_FEEDBACK_URL")
    streams: int = Field(16, ge=1, le=10_000, description="open at once, per process")
    stream_seconds: int = Field(30, ge=1, le=3600, description="within which a stream's next frame has to arrive")
    upload_seconds: float = Field(30.0, gt=0, le=3600, description="within which a request's body has to arrive")
    deadline: float = Field(10.0, gt=0, le=3600, description="seconds from then until an answer is given up")
    idle_seconds: int = Field(10, ge=1, le=3600, description="within which a request's head has to arrive")
    drain_seconds: int = Field(20, ge=1, le=3600, description="for the requests that run when the server is stopped")
    keys: SecretStr = Field(SecretStr(""), description="NAME:SHA256 of each key that may use it, comma between them")
    admin_keys: SecretStr = Field(SecretStr(""), description="the same of the keys that may change the policy")
    key_rate: float = Field(0.0, ge=0, le=1e6, description="requests per second of each key; 0: any number")
    key_concurrency: int = Field(0, ge=0, le=100_000, description="requests of each key at once; 0: any number")
    cors: str = Field("", description="origins of the pages that may ask, comma between them; * for all")
    connections: int = Field(512, ge=1, le=100_000, description="open at once, per process")
    allow_public: bool = Field(False, description="1: listens at a public address without keys, too")

    @classmethod
    def load(cls, **given: Any) -> Self:
        """The settings of the environment, except for those that are given.

        Raises:
            ConfigError: one of them cannot be used; the message has no secret in it.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            raise ConfigError("; ".join(map(_fault, error.errors()))) from None

    @field_validator("files")
    @classmethod
    def _fits_the_queue(cls, value: int, others: ValidationInfo) -> int:
        if value > others.data.get("queue", value):
            raise ValueError(f"{value} files never fit into a queue of {others.data['queue']} images; make it longer")
        return value

    @field_validator("models", "policy", "policies")
    @classmethod
    def _at_home(cls, value: str, setting: ValidationInfo) -> str:
        parts = _parts(value) if setting.field_name == "models" else [value]
        try:
            return ",".join(str(Path(part).expanduser()) if part.startswith("~") else part for part in parts)
        except RuntimeError:
            raise ValueError("it begins with a home that is not known; write the path out") from None

    @field_validator("keys", "admin_keys")
    @classmethod
    def _can_be_read(cls, value: SecretStr) -> SecretStr:
        Keys.parse(value.get_secret_value())
        return value

    @field_validator("key_rate", "key_concurrency")
    @classmethod
    def _has_keys(cls, value: float, others: ValidationInfo) -> float:
        keys = (others.data.get(name, SecretStr("")).get_secret_value() for name in ("keys", "admin_keys"))
        if value and not any(keys):
            raise ValueError("this is a limit of each key, and there are no keys; set EMOLENS_SERVE_KEYS")
        return value

    @field_validator("cors")
    @classmethod
    def _names_origins(cls, value: str) -> str:
        for origin in _parts(value):
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError("an origin is scheme://host or scheme://host:port, and nothing after it; or *")
        return value

    def origins(self) -> tuple[str, ...]:
        """The pages that may ask."""
        return tuple(_parts(self.cors))

    def check_exposure(self) -> None:
        """Raises ConfigError where anybody on the network could use the server, and nobody has said that they may."""
        if not (self.keys.get_secret_value() or self.allow_public or _is_loopback(self.host)):
            raise ConfigError(
                f"{self.host} can be reached from other machines, and there are no keys: set EMOLENS_SERVE_KEYS, or "
                "EMOLENS_SERVE_ALLOW_PUBLIC=1 where something in front of the server says who may use it"
            )

    def shown(self) -> dict[str, str]:
        """Every variable with its value in force; secrets masked."""
        return {variable(name): str(getattr(self, name)) for name in type(self).model_fields}

    def as_environment(self) -> dict[str, str]:
        """Every variable with its value, secrets included: from it another process loads the same settings."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            variable(name): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
        }

    def key_share(self) -> tuple[float, int]:
        """What each key may have of one worker: requests per second, and requests at once."""
        return self.key_rate / self.workers, math.ceil(self.key_concurrency / self.workers)

    def frame_bytes(self, limits: Limits) -> int:
        """The most that a frame may have, so that all that arrive at once are no more than the memory for uploads."""
        return min(limits.max_bytes, self.memory // self.streams)

    def cores(self) -> int:
        """The processes that decode and detect, by the plan of `docs/serve.md`."""
        return self.processes or max(1, usable_cores() // self.workers)


def _parts(text: str) -> list[str]:
    return [part for part in (part.strip() for part in text.split(",")) if part]


def variable(name: str) -> str:
    """The environment's variable of a setting."""
    return f"EMOLENS_SERVE_{name.upper()}"


def _fault(fault: Any) -> str:
    name = ".".join(map(str, fault["loc"]))
    return f"{variable(name)}: {fault['msg'].removeprefix('Value error, ')}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
