"""What people say of predictions: kept in a database, looked at, and handed on as training data."""

from emolens.feedback.answer import Answer
from emolens.feedback.store import Kept, Store

__all__ = ["Answer", "Kept", "Store"]
