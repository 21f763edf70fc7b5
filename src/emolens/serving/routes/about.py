"""What the server says of itself."""

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST

from emolens import __version__
from emolens.serving import schemas
from emolens.serving.access import with_key
from emolens.serving.policies import LIVE
from emolens.serving.schemas import errors
from emolens.serving.services import Services


def open_routes(services: Services) -> APIRouter:
    """For probes; without a key."""
    router = APIRouter(tags=["probes"])

    @router.get("/health")
    async def health() -> schemas.Health:
        """The process answers."""
        return schemas.Health(model_loaded=True)  # it does not start without

    @router.get("/ready", responses=errors(503))
    async def ready() -> schemas.Ready:
        """Photographs can be sent."""
        services.engine.check_running()
        return schemas.Ready(ready=True)

    @router.get("/hello")
    async def hello() -> schemas.Hello:
        """Who is here."""
        return schemas.Hello(version=__version__)

    return router


def about_routes(services: Services) -> APIRouter:
    """What models and policy know, and how the server fares."""
    router = APIRouter(tags=["about"], dependencies=[Depends(with_key(services.keys))], responses=errors(401, 429))
    engine = services.engine

    @router.get("/emotions")
    async def emotions() -> schemas.Emotions:
        """The emotions of the default model."""
        labels = list(engine.default.card.labels)
        return schemas.Emotions(emotions=labels, num_emotions=len(labels))

    @router.get("/emotion_mappings")
    async def emotion_mappings() -> schemas.EmotionMappings:
        """The emoji that each emotion allows and blocks by the live policy; context rules are in `GET /policy`."""
        policy = await services.policies.find(LIVE)
        rules = {label: policy.rules.get(label) for label in policy.labels}
        return schemas.EmotionMappings(
            mappings={
                label: schemas.Mapped(
                    allowed=list(rule.allow) if rule else [], blocked=list(rule.block) if rule else []
                )
                for label, rule in rules.items()
            }
        )

    @router.get("/models")
    async def models() -> schemas.Models:
        """The models that a request can ask for."""
        return schemas.Models(
            models=[
                schemas.ModelAnswer(
                    name=name,
                    version=one.card.version,
                    kind=one.card.kind,
                    labels=list(one.card.labels),
                    objective=one.card.objective,
                    licence=one.card.licence,
                    sha256=one.about.get("sha256"),
                    default=one is engine.default,
                )
                for name, one in engine.served.items()
            ]
        )

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """For Prometheus; the sum of all processes of the server."""
        return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router
