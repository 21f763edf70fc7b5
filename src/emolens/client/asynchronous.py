"""AsyncClient: the same as `Client`, in an event loop."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from typing import Self

import httpx

from emolens.client import calls
from emolens.client.answers import LivePolicy, RefusedImageError, ServedModel
from emolens.client.asking import Asking, Retries, http_options
from emolens.client.calls import Call, Options, T
from emolens.client.uploads import Upload, check_many, groups, named_batches, try_upload, upload
from emolens.errors import ServerError
from emolens.feedback.answer import Answer
from emolens.image import ImageSource, Limits, source_name
from emolens.results import Failure, Prediction


class AsyncClient:
    """What `Client` does, for programs with an event loop; arguments, results and errors are the same."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        timeout: float = 30.0,
        attempts: int = 5,
        patience: float = 60.0,
        limits: Limits = Limits(),
    ) -> None:
        self._retries, self._limits = Retries(attempts, patience), limits
        self._http = httpx.AsyncClient(**http_options(url, key, timeout))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._http.base_url)!r})"

    async def close(self) -> None:
        """As `Client.close`; `async with` does so itself."""
        await self._http.aclose()

    async def predict(
        self,
        source: ImageSource,
        *,
        model: str | None = None,
        policy: str | None = None,
        threshold: float | None = None,
    ) -> Prediction:
        """As `Client.predict`."""
        sent = await asyncio.to_thread(upload, source, source_name(source), self._limits)
        return await self._ask(calls.predict(sent, Options(model, policy, threshold)))

    async def predict_emojis(
        self,
        source: ImageSource,
        *,
        model: str | None = None,
        policy: str | None = None,
        threshold: float | None = None,
    ) -> list[str]:
        """As `Client.predict_emojis`."""
        sent = await asyncio.to_thread(upload, source, source_name(source), self._limits)
        return await self._ask(calls.predict_emojis(sent, Options(model, policy, threshold)))

    async def predict_many(
        self,
        sources: Iterable[ImageSource],
        batch_size: int = 8,
        *,
        parallel: int = 4,
        model: str | None = None,
        policy: str | None = None,
        threshold: float | None = None,
    ) -> AsyncGenerator[Prediction | Failure]:
        """As `Client.predict_many`."""
        check_many(batch_size, parallel)
        options = Options(model, policy, threshold)
        pending: deque[asyncio.Task[list[Prediction | Failure]]] = deque()
        try:
            for batch in named_batches(sources, batch_size):
                pending.append(asyncio.create_task(self._predict_batch(batch, options)))
                if len(pending) == parallel:
                    for result in await pending.popleft():
                        yield result
            while pending:
                for result in await pending.popleft():
                    yield result
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def emotions(self) -> list[str]:
        """As `Client.emotions`."""
        return await self._ask(calls.emotions())

    async def emotion_mappings(self) -> dict[str, dict[str, list[str]]]:
        """As `Client.emotion_mappings`."""
        return await self._ask(calls.emotion_mappings())

    async def models(self) -> list[ServedModel]:
        """As `Client.models`."""
        return await self._ask(calls.models())

    async def policy(self) -> LivePolicy:
        """As `Client.policy`."""
        return await self._ask(calls.policy())

    async def put_policy(self, text: str) -> LivePolicy:
        """As `Client.put_policy`."""
        return await self._ask(calls.put_policy(text))

    async def roll_back_policy(self, version: int) -> LivePolicy:
        """As `Client.roll_back_policy`."""
        return await self._ask(calls.roll_back_policy(version))

    async def feedback(self, answer: Answer) -> bool:
        """As `Client.feedback`."""
        return await self._ask(calls.feedback(answer))

    async def delete_feedback(self, client_id: str) -> bool:
        """As `Client.delete_feedback`."""
        try:
            await self._ask(calls.delete_feedback(client_id))
        except ServerError as error:
            if error.code != "unknown_feedback":
                raise
            return False
        return True

    async def health(self) -> bool:
        """As `Client.health`."""
        return await self._ask(calls.health())

    async def ready(self) -> bool:
        """As `Client.ready`."""
        try:
            return await self._ask(calls.ready())
        except ServerError as error:
            if error.status != 503:
                raise
            return False

    async def _predict_batch(
        self, batch: list[tuple[str, ImageSource]], options: Options
    ) -> list[Prediction | Failure]:
        uploads = [await asyncio.to_thread(try_upload, source, name, self._limits) for name, source in batch]
        results: dict[int, Prediction | Failure] = {
            place: one for place, one in enumerate(uploads) if isinstance(one, Failure)
        }
        for group in groups(uploads):
            results.update(zip(group, await self._predict_group(list(group.values()), options), strict=True))
        return [results[place] for place in range(len(batch))]

    async def _predict_group(self, group: list[Upload], options: Options) -> list[Prediction | Failure]:
        try:
            return await self._ask(calls.predict_batch(group, options))
        except RefusedImageError as error:  # only where it is alone
            return [Failure(group[0].name, error.code, error.message)]

    async def _ask(self, call: Call[T]) -> T:
        asking = Asking(call, self._http.base_url, self._retries)
        while True:
            try:
                return asking.read(await self._http.request(**asking.request))
            except (httpx.HTTPError, ServerError) as error:
                pause = asking.pause(error)
            await asyncio.sleep(pause)
