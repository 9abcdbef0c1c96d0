"""The readers that are fuzzed, an entry each."""

from __future__ import annotations

from functools import partial

from tests.fuzzing import (
    foreign_readers,
    mask_readers,
    model_readers,
    model_seeds,
    part_readers,
    readers,
    seeds,
    speech_readers,
)
from tests.fuzzing.dictionaries import (
    CAPTIONS,
    CELLS,
    CUES,
    DOCUMENT,
    ELEMENTS,
    GRAPHS,
    HEADS,
    KEYS,
    MARKED,
    OBJECTS,
    OFFICE,
    QUOTED,
    RESOURCES,
    TAGS,
    TENSORS,
    TIMED,
    ZIPPED,
    words,
)
from tests.fuzzing.readers import Reader

READERS: tuple[Reader, ...] = (
    Reader("text", ".txt", readers.read_document, lambda: seeds.pairs(seeds.TEXT), DOCUMENT),
    Reader("markdown", ".md", readers.read_document, lambda: seeds.pairs(seeds.MARKDOWN), MARKED),
    Reader("mdx", ".mdx", readers.read_document, lambda: seeds.pairs(seeds.MARKDOWN), MARKED),
    Reader("web page", ".html", readers.read_document, lambda: seeds.pairs(seeds.HTML), TAGS),
    Reader("subtitles", ".srt", readers.read_document, lambda: seeds.pairs(seeds.SRT), CUES),
    *(
        Reader(name, suffix, readers.read_document, partial(seeds.documents, suffix), tokens)
        for name, suffix, tokens in (
            ("locale json", ".json", RESOURCES),
            ("locale arb", ".arb", RESOURCES),
            ("locale yaml", ".yml", RESOURCES),
            ("properties", ".properties", RESOURCES),
            ("apple strings", ".strings", RESOURCES),
            ("apple plurals", ".stringsdict", RESOURCES),
            ("apple catalogue", ".xcstrings", RESOURCES),
            ("android", ".xml", RESOURCES),
            ("xliff", ".xlf", RESOURCES),
            ("captions", ".vtt", CAPTIONS),
            ("substation", ".ass", CAPTIONS),
            ("docx", ".docx", OFFICE),
            ("pptx", ".pptx", OFFICE),
            ("odt", ".odt", OFFICE),
            ("epub", ".epub", OFFICE),
        )
    ),
    Reader("po", ".po", readers.read_document, lambda: seeds.pairs(seeds.PO), QUOTED),
    Reader("po pairs", ".po", readers.read_pairs, lambda: seeds.pairs(seeds.PO), QUOTED),
    Reader(
        "mo",
        ".mo",
        readers.read_compiled,
        seeds.catalogues,
        (b"\xde\x12\x04\x95", b"\x00", b"\x04", b"Plural-Forms:", b"charset=x"),
    ),
    Reader(
        "plural",
        ".txt",
        readers.read_plural,
        lambda: [rule.encode() for rule in seeds.PLURALS],
        words("nplurals=2; plural= n ( ) ? : ! && || == % / * - + < 0 99999999999999"),
    ),
    Reader(
        "tmx",
        ".tmx",
        readers.read_pairs,
        lambda: [*seeds.pairs(seeds.TMX), seeds.BOMB.format(seeds.ENTITIES).encode(), seeds.EXTERNAL.encode()],
        ELEMENTS,
    ),
    Reader(
        "glossary",
        ".tsv",
        readers.read_glossary,
        lambda: seeds.pairs(seeds.GLOSSARY),
        (b"\t", b"\n", b"# ", b"a\tb\n", b"'", b" ", b"source\ttarget\n"),
        per_kilobyte=0.03,
    ),
    Reader("guard", ".txt", readers.read_text, lambda: seeds.pairs(seeds.TEXT), DOCUMENT, per_kilobyte=0.05),
    Reader("csv", ".csv", readers.read_labelled, lambda: seeds.pairs(seeds.LABELLED, seeds.ROWS), CELLS),
    Reader("tsv", ".tsv", readers.read_labelled, lambda: seeds.pairs(seeds.LABELLED.replace(",", "\t")), CELLS),
    Reader("table", ".txt", readers.read_labelled, lambda: seeds.pairs(seeds.LABELLED, seeds.JSONL), CELLS),
    Reader("jsonl", ".jsonl", readers.read_labelled, lambda: seeds.pairs(seeds.JSONL), OBJECTS),
    Reader(
        "json",
        ".json",
        readers.read_labelled,
        lambda: [*seeds.pairs(seeds.ARRAY), b"[" * 100_000, b'{"a":' * 100_000],
        OBJECTS,
    ),
    Reader(
        "events", ".csv", readers.read_events, lambda: seeds.pairs(seeds.EVENTS, seeds.EVENTS.replace(",", "\t")), CELLS
    ),
    Reader(
        "events of movielens",
        ".dat",
        readers.read_events,
        lambda: seeds.pairs(seeds.COLONS),
        (b"::", b":", b"1", b"\n"),
    ),
    Reader(
        "facts",
        ".tsv",
        readers.read_facts,
        lambda: seeds.pairs(seeds.FACTS, "head\trelation\ttail\n" + seeds.FACTS),
        CELLS,
    ),
    Reader(
        "n-triples",
        ".nt",
        readers.read_facts,
        lambda: seeds.pairs(seeds.NTRIPLES),
        words('<http://a.org/b> _:b "a"@en "1"^^<c> . \\u00e9 # '),
    ),
    Reader("parallel", ".tsv", readers.read_pairs, lambda: seeds.pairs(seeds.PAIRS), CELLS),
    Reader(
        "aligned", ".en", readers.read_aligned, lambda: seeds.pairs("Yes\nNo\n"), (b"\n", b"\r\n", b"\t", b"{", b"a")
    ),
    Reader("rows", ".csv", readers.read_rows, lambda: seeds.pairs(seeds.ROWS, seeds.LABELLED), CELLS),
    Reader("json rows", ".jsonl", readers.read_rows, lambda: seeds.pairs(seeds.JSONL, '{"a": 1}\n{"a": 2}\n'), OBJECTS),
    Reader("series", ".csv", readers.read_series, lambda: seeds.pairs(seeds.SERIES, seeds.MONTHS), TIMED),
    Reader("long series", ".tsv", readers.read_series, lambda: seeds.pairs(seeds.LONG), TIMED),
    Reader(
        "json series",
        ".jsonl",
        readers.read_series,
        lambda: seeds.pairs('{"ds": "2020-01-01", "y": 1}\n{"ds": "2020-01-02", "y": 2.5}\n'),
        TIMED + OBJECTS,
    ),
    Reader("windows", ".csv", readers.read_windows, lambda: seeds.pairs(seeds.WINDOWS), TIMED),
    Reader("forecasting", ".csv", readers.read_forecasting, lambda: seeds.pairs(seeds.SERIES, seeds.WINDOWS), TIMED),
    Reader("sound", ".wav", speech_readers.read_sound, speech_readers.waves, speech_readers.CHUNKS),
    *(
        Reader(name, suffix, speech_readers.read_speech, partial(seeds.pairs, text), tokens)
        for name, suffix, text, tokens in (
            ("speech subtitles", ".srt", speech_readers.SUBTITLES, CUES),
            ("speech textgrid", ".TextGrid", speech_readers.GRID, speech_readers.GRIDS),
            ("speech elan", ".eaf", speech_readers.ELAN, ELEMENTS),
            ("speech manifest", ".jsonl", speech_readers.MANIFEST, OBJECTS),
            ("speech list", ".csv", speech_readers.PIPED, CELLS),
        )
    ),
    Reader("cloze", ".txt", readers.read_cloze, lambda: seeds.pairs(seeds.TEXT), DOCUMENT),
    Reader("summaries", ".jsonl", readers.read_summaries, lambda: seeds.pairs(seeds.SUMMARIES), OBJECTS),
    Reader("stories", ".story", readers.read_summaries, lambda: seeds.pairs(seeds.STORY), (*DOCUMENT, b"@highlight")),
    Reader("passages", ".txt", readers.read_passages, lambda: seeds.pairs(seeds.TEXT), DOCUMENT),
    Reader(
        "stamps", ".txt", readers.read_stamps, lambda: [seeds.STAMPS.encode(), seeds.STRANGE_STAMPS.encode()], TIMED
    ),
    Reader(
        "numbers", ".txt", readers.read_numbers, lambda: [b"1 2.5, 3", b"3.5, x", b'{"a": 3, "b": "x"}', b"7"], TIMED
    ),
    Reader(
        "picture",
        ".png",
        readers.read_picture,
        seeds.pictures,
        HEADS,
        seconds=4.0,
        per_kilobyte=0.2,
        mend=seeds.repaired,
    ),
    Reader(
        "picture marks",
        ".png",
        readers.read_picture_marks,
        lambda: seeds.pictures()[:22],
        HEADS,
        seconds=8.0,
        per_kilobyte=0.2,
        mend=seeds.repaired,
    ),
    Reader(
        "picture uri",
        ".txt",
        readers.read_uri,
        seeds.uris,
        (b"data:", b"image/png", b";base64,", b"=", b",", b"[", b"]", b"[[0", b"1e999", b"255"),
        seconds=1.0,
    ),
    *(
        Reader(
            f"captions {suffix}", suffix, readers.read_captions, partial(seeds.captions, suffix), tokens, seconds=1.0
        )
        for suffix, tokens in ((".csv", CELLS), (".txt", CELLS), (".json", OBJECTS))
    ),
    Reader(
        "masks",
        ".png",
        mask_readers.read_mask_file,
        mask_readers.masks,
        (b"IHDR", b"PLTE", b"IDAT", b"tEXtLabels\0", b"tEXtThings\0", b"[0, 1]", b'["a"]'),
        seconds=2.0,
        mend=seeds.repaired,
    ),
    Reader(
        "shapes .json", ".json", mask_readers.read_shapes, partial(mask_readers.shapes, ".json"), OBJECTS, seconds=2.0
    ),
    Reader(
        "shapes .xml", ".xml", mask_readers.read_shapes, partial(mask_readers.shapes, ".xml"), ELEMENTS, seconds=2.0
    ),
    Reader("colours of masks", ".txt", mask_readers.read_legend, mask_readers.legends, CELLS, seconds=1.0),
    Reader(
        "half-labelled pictures",
        ".csv",
        readers.read_half_labelled,
        lambda: seeds.pairs(seeds.PICTURES),
        CELLS,
        seconds=1.0,
    ),
    Reader("picture table", ".csv", readers.read_pictures, lambda: seeds.pairs(seeds.PICTURES), CELLS, seconds=1.0),
    Reader("model zip", ".zip", model_readers.read_archive, model_seeds.archives, ZIPPED),
    Reader("model.json", ".json", model_readers.read_manifest, model_seeds.manifests, KEYS),
    Reader(
        "vocabulary",
        ".model",
        model_readers.read_vocabulary,
        model_readers.vocabularies_seeds,
        (b"\x0a", b"\x0b", b"\xe2\x96\x81", b"\x12\x03", b"\xff"),
    ),
    Reader(
        "checkpoint",
        ".json",
        model_readers.read_checkpoint,
        model_readers.checkpoints_seeds,
        KEYS + words('"step" "sha256" "facts" "updates"'),
    ),
    Reader("tensors", ".safetensors", model_readers.read_tensor_file, model_seeds.tensor_files, TENSORS),
    Reader(
        "marian bin",
        ".bin",
        foreign_readers.read_marian_binary,
        foreign_readers.binaries,
        (b"special:model.yml\0", b"\x01\x41", b"\x04\x04", b"Wemb\0", b"\xff" * 8),
    ),
    Reader(
        "marian npz",
        ".npz",
        foreign_readers.read_marian_npz,
        foreign_readers.npzs,
        (*ZIPPED, b"\x93NUMPY\x01\x00", b"'descr': '<f4'", b"'shape': (99999999999,), ", b"'|O'"),
    ),
    Reader(
        "marian settings",
        ".yml",
        foreign_readers.read_marian_settings,
        foreign_readers.settings,
        words("dim-emb: 512 type: transformer - [ ] ? : \" ' \\u2581 \\x41 \\U0001f600 &a *a !!x |"),
    ),
    Reader(
        "marian shortlist",
        ".lex",
        foreign_readers.read_marian_shortlist,
        foreign_readers.shortlists,
        (b"\xf5\x17\x34\x01\xd5\x48\x1a\xf1", b"\xff" * 8, b"\x0c\0\0\0"),
    ),
    Reader(
        "marian config",
        ".json",
        foreign_readers.read_marian_config,
        foreign_readers.configs,
        KEYS + words('"model_type" "marian" "d_model" "encoder_layers"'),
    ),
    Reader(
        "other vocabulary",
        ".spm",
        foreign_readers.read_other_pieces,
        foreign_readers.other_pieces,
        (b"\x0a", b"\x12\x03", b"\x1a", b"nmt_nfkc", b"\xe2\x96\x81", b"\xff"),
    ),
    *(
        Reader(name, ".model", read, made, (b"\xff" * 8, b"\0" * 4, b"{", b"\t", b"\n"))
        for name, read, made in part_readers.ALL
    ),
    Reader("graph", ".onnx", model_readers.read_graph, model_seeds.graphs, GRAPHS),
    Reader(
        "fingerprint", ".bin", model_readers.read_fingerprint, model_readers.fingerprints_seeds, (b"\x00", b"\xff" * 8)
    ),
    Reader(
        "options",
        ".json",
        model_readers.read_options,
        lambda: [text.encode() for text in seeds.OPTIONS],
        KEYS + words('"to" "from" "horizon" "dims" "beams" "net"'),
    ),
    Reader(
        "arguments",
        ".txt",
        model_readers.read_arguments,
        lambda: [text.encode() for text in (*seeds.COLUMNS, "--beams 1 -o out model -- --text")],
        words("= , -- --a --a=b -o text="),
    ),
)
BY_NAME = {reader.name: reader for reader in READERS}
