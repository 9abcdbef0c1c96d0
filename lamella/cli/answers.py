"""Answers on the command line: what predict and translate share.

Inputs are sorted into texts, files and standard input; answers go to standard output or to `-o`, and inputs without an
answer are named on standard error. A bad input does not affect the others.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lamella.cli.arguments import is_file, is_folder, looks_like_file, not_a_file, to_json
from lamella.cli.streams import shown, visible

Choose = Callable[[Any, Path], Any]
SINGULAR = {"files": "file", "rows": "row"}  # what is counted, where there is one
SHOWN = 10  # rows without an answer that are named one by one


def answer(
    trained: Any, inputs: tuple[str, ...], options: dict[str, Any], out: str | None, as_text: bool, as_file: bool,
    force: bool, as_json: bool, columns: dict[str, str] | None = None, choose: Choose | None = None,
) -> None:  # fmt: skip
    """Answer texts, files or standard input, and write the answers; shared by predict and translate.

    choose: the model for a file, where that hangs on the file; None for one that stays as it is.
    """
    from lamella.errors import UsageError
    from lamella.model import answering
    from lamella.options import refuse_unasked, refuse_unfit

    plain, out = out == "-", None if out == "-" else out  # standard output, as a file of text would be
    trained = answering.opened(trained, None, options)
    refuse_unasked(type(trained.task.config), options, trained.task.state.asked, trained.task.questions)

    def fit(names: list[str]) -> None:
        suffixes = [Path(name).suffix.lower() for name in names]
        refuse_unfit(type(trained.task.config), options, suffixes)
        if columns and not any(map(_has_columns, names)):
            received = ", ".join(dict.fromkeys(suffix or "a text" for suffix in suffixes))
            raise UsageError(f"--columns: expected a table, received {received}. Leave it out.")

    if not inputs:
        asked = [f"--{name.replace('_', '-')}" for name in trained.task.fields]
        asked = [name for name in asked if len(asked) > 1 or not trained.task.fields[name[2:].replace("-", "_")].prose]
        given = f", or {' and '.join(asked)}" if asked else ""
        raise UsageError(f"expected a text, a file, or - for standard input{given}, received nothing.")
    if inputs == ("-",) and not as_text:
        fit([""])
        _answer_lines(trained, out, force, as_json)
        return
    folders = answering.takes_folders(trained.task)
    # A picture among several fields is a value of one of them, not a file of examples.
    as_text = as_text or (folders and answering.all_values(trained.task, inputs))
    if as_file or (not as_text and any(is_file(Path(i), folders or is_folder(i, bool(out))) for i in inputs)):
        _answer_files(trained, inputs, out, force, columns, ".txt" if plain else "", choose, fit)
        return
    for word in inputs:
        if not as_text and (what := not_a_file(word)):
            raise UsageError(f"{word}: expected a file or a text, received {what}. Its lines go in with < and -.")
        if not as_text and looks_like_file(word, answering.suffixes_of(trained.task), not folders):
            raise UsageError(f"{word}: no such file. If it is a text, add --text.")
        if not as_text and is_file(Path(word), True):
            click.echo(
                f"note: {visible(word)} is taken as a text; for the folder of that name, {word}/ -o OUT", err=True
            )
    fit([""])
    _answer_texts(trained, inputs, out, force, as_json)


def _has_columns(name: str) -> bool:
    from lamella.model.reading import has_columns

    return has_columns(name)


def _answer_lines(trained: Any, out: str | None, force: bool, as_json: bool) -> None:
    from lamella.model import answering, free
    from lamella.verbs import predict as verb

    if out:
        free(Path(out), force)
    unread: list[str] = []
    answers = answering.predict_lines(trained, iter(sys.stdin.readline, ""), unread.append)
    if as_json:
        click.echo(to_json({"answers": list(answers)}))
    elif out:
        verb.write_answer("".join(line + "\n" for line in answers).encode(errors="surrogateescape"), Path(out), force)
    else:
        for line in answers:
            click.echo(shown(line))
    lost = sum(not line.startswith("note: ") for line in unread)
    _name("standard input", {"not read": lost} if lost else {}, unread)


def _answer_texts(trained: Any, inputs: tuple[str, ...], out: str | None, force: bool, as_json: bool) -> None:
    from lamella.errors import LamellaError
    from lamella.model import answering
    from lamella.model.notes import notes_of
    from lamella.model.words import grouped
    from lamella.verbs import predict as verb

    values = grouped(trained.task, inputs)
    examples = [answering.example_of(trained.task, value) for value in values]
    answers = answering.answer_all(trained, examples)
    bad = [answer for answer in answers if isinstance(answer, LamellaError)]
    if bad and len(values) == 1:
        raise bad[0]
    numbered = [(f"input {i}" if len(values) > 1 else "", e) for i, e in enumerate(examples, 1)]
    rest = [one for one, a in zip(numbered, answers, strict=True) if not isinstance(a, LamellaError)]
    for note in notes_of(trained.task, rest):
        click.echo(visible(note), err=True)
    given = [None if isinstance(a, LamellaError) else a for a in answers]
    lines = ["" if isinstance(a, LamellaError) else trained.task.render(a) for a in answers]
    if as_json:
        click.echo(to_json({"answers": given}))
    elif out:
        answered = [(e, a) for e, a in zip(examples, answers, strict=True) if not isinstance(a, LamellaError)]
        raw = (
            trained.task.output.written(trained.task, Path(out).suffix.lower(), *map(list, zip(*answered, strict=True)))
            if answered
            else None
        )
        text = "".join(line + "\n" for line in lines).encode(errors="surrogateescape")
        verb.write_answer(text if raw is None else raw, Path(out), force)
    else:
        click.echo(shown("\n".join(lines)))
    if bad:
        named = [f"input {i}: {a}" for i, a in enumerate(answers, 1) if isinstance(a, LamellaError)]
        raise LamellaError(f"{len(bad)} of {len(values)} inputs could not be answered.", named)


def _answer_files(
    trained: Any, inputs: tuple[str, ...], out: str | None, force: bool, columns: dict[str, str] | None, suffix: str = "",
    choose: Choose | None = None, fit: Callable[[list[str]], None] = lambda names: None,
) -> None:  # fmt: skip
    """Answer each file by itself; bad files are named, the others are done.

    suffix: of what goes to standard output. fit: refuses options that are for none of the files, by their names.
    """
    from lamella.errors import LamellaError, UsageError
    from lamella.model import answering, free
    from lamella.verbs import predict as verb

    paths = [Path(word) for word in inputs]
    folders = answering.takes_folders(trained.task)
    if len(paths) > 1 and answering.all_media(trained.task, paths) and all(is_file(p, True) for p in paths):
        place = _one_table(trained.task, out)
        if place is not None or out is None:
            if place is not None:
                free(place, force)
            notes: list[str] = []
            raw, _, counts = answering.predict_media(
                trained, paths, notes.append, place.suffix.lower() if place else ""
            )
            _put(raw, place, force)
            _name(", ".join(map(str, paths[:3])), counts, notes)
            return
    failed: list[str] = []
    tree = not folders and any(word and path.is_dir() for word, path in zip(inputs, paths, strict=True))
    parts = _with_folders(trained.task, inputs, out, failed) if tree else [(w, _named(Path(w))) for w in inputs]
    if out is None and (tree or len(parts) > 1):
        raise UsageError(f"{'a folder' if tree else 'several files'}: expected -o FOLDER for the answers.")
    if not folders:
        fit([word for word, _ in parts])
    places = verb.output_paths([name for _, name in parts], out, tree) if out else []
    for place in places:
        free(place, force)
    for i, (word, _) in enumerate(parts):
        path, notes = Path(word), []
        try:
            if not word or not is_file(path, folders):
                what = not_a_file(word) or ("a folder" if word and path.is_dir() else "")
                what = f"is {what}" if what else "no such file" if word else "an empty name"
                raise UsageError(f"{path}: {what}. Expected files; add --text if they are texts.")
            chosen = choose(trained, path) if choose else trained
            if chosen is None:
                raw, counts = path.read_bytes(), {}
            else:
                raw, _, counts = answering.predict_file(
                    chosen, path, columns, notes.append, places[i].suffix.lower() if out else suffix
                )
            _put(raw, places[i] if out else None, force)
            _name(str(path), counts, notes)
        except LamellaError as error:
            if len(parts) == 1 and not failed:
                raise
            failed.append(str(error))
    if failed:
        total = max(len(parts), len(inputs))
        raise LamellaError(f"{len(failed)} of {total} inputs could not be answered; the others are in {out}.", failed)


def _named(path: Path) -> Path:
    """The name of the answers to a file."""
    from lamella.model import answering

    return Path(path.with_suffix(answering.out_suffix(path)).name) if path.name else path


def _with_folders(job: Any, inputs: tuple[str, ...], out: str | None, failed: list[str]) -> list[tuple[str, Path]]:
    """Each file, and each file of the folders among the inputs, with the name of its answers in the tree."""
    from lamella.errors import UsageError
    from lamella.model import answering
    from lamella.model.below import files_below

    parts: list[tuple[str, Path]] = []
    for word in inputs:
        path = Path(word)
        if not (word and path.is_dir()):
            parts.append((word, _named(path)))
            continue
        suffixes = answering.suffixes_of(job)
        found, others = files_below(path, suffixes, Path(out) if out else None)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(others.items()))
        if not found:
            known = ", ".join(sorted(set(suffixes)))
            message = f"{path}: is a folder; expected files of {known} in it, received {kinds or 'none'}."
            if len(inputs) == 1:
                raise UsageError(message)
            failed.append(message)
        elif others:
            click.echo(f"{visible(str(path))}: left out, of other kinds: {visible(kinds)}", err=True)
        top = Path(path.resolve().name) if len(inputs) > 1 else Path()
        parts += [(str(file), top / file.relative_to(path).parent / _named(file)) for file in found]
    return parts


def _one_table(job: Any, out: str | None) -> Path | None:
    """Where the one table of several pictures goes: `answers.csv` in a folder, or the file that was named.

    None for standard output, and where the task writes a picture for each into the folder.
    """
    from lamella.model import answering

    if out is None:
        return None
    place = Path(out)
    if place.suffix and not place.is_dir():
        return place
    if answering.writes_pictures(job):
        return None
    place.mkdir(parents=True, exist_ok=True)
    return place / "answers.csv"


def _put(raw: bytes, place: Path | None, force: bool) -> None:
    """Write bytes to a file or to standard output."""
    from lamella.verbs import predict as verb

    if place is None:
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
    else:
        verb.write_answer(raw, place, force)


def _name(source: str, counts: dict[str, int], notes: list[str]) -> None:
    """Report on standard error how much was answered, and what was not and why."""
    unread = [line for line in notes if not line.startswith("note: ")]
    if counts:
        counted = ", ".join(
            f"{count:,} {SINGULAR.get(what, what) if count == 1 else what}" for what, count in counts.items()
        )
        click.echo(visible(f"{source}: {counted}{': ' + unread[0] if unread else ''}"), err=True)
    for line in unread[1:SHOWN]:
        click.echo(f"  {visible(line)}", err=True)
    if len(unread) > SHOWN:
        click.echo(f"  and {len(unread) - SHOWN:,} more", err=True)
    for line in notes:
        if line.startswith("note: "):
            click.echo(f"  {visible(line)}", err=True)
