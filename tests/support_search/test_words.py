"""What a word is, and which part of a text shows it: without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.support.search.snippet import snippet
from tertulia.support.search.words import answers, pieces, wanted, words_of
from tests.support.fuzz import fuzz

# What was said, and what finds it.
FOUND = [
    ("Where is my REFUND?", "refund"),
    ("Where is my refund?", "my REF"),
    ("¿Dónde está el café?", "cafe donde"),
    ("el cafe", "CAFÉ"),
    ("cafe\u0301", "café"),
    ("Straße", "STRASSE"),
    ("ΟΔΥΣΣΕΑΣ", "οδυσσέας"),
    ("Ёлка", "елка"),
    ("İstanbul", "istanbul"),
    ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
    ("order AB-12345 of ana@example.org", "ab-123 ana@example.org"),
    ("don't", "don't"),
    ("مَرْحَبًا", "مرحبا"),
    ("שָׁלוֹם", "שלום"),
    ("नमस्ते दुनिया", "दुनिया"),
    ("안녕하세요 고객님", "고객"),
    ("我想退款,谢谢", "退款"),
    ("我想退款,谢谢", "款"),
    ("我想退款,谢谢", "谢谢"),
    ("東京都に住んでいます", "京都"),
    ("ｶﾌﾟﾁｰﾉをください", "プチーノ"),
    ("iPhone用ケース", "iphone ケース"),
    ("สวัสดีครับ น้ำ", "ครับ"),
    ("party 🎉🎉", "🎉"),
    ("½ price", "1"),
    ("x" * 500, "x" * 300),
    ("".join(map(str, range(200))), "".join(map(str, range(150)))),
    ("é " + "".join(map(str, range(200))), "".join(map(str, range(150)))),
]
NOT_FOUND = [
    ("Where is my refund?", "fund"),
    ("Where is my refund?", "refund soon"),
    ("我想退款", "款退"),
    ("東京", "京東"),
    ("party", "🎉"),
]


@pytest.mark.parametrize(("text", "query"), FOUND)
def test_a_text_is_found_by_the_beginnings_of_its_words(text: str, query: str) -> None:
    assert wanted(query)
    assert answers(text, wanted(query))
    assert snippet(text, wanted(query)).marks


@pytest.mark.parametrize(("text", "query"), NOT_FOUND)
def test_and_by_nothing_else(text: str, query: str) -> None:
    assert not answers(text, wanted(query))


@pytest.mark.parametrize(
    "query", ["", "   ", '"', "* ( ) : ^ - + ' \\", "\x00\x00", "…?!", "\u200d\ufe0f"]
)
def test_what_has_no_word_asks_for_nothing(query: str) -> None:
    assert wanted(query) == []


def test_operators_are_words_like_any_other() -> None:
    asked = wanted('NEAR(a b) OR "c" AND NOT col:d* ^e')
    assert asked == ["near", "a", "b", "or", "c", "and", "not", "col", "d", "e"]


SIGNS = "'\"\\ \x00\n*():&|!<>-^%_$"
LETTERS = ["refund", "Café", "東京都", "🎉", " ", "ﷺ", "½", "น้ำ", "ｶﾞ", "x" * 90, "ß", "م\u064e"]


@fuzz(300)
@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(SIGNS), max_size=60))
def test_words_hold_nothing_that_a_database_could_take_for_more(text: str) -> None:
    """They are put between quotes, and kept with spaces between them."""
    for word in (*wanted(text), *words_of(text).split(" ")):
        assert not set(word) & set(SIGNS)
    for piece in pieces(text):
        assert 0 <= piece.start < piece.end <= len(text)
        assert piece.word in words_of(text).split(" ")
    assert answers(text, wanted(text))


class TestSnippets:
    def test_the_hit_is_in_it_and_marked(self) -> None:
        text = "before " * 100 + "the Refund, please " + "after " * 100
        told = snippet(text, wanted("refund"))
        assert len(told.text) <= 200
        ((start, end),) = told.marks
        assert told.text[start:end] == "Refund"
        assert told.text.startswith("…")
        assert told.text.endswith("…")

    def test_it_is_where_most_of_the_words_are(self) -> None:
        text = "refund " + "so " * 200 + "a refund of the coffee " + "so " * 200
        told = snippet(text, wanted("coffee refund"))
        assert [told.text[start:end] for start, end in told.marks] == ["refund", "coffee"]

    def test_a_short_text_is_shown_as_a_whole_and_on_one_line(self) -> None:
        told = snippet("one\n\n  two\tthree", wanted("two"))
        assert (told.text, told.marks) == ("one two three", [[4, 7]])

    def test_pairs_of_letters_are_one_hit(self) -> None:
        told = snippet("私は東京都に住む", wanted("東京都"))
        assert [told.text[start:end] for start, end in told.marks] == ["東京都"]
        told = snippet("私は東京都に住む", wanted("京"))
        assert [told.text[start:end] for start, end in told.marks] == ["京"]

    @fuzz(300)
    @given(
        st.lists(st.sampled_from(LETTERS), max_size=90).map("".join),
        st.lists(st.sampled_from(LETTERS), max_size=2).map("".join),
    )
    def test_marks_are_in_order_apart_and_inside(self, text: str, query: str) -> None:
        told = snippet(text, wanted(query))
        assert len(told.text) <= 200
        ends = [0, *(place for mark in told.marks for place in mark), len(told.text)]
        assert ends == sorted(ends)
        assert all(start < end for start, end in told.marks)
        assert bool(told.marks) == any(answers(text, [word]) for word in wanted(query))
