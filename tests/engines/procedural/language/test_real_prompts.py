"""What is claimed of prompts as people write them. `prompts.csv` was written by reading the prompts.

`claims`: what the engine must say that it understood: a subject (with its number), `time:`, `style:`, `no:` and so on.
`may`: claims that are right as well; a topic alone stands for all its values. Any other claim is wrong.
`missing`: words that must be listed as not understood or not used."""

import csv
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from videogen.engines.procedural.language import KINDS, parse_prompt

FOLDER = Path(__file__).parent.parent
with (FOLDER / "prompts.csv").open(encoding="utf-8", newline="") as table:
    CASES = list(csv.DictReader(table, delimiter="|", quoting=csv.QUOTE_NONE))
FUNCTION_WORDS = {
    language: set(words.casefold().split())
    for language, words in tomllib.loads((FOLDER / "function_words.toml").read_text(encoding="utf-8")).items()
}
UNSPACED = "\u3005-\u9fff"
# A word, one character of a script without spaces, or an emoji.
WORD = re.compile(
    rf"[{UNSPACED}]|[^\W_{UNSPACED}](?:[^\W_{UNSPACED}]|[\u0300-\u036f\u0590-\u05ff\u0610-\u065f\u0900-\u0e4e])*|[\U0001f300-\U0001faff]"
)


def listed(cell):
    return [part.strip() for part in cell.split(",") if part.strip()]


def words(text):
    return [word.casefold() for word in WORD.findall(text)]


def claims(spec):
    """The claims of a scene, each as in the table."""
    found = set()
    for reading in spec.understood:
        for became in reading.became.split("; "):
            head, *rest = became.split(", ")
            topic, separator, value = became.partition(": ")
            if head in KINDS:
                number = next((part for part in rest if part.isdigit()), "several" if "several" in rest else "1")
                found.add((head, number))
            elif separator:
                found.add((topic, value))
            elif became.startswith("no "):
                found |= {("no", kind) for kind in became.removeprefix("no ").split(" and no ")}
            elif became in ("loop", "title"):
                found.add((became, ""))
    return found


def is_meant(claim, entries):
    """Whether one of the entries of the table means this claim."""
    topic, value = claim
    for entry in entries:
        name, separator, wanted = re.match(r"([^:=]+)([:=]?)(.*)", entry).groups()
        if name == topic and (not separator or wanted == value):
            return True
    return False


@pytest.mark.parametrize("row", CASES, ids=[case["prompt"][:40] for case in CASES])
def test_what_is_claimed_is_what_the_prompt_names_and_each_word_is_in_one_list(row):
    spec = parse_prompt(row["prompt"])
    required, allowed = listed(row["claims"]), listed(row["may"])
    found = claims(spec)
    assert [entry for entry in required if not any(is_meant(claim, [entry]) for claim in found)] == []
    assert {claim for claim in found if not is_meant(claim, required + allowed)} == set()
    lists = (" ".join(reading.phrase for reading in spec.understood), " ".join(spec.ignored), " ".join(spec.unused))
    understood, not_understood, not_used = (Counter(words(text)) for text in lists)
    left_out = not_understood + not_used
    assert [word for phrase in listed(row["missing"]) for word in words(phrase) if not left_out[word]] == []
    function_words = FUNCTION_WORDS[row["language"]] | FUNCTION_WORDS["en"]
    wrong = {}
    for word, count in Counter(words(row["prompt"])).items():
        times = sum(1 for occurrences in (understood, not_understood, not_used) if occurrences[word])
        if (word not in function_words and times == 0) or (count == 1 and times > 1):
            wrong[word] = times
    assert wrong == {}


def test_the_table_is_large_and_of_many_languages():
    assert len(CASES) >= 430
    assert len({case["prompt"] for case in CASES}) == len(CASES)
    outside = [
        case for case in CASES if not any(re.split("[=]", entry)[0] in KINDS for entry in listed(case["claims"]))
    ]
    assert len(outside) >= 100
    assert {case["language"] for case in CASES} == FUNCTION_WORDS.keys()
    of_words = {
        entry.split("=")[0].partition(":")[0] for case in CASES for entry in listed(case["claims"] + "," + case["may"])
    }
    assert of_words <= {
        *KINDS,
        "time",
        "season",
        "mood",
        "style",
        "camera",
        "pace",
        "palette",
        "no",
        "title",
        "loop",
        "number",
    }
