"""Translators of other programs: what `lamella import` reads, and what it makes of it.

    a Hugging Face folder     config.json, model.safetensors, source.spm, target.spm, vocab.json        OPUS-MT, MarianMT
    a Marian release          *.npz, *.vocab.yml, source.spm, target.spm                                OPUS-MT's own zip
    a Firefox model           model.*.bin, vocab.*.spm (or srcvocab and trgvocab), lex.*.bin            Bergamot

Each becomes the one encoder-decoder of `lamella.nets.transformer` with the options that make it the same function, its rows
in lamella's order of ids, and one vocabulary file a side. Nothing is unpickled, nothing is downloaded, and every size that
a file claims is compared with the file before memory is asked for.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from lamella.errors import ModelError, UsageError
from lamella.storage import disk
from lamella.storage.tensors import read_tensors
from lamella.tasks.translation.foreign import huggingface, native
from lamella.tasks.translation.foreign.archive import read_npz
from lamella.tasks.translation.foreign.binary import is_binary, read_binary
from lamella.tasks.translation.foreign.settings import read_settings
from lamella.tasks.translation.foreign.shortlist import convert_shortlist
from lamella.tasks.translation.foreign.vocabulary import (
    PieceFile,
    Words,
    read_pieces,
    words_of,
    words_of_pieces,
    write_pieces,
)
from lamella.tasks.translation.foreign.weights import Arrays, Floats, Shape
from lamella.tasks.translation.net import Net

LARGEST, TEXT = 2 << 30, 64 << 20  # bytes of weights, and of a vocabulary or settings
SUPPORTED = (
    "Supported: a Hugging Face MarianMT folder with model.safetensors, an OPUS-MT release with its .npz, a Firefox "
    "(Bergamot) folder with model.*.bin."
)
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".t7")
PACKED = {
    ".zip": "unzip {} -d model",
    ".gz": "gunzip {}",
    ".zst": "unzstd {}",
    ".tar": "tar xf {}",
    ".tgz": "tar xf {}",
}
# Three letters that OPUS-MT's marks have for the two that people type.
LONG = dict(
    part.split("=")
    for part in [
        "ar=ara",
        "bg=bul",
        "bn=ben",
        "ca=cat",
        "cs=ces",
        "da=dan",
        "de=deu",
        "el=ell",
        "en=eng",
        "es=spa",
        "et=est",
        "eu=eus",
        "fa=pes",
        "fi=fin",
        "fr=fra",
        "ga=gle",
        "gl=glg",
        "he=heb",
        "hi=hin",
        "hr=hrv",
        "hu=hun",
        "id=ind",
        "is=isl",
        "it=ita",
        "ja=jpn",
        "ko=kor",
        "lt=lit",
        "lv=lav",
        "ms=zsm",
        "nb=nob",
        "nl=nld",
        "no=nob",
        "pl=pol",
        "pt=por",
        "ro=ron",
        "ru=rus",
        "sk=slk",
        "sl=slv",
        "sq=sqi",
        "sr=srp",
        "sv=swe",
        "sw=swh",
        "ta=tam",
        "th=tha",
        "tl=tgl",
        "tr=tur",
        "uk=ukr",
        "ur=urd",
        "vi=vie",
        "zh=zho",
    ]
)


@dataclass
class Translator:
    """A translator of another program in lamella's terms."""

    program: str  # what wrote it
    src: str
    dst: str
    shape: Shape
    weights: dict[str, Floats]  # by the names of `EncoderDecoder`
    source_pieces: bytes
    target_pieces: bytes  # empty: one vocabulary for both
    normaliser: str  # how letters are replaced before texts are cut
    mark: str = ""  # what stands before each source, of a net with several target languages
    notes: list[str] = field(default_factory=list)
    shortlist: bytes = b""  # which pieces are scored, see `shortlist`

    def net(self) -> Net:
        """What net this is."""
        shape = asdict(self.shape)
        first, own, output = (shape.pop(name) for name in ("norm_first", "source_table", "output_table"))
        return Net(
            vocabulary=len(self.weights["table"]),
            source_vocabulary=len(self.weights["source_table"]) if own else 0,
            tied=not output,
            block="sequence" if first else "post-norm",
            **shape,
        )


def read(source: Path, src: str = "", dst: str = "") -> Translator | None:
    """A folder, or its file of weights -> a translator; None where it is nothing of the kind.

    src, dst: language codes, where the files do not say. Raises ModelError for what is damaged, incomplete or unsupported,
    and UsageError where the languages are not known.
    """
    folder = source if source.is_dir() else source.parent
    if source.is_file():
        _not_packed(source)
    files = {p.name: p for p in sorted(folder.iterdir())} if folder.is_dir() else {}
    if source.is_file() and source.suffix == ".npz":
        return _marian(folder, files, source, src, dst)
    if source.is_file() and source.suffix == ".bin" and is_binary(source):
        return _marian(folder, files, source, src, dst)
    if source.is_file() and source.name != "model.safetensors":
        return None
    if "config.json" in files:
        return _huggingface(folder, files, src, dst)
    weights = _npz(folder, files) or [p for name, p in files.items() if name.endswith(".bin") and _is_model(p)]
    if not weights:
        if any(name.endswith((*PICKLES, "pytorch_model.bin")) for name in files):
            raise _pickle(folder, files)
        return None
    if len(weights) > 1:
        raise UsageError(
            f"{source}: holds {len(weights)} models ({', '.join(p.name for p in weights[:5])}). Name the one to import."
        )
    return _marian(folder, files, weights[0], src, dst)


