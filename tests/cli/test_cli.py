"""The command line: one line for each error, the right exit code, nothing lost and nothing overwritten."""

from __future__ import annotations

import errno
import importlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from lamella.cli.commands import main
from lamella.data.samples import translation as samples

LAMELLA = [sys.executable, "-m", "lamella.cli.commands"]
ROOT = Path(__file__).parents[2]
VERBS = {"train", "evaluate", "predict", "show", "compress", "export", "translate", "tasks"}
PAIRS = samples.sentences("train")[:60]
TEXT = "The baker sells the round cake today."


def process(*args, **options) -> subprocess.CompletedProcess[str]:
    options = {"capture_output": True, "text": True, "timeout": 300, "cwd": ROOT, **options}
    return subprocess.run([*LAMELLA, *map(str, args)], **options)


def tsv(pairs=PAIRS) -> str:
    return "".join(f"{en}\t{fr}\n" for en, fr in pairs)


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def fails(done, code: int, *parts: str) -> None:
    """An exit code, and one line that says what is wrong, with indented ones for details."""
    first, *rest = done.err.splitlines() or [""]
    last = [line for line in done.err.splitlines() if line.startswith("lamella: ")]
    assert done.code == code, done
    assert len(last) == 1 and "Traceback" not in done.err and "fault in lamella" not in done.err, done.err
    assert first == last[0] and all(line.startswith("  ") for line in rest), done.err
    for part in parts:
        assert part in done.err, done.err
    assert done.out == ""


# --- what it says of itself


def test_help(cli):
    assert set(main.commands) >= VERBS
    top = cli("--help")
    assert top.code == 0 and all(f"\n  {name} " in top.out for name in main.commands)
    for name, command in main.commands.items():
        for flag in ("--help", "-h"):
            done = cli(name, flag)
            assert done.code == 0 and not done.err
            assert command.help.splitlines()[0] in " ".join(done.out.split())
            assert all(option in done.out for p in command.params if isinstance(p, click.Option) for option in p.opts)
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{name} {option.name} has no help"
    assert "Usage" in cli().out + cli().err


def test_version(cli):
    assert re.fullmatch(r"lamella, version \d+\.\d+\.\d+\S*\n", cli("--version").out)
    done = process("--version")
    assert done.returncode == 0 and done.stdout == cli("--version").out and not done.stderr


def test_tasks(cli):
    listed = cli("tasks")
    found = cli("tasks", "--json").json["tasks"]
    assert {"translation", "text-classification"} <= {t["name"] for t in found}
    assert all(t["name"] in listed.out and t["summary"] in listed.out for t in found)


