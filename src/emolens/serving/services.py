"""What the routes of one application share."""

from dataclasses import dataclass
from pathlib import Path

from emolens.image import Limits
from emolens.serving.engine import Engine
from emolens.serving.errors import RequestError
from emolens.serving.feedback import Feedback
from emolens.serving.gate import Gate
from emolens.serving.guard import Guard, Quotas
from emolens.serving.metrics import Metrics
from emolens.serving.models import open_models
from emolens.serving.policies import Policies
from emolens.serving.security import Keys
from emolens.serving.settings import ServerSettings


@dataclass(frozen=True)
class Services:
    """Everything that lives as long as the application."""

    settings: ServerSettings
    limits: Limits
    engine: Engine
    policies: Policies
    gate: Gate
    metrics: Metrics
    keys: Guard
    admin_keys: Guard
    feedback: Feedback | None

    @classmethod
    def open(cls, settings: ServerSettings) -> "Services":
        """Opens models and policy.

        Raises:
            ConfigError, ModelError, PolicyError, MissingExtraError: something that the settings name cannot be used.
        """
        limits, metrics = Limits.from_environment(), Metrics()
        admin_keys = Keys.parse(settings.admin_keys.get_secret_value())
        keys = Keys.parse(settings.keys.get_secret_value())
        quotas = Quotas(*settings.key_share())
        return cls(
            settings,
            limits,
            Engine(open_models(settings, limits), settings, metrics),
            Policies(settings.policy, Path(settings.policies) if settings.policies else None),
            Gate(settings.queue, settings.memory, settings.streams, metrics),
            metrics,
            Guard(keys | admin_keys if keys else keys, quotas),
            Guard(Keys() | admin_keys, quotas),
            Feedback.open() if settings.feedback else None,
        )

    def model(self, name: str | None) -> str:
        """The model that a request asks for; the first one if it asks for none.

        Raises:
            RequestError: 422, there is none of that name.
        """
        served = self.engine.served
        if name is not None and name not in served:
            raise RequestError(422, "unknown_model", f"there is no such model; there are {', '.join(served)}")
        return self.engine.default.name if name is None else name
