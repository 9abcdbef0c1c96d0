"""Recordings with their texts in every form that people have them in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lamella.data.media.sounds import read_sound
from lamella.data.media.wave import write_wave
from lamella.data.readers.cues import read_cues
from lamella.data.readers.speech import read_speech
from lamella.errors import DataError

SRT = "1\n00:00:00,500 --> 00:00:01,500\n<i>Good</i> morning.\n\n2\n00:00:02,000 --> 00:00:03,000\n[music]\n\n3\n00:00:03,000 --> 00:00:04,000\n- Hello\nthere.\n"
SAID = [("#t=0.5,1.5", "Good morning."), ("#t=3,4", "Hello there.")]
LONG_GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "said"
        xmin = 0
        xmax = 4
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.5
            text = "Good morning."
        intervals [3]:
            xmin = 3
            xmax = 4
            text = "Hello there."
"""
SHORT_GRID = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n4\n<exists>\n1\n"IntervalTier"\n"said"\n0\n4\n3\n'
    '0\n0.5\n""\n0.5\n1.5\n"Good morning."\n3\n4\n"Hello there."\n'
)
ELAN = """<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="b"
TIME_VALUE="1500"/><TIME_SLOT TIME_SLOT_ID="c" TIME_VALUE="3000"/><TIME_SLOT TIME_SLOT_ID="d" TIME_VALUE="4000"/></TIME_ORDER>
<TIER><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>Good morning.</ANNOTATION_VALUE>
</ALIGNABLE_ANNOTATION></ANNOTATION><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="c" TIME_SLOT_REF2="d"><ANNOTATION_VALUE>
Hello there.</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"""


def sound(path, seconds: float = 1.0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write_wave(np.random.default_rng(0).normal(0, 0.1, round(8000 * seconds)), 8000))
    return str(path)


def test_ljspeech(tmp_path):
    one = sound(tmp_path / "wavs" / "LJ-1.wav")
    (tmp_path / "metadata.csv").write_text('LJ-1|It cost "5|It cost "five\n')
    for given in (tmp_path, tmp_path / "metadata.csv"):
        rows, lines = read_speech([given])
        assert rows == [{"audio": one, "text": 'It cost "five'}] and "LJSpeech" in lines[0]


def test_common_voice(tmp_path):
    one = sound(tmp_path / "clips" / "a.wav")
    (tmp_path / "validated.tsv").write_text("client_id\tpath\tsentence\tup_votes\nx\ta.wav\tYes, it is.\t2\n")
    assert read_speech([tmp_path])[0] == [{"audio": one, "text": "Yes, it is."}]


def test_texts_beside_recordings(tmp_path):
    one, two = sound(tmp_path / "a" / "one.wav"), sound(tmp_path / "b" / "two.wav")
    sound(tmp_path / "alone.wav")
    (tmp_path / "a" / "one.txt").write_text("Good\nmorning.\n")
    (tmp_path / "b" / "two.lab").write_text("Hello")
    rows, lines = read_speech([tmp_path])
    assert rows == [{"audio": one, "text": "Good morning."}, {"audio": two, "text": "Hello"}]
    assert any("left out 1: a recording without a text" in line for line in lines)
    assert read_speech([one])[0] == rows[:1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("talk.srt", SRT),
        ("talk.en.srt", SRT),
        ("talk.vtt", "WEBVTT\n\n" + SRT.replace(",500", ".500").replace(",000", ".000")),
        ("talk.TextGrid", LONG_GRID),
        ("talk.TextGrid", SHORT_GRID),
        ("talk.eaf", ELAN),
    ],
)
def test_a_long_recording_is_cut_by_what_stands_beside_it(tmp_path, name, text):
    talk = sound(tmp_path / "talk.wav", 5)
    (tmp_path / name).write_text(text)
    rows, _ = read_speech([tmp_path / name])
    assert [(row["audio"].removeprefix(talk), row["text"]) for row in rows] == SAID
    assert read_sound(rows[0]["audio"]).seconds == 1.0
    if name != "talk.en.srt":
        assert read_speech([tmp_path])[0] == rows and read_speech([talk])[0] == rows