# --- wrong arguments


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("frobnicate", ["frobnicate", "--help"]),
        ("--frobnicate", ["--frobnicate"]),
        ("show", ["MODEL", "show --help"]),
        ("show MODEL --frobnicate", ["--frobnicate"]),
        ("show nothing", ["nothing: no such model"]),
        ("train", ["TASK"]),
        ("train translation -o new", ["DATA"]),
        ("train translation sample", ["-o"]),
        ("train telepathy sample -o new", ["unknown task 'telepathy'", "translation"]),
        ("train ./none.py sample -o new", ["none.py: no such file"]),
        ("train translation sample -o new --frobnicate 3", ["unknown option --frobnicate", "--decoder-depth"]),
        ("train translation sample -o new --vocabulary-size many", ["--vocabulary-size", "many"]),
        ("train translation sample -o new --vocabulary-size 3", ["--vocabulary-size", "50"]),
        ("train translation sample -o new --dropout 1.5", ["dropout"]),
        ("train translation sample -o new --size huge", ["unknown size 'huge'", "tiny, small, base"]),
        ("train translation sample -o new --steps 0", ["--steps", "above 0"]),
        ("train translation sample -o new --steps many", ["--steps", "many"]),
        ("train translation sample -o new --minutes -1", ["--minutes", "above 0"]),
        ("train translation sample -o new --seed -1", ["--seed"]),
        ("train translation sample -o new --device abacus", ["--device abacus"]),
        ("train translation sample -o new --resume", ["nothing to resume"]),
        ("train translation none.tsv -o new", ["none.tsv"]),
        ("train translation none.tsv -o new --columns src", ["--columns src", "FIELD=COLUMN"]),
        ("train translation sample -o .", ["the folder you are in"]),
        ("evaluate MODEL", ["DATA"]),
        ("evaluate MODEL none.tsv", ["none.tsv"]),
        ("evaluate MODEL sample --limit 0", ["--limit 0"]),
        ("evaluate MODEL sample --vocabulary-size 100", ["--vocabulary-size cannot be changed", "--beams"]),
        ("predict MODEL", ["expected a text, a file, or -", "nothing"]),
        ("predict nothing text", ["nothing: no such model"]),
        ("predict MODEL none.csv", ["none.csv: no such file", "--text"]),
        ("predict MODEL --file none", ["none: no such file"]),
        ("predict MODEL --file .", [".: is a folder"]),
        ("predict MODEL text --beams 0", ["beams"]),
        ("predict MODEL text --frobnicate 3", ["--frobnicate"]),
        ("compress MODEL", ["-o"]),
        ("compress MODEL -o new --data none.tsv", ["none.tsv"]),
        ("export MODEL -o new --to exe", ["--to exe", "zip or onnx"]),
        ("translate text", ["--to"]),
        ("translate text --to tlh", ["en to tlh", "Installed:", "lamella train translation"]),
        ("tasks telepathy", ["telepathy", "translation"]),
    ],
    ids=str,
)
def test_wrong_arguments(cli, tiny_model, tmp_path, monkeypatch, args, parts):
    monkeypatch.chdir(tmp_path)
    fails(cli(*[str(tiny_model) if a == "MODEL" else a for a in args.split()]), 2, *parts)
    assert not [p for p in tmp_path.iterdir() if p.name != "new"], "nothing was written"
    assert not (tmp_path / "new").exists() or not list((tmp_path / "new").glob("*.*"))


def test_traceback_shows_the_rest(tmp_path):
    done = process("show", tmp_path / "none")
    assert done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1
    done = process("show", tmp_path / "none", "--traceback")
    assert done.returncode != 0 and "Traceback" in done.stderr and "UsageError" in done.stderr


def test_what_stands_after_two_dashes_is_text(cli, tiny_model):
    for text in ("--beams", "--force", "-o", "--", "--json 3"):
        done = cli("predict", tiny_model, "--text", "--", text)
        assert done.code == 0 and len(done.out.splitlines()) == 1, done
    assert len(cli("predict", "--json", "--beams", "1", "--", tiny_model, "--x", "-y").json["answers"]) == 2
    assert cli("predict", "--beams", "1", tiny_model, TEXT).out == cli("predict", tiny_model, TEXT, "--beams=1").out


# --- data that is not what it should be


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("empty.tsv", b"", ["empty"]),
        ("blank.tsv", b"\n \n\n", ["blank.tsv"]),
        ("picture.tsv", b"\x89PNG\r\n\x1a\n" + bytes(200), ["PNG"]),
        ("binary.tsv", random.Random(0).randbytes(3000), ["expected text"]),
        ("book.docx", b"PK\x03\x04" + bytes(200), ["expected text"]),
        ("model.pt", b"\x80\x02" + bytes(200), ["model.pt"]),
        ("one.tsv", "".join(en + "\n" for en, _ in PAIRS), ["2 columns"]),
        ("ragged.tsv", tsv() + "".join(f"Line {n}\n" for n in range(20)), ["bad rows", "ragged.tsv, line 61"]),
        ("nul.tsv", tsv().replace("baker", "ba\0ker", 1), ["NUL"]),
        ("swapped.tsv", tsv([(fr, en) for en, fr in PAIRS]), ["swapped", "--from fr --to en"]),
        ("russian.tsv", "".join(f"дом {n}\tстол {n}\n" for n in range(60)).encode("cp1251"), ["UTF-8"]),
        ("broken.jsonl", '{"src": "a", "dst": "b"}\n{"src": \n' * 10, ["broken.jsonl"]),
        ("columns.csv", "id,name\n" + "".join(f"{n},x{n}\n" for n in range(50)), ["columns.csv"]),
        ("few.tsv", tsv(PAIRS[:5]), ["at least 12 examples, received 5"]),
    ],
    ids=lambda v: v if isinstance(v, str) and v[-4:] in (".tsv", ".csv", "sonl", "docx", "l.pt") else "",
)  # fmt: skip
def test_bad_data_for_training(cli, tmp_path, name, content, parts):
    path = put(tmp_path / name, content)
    done = cli("train", "translation", path, "-o", tmp_path / "new", "--steps", "1", "--size", "tiny")
    fails(done, 2, *parts)
    assert not list((tmp_path / "new").glob("*.*")) and {p.name for p in tmp_path.iterdir()} <= {name, "new"}


