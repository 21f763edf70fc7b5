"""Networks into model files."""