def test_manifests_and_tables(tmp_path):
    one, talk = sound(tmp_path / "one.wav"), sound(tmp_path / "talk.wav", 5)
    rows = [
        {"audio_filepath": "one.wav", "duration": 1.0, "text": "yes"},
        {"audio_filepath": talk, "offset": 2.0, "duration": 1.5, "text": "no"},
    ]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    wanted = [{"audio": one, "text": "yes"}, {"audio": f"{talk}#t=2,3.5", "text": "no"}]
    assert read_speech([tmp_path / "manifest.jsonl"])[0] == wanted
    (tmp_path / "some.csv").write_text("take,said\none,yes\ntalk.wav#t=2,no\n")
    (tmp_path / "some.csv").write_text('take,said\none,yes\n"talk.wav#t=2,3.5",no\n')
    assert read_speech([tmp_path / "some.csv"], {"audio": "take", "text": "said"})[0] == wanted


def test_kaldi(tmp_path):
    talk = sound(tmp_path / "talk.wav", 5)
    (tmp_path / "wav.scp").write_text("talk talk.wav\n")
    (tmp_path / "text").write_text("talk-1 GOOD MORNING\n")
    (tmp_path / "segments").write_text("talk-1 talk 0.5 1.5\n")
    assert read_speech([tmp_path])[0] == [{"audio": f"{talk}#t=0.5,1.5", "text": "GOOD MORNING"}]
    (tmp_path / "wav.scp").write_text("talk sox talk.wav -t wav - |\n")
    with pytest.raises(DataError, match="a command, which is not run"):
        read_speech([tmp_path])
    (tmp_path / "wav.scp").write_text("other talk.wav\n")
    with pytest.raises(DataError, match="segments, line 1: expected a part"):
        read_speech([tmp_path])


def test_what_cannot_be_learned_from_is_left_out_and_said(tmp_path):
    names = [sound(tmp_path / f"{i}.wav") for i in range(12)]
    sound(tmp_path / "long.wav", 40)
    table = "".join(f"{i}.wav\tyes\n" for i in range(11)) + "11.wav\t" + "far too much " * 9 + "\nlong.wav\tyes\n"
    (tmp_path / "rows.tsv").write_text("audio\ttext\n" + table)
    rows, lines = read_speech([tmp_path / "rows.tsv"])
    assert [row["audio"] for row in rows] == names[:11]
    assert any("1 with a text that is too long for them" in line for line in lines)
    assert any("1 longer than 35 s: put subtitles" in line for line in lines)
    (tmp_path / "5.wav").write_bytes(b"RIFF")
    rows, lines = read_speech([tmp_path / "rows.tsv"])
    assert len(rows) == 10 and any("5.wav" in line for line in lines)
    for i in range(6):
        (tmp_path / f"{i}.wav").write_bytes(b"no sound")
    with pytest.raises(DataError, match="expected at most 10% bad recordings, received 6 of 13"):
        read_speech([tmp_path / "rows.tsv"])


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.srt", "No times here.", "expected texts with their times"),
        ("a.srt", SRT, "expected the recording beside it, a.wav"),
        ("a.TextGrid", "something", "expected a TextGrid of Praat"),
        ("a.eaf", "<a>", "expected ELAN's XML"),
        ("a.docx", "x", "received a file with the suffix"),
    ],
)
def test_other_files_are_refused(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=says):
        read_speech([tmp_path / name])
    with pytest.raises(DataError, match="no such file or folder"):
        read_speech([tmp_path / "missing"])


def test_an_entity_bomb_is_no_annotation(tmp_path):
    (tmp_path / "a.eaf").write_text('<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>')
    with pytest.raises(DataError, match="expected ELAN's XML"):
        read_cues(tmp_path / "a.eaf")


