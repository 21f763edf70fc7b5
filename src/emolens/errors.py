"""Every error that emolens raises on purpose: one small tree, each message with the cause, the place and the remedy."""

from typing import Self


class EmolensError(Exception):
    """The root: catch this to catch everything that emolens raises on purpose."""


class ImageError(EmolensError):
    """An image could not be read.

    Args:
        code: a short, stable, machine-readable word such as `truncated`.
        message: what was wrong and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.code, str(self))  # so that it passes from one process to another


class ModelError(EmolensError):
    """A model file is missing, damaged, or not one of ours."""


class PolicyError(EmolensError):
    """A policy file breaks a rule; the message names the file and the line."""


class DataError(EmolensError):
    """A dataset is not laid out as its reader expects."""


class ConfigError(EmolensError):
    """A setting, recipe or argument cannot be used."""


class FeedbackError(EmolensError):
    """Feedback cannot be kept or read.

    Args:
        code: `away` where the database cannot be reached or used now, `conflict` where the id has another answer,
            `unusable` where the database will not do as it is.
        message: what was wrong and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InterruptedTrainingError(EmolensError):
    """The user stopped a training; what was learnt up to the last step is kept."""


class MissingExtraError(EmolensError):
    """An optional dependency is not installed.

    Args:
        extra: the extra that brings it.
        purpose: what it is needed for, as in "to read HEIC photographs".
    """

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose}, install the extra '{extra}': pip install 'emolens[{extra}]'")
        self.extra = extra


class ServerError(EmolensError):
    """A server has refused a request, or cannot be reached.

    Args:
        code: a short, stable, machine-readable word: the server's own, or `unreachable`, `broken_off`, `timeout`,
            `bad_answer`, where it has said none.
        message: what was wrong and what to do.
        request_id: under which the server's log has the request.
        status: of the answer, in HTTP; None where there was none.
        retry_after: seconds after which the server wants to be asked again, if it has said so.
    """

    def __init__(
        self, code: str, message: str, request_id: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        EmolensError.__init__(self, f"{message} ({code}; request {request_id})")
        self.code, self.message, self.request_id = code, message, request_id
        self.status, self.retry_after = status, retry_after


EXIT_CODES: dict[type[EmolensError], int] = {
    ImageError: 1,
    ModelError: 2,
    PolicyError: 2,
    DataError: 2,
    ConfigError: 2,
    FeedbackError: 2,
    InterruptedTrainingError: 130,  # as shells tell Ctrl-C
    MissingExtraError: 2,
    ServerError: 2,
}
