"""Poll files: what parses, and what is refused at which place."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from service.domain.poll_file import MAX_CHOICES, PollDraft, read_poll
from service.domain.polls import QuestionKind
from service.errors import InvalidInputError

CONTRACT_EXAMPLE = """
slug: coaching-2021-03-30
title: Leadership coaching for clinicians
questions:
  - text: Does your organization provide leadership coaching/mentoring to clinicians?
    kind: yes_no            # or choice / number / open
  - text: Tell us how, in a few words.
    kind: open
    when: "yes"             # asked only of those who answered yes
"""
RESULTS_AT = "2026-03-05T09:00-07:00"
JOIN_WORDS = frozenset({"STAT", "TOP10"})


def a_file(*questions: Any, **fields: Any) -> dict[str, Any]:
    """A poll file's content that parses, but for what the test puts into it."""
    listed = list(questions) or [{"text": "Ready?"}]
    content = {"slug": "ready", "title": "Are you ready", "questions": listed, **fields}
    return {name: value for name, value in content.items() if value is not ...}


def a_choice_question(*choices: Any, **fields: Any) -> dict[str, Any]:
    return {"text": "Which?", "kind": "choice", "choices": list(choices), **fields}


def from_yaml(text: str) -> PollDraft:
    return read_poll(yaml.safe_load(text), keywords=JOIN_WORDS)