def _is_model(path: Path) -> bool:
    return not path.name.startswith("lex") and is_binary(path)


def _not_packed(source: Path) -> None:
    """Pickles and archives are named for what they are."""
    if source.suffix in PACKED:
        raise UsageError(f"{source}: is packed. Unpack it first: {PACKED[source.suffix].format(source.name)}")
    if source.suffix in PICKLES or (source.name == "pytorch_model.bin" and not is_binary(source)):
        raise _pickle(source.parent, {source.name: source})


def _pickle(folder: Path, files: dict[str, Path]) -> ModelError:
    name = next((n for n in files if n.endswith((*PICKLES, "pytorch_model.bin"))), "pytorch_model.bin")
    return ModelError(
        f"{folder / name}: is a pickle, which can run any code when it is opened, and lamella opens none. Convert it where "
        f"you have transformers and trust the file: {huggingface.conversion(folder)} - or fetch the original Marian "
        f"release of the model, whose .npz is read as it is. {SUPPORTED}"
    )


def _read(path: Path, most: int) -> bytes:
    try:
        return disk.read_regular(path.resolve(), most)  # caches of models are full of links
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _needed(files: dict[str, Path], names: Sequence[str], folder: Path) -> list[Path]:
    missing = [name for name in names if name not in files]
    if missing:
        raise ModelError(
            f"{folder}: has no {' and no '.join(missing)}. It holds {', '.join(files)[:300] or 'nothing'}. {SUPPORTED} "
            "Copy the missing files beside the others."
        )
    return [files[name] for name in names]


# ---- Hugging Face --------------------------------------------------------------------------------------------------


