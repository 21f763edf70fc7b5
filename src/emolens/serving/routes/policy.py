"""The live policy: shown, replaced, rolled back."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from emolens.policy import MAX_BYTES
from emolens.serving.access import with_admin_key, with_key
from emolens.serving.errors import RequestError
from emolens.serving.policies import Version
from emolens.serving.schemas import PolicyAnswer, PolicyVersion, errors
from emolens.serving.services import Services
from emolens.serving.versions import yaml_text

_POLICY = {"name": "party", "labels": "social8", "rules": {"happy": {"allow": ["🎉"], "block": ["😢"]}}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/yaml": {"schema": {"type": "object"}, "example": _POLICY}},
    }
}


def policy_routes(services: Services) -> APIRouter:
    router = APIRouter(tags=["policy"])
    policies, settings = services.policies, services.settings
    admin = [Depends(with_admin_key(services.admin_keys))]

    @router.get("/policy", dependencies=[Depends(with_key(services.keys))], responses=errors(401, 429))
    async def show() -> PolicyAnswer:
        """The live policy, and the versions that are kept."""
        return await _answer(None)

    @router.put("/policy", dependencies=admin, openapi_extra=_BODY, responses=errors(401, 403, 408, 413, 422, 429, 503))
    async def replace(request: Request) -> PolicyAnswer:
        """Makes the YAML of the body the live policy, if it breaks no rule; requests that run end with the old one."""
        return await _answer(await policies.replace(yaml_text(await _body(request))))

    @router.post("/policy/rollback", dependencies=admin, responses=errors(401, 403, 404, 422, 429, 503))
    async def roll_back(version: Annotated[int, Query(ge=1, le=2**31)]) -> PolicyAnswer:
        """Makes an earlier version live again, as a new version."""
        return await _answer(await policies.roll_back(version))

    async def _answer(version: Version | None) -> PolicyAnswer:
        """Of the version, or of the live one."""
        versions = await policies.refreshed()
        version = version or versions[-1]
        kept = [_version(one) for one in versions]
        return PolicyAnswer(**_version(version).model_dump(), yaml=version.text, versions=kept)

    async def _body(request: Request) -> bytes:
        data = bytearray()
        try:
            async with asyncio.timeout(settings.upload_seconds):
                async for chunk in request.stream():
                    data += chunk
                    if len(data) > MAX_BYTES:
                        break
        except TimeoutError:
            raise RequestError(408, "upload_timeout", "the body came too slowly", {"Connection": "close"}) from None
        return bytes(data)

    return router


def _version(version: Version) -> PolicyVersion:
    since = version.since.isoformat(timespec="seconds")
    return PolicyVersion(version=version.number, name=version.policy.name, since=since)