def refusal(content: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read_poll(content, keywords=JOIN_WORDS)
    return str(caught.value)


def test_the_example_that_others_rely_on_parses() -> None:
    draft = from_yaml(CONTRACT_EXAMPLE)
    assert (draft.slug, draft.title) == (
        "coaching-2021-03-30",
        "Leadership coaching for clinicians",
    )
    vote, how = draft.questions
    assert [choice.label for choice in vote.choices] == ["yes", "no"]
    assert (how.position, how.kind, how.when) == (2, QuestionKind.OPEN, ("yes",))


def test_a_bare_yes_or_no_of_yaml_is_the_word() -> None:
    draft = from_yaml(
        """
        slug: ready
        title: Ready
        questions:
          - {text: Ready, kind: yes_no, choices: [yes, no, {label: N/A, applicable: no}]}
          - {text: Why, kind: open, when: no}
        """
    )
    vote, why = draft.questions
    assert [(c.letter, c.label, c.applicable) for c in vote.choices] == [
        ("A", "yes", True),
        ("B", "no", True),
        ("C", "N/A", False),
    ]
    assert why.when == ("no",)


def test_numbers_as_labels_are_taken_as_they_are_written() -> None:
    (question,) = read_poll(a_file(a_choice_question(1, 2.5, "3+"))).questions
    assert [choice.label for choice in question.choices] == ["1", "2.5", "3+"]


def test_choices_keep_their_aliases_and_get_letters_in_order() -> None:
    listed = [{"label": "Staffing", "aliases": ["hiring", "people"]}, {"label": "Costs"}]
    (question,) = read_poll(a_file(a_choice_question(*listed))).questions
    staffing, costs = question.choices
    assert (staffing.letter, staffing.aliases, staffing.applicable) == (
        "A",
        ("hiring", "people"),
        True,
    )
    assert (costs.letter, costs.aliases) == ("B", ())


def test_one_alias_needs_no_list() -> None:
    (question,) = read_poll(
        a_file(a_choice_question({"label": "Staffing", "aliases": "hiring"}, "Costs"))
    ).questions
    assert question.choices[0].aliases == ("hiring",)


def test_a_number_question_keeps_its_bounds_and_unit() -> None:
    content = a_file({"text": "How many?", "kind": "number", "min": 0, "max": 99.5, "unit": "%"})
    (question,) = read_poll(content).questions
    assert (question.minimum, question.maximum, question.unit) == (
        Decimal(0),
        Decimal("99.5"),
        "%",
    )


def test_the_kind_is_yes_or_no_where_none_stands() -> None:
    assert read_poll(a_file({"text": "Ready?"})).questions[0].kind is QuestionKind.YES_NO


def test_spaces_and_line_breaks_in_a_text_become_single_spaces() -> None:
    assert (
        read_poll(a_file({"text": "  Are\n you   ready? "})).questions[0].text == "Are you ready?"
    )


def test_a_follow_up_may_hang_on_any_earlier_choice_in_any_case() -> None:
    content = a_file(
        {"text": "Ready?"},
        a_choice_question("Costs", "Time", when="No"),
        {"text": "How much?", "kind": "open", "when": ["costs", "YES"]},
    )
    assert read_poll(content).questions[2].when == ("costs", "YES")


def test_optional_fields_at_the_top() -> None:
    content = a_file(
        program="stat",
        audience={"specialty": "cardiology", "independent": True},
        results_at="2026-03-05T09:00-07:00",
    )
    draft = read_poll(content)
    assert draft.program == "stat"
    assert draft.audience == {"specialty": "cardiology", "independent": "yes"}
    assert draft.results_at == datetime(2026, 3, 5, 16, tzinfo=UTC)


def test_a_time_that_yaml_has_read_already_is_taken() -> None:
    draft = from_yaml(CONTRACT_EXAMPLE + "results_at: 2026-03-05T09:00:00-07:00\n")
    assert draft.results_at == datetime(2026, 3, 5, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (None, "poll:"),
        ([], "poll:"),
        ("slug: x", "poll:"),
        (a_file(slug=...), "poll: 'slug'"),
        (a_file(slug="Ready 2026"), "poll.slug:"),
        (a_file(slug="a--b"), "poll.slug:"),
        (a_file(slug=2026), "poll.slug:"),
        (a_file(slug="a" * 81), "poll.slug:"),
        (a_file(title=...), "poll: 'title'"),
        (a_file(title=" "), "poll.title:"),
        (a_file(title="t" * 201), "poll.title:"),
        (a_file(colour="red"), "poll: unknown field 'colour'"),
        (a_file(questions=...), "poll.questions:"),
        (a_file(questions=[]), "poll.questions:"),
        (a_file(questions={"text": "Ready?"}), "poll.questions:"),
        (a_file(*[{"text": "Ready?"}] * 4), "poll.questions:"),
        (a_file(audience=["cardiology"]), "poll.audience:"),
        (a_file(audience={"specialty": ["a", "b"]}), "poll.audience.specialty:"),
        (a_file(program=" "), "poll.program:"),
        (a_file(results_at="next week"), "poll.results_at:"),
        (a_file(results_at="2026-03-05T09:00"), "poll.results_at: needs its zone"),
        (a_file(results_at="2026-03-05"), "poll.results_at: needs its zone"),
        (a_file(reminder=24), "poll.reminder:"),
        (a_file(reminder={}), "poll.reminder.after_hours:"),
        (a_file(reminder={"after_hours": 0}), "poll.reminder.after_hours:"),
        (a_file(reminder={"after_hours": 1.5}), "poll.reminder.after_hours:"),
        (a_file(reminder={"after_hours": True}), "poll.reminder.after_hours:"),
        (a_file(reminder={"after_hours": 337}), "poll.reminder.after_hours:"),
        (a_file(reminder={"after": 24}), "poll.reminder: unknown field 'after'"),
        (a_file(results_text="yes", results_at=RESULTS_AT), "poll.results_text:"),
        (a_file(results_text=True), "poll.results_text: needs 'results_at'"),
        (a_file("Ready?"), "questions[0]:"),
        (a_file({"text": "Ready?"}, None), "questions[1]:"),
        (a_file({}), "questions[0]: 'text'"),
        (a_file({"text": " "}), "questions[0].text:"),
        (a_file({"text": 5}), "questions[0].text:"),
        (a_file({"text": "t" * 1001}), "questions[0].text:"),
        (a_file({"text": "Ready?", "label": "x"}), "questions[0]: unknown field 'label'"),
        (a_file({"text": "Ready?", "kind": "essay"}), "questions[0].kind:"),
        (a_file({"text": "Ready?", "kind": ["open"]}), "questions[0].kind:"),
        (a_file({"text": "Ready?", "kind": True}), "questions[0].kind:"),
        (a_file({"text": "Which?", "kind": "choice"}), "questions[0]: 'choices'"),
        (a_file(a_choice_question("Costs")), "questions[0].choices:"),
        (a_file(a_choice_question(*"abcdefghi")), "questions[0].choices:"),
        (a_file(a_choice_question("Costs", "")), "questions[0].choices[1].label:"),
        (a_file(a_choice_question("Costs", None)), "questions[0].choices[1].label:"),
        (a_file(a_choice_question("Costs", {})), "questions[0].choices[1].label:"),
        (a_file(a_choice_question("Costs", ["Time"])), "questions[0].choices[1].label:"),
        (a_file(a_choice_question("Costs", {"name": "x"})), "questions[0].choices[1]: unknown"),
        (
            a_file(a_choice_question("Costs", {"label": "Time", "aliases": ["hours", " "]})),
            "questions[0].choices[1].aliases[1]:",
        ),
        (
            a_file(a_choice_question("Costs", {"label": "N/A", "applicable": "never"})),
            "questions[0].choices[1].applicable:",
        ),
        (a_file(a_choice_question("Costs", "costs")), "questions[0].choices: 'costs' stands twice"),
        (
            a_file(a_choice_question("Costs", {"label": "Time", "aliases": "COSTS"})),
            "questions[0].choices: 'COSTS' stands twice",
        ),
        (a_file({"text": "?", "kind": "open", "choices": ["a", "b"]}), "questions[0].choices:"),
        (a_file({"text": "?", "kind": "number", "choices": ["a", "b"]}), "questions[0].choices:"),
        (a_file({"text": "?", "choices": ["no", "yes"]}), "questions[0].choices: a yes/no ballot"),
        (a_file({"text": "?", "choices": ["yes", "maybe"]}), "questions[0].choices: a yes/no"),
        (a_file({"text": "?", "kind": "number", "min": "few"}), "questions[0].min:"),
        (a_file({"text": "?", "kind": "number", "max": True}), "questions[0].max:"),
        (a_file({"text": "?", "kind": "number", "max": float("inf")}), "questions[0].max:"),
        (a_file({"text": "?", "kind": "number", "min": "NaN"}), "questions[0].min:"),
        (a_file({"text": "?", "kind": "number", "min": 5, "max": 5}), "questions[0]: 'min'"),
        (a_file({"text": "?", "kind": "number", "unit": ""}), "questions[0].unit:"),
        (a_file({"text": "?", "when": "yes"}), "questions[0].when:"),
        (a_file({"text": "?"}, {"text": "?", "when": "maybe"}), "questions[1].when: 'maybe'"),
        (a_file({"text": "?"}, {"text": "?", "when": [["yes"]]}), "questions[1].when[0]:"),
        (
            a_file(
                {"text": "?"}, {"text": "?", "when": "Time"}, a_choice_question("Time", "Costs")
            ),
            "questions[1].when: 'Time'",
        ),
    ],
)
def test_a_refusal_names_its_place(content: Any, place: str) -> None:
    assert refusal(content).startswith(place)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("Stop", "STOP"),
        ("END", "STOP"),
        ("quit!", "STOP"),
        ("Cancel, please", "STOP"),
        ("unsubcribe", "STOP"),
        ("Remove me from the list", "STOP"),
        ("no más", "STOP"),
        ("Help", "HELP"),
        ("info", "HELP"),
        ("Ayuda", "HELP"),
        ("start", "START"),
        ("Unstop", "START"),
        ("stat", "joining"),
        ("Top10 weekly", "joining"),
    ],
)
@pytest.mark.parametrize("as_alias", [False, True])
def test_a_choice_that_already_means_something_is_refused(
    word: str, meaning: str, as_alias: bool
) -> None:
    choice = {"label": "Other", "aliases": [word]} if as_alias else word
    message = refusal(a_file(a_choice_question("Costs", choice)))
    assert message.startswith("questions[0].choices[1]:")
    assert f"{word!r} means {meaning}" in message


