"""What a Modelfile asks for, and which files of a folder a model is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ollama_cli.api.modelfile import decode_modelfile, parse_modelfile
from ollama_cli.commands.create.model_files import files_at, names_of
from ollama_cli.commands.create.recipe import recipe_of
from ollama_cli.errors import CliError, UsageError

GGUF = b"GGUF\x03\x00\x00\x00" + bytes(range(256)) * 8
WEIGHTS = b"\x10\x00\x00\x00\x00\x00\x00\x00{}"
ZIP = b"PK\x03\x04" + bytes(60)


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("modelfile", "message"),
    [
        ("FROM tiny\nPARAMETER heat 3\n", "Line 2 of the Modelfile: There is no parameter 'heat'"),
        ("FROM tiny\nPARAMETER seed x\n", "Line 2 of the Modelfile: seed takes a whole number"),
        ("FROM tiny\nREQUIRES new", "Line 2 of the Modelfile: 'new' is no version"),
        ('FROM ""', "Line 1 of the Modelfile: FROM has no value"),
        ("FROM ./nope.gguf", "Line 1 of the Modelfile: there is no file ./nope.gguf"),
        ("FROM nope.gguf", "there is no file nope.gguf"),
        ("FROM ../../a/b/c/d", "there is no file"),
        ("FROM tiny\nADAPTER nope", "Line 2 of the Modelfile: there is no file nope"),
        ("FROM tiny\nDRAFT nope", "Line 2 of the Modelfile: there is no file nope"),
        ("FROM ~nobody-is-called-this/x", "home of somebody who is not known"),
        (f"FROM {'a/' * 5000}", "cannot be read"),
        ("FROM big:cloud:local", "there is no file"),
        ("FROM /dev/null", "neither a file nor a folder"),
        ("FROM ./empty", "holds no model"),
        ("FROM model.gguf\nDRAFT ./model.gguf", "DRAFT and FROM name the same file"),
        (b"\xff\xfeF\x00R\x00O\x00M\x00", "Line 1 of the Modelfile: FROM has no value"),
    ],
)
def test_what_a_modelfile_asks_wrongly_is_told(tmp_path: Path, modelfile: str | bytes, message: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, {"model.gguf": GGUF})
    content = modelfile.encode() if isinstance(modelfile, str) else modelfile
    with pytest.raises(UsageError) as error:
        recipe_of(parse_modelfile(decode_modelfile(content)), tmp_path)
    assert message in error.value.message


LAYOUTS: list[tuple[dict[str, bytes], set[str]]] = [
    (
        {
            "model-1-of-2.safetensors": WEIGHTS,
            "sub/model.safetensors": WEIGHTS + b"2",
            "consolidated.safetensors": WEIGHTS,
            "x.gguf": GGUF,
            "config.json": b"{}",
            "sub/config.json": b"{ }",
            "sub/deeper/config.json": b"{  }",
            ".cache/config.json": b"\x00",
            "chat_template.jinja": b"{{ }}",
            "tokenizer.model": b"\x00\x01",
            "README.md": b"#",
        },
        {
            "model-1-of-2.safetensors",
            "sub/model.safetensors",
            "config.json",
            "sub/config.json",
            "chat_template.jinja",
            "tokenizer.model",
        },
    ),
    (
        {"consolidated.00.safetensors": WEIGHTS, "s/tokenizer.model": b"\x00"},
        {"consolidated.00.safetensors", "s/tokenizer.model"},
    ),
    ({"adapter_model.safetensors": WEIGHTS, "a.json": b"{}"}, {"adapter_model.safetensors", "a.json"}),
    ({"pytorch_model.bin": ZIP, "a.json": b"{}"}, {"pytorch_model.bin", "a.json"}),
    ({"consolidated.00.pth": ZIP, "x.gguf": GGUF}, {"consolidated.00.pth"}),
    ({"pytorch_model.bin": b"text", "x.gguf": GGUF, "y.gguf": GGUF + b"2", "a.json": b"{}"}, {"x.gguf", "y.gguf"}),
    ({"x.gguf": b"text", "old.bin": GGUF}, {"old.bin"}),
]


@pytest.mark.parametrize(("files", "chosen"), LAYOUTS, ids=[next(iter(files)) for files, _ in LAYOUTS])
def test_a_folders_files_are_chosen(tmp_path: Path, files: dict[str, bytes], chosen: set[str]) -> None:
    write(tmp_path, files)
    found = files_at(tmp_path)
    assert found is not None
    assert {str(path.relative_to(tmp_path)) for path in found} == chosen
    assert set(names_of(found).values()) == (chosen if len(chosen) > 1 else {Path(*chosen).name})


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"model.safetensors": b"version https://git-lfs.github.com/spec/v1\n"}, "stands for a file"),
        ({"model.safetensors": WEIGHTS, "config.json": b"\x00"}, "config.json is no text"),
        ({"README.md": b"#"}, "holds no model"),
        ({}, "holds no model"),
    ],
)
def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    write(tmp_path, files)
    with pytest.raises(UsageError) as error:
        files_at(tmp_path)
    assert message in error.value.message


def test_files_of_several_folders_are_named_below_what_they_share(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "x.gguf", tmp_path / "b" / "c" / "x.gguf"]
    assert list(names_of(paths).values()) == ["a/x.gguf", "b/c/x.gguf"]


pieces = st.sampled_from(
    [".", "..", "/", "~", "~root", "tiny", ":", "cloud", "x.gguf", "*", "[", "\\", "\u202e", "a" * 300]
)
texts = st.lists(pieces | st.text(max_size=3), max_size=5).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["FROM", "ADAPTER", "DRAFT", "REQUIRES", "PARAMETER num_ctx", "PARAMETER top_p"]), texts)
def test_whatever_is_asked_for_is_a_request_or_refused(tmp_path: Path, instruction: str, text: str) -> None:
    write(tmp_path, {"x.gguf": GGUF})
    try:
        recipe = recipe_of(parse_modelfile(f"FROM tiny\n{instruction} {text}"), tmp_path)
    except CliError as error:
        assert error.status in {1, 2}  # noqa: PT017 - either is right
        return
    assert recipe.body["from"]
    for paths in recipe.files.values():
        assert all(names_of(paths).values())


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("0.14", "0.14"),
        ("v1.2.3-rc.1+b.01", "1.2.3-rc.1+b.01"),
        ("1.2.3-01", None),
        ("01.2", None),
        ("1.2-x", None),
        ("1.2.3-a_b", None),
        ("1.2.3-", None),
        ("", None),
    ],
)
def test_a_version_is_one_that_can_be_compared(tmp_path: Path, text: str, version: str | None) -> None:
    instructions = parse_modelfile(f"FROM tiny\nREQUIRES {text}")
    if version is None:
        with pytest.raises(UsageError):
            recipe_of(instructions, tmp_path)
    else:
        assert recipe_of(instructions, tmp_path).body["requires"] == version
