"""The store of what people say, off the event loop; where its database is away, the server goes on without."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TypeVar

from pydantic import Base64Bytes, Field, ValidationError

from emolens.errors import FeedbackError, MissingExtraError
from emolens.feedback.answer import MOST_BYTES, Answer, Opinion
from emolens.serving.errors import RequestError
from emolens.serving.logs import LOGGER

if TYPE_CHECKING:
    from emolens.feedback.store import Store

_T = TypeVar("_T")
_LOG = logging.getLogger(LOGGER)

# Each may decode a photograph, and SQLite lets one write at a time anyway.
_AT_ONCE = 2


class SentOpinion(Opinion):
    """An answer as it is sent; when it was given is when it arrives."""

    image: Base64Bytes | None = Field(
        None,
        description=f"the image's file, of {MOST_BYTES // 2**20} MiB at most; only with consent",
        examples=[None],
    )

    @classmethod
    def parse(cls, body: bytes) -> Answer:
        """Reads the JSON of a request.

        Raises:
            RequestError: 400 it is no JSON, 422 it is no answer; values stay unsaid.
        """
        try:
            sent = cls.model_validate_json(body)
            return Answer.model_validate({**sent.model_dump(exclude={"image"}), "image": sent.image})
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            if first["type"] == "json_invalid":
                raise RequestError(400, "bad_json", "the body is no JSON") from None
            place = ".".join(str(part)[:64] for part in first["loc"]) or "feedback"
            message = f"{place}: {first['msg'].removeprefix('Value error, ')}"
            raise RequestError(422, "invalid_feedback", message) from None


class Feedback:
    """Keeps answers for the routes.

    Args:
        store: of the answers.
    """

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @classmethod
    def open(cls) -> Self:
        """The store of `EMOLENS_FEEDBACK_URL`.

        Raises:
            ConfigError: that is no address of a database.
            MissingExtraError: the extra is not there.
        """
        try:
            from emolens.feedback.store import Store
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("emolens"):
                raise
            raise MissingExtraError("feedback", "to keep feedback") from None
        return cls(Store.open())

    async def start(self) -> None:
        """Makes the tables; a database that is away now is asked again when an answer comes."""
        try:
            await asyncio.to_thread(self._store.prepare)
        except FeedbackError as error:
            _tell(error)

    async def stop(self) -> None:
        """Ends the connections."""
        await asyncio.to_thread(self._store.close)

    async def add(self, body: bytes) -> tuple[str, bool]:
        """Keeps the answer in a request's body.

        Returns:
            Its id, and whether it is new.

        Raises:
            RequestError: as `SentOpinion.parse`.
            ImageError: its image cannot be read.
            FeedbackError: `conflict` another answer has the id; `away`, `unusable`.
        """

        def keep() -> tuple[str, bool]:
            answer = SentOpinion.parse(body)
            return answer.client_id, self._store.add(answer)

        return await self._alone(keep)

    async def delete(self, client_id: str) -> bool:
        """Removes an answer; False where there is none.

        Raises:
            FeedbackError: `away`, `unusable`.
        """
        return await self._alone(lambda: self._store.delete(client_id))

    async def _alone(self, work: Callable[[], _T]) -> _T:
        async with self._turns:
            try:
                return await asyncio.to_thread(work)
            except FeedbackError as error:
                if error.code != "conflict":
                    _tell(error)
                raise


def _tell(error: FeedbackError) -> None:
    _LOG.error("feedback away", extra={"fields": {"why": str(error)}})
