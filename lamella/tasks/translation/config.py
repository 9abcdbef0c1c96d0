"""The options of translation."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lamella.data.readers.suffixes import PACKED, TABLES

LATER = {"when": "predict"}  # may be changed when a model answers
FILE = {**LATER, "holds": "file"}
# What an option is for, by the suffixes of files; "" for texts. A document has no room for more than its translation.
PLAIN = {**LATER, "formats": (".txt",)}
PAGES = {**LATER, "formats": (".md", ".markdown", ".mdx")}
SUBTITLES = {**LATER, "formats": (".srt", ".vtt", ".ass", ".ssa")}
ROWS = {**LATER, "formats": ("", *TABLES, *PACKED)}


class Config(msgspec.Struct, kw_only=True):
    src: Annotated[str, Meta(description="Language of the source, as a code such as en.", extra=LATER)] = msgspec.field(
        default="en", name="from"
    )
    dst: Annotated[str, Meta(description="Language of the translation.", extra=LATER)] = msgspec.field(
        default="fr", name="to"
    )
    vocabulary_size: Annotated[
        int, Meta(description="Vocabulary size, shared by both languages.", ge=50, extra={"was": "pieces"})
    ] = 8000
    decoder_depth: Annotated[int, Meta(description="Layers of the decoder; the encoder's are set by --size.", ge=1)] = 2
    decoders: Annotated[int, Meta(description="Decoders on the one encoder, their answers averaged.", ge=1, le=8)] = 1
    decoder: Annotated[
        Literal["attention", "ssru"], Meta(description="How the decoder looks back: attention, or a recurrent unit.")
    ] = "attention"
    block: Annotated[
        Literal["sequence", "parallel", "post-norm"],
        Meta(description="How attention, feed-forward and norms stand in a layer."),
    ] = "sequence"
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.1
    both: Annotated[bool, Meta(description="Train one net for both directions.")] = False
    beams: Annotated[int, Meta(description="Beam size of the search; 1 is fastest.", ge=1, le=8, extra=LATER)] = 4
    memory: Annotated[
        str, Meta(description="Translations made before, used first, near matches too: .tmx .po .mo .tsv.", extra=FILE)
    ] = ""
    glossary: Annotated[str, Meta(description="A .tsv of words and the translations they get.", extra=FILE)] = ""
    neighbours: Annotated[
        bool, Meta(description="Look up the pairs that it was adapted to with --init.", extra=LATER)
    ] = True
    front_matter: Annotated[
        str, Meta(description="Keys of a Markdown page's front matter to translate: title,description.", extra=PAGES)
    ] = ""
    lines: Annotated[bool, Meta(description="In a .txt each line is a text by itself.", extra=PLAIN)] = False
    paragraphs: Annotated[bool, Meta(description="In a .txt wrapped lines are joined.", extra=PLAIN)] = False
    line_length: Annotated[
        int,
        Meta(
            description="Most characters in a line of subtitles; 0: as many lines as the source.", ge=0, extra=SUBTITLES
        ),
    ] = 0
    details: Annotated[
        bool, Meta(description="Say with each translation what became of it and how sure it is.", extra=ROWS)
    ] = False
    keep_below: Annotated[
        float,
        Meta(description="Keep the source where the confidence is below this, from 0 to 1.", ge=0, le=1, extra=LATER),
    ] = 0.0
    alternatives: Annotated[int, Meta(description="Translations of each, best first.", ge=1, le=8, extra=ROWS)] = 1
