from hypothesis import given
from hypothesis import strategies as st

from core.prompts.diff import diff_words

texts = st.text(alphabet=st.sampled_from("ab c.\nd,é"), max_size=60)


@given(texts, texts)
def test_both_texts_can_be_read_back(old: str, new: str) -> None:
    parts = diff_words(old, new)
    assert "".join(part.text for part in parts if part.kind != "added") == old
    assert "".join(part.text for part in parts if part.kind != "removed") == new


def test_a_changed_word_stands_removed_before_added() -> None:
    parts = diff_words("Answer in one sentence.", "Answer in two sentences.")
    changed = [(part.kind, part.text) for part in parts if part.kind != "same"]
    assert changed == [("removed", "one"), ("added", "two"), ("removed", "sentence"), ("added", "sentences")]


def test_equal_texts_have_no_changes() -> None:
    assert [part.kind for part in diff_words("the same", "the same")] == ["same"]
