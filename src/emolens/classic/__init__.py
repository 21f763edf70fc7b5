"""Classic systems: features of a crop (`emolens.features`) and a classifier of scikit-learn over them."""
