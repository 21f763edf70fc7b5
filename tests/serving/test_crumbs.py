"""What may come in how many pieces."""

from hypothesis import given
from hypothesis import strategies as st

from emolens.serving.crumbs import Crumbs


@given(st.lists(st.integers(64, 2**20), max_size=5000))
def test_good_pieces_may_be_as_many_as_there_are(sizes: list[int]) -> None:
    crumbs = Crumbs()
    assert not any(crumbs.too_many(1, size) for size in sizes)


@given(st.integers(0, 2**30), st.integers(0, 8))
def test_crumbs_run_out_soon_however_much_came_before_in_good_pieces(before: int, size: int) -> None:
    crumbs = Crumbs()
    crumbs.too_many(1, before)
    assert any(crumbs.too_many(1, size) for _ in range(1200))