@pytest.mark.parametrize(
    "content",
    [
        tsv().encode("utf-8-sig"),
        tsv().encode("utf-16"),
        tsv().replace("œ", "oe").encode("cp1252"),
        tsv().replace("\n", "\r\n").encode(),
        ("en\tfr\n" + tsv()).encode(),
        "".join(json.dumps({"fr": fr, "en": en}) + "\n" for en, fr in PAIRS).encode(),
    ],
    ids=["BOM", "UTF-16", "CP1252", "CRLF", "header", "JSON lines"],
)
def test_good_data_in_many_forms(cli, tiny_model, tmp_path, content):
    path = put(tmp_path / ("pairs.jsonl" if content[:1] == b"{" else "pairs.tsv"), content)
    assert cli("evaluate", tiny_model, path, "--json", "--beams", "1").json["count"] == len(PAIRS)


def test_a_few_bad_rows_are_counted(cli, tmp_path, monkeypatch):
    # Only what is said before it trains is wanted here.
    monkeypatch.setattr(
        importlib.import_module("lamella.train.loop"),
        "steps",
        lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt),
    )
    pairs = samples.sentences("train")[:300]
    path = put(tmp_path / "pairs.tsv", tsv(pairs) + "a row with one column\n" + tsv(pairs[:1]))
    done = cli(
        "train",
        "translation",
        path,
        "-o",
        tmp_path / "new",
        "--size",
        "tiny",
        "--vocabulary-size",
        "150",
        "--steps",
        "5",
    )
    assert done.code == 130
    for part in ("pairs.tsv", "301", "duplicate", "held out", "sample: "):
        assert part in done.err, done.err


# --- a model that is damaged


def test_a_changed_byte_in_the_model(cli, tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "model", ignore=lambda *_: ["training"])
    path = tmp_path / "model" / "step.onnx"
    raw = path.read_bytes()
    path.write_bytes(raw[:1000] + bytes([raw[1000] ^ 4]) + raw[1001:])
    for command in (
        ("predict", "x"),
        ("evaluate", "sample"),
        ("show",),
        ("export", "-o", tmp_path / "z"),
        ("compress", "-o", tmp_path / "c"),
    ):
        fails(cli(command[0], tmp_path / "model", *command[1:]), 1, "step.onnx: its checksum")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]


# --- lines, files and tables


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_for_a_line(cli, tiny_model, end):
    lines = [en for en, _ in PAIRS[:4]]
    answers = cli("predict", tiny_model, "--json", *lines).json["answers"]
    given = [lines[0], "", lines[1], "   ", "\t", lines[2], lines[3], ""]
    done = cli("predict", tiny_model, "-", stdin=end.join(given) + end)
    assert done.out.split("\n") == [answers[0], "", answers[1], "", "", answers[2], answers[3], "", ""]
    assert cli("predict", tiny_model, "-", stdin=end.join(given[:3])).out.splitlines() == [answers[0], "", answers[1]]
    assert cli("predict", tiny_model, "-", stdin="").out == ""
    assert cli("predict", tiny_model, "-", stdin="\n\n").out == "\n\n"


def test_many_lines_in_order(cli, tiny_model):
    lines = [PAIRS[n % 7][0] if n % 3 else "" for n in range(700)]
    answers = dict(
        zip(
            [p[0] for p in PAIRS[:7]],
            cli("predict", tiny_model, "--beams", "1", *[p[0] for p in PAIRS[:7]]).out.splitlines(),
        )
    )
    done = cli("predict", tiny_model, "-", "--beams", "1", stdin="\n".join(lines) + "\n")
    assert done.out.splitlines() == [answers[line] if line else "" for line in lines]