def test_what_stands_beside_no_recording_or_says_nothing_is_counted(tmp_path):
    sound(tmp_path / "talk.wav", 5)
    (tmp_path / "talk.en.srt").write_text(SRT + "\n4\n00:00:05,000 --> 00:00:04,500\nBackwards.\n")
    sound(tmp_path / "alone.wav")
    (tmp_path / "lost.txt").write_text("of no recording")
    rows, lines = read_speech([tmp_path])
    assert [row["text"] for row in rows] == ["Good morning.", "Hello there."]
    assert any(line.startswith("left out 1: cues of sounds alone") and "line 6" in line for line in lines)
    assert any(line.startswith("left out 1: cues that do not end after they begin") for line in lines)
    assert any(line.startswith("left out 1: a recording without a text") and "alone.wav" in line for line in lines)
    assert any(line.startswith("left out 1: a text without a recording") and "lost.txt" in line for line in lines)


def test_kaldi_with_tabs_and_a_text_of_no_recording(tmp_path):
    names = [sound(tmp_path / f"{i}.wav") for i in range(12)]
    (tmp_path / "wav.scp").write_text("".join(f"u{i}\t{i}.wav\n" for i in range(12)))
    (tmp_path / "text").write_text("".join(f"u{i}\thello you\n" for i in range(12)) + "u99\tlost\n")
    rows, lines = read_speech([tmp_path])
    assert [row["audio"] for row in rows] == names and rows[0]["text"] == "hello you"
    assert "left out 1 that cannot be read" in lines and any("text, line 13" in line for line in lines)


def test_a_third_column_of_speakers_is_no_text(tmp_path):
    one = sound(tmp_path / "wavs" / "a.wav")
    (tmp_path / "list.txt").write_text("wavs/a.wav|Good morning.|17\n")
    assert read_speech([tmp_path / "list.txt"])[0] == [{"audio": one, "text": "Good morning."}]


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_librispeech_and_a_folder_for_each_word(tmp_path):
    sound = write_wave(np.sin(np.arange(24000) / 5).astype(np.float32), 16000)
    put(tmp_path / "libri/1/2/1-2-0000.wav", sound)
    put(tmp_path / "libri/1/2/1-2.trans.txt", "1-2-0000 HELLO THERE\n")
    put(tmp_path / "words/yes/a.wav", sound)
    put(tmp_path / "words/no/b.wav", sound)
    rows, lines = read_speech([tmp_path / "libri"])
    assert [row["text"] for row in rows] == ["HELLO THERE"] and "LibriSpeech; 1 text" in lines[0]
    assert [row["text"] for row in read_speech([tmp_path / "words"])[0]] == ["no", "yes"]


def test_labels_of_audacity_cut_a_recording(tmp_path):
    put(tmp_path / "a.wav", write_wave(np.sin(np.arange(160000) / 5).astype(np.float32), 16000))
    put(tmp_path / "a.txt", "0.5\t2.0\thello\n3.0\t5.0\tgood day\n")
    rows, _ = read_speech([tmp_path])
    assert [(row["audio"].rpartition("#")[2], row["text"]) for row in rows] == [
        ("t=0.5,2", "hello"),
        ("t=3,5", "good day"),
    ]


def test_aligned_words_are_put_together_and_pauses_left_out(tmp_path):
    words = [(0, 0.4, "sp"), (0.4, 0.8, "good"), (0.8, 1.3, "morning"), (1.3, 2.5, "sil"), (2.5, 2.9, "all")]
    rows = "".join(f'{a}\n{b}\n"{text}"\n' for a, b, text in words)
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n1\n"IntervalTier"\n"words"\n0\n3\n{len(words)}\n'
    put(tmp_path / "a.TextGrid", head + rows)
    cues, _ = read_cues(tmp_path / "a.TextGrid")
    assert [cue[:3] for cue in cues] == [(0.4, 1.3, "good morning"), (2.5, 2.9, "all")]


def test_why_a_folder_has_no_texts(tmp_path):
    put(tmp_path / "t.wav", write_wave(np.sin(np.arange(24000) / 5).astype(np.float32), 16000))
    with pytest.raises(DataError, match="1 recording without a text beside it, the first"):
        read_speech([tmp_path])
    for language in ("en", "de"):
        put(tmp_path / f"t.{language}.srt", "1\n00:00:00,100 --> 00:00:01,000\nHello\n")
    with pytest.raises(DataError, match=r"t\.de\.srt and t\.en\.srt beside it, of which one can be used"):
        read_speech([tmp_path])
