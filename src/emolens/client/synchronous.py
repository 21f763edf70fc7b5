"""Client: asks a server and waits for the answer."""

import time
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
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


class Client:
    """What `Predictor` does, done by a server; may be used by several threads at once.

    Requests that the server has no room for (503, 429), and connections that fail, are tried again, later and later,
    and no sooner than the server says.

    Args:
        url: of the server.
        key: one of its API keys, if it has any.
        timeout: seconds for connecting, and of silence while an attempt is under way.
        attempts: the most of one call.
        patience: seconds from a call's first attempt on, after which no other one begins.
        limits: what is refused before it is sent.

    Raises:
        ConfigError: an argument cannot be used.
    """

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
        self._http = httpx.Client(**http_options(url, key, timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._http.base_url)!r})"

    def close(self) -> None:
        """Closes the connections; a client that is used with `with` does so itself."""
        self._http.close()

    def predict(
        self,
        source: ImageSource,
        *,
        model: str | None = None,
        policy: str | None = None,
        threshold: float | None = None,
    ) -> Prediction:
        """Reads one image.

        Args:
            source: a path, the bytes of an image file, a Pillow image, or an `(H, W, 3)` RGB or `(H, W)` grey uint8
                array. Files are sent as they are, pixels as PNG.
            model: one of `models()`; the server's default without it.
            policy: one of the server's policies; the live one without it.
            threshold: from which probability on an emotion counts as found; overrides those of policy and model.

        Returns:
            What `Predictor.predict` returns; probabilities have six decimals, boxes one.

        Raises:
            ImageError: it cannot be read, here or there.
            ServerError: the server refuses, or cannot be reached.
        """
        sent = upload(source, source_name(source), self._limits)
        return self._ask(calls.predict(sent, Options(model, policy, threshold)))

    def predict_emojis(
        self,
        source: ImageSource,
        *,
        model: str | None = None,
        policy: str | None = None,
        threshold: float | None = None,
    ) -> list[str]:
        """The emoji that fit an image, likeliest first; arguments and errors are those of `predict`."""
        sent = upload(source, source_name(source), self._limits)
        return self._ask(calls.predict_emojis(sent, Options(model, policy, threshold)))

    def predict_many(
        self,
        sources: Iterable[ImageSource],
        batch_size: int = 8,
        *,
        parallel: int = 4,
        model: str | None = None,
        policy: str | None = None,
        threshold: float | None = None,
    ) -> Generator[Prediction | Failure]:
        """Yields one result per image, in order; an unreadable image yields a `Failure` and the rest go on.

        Args:
            sources: as of `predict`; read a few batches ahead of the result that is asked for.
            batch_size: the most images in one request; the server's `EMOLENS_SERVE_FILES` at most.
            parallel: requests at once.
            model, policy, threshold: as of `predict`.

        Raises:
            ConfigError: `batch_size` or `parallel` is under one.
            ServerError: as of `predict`.
        """
        check_many(batch_size, parallel)
        options = Options(model, policy, threshold)
        pending: deque[Future[list[Prediction | Failure]]] = deque()
        pool = ThreadPoolExecutor(parallel, thread_name_prefix="emolens-client")
        try:
            for batch in named_batches(sources, batch_size):
                pending.append(pool.submit(self._predict_batch, batch, options))
                if len(pending) > parallel:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def emotions(self) -> list[str]:
        """The emotions that the default model knows."""
        return self._ask(calls.emotions())

    def emotion_mappings(self) -> dict[str, dict[str, list[str]]]:
        """Per emotion the emoji that the live policy has for it, `{"allowed": [...], "blocked": [...]}`."""
        return self._ask(calls.emotion_mappings())

    def models(self) -> list[ServedModel]:
        """The models that `predict` can ask for."""
        return self._ask(calls.models())

    def policy(self) -> LivePolicy:
        """The live policy, and the versions that are kept."""
        return self._ask(calls.policy())

    def put_policy(self, text: str) -> LivePolicy:
        """Makes this YAML the live policy; needs an admin key.

        Raises:
            ServerError: it breaks a rule (`invalid_policy`, with the line), or nobody may do this.
        """
        return self._ask(calls.put_policy(text))

    def roll_back_policy(self, version: int) -> LivePolicy:
        """Makes an earlier version live again, as a new one; needs an admin key.

        Raises:
            ServerError: there is no such version (`unknown_version`), or nobody may do this.
        """
        return self._ask(calls.roll_back_policy(version))

    def feedback(self, answer: Answer) -> bool:
        """Sends what somebody said of a prediction; sent again, it is kept once.

        Args:
            answer: the server says when it was given: when it arrives.

        Returns:
            False where it was there already.

        Raises:
            ServerError: another answer has its id (`conflict`), its image cannot be read, or the server keeps no
                feedback (`not_found`).
        """
        return self._ask(calls.feedback(answer))

    def delete_feedback(self, client_id: str) -> bool:
        """Removes what somebody said, and the picture with it, for good.

        Args:
            client_id: the answer's own.

        Returns:
            False where there is no such answer, or no longer.

        Raises:
            ServerError: the server keeps no feedback (`not_found`), or does not answer.
        """
        try:
            self._ask(calls.delete_feedback(client_id))
        except ServerError as error:
            if error.code != "unknown_feedback":
                raise
            return False
        return True

    def health(self) -> bool:
        """Whether the server answers and has its model; not tried again.

        Raises:
            ServerError: it does not answer.
        """
        return self._ask(calls.health())

    def ready(self) -> bool:
        """Whether the server takes images now; not tried again.

        Raises:
            ServerError: it does not answer.
        """
        try:
            return self._ask(calls.ready())
        except ServerError as error:
            if error.status != 503:
                raise
            return False

    def _predict_batch(self, batch: list[tuple[str, ImageSource]], options: Options) -> list[Prediction | Failure]:
        uploads = [try_upload(source, name, self._limits) for name, source in batch]
        results: dict[int, Prediction | Failure] = {
            place: one for place, one in enumerate(uploads) if isinstance(one, Failure)
        }
        for group in groups(uploads):
            results.update(zip(group, self._predict_group(list(group.values()), options), strict=True))
        return [results[place] for place in range(len(batch))]

    def _predict_group(self, group: list[Upload], options: Options) -> list[Prediction | Failure]:
        try:
            return self._ask(calls.predict_batch(group, options))
        except RefusedImageError as error:  # only where it is alone
            return [Failure(group[0].name, error.code, error.message)]

    def _ask(self, call: Call[T]) -> T:
        asking = Asking(call, self._http.base_url, self._retries)
        while True:
            try:
                return asking.read(self._http.request(**asking.request))
            except (httpx.HTTPError, ServerError) as error:
                pause = asking.pause(error)
            time.sleep(pause)