def test_lines_go_to_a_file_too(cli, tiny_model, tmp_path):
    out, given = tmp_path / "out.txt", f"{PAIRS[0][0]}\n\n{PAIRS[1][0]}\n"
    wanted = cli("predict", tiny_model, "-", stdin=given).out
    assert cli("predict", tiny_model, "-", "-o", out, stdin=given).out == "" and out.read_text() == wanted
    fails(cli("predict", tiny_model, "-", "-o", out, stdin="x\n"), 2, "out.txt: exists already", "--force")
    assert cli("predict", tiny_model, "-", "--json", stdin=given).json == {"answers": wanted.splitlines()}


def test_bytes_that_are_no_text(cli, tiny_model):
    done = cli("predict", tiny_model, "-", stdin="caf\xe9 noir\n".encode("cp1252") + "é\n".encode() + b"\xff\xfe\0\n")
    assert done.code == 0 and len(done.out.splitlines()) == 3


@pytest.mark.parametrize(
    "content",
    ["number;text\n1;A\n2;Bé\n".encode("utf-8-sig"), "number;text\n1;A\n2;Bé\n".encode("cp1252"), b'number,text\r\n1,A\r\n2,"B, C"\r\n'],
    ids=["BOM", "CP1252", "CRLF"],
)  # fmt: skip
def test_tables(cli, tiny_model, tmp_path, content):
    path = put(tmp_path / "rows.csv", content)
    done = cli("predict", tiny_model, path)
    header, *rows = done.out.removeprefix("\ufeff").splitlines()
    assert done.code == 0 and done.out.startswith("\ufeff") == content.startswith(b"\xef\xbb\xbf")
    assert re.fullmatch(r"number[,;]text[,;]translation", header) and len(rows) == 2
    assert cli("predict", tiny_model, path, "--columns", "text=number").code == 0


def test_bad_tables(cli, tiny_model, tmp_path):
    out = tmp_path / "out.csv"
    for name, content, part in [
        ("empty.csv", b"", "empty"),
        ("other.csv", b"id,remark,note\n1,a,c\n2,b,d\n", 'columns named "id", "remark"'),
        ("picture.csv", b"\x89PNG\r\n\x1a\n", "PNG"),
        ("nul.csv", b"text,n\nA\0,1\n", "NUL"),
        ("ragged.csv", b"id,text\n2\n3,c,d,e\n", "line 2: expected 2 columns, received 1"),
        ("other.jsonl", b'{"remark": "a", "note": "b"}\n', 'columns named "remark"'),
        ("list.jsonl", b"[1, 2]\n", "object"),
        ("broken.jsonl", b"{\n", "JSON"),
        ("empty.jsonl", b"\n", "empty"),
        ("letter.docx", b"PK\x03\x04", "expected a .docx file, received a file that is damaged"),
        ("sheet.xlsx", b"PK\x03\x04", "expected a spreadsheet (.xlsx), received a damaged one"),
        ("empty.po", b"", "empty.po"),
        ("picture.md", b"\x89PNG\r\n\x1a\n", "PNG"),
    ]:
        fails(cli("predict", tiny_model, put(tmp_path / name, content), "-o", out), 2, name, part)
        assert not out.exists(), name


def test_a_table_keeps_a_column_of_the_answers_name(cli, tiny_model, tmp_path):
    path = put(tmp_path / "rows.jsonl", json.dumps({"text": TEXT, "translation": "mine", "n": 3, "rest": [1]}))
    row = json.loads(cli("predict", tiny_model, path).out)
    assert row["translation"] == "mine" and row["n"] == 3 and row["rest"] == [1] and row["predicted_translation"]
    path = put(tmp_path / "rows.csv", f"text,translation\n{TEXT},mine\n")
    assert cli("predict", tiny_model, path).out.splitlines()[0] == "text,translation,predicted_translation"


def test_files_or_texts(cli, tiny_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "baker", TEXT + "\n")
    put(tmp_path / "a.txt", TEXT + "\n")
    wanted = cli("predict", tiny_model, TEXT).out
    assert cli("predict", tiny_model, "a.txt").out == wanted, "a name that is a file is a file"
    assert cli("predict", tiny_model, "--text", "baker").out != wanted
    assert len(cli("predict", tiny_model, "--text", "none.csv").out.splitlines()) == 1
    done = cli("predict", tiny_model, "a.txt", "none.txt", "-o", "out")
    assert done.code == 1 and "1 of 2 inputs could not be answered" in done.err and "none.txt: no such file" in done.err
    assert (tmp_path / "out" / "a.txt").read_text() == wanted
    fails(cli("predict", tiny_model, "none.txt", "-o", "new"), 2, "none.txt: no such file")
    fails(cli("predict", tiny_model, "a.txt", "baker"), 2, "-o FOLDER")
    assert len(cli("predict", tiny_model, TEXT, "x" * 5000).out.splitlines()) == 2


