"""Names of files: in any script, on any system."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videogen.core.text import MAX_NAME_BYTES, disposition, file_name, file_stem, money, numbered


@pytest.mark.parametrize(
    "word",
    ["सूर्यास्त", "อาทิตย์", "السَّلامُ", "東京", "이야기", "é", "می‌خواهم", "क्‍ष", "नमस्ते", "ἥλιος", "שָׁלוֹם"],
    ids=ascii,
)
def test_words_of_every_script_stay_whole(word):
    assert file_name(f"  {word}, {word}!", "mp4") == unicodedata.normalize("NFC", f"{word}-{word}.mp4")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        *((0, "0.00"), (0.004, "0.004"), (0.0042, "0.0042"), (0.00987, "0.0099"), (0.0000012, "0.0000012")),
        *((0.04, "0.04"), (0.0849, "0.085"), (0.0999, "0.10"), (0.4, "0.40"), (0.25, "0.25"), (0.126, "0.13")),
        *((3, "3.00"), (12.345, "12.35"), (1234.5, "1,234.50")),
    ],
)
def test_an_amount_of_money_has_two_decimal_places_or_two_digits(amount, text):
    assert money(amount) == text


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Ocean at sunset", "ocean-at-sunset"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows", "c-windows"),
        ("a\x00b\x1f\x7f\x85c\nd", "a-b-c-d"),
        ("invoice\u202egpj.exe", "invoice-gpj-exe"),
        ("\u2066a\u2069\u200e\u200f b\ufeff", "a-b"),
        ("name... ", "name"),
        ("\u0301\u200d", "video"),
        ("🌊️👩‍🚀", "video"),
        ("🌊️ ocean", "ocean"),
        ("", "video"),
        ("con", "con_"),
        ("NUL", "nul_"),
        ("Com1", "com1_"),
        ("lpt9.", "lpt9_"),
        ("aux-2", "aux-2"),
    ],
    ids=ascii,
)
def test_a_name_has_nothing_that_a_system_or_a_reader_takes_for_something_else(title, stem):
    assert file_stem(title) == stem


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("word " * 100, "-".join(["word"] * 24)),
        ("x" * 500, "x" * MAX_NAME_BYTES),
        ("कि" * 100, "कि" * 20),
        ("xक्ष" * 50, ("xक्ष" * 50)[:48]),
        ("น้ำ" * 100, "น้ำ" * 13),
        ("a" + "\u0301\u0302" * 300, "video"),
    ],
    ids=ascii,
)
def test_a_long_name_is_cut_between_words_or_letters(title, stem):
    assert file_stem(title) == stem


@given(st.text())
def test_every_name_is_short_and_made_of_letters_digits_and_their_marks(title):
    stem = file_stem(title)
    assert 0 < len(stem.encode()) <= MAX_NAME_BYTES + 1
    assert all(char.isalnum() or char in "-_\u200c\u200d" or unicodedata.category(char)[0] == "M" for char in stem)
    assert not stem.startswith("-")


def test_a_name_that_is_taken_gets_a_number():
    names = numbered("a")
    assert [next(names) for _ in range(3)] == ["a", "a-2", "a-3"]


def test_the_header_has_an_ascii_name_and_the_exact_one():
    assert disposition("inline", "a-b.mp4") == 'inline; filename="a-b.mp4"'
    assert disposition("inline", "con_.mp4") == 'inline; filename="con_.mp4"'
    assert (
        disposition("attachment", "été.zip") == "attachment; filename=\"ete.zip\"; filename*=UTF-8''%C3%A9t%C3%A9.zip"
    )
    assert 'filename="archive.zip"' in disposition("attachment", "東京.zip")
    assert 'filename="video.mp4"' in disposition("inline", "東京.mp4")