def _huggingface(folder: Path, files: dict[str, Path], src: str, dst: str) -> Translator:
    config, shape = huggingface.read_config(_read(files["config.json"], TEXT), str(files["config.json"]))
    if "model.safetensors" not in files:
        if "model.safetensors.index.json" in files:
            raise ModelError(f"{folder}: its weights are in several files, which is not supported. Save them as one.")
        if any(name.endswith((*PICKLES, "pytorch_model.bin")) for name in files):
            raise _pickle(folder, files)
    names = ["model.safetensors", "source.spm", "target.spm", "vocab.json"]
    weights, *vocabularies = _needed(files, names, folder)
    source_file, target_file = (read_pieces(_read(p, TEXT), str(p)) for p in vocabularies[:2])
    places = [vocabularies[2]] * 2
    if shape.source_table and "target_vocab.json" in files:
        places[1] = files["target_vocab.json"]
    source, target = (huggingface.special(words_of(_json(p), str(p)), config, str(folder)) for p in places)
    where = str(weights)
    arrays = read_tensors(_read(weights, LARGEST), where)
    converted = huggingface.convert(arrays, config, shape, source, target, where)
    said = _json(files["tokenizer_config.json"]) if "tokenizer_config.json" in files else {}
    src = src or str(said.get("source_lang") or "")
    dst = dst or str(said.get("target_lang") or "")
    return _made("MarianMT of Hugging Face", (src, dst), shape, converted, (source, target), (source_file, target_file),
                 folder, weights)  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(_read(path, TEXT), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{path}: expected a JSON object ({error}). Copy it again.") from error


# ---- Marian --------------------------------------------------------------------------------------------------------


def _npz(folder: Path, files: dict[str, Path]) -> list[Path]:
    """The `.npz` models of a folder: the one that `decoder.yml` names, else all."""
    found = [p for name, p in files.items() if name.endswith(".npz")]
    if len(found) > 1 and "decoder.yml" in files:
        models = _yaml(files["decoder.yml"]).get("models")
        named = [Path(m).name for m in models] if isinstance(models, list) else []
        found = [p for p in found if p.name in named] or found
    return found


def _yaml(path: Path) -> dict[str, Any]:
    try:
        return dict(read_settings(_read(path, TEXT).decode()))
    except ValueError as error:
        raise ModelError(f"{path}: expected settings or a vocabulary as Marian writes them ({error}).") from error


def _marian(folder: Path, files: dict[str, Path], weights: Path, src: str, dst: str) -> Translator:
    where = str(weights)
    arrays: Arrays = (
        read_npz(weights.resolve()) if weights.suffix == ".npz" else read_binary(_read(weights, LARGEST), where)
    )
    settings = native.settings_of(arrays, where)
    shape = native.shape_of(settings, where)
    sides, cut = _vocabularies(folder, files, weights)
    converted = native.convert(arrays, shape, *sides, where)
    made = _made("Marian", (src, dst), shape, converted, sides, cut, folder, weights)
    lists = [p for name, p in files.items() if name.startswith("lex") and name.endswith(".bin")]
    if len(lists) > 1:
        raise UsageError(f"{folder}: holds {len(lists)} shortlists (lex*.bin). Keep the one of {weights.name}.")
    if lists:
        made.shortlist = convert_shortlist(_read(lists[0], TEXT * 4), *sides, str(lists[0]))
        made.notes.append(f"shortlist: {lists[0].name}")
    return made


def _vocabularies(
    folder: Path, files: dict[str, Path], weights: Path
) -> tuple[tuple[Words, Words], tuple[PieceFile, PieceFile]]:
    """What the rows of both tables are, and how texts of both sides are cut."""
    tables = [p for name, p in files.items() if re.search(r"vocab.*\.(yml|yaml|json)$", name)]
    if not tables:  # ids are those of the SentencePiece file
        both = [p for name, p in files.items() if re.match(r"(src|trg)vocab.*\.spm$", name)]
        one = [p for name, p in files.items() if re.match(r"vocab.*\.spm$", name)]
        pair = both if len(both) == 2 else one * 2 if len(one) == 1 else one if len(one) == 2 else []
        if len(pair) != 2:
            raise ModelError(
                f"{folder}: has no vocabulary for {weights.name}: expected vocab.*.spm, or srcvocab.*.spm and trgvocab.*.spm, "
                f"or *.vocab.yml with source.spm and target.spm. It holds {', '.join(files)[:300]}."
            )
        cut = [read_pieces(_read(p, TEXT), str(p)) for p in pair]
        sides = [words_of_pieces(c, str(p)) for c, p in zip(cut, pair, strict=True)]
        return (sides[0], sides[1]), (cut[0], cut[1])
    if "decoder.yml" in files and len(tables) > 1:
        vocabs = _yaml(files["decoder.yml"]).get("vocabs")
        tables = [folder / Path(str(v)).name for v in vocabs] if isinstance(vocabs, list) else tables
    if len(tables) > 2:
        raise UsageError(
            f"{folder}: holds {len(tables)} vocabularies. Keep those of {weights.name}: one, or two in order."
        )
    source, target = (words_of(_json(p) if p.suffix == ".json" else _yaml(p), str(p)) for p in (tables[0], tables[-1]))
    cutters = _needed(files, ["source.spm", "target.spm"], folder)
    first, second = (read_pieces(_read(p, TEXT), str(p)) for p in cutters)
    return (source, target), (first, second)


# ---- both ------------------------------------------------------------------------------------------------------------


def _made(
    program: str,
    languages: tuple[str, str],
    shape: Shape,
    weights: dict[str, Floats],
    words: tuple[Words, Words],
    cut: tuple[PieceFile, PieceFile],
    folder: Path,
    place: Path,
) -> Translator:
    src, dst = _languages(languages, folder, place)
    mark = _mark(words[0].texts, dst, str(folder))
    pieces = [write_pieces(w, c) for w, c in zip(words, cut, strict=True)]
    if cut[0].normaliser != cut[1].normaliser:
        raise ModelError(
            f"{folder}: replaces letters as {cut[0].normaliser} in sources and as {cut[1].normaliser} in translations: "
            "not supported."
        )
    notes = [
        f"imported: {program}, {place.name}, {src} to {dst}{f', marked {mark}' if mark else ''}",
        f"net: {shape.depth} + {shape.decoder_depth} layers of {shape.width} ({shape.decoder} decoder, {shape.activation}), "
        f"{len(weights['table']):,} pieces",
    ]
    target = b"" if pieces[0] == pieces[1] else pieces[1]
    return Translator(program, src, dst, shape, weights, pieces[0], target, cut[0].normaliser, mark, notes)


def _languages(said: tuple[str, str], folder: Path, place: Path) -> tuple[str, str]:
    """The language codes that were given, or that a file's name says: model.enfr.intgemm.bin, opus-mt-en-fr."""
    src, dst = said
    if not (src and dst):
        match = re.search(r"\.([a-z]{2})([a-z]{2})\.", place.name) or re.search(
            r"(?:^|[-_.])([a-z]{2,3})-([a-z]{2,3})$", folder.resolve().name
        )
        src, dst = src or (match[1] if match else ""), dst or (match[2] if match else "")
    if not (src and dst):
        raise UsageError(f"{folder}: does not say which languages it translates. Say so: --from CODE --to CODE.")
    if not all(re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", code) for code in (src, dst)):
        raise UsageError(f"expected codes of languages such as en and fr, received {src[:40]!r} and {dst[:40]!r}.")
    return src, dst


def _mark(texts: Sequence[str], dst: str, where: str) -> str:
    """The mark that asks a net with several target languages for this one: `>>fra<<` for fr. "" where it has none."""
    marks = [t for t in texts if t.startswith(">>") and t.endswith("<<")]
    if not marks:
        return ""
    for code in (dst, LONG.get(dst, dst)):
        if f">>{code}<<" in marks:
            return f">>{code}<<"
    shown = ", ".join(m[2:-2] for m in marks[:40])
    raise UsageError(
        f"{where}: translates into several languages, and {dst} is none of them. Choose one by --to: {shown}."
    )