def test_several_files_go_to_a_folder(cli, tiny_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.md", "sub/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        put(tmp_path / name, f"# {TEXT}\n")
    assert cli("predict", tiny_model, "a.txt", "b.md", "-o", "out").code == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.txt", "b.md"]
    before = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "b.md").unlink()
    fails(cli("predict", tiny_model, "a.txt", "b.md", "-o", "out"), 2, "a.txt: exists already", "--force")
    assert not (tmp_path / "out" / "b.md").exists(), "said before anything is done"
    assert cli("predict", tiny_model, "a.txt", "b.md", "-o", "out", "--force").code == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == before
    fails(cli("predict", tiny_model, "a.txt", "sub/a.txt", "-o", "out2"), 2, "named a.txt")
    fails(cli("predict", tiny_model, "a.txt", "b.md", "-o", "a.txt"), 2, "a.txt: is a file")


def test_nothing_is_overwritten(cli, tiny_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "rows.csv", f"text\n{TEXT}\n")
    for args in (["predict", TEXT], ["predict", "rows.csv"], ["export"], ["compress"]):
        out = put(tmp_path / "mine", b"precious")
        command = [args[0], tiny_model, *args[1:], "-o", "mine"]
        what = ["mine: is a file"] if args[0] == "compress" else ["mine: exists already", "--force"]
        fails(cli(*command), 2, *what)
        assert out.read_bytes() == b"precious"
        if args[0] != "compress":
            assert cli(*command, "--force").code == 0 and out.read_bytes() != b"precious"
    (tmp_path / "photos").mkdir()
    put(tmp_path / "photos" / "cat.png", b"precious")
    for force in ([], ["--force"]):
        for args in (["train", "translation", "sample", "--steps", "1"], ["compress", tiny_model]):
            fails(cli(*args, "-o", "photos", *force), 2, "photos: is a folder with other things in it")
    fails(cli("export", tiny_model, "-o", "photos"), 2, "photos: exists already")
    fails(cli("export", tiny_model, "-o", "photos", "--force"), 2, "photos: is a folder")
    assert (tmp_path / "photos" / "cat.png").read_bytes() == b"precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "photos", "rows.csv"]


# --- the machine fails


def no_space(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_for_an_answer(cli, tiny_model, tmp_path, full_disk):
    for command in (["predict", tiny_model, TEXT], ["export", tiny_model]):
        out = put(tmp_path / "out", b"old")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "replace", no_space)
            done = cli(*command, "-o", out, "--force")
        assert done.code in (1, 2) and "out: could not be written (No space left on device)" in done.err
        assert out.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["out"]
    fails(
        cli("predict", tiny_model, TEXT, "-o", tmp_path / "no" / "such" / "folder"),
        2,
        "could not be written (No such file",
    )