@pytest.mark.parametrize("word", ["We stop here", "Year end", "Statistics", "Helpful", "No more"])
def test_a_choice_that_only_holds_such_a_word_is_taken(word: str) -> None:
    (question,) = read_poll(a_file(a_choice_question("Costs", word)), keywords=JOIN_WORDS).questions
    assert question.choices[1].label == word


def test_a_join_word_of_another_program_is_an_ordinary_choice() -> None:
    content = a_file(a_choice_question("Stat", "Costs"))
    assert read_poll(content, keywords=frozenset({"JOIN"})).questions[0].choices[0].label == "Stat"


def test_the_longest_ballot_is_lettered_a_to_h() -> None:
    (question,) = read_poll(a_file(a_choice_question(*range(10, 10 + MAX_CHOICES)))).questions
    assert "".join(choice.letter for choice in question.choices) == "ABCDEFGH"


YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "kind", "when", "choices", "min", "max", "unit", "label"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def test_a_reminder_and_a_results_text_are_asked_for_in_the_file() -> None:
    draft = from_yaml(
        f"{CONTRACT_EXAMPLE}reminder: {{after_hours: 24}}\n"
        f"results_text: true\nresults_at: {RESULTS_AT}\n"
    )
    assert (draft.reminder_after_hours, draft.results_text) == (24, True)
    plain = from_yaml(f"{CONTRACT_EXAMPLE}results_text: false\n")
    assert (plain.reminder_after_hours, plain.results_text) == (None, False)


@given(YAML_VALUES, YAML_VALUES, YAML_VALUES, YAML_VALUES)
def test_whatever_the_file_holds_it_is_read_or_refused(
    whole: Any, question: Any, title: Any, results_at: Any
) -> None:
    for content in (whole, a_file(question, title=title, results_at=results_at)):
        with suppress(InvalidInputError):
            assert read_poll(content).questions
