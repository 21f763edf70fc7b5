"""What people say of predictions: kept in a database, looked at, and handed on as training data."""

from typing import TYPE_CHECKING, Any

from emolens.feedback.answer import Answer

if TYPE_CHECKING:
    from emolens.feedback.store import Kept, Store

__all__ = ["Answer", "Kept", "Store"]


def __getattr__(name: str) -> Any:
    # Lazy, since answers can be sent and looked at without the extra that keeps them.
    if name not in ("Kept", "Store"):
        raise AttributeError(f"module 'emolens.feedback' has no attribute {name!r}")
    from emolens.feedback import store

    return getattr(store, name)