def test_a_full_disk_in_training(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.import_module("lamella.train.checkpoint"), "_write", no_space)
    out = tmp_path / "new"
    done = cli(
        "train",
        "translation",
        "sample",
        "-o",
        out,
        "--size",
        "tiny",
        "--vocabulary-size",
        "120",
        "--steps",
        "2",
        "--threads",
        "1",
    )
    assert done.code == 1 and "fault in lamella" not in done.err
    last = done.err.splitlines()[-1]
    assert last.startswith("lamella: ") and str(out) in last and "No space left" in last and "--resume" in last
    assert [p.name for p in out.iterdir()] == ["training"] and not list((out / "training" / "checkpoint").glob("*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_behind_standard_output():
    with open("/dev/full", "w") as full:
        done = process("tasks", stdout=full, capture_output=False, stderr=subprocess.PIPE)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "No space left" in done.stderr, done.stderr


def test_a_reader_that_has_gone():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        done = process("tasks", stdout=gone, capture_output=False, stderr=subprocess.PIPE)
    assert done.returncode == 0 and done.stderr == ""


def test_old_code_pages_and_no_home(tiny_model, tmp_path):
    path = put(tmp_path / "a.txt", "Une clé à l'école : où ?\n")
    wanted = None
    for changes in ({}, {"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "cp1252"}, {"HOME": "/nonexistent"}):
        done = process("predict", tiny_model, path, env={**os.environ, **changes}, text=False)
        assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
        wanted = wanted or done.stdout
        assert done.stdout == wanted and wanted.decode("utf-8")


def test_nothing_calls_home(cli, tiny_model, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *a: pytest.fail("a connection was opened"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("a name was looked up"))
    assert cli("predict", tiny_model, TEXT).code == 0
    assert cli("evaluate", tiny_model, "sample", "--limit", "5").code == 0


# --- Ctrl-C


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory) -> tuple[Path, Path, int, str]:
    """A training from a file that got a Ctrl-C after its first step: file, folder, the step where it stopped, messages."""
    place = tmp_path_factory.mktemp("interrupted")
    data, out = put(place / "pairs.tsv", tsv(samples.sentences("train")[:200])), place / "model"
    command = ["train", "translation", data, "-o", out, "--size", "tiny", "--vocabulary-size", "120", "--beams", "1"]
    with subprocess.Popen(
        [*LAMELLA, *map(str, command), "--steps", "100000", "--threads", "1"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        timer = threading.Timer(240, running.kill)
        timer.start()
        said = []
        for line in running.stderr:
            said.append(line)
            if line.startswith("step "):
                running.send_signal(signal.SIGINT)
                break
        said += running.stderr.readlines()
        code = running.wait()
        timer.cancel()
    messages = "".join(said)
    assert code == 130, messages
    return data, out, int(re.findall(r"stopped at step (\d+)", messages)[0]), messages


def test_ctrl_c_saves(interrupted):
    _, out, step, messages = interrupted
    assert step >= 1 and "Traceback" not in messages
    assert (
        messages.splitlines()[-1]
        == f"lamella: stopped at step {step}; saved. Go on with the same command and --resume."
    )
    assert [p.name for p in out.iterdir()] == ["training"], "no model that is half one"
    assert [p.name for p in (out / "training" / "checkpoint").iterdir()] == [f"step-{step:08d}"]
    assert len((out / "training" / "log.jsonl").read_text().splitlines()) == step


def test_it_is_not_begun_anew_by_mistake(interrupted, cli):
    data, out, step, _ = interrupted
    command = ["train", "translation", data, "-o", out, "--size", "tiny", "--vocabulary-size", "120", "--beams", "1"]
    fails(cli(*command, "--steps", "3"), 2, "model: holds an unfinished training", "--resume", "--force")
    for changed in (["--vocabulary-size", "130"], ["--seed", "7"]):
        done = cli(*command, *changed, "--resume", "--steps", step + 1)
        assert done.code == 1 and f"step-{step:08d}: made with other settings or data: " in done.err
    put(data.with_name("other.tsv"), tsv(samples.sentences("train")[200:400]))
    done = cli(*["train", "translation", data.with_name("other.tsv"), *command[3:]], "--resume")
    assert done.code == 1 and "data was" in done.err
    assert [p.name for p in (out / "training" / "checkpoint").iterdir()] == [f"step-{step:08d}"]


def test_resume_goes_on_at_that_step(interrupted, cli):
    data, out, step, _ = interrupted
    command = [
        "train",
        "translation",
        data,
        "-o",
        out,
        "--size",
        "tiny",
        "--vocabulary-size",
        "120",
        "--beams",
        "1",
        "--threads",
        "1",
    ]
    done = cli(*command, "--resume", "--steps", step + 3, "--json")
    assert f"resumed at step {step}" in done.err and done.json["model"] == str(out)
    assert done.json["task"] == "translation" and set(done.json["scores"]) == {"held out"}
    assert json.loads((out / "model.json").read_text())["training"]["steps"] == step + 3
    steps = [json.loads(line)["step"] for line in (out / "training" / "log.jsonl").read_text().splitlines()]
    assert steps == list(range(1, step + 4)), "one log of both parts"
    assert [p.name for p in (out / "training" / "checkpoint").iterdir()] == [f"step-{step + 3:08d}"]
    assert cli("predict", out, TEXT).code == 0
    fails(cli(*command, "--steps", "3"), 2, "model: exists already")
