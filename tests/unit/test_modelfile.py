"""The Modelfile is read as the reference reads it, whatever stands in it."""

from __future__ import annotations

import codecs
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_cli.api.modelfile import PLAIN, Instruction, decode_modelfile, parse_modelfile
from ollama_cli.errors import UsageError

HEAD = "FROM tiny\n"


def read(text: str) -> list[tuple[str, str, str]]:
    """The instructions after ``FROM tiny``."""
    first, *rest = parse_modelfile(HEAD + text)
    assert (first.name, first.value, first.line) == ("from", "tiny", 1)
    return [(instruction.name, instruction.argument, instruction.value) for instruction in rest]


@pytest.mark.parametrize(
    ("text", "instructions"),
    [
        ("system  You are   brief.  \n", [("system", "", "You are   brief.")]),
        ("# a comment\n\n  # another\nSYSTEM # none", [("system", "", "# none")]),
        ("  SYSTEM\tx\r\nLICENSE MIT\r", [("system", "", "x"), ("license", "", "MIT")]),
        ('SYSTEM """a\n"b"\r\n"""\nLICENSE x', [("system", "", 'a\n"b"\r\n'), ("license", "", "x")]),
        ('SYSTEM """a"""b\n"""', [("system", "", 'a"""b\n')]),
        ('SYSTEM """a""""  ', [("system", "", 'a"')]),
        ('SYSTEM """"""', [("system", "", "")]),
        ('TEMPLATE "a\nb"', [("template", "", "a\nb")]),
        ('TEMPLATE "a" b"', [("template", "", 'a" b')]),
        ('TEMPLATE ""', [("template", "", "")]),
        ("TEMPLATE 'a'", [("template", "", "'a'")]),
        ('TEMPLATE a "b', [("template", "", 'a "b')]),
        ("SYSTEM \nLICENSE x", [("system", "", ""), ("license", "", "x")]),
        (
            'PARAMETER stop "a b"\nParameter stop <c>',
            [("parameter", "stop", "a b"), ("parameter", "stop", "<c>")],
        ),
        (
            'MESSAGE user Hello: there\nMESSAGE assistant """a\nb"""',
            [
                ("message", "user", "Hello: there"),
                ("message", "assistant", "a\nb"),
            ],
        ),
        ("SYSTEM a\x00b\x1b[2Jc\u200d👩\u200d🚀", [("system", "", "ab[2Jc\u200d👩\u200d🚀")]),
        (
            "REQUIRES 0.14.0\nRENDERER r\nPARSER p\nADAPTER a\nDRAFT d",
            [
                ("requires", "", "0.14.0"),
                ("renderer", "", "r"),
                ("parser", "", "p"),
                ("adapter", "", "a"),
                ("draft", "", "d"),
            ],
        ),
    ],
)
def test_instructions_are_read(text: str, instructions: list[tuple[str, str, str]]) -> None:
    assert read(text) == instructions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no FROM line"),
        ("# FROM tiny", "has no FROM line"),
        ("FROM tiny\n\nFROBNICATE x", "Line 3 of the Modelfile: 'FROBNICATE' is no instruction"),
        ("FROM:tiny", "Line 1 of the Modelfile: 'FROM:tiny' is no instruction"),
        ("FROM", "Line 1 of the Modelfile: FROM has no value"),
        ("FROM tiny\r\nSYSTEM\r\nx", "Line 2 of the Modelfile: SYSTEM has no value"),
        ("FROM tiny\nPARAMETER stop\n", "Line 2 of the Modelfile: PARAMETER stop has no value"),
        ("FROM tiny\nPARAMETER a-b c", "Line 2 of the Modelfile: a parameter is a name"),
        ("FROM tiny\nMESSAGE tool x", "Line 2 of the Modelfile: a message is said by"),
        ('FROM tiny\rSYSTEM """a\nb', 'Line 2 of the Modelfile: the quotation that begins with """'),
        ('FROM tiny\n\n\nSYSTEM "a\nb', 'Line 4 of the Modelfile: the quotation that begins with "'),
        ('FROM tiny\nSYSTEM """"" x', 'Line 2 of the Modelfile: the quotation that begins with """'),
        ('FROM tiny\nSYSTEM """a""" # b', "Line 2 of the Modelfile: the quotation"),
        ("GGUF\x03\x00\x00" + "\x00" * 99, "Line 1 of the Modelfile: 'GGUF' is no instruction"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_modelfile(text)
    assert message in error.value.message
    assert error.value.code == "bad_modelfile"


@pytest.mark.parametrize(
    "content",
    [
        "FROM é".encode(),
        codecs.BOM_UTF8 + "FROM é".encode(),
        codecs.BOM_UTF16_LE + "FROM é".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "FROM é".encode("utf-16-be"),
    ],
)
def test_a_byte_order_mark_tells_the_encoding(content: bytes) -> None:
    assert parse_modelfile(decode_modelfile(content))[0].value == "é"


def test_what_is_no_text_is_replaced() -> None:
    assert decode_modelfile(b"FROM \xff") == "FROM \ufffd"


def written(instruction: Instruction) -> str:
    """An instruction as a Modelfile has it."""
    words = [instruction.name.upper(), *filter(None, [instruction.argument])]
    return " ".join([*words, f'"""{instruction.value}"""'])


printable = st.text(st.characters(exclude_categories=["Cc", "Cs"])) | st.text('" \n\t\r#ab', max_size=12)
values = printable.filter(
    lambda text: '"""\n' not in f"{text}\n".replace(" ", "").replace("\t", "").replace("\r", "\n")
)
instructions = st.one_of(
    st.builds(Instruction, st.sampled_from(PLAIN), values),
    st.builds(Instruction, st.just("parameter"), values, st.sampled_from(["stop", "num_ctx", "x1"])),
    st.builds(Instruction, st.just("message"), values, st.sampled_from(["system", "user", "assistant"])),
)


@given(st.lists(instructions, max_size=6), st.sampled_from(["\n", "\r\n", "\n\n # a comment\n\t"]))
def test_what_is_written_is_read(said: list[Instruction], line_end: str) -> None:
    said = [Instruction("from", "tiny"), *said]
    read_again = parse_modelfile(line_end.join(map(written, said)))
    assert [replace(instruction, line=0) for instruction in read_again] == said


hostile = st.lists(
    st.sampled_from(
        [
            "FROM",
            "from ",
            "SYSTEM ",
            "MESSAGE user ",
            "PARAMETER ",
            "stop ",
            '"',
            '"""',
            "\n",
            "\r",
            " ",
            "#",
            "é",
            "\x00",
        ]
    )
    | st.text(max_size=3)
).map("".join)


@given(hostile)
def test_whatever_stands_there_is_read_or_refused(text: str) -> None:
    try:
        read_ = parse_modelfile(text)
    except UsageError as error:
        assert error.code == "bad_modelfile"  # noqa: PT017 - either is right
        return
    assert any(instruction.name == "from" for instruction in read_)
    lines = [instruction.line for instruction in read_]
    assert lines == sorted(lines)
    assert lines[-1] <= text.count("\n") + text.count("\r") + 1


@pytest.mark.parametrize(
    "piece", ['"""', '"', '""" ', " ", "\n", "# x\n", "\r", 'SYSTEM """\n', "FROM a\n", "PARAMETER stop a\n", "a"]
)
@pytest.mark.parametrize("start", ['SYSTEM """', "", "# "])
def test_a_long_text_is_read_to_its_end(start: str, piece: str) -> None:
    """Where the time grew with the square of the length, this would not end."""
    text = f"FROM tiny\n{start}{piece * (2_000_000 // len(piece))}"
    try:
        assert parse_modelfile(text)[0].name == "from"
    except UsageError as error:
        assert error.code == "bad_modelfile"  # noqa: PT017 - either is right
