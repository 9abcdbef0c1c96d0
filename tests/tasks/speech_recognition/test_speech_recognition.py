"""Speech recognition: the net and its graph, long and silent recordings, files, words that alone may be said, HTTP."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import lamella
from lamella.data.media.sounds import Sound, read_sound
from lamella.data.media.wave import wave_uri, write_wave
from lamella.data.readers.speech import read_speech
from lamella.data.samples.speech_recognition import RATE, WORDS, recordings, say
from lamella.errors import DataError, ModelError, UsageError
from lamella.metrics.speech import distance
from lamella.nets.ctc import ctc_loss, hide, stretch
from lamella.nets.transformer.speech import Conformer
from lamella.tasks.speech_recognition import NOTHING, SILENCE, SpeechRecognition
from lamella.tasks.speech_recognition.files import cues, write
from lamella.tasks.speech_recognition.hearing import _platt
from lamella.tasks.speech_recognition.language import Language, from_bytes, to_bytes
from lamella.tasks.speech_recognition.pieces import cut
from lamella.train.batches import forever
from tests.serving import serving

SAID = {"text": "good morning", "confidence": 0.9, "reason": ""}
SAID["words"] = [
    {"word": "good", "start": 0.5, "end": 0.8, "confidence": 0.9},
    {"word": "morning", "start": 2.0, "end": 2.6, "confidence": 0.9},
]


@pytest.fixture
def folder(trained):
    return trained("speech-recognition")


@pytest.fixture
def model(folder):
    return lamella.load(folder)


@pytest.fixture(scope="module")
def talk() -> tuple[Sound, list[tuple[float, str]]]:
    """Half a minute with pauses, and when each text begins."""
    rng, parts, begins, at = np.random.default_rng(5), [], [], 0
    while at < 27 * RATE:
        text = " ".join(rng.choice(WORDS[:12], 3, replace=False))
        sound = say(text, rng)
        begins.append((at / RATE, text))
        parts += [sound, rng.normal(0, 0.005, RATE // 2).astype(np.float32)]
        at += len(sound) + RATE // 2
    return Sound(np.concatenate(parts), RATE), begins


# ---- the net ---------------------------------------------------------------------------------------------------------


def test_the_graph_is_the_net_at_every_length_whatever_the_padding(folder, model):
    net = model.task.build().eval()
    net.load_state_dict(load_file(folder / "training" / "weights.safetensors"))
    rng = np.random.default_rng(0)
    for lengths in ([7], [8, 3, 1], [61, 61, 40]):
        frames = rng.normal(size=(len(lengths), max(lengths), 4, 80)).astype(np.float32)
        given = {"frames": frames, "lengths": np.array(lengths)}
        there = model.graphs["listen"](**given)["scores"]
        with torch.no_grad():
            here = net(**{k: torch.from_numpy(v) for k, v in given.items()})["scores"].numpy()
        assert np.abs(there - here).max() < 1e-3 * np.abs(here).max()
        for row, length in enumerate(lengths):
            alone = model.graphs["listen"](frames=frames[row : row + 1, :length], lengths=np.array([length]))["scores"]
            length *= model.task.rows_
            assert np.abs(alone[0] - there[row, :length]).max() < 1e-3 * np.abs(there).max()


def test_a_conformer_sees_no_padding():
    net = Conformer(80, 9, width=16, depth=1, heads=2).eval()
    frames = torch.randn(2, 12, 4, 80)
    with torch.no_grad():
        both = net(frames, torch.tensor([12, 5]))["scores"]
        alone = net(frames[1:, :5], torch.tensor([5]))["scores"]
    assert torch.allclose(both[1, :5], alone[0], atol=1e-5)


def test_noise_of_training_keeps_what_is_padding_and_moves_lengths_with_the_sound():
    frames, lengths = torch.randn(3, 50, 4, 80), torch.tensor([50, 30, 10])
    frames = frames * (torch.arange(50)[None] < lengths[:, None])[:, :, None, None]
    slow, now = stretch(frames, lengths, torch.Generator().manual_seed(1), 0.2)
    assert slow.shape[1] == 63 >= int(now.max()) and bool(((now - lengths).abs() <= 0.26 * lengths + 1).all())
    assert not slow[2, int(now[2]) :].any()
    same, still = stretch(frames, lengths, torch.Generator(), 0.0)
    assert torch.equal(still, lengths) and torch.allclose(same, frames, atol=1e-3)
    hidden = hide(frames, lengths, torch.Generator().manual_seed(1), 0.1, 20)
    assert 0.05 < float((hidden[0] == 0).float().mean()) < 0.8


def test_letters_may_follow_each_other_faster_than_the_steps_of_the_net():
    job = SpeechRecognition()
    job.fit([{"audio": recordings("test")[0][0], "text": "through thought"}])
    net = job.build().eval()
    scores = net(torch.zeros(1, 5, 4, 80), torch.tensor([5]))
    assert scores["scores"].shape[1] == 10 and scores["lengths"].tolist() == [10]


def test_a_text_longer_than_its_sound_does_no_harm():
    scores = torch.randn(2, 4, 5, requires_grad=True)
    loss = ctc_loss(scores, torch.tensor([4, 4]), torch.tensor([[1, 2, 0, 0, 0, 0], [1, 2, 3, 4, 1, 2]]))
    loss.backward()
    assert bool(loss.isfinite()) and bool(scores.grad.isfinite().all())


def test_short_ones_come_first_for_as_many_epochs_as_asked():
    lengths = np.arange(1, 41)[:, None]
    drawn = forever(lengths, None, tokens=60, seed=0, short_first=1)
    epochs: dict[int, list[int]] = {}
    for epoch, group in drawn:
        if epoch == 2:
            break
        epochs.setdefault(epoch, []).append(int(lengths[group].max()))
    assert epochs[0] == sorted(epochs[0]) and epochs[1] != sorted(epochs[1])


# ---- recordings ------------------------------------------------------------------------------------------------------


def test_silence_and_noise_give_no_words_but_a_reason(model):
    for silent in (np.zeros(16000), np.random.default_rng(0).normal(0, 1e-4, 48000)):
        assert model.predict(silent) == {"text": "", "words": [], "confidence": 0.0, "reason": SILENCE}
    assert (
        model.task.answers([{"audio": np.ones(1600)}], lambda rows: [{"words": []} for _ in rows])[0]["reason"]
        == NOTHING
    )


def test_a_long_recording_is_cut_in_its_pauses_and_put_together_again(model, talk):
    sound, begins = talk
    # After so few steps, and a handful of recordings kept aside, what the language model counts is chance.
    answer = lamella.predict(model, {"audio": sound}, lm_weight=0.5)
    words = answer["words"]
    starts = [word["start"] for word in words]
    assert starts == sorted(starts) and words[-1]["end"] <= sound.seconds + 0.1
    wanted = " ".join(text for _, text in begins)
    assert distance(answer["text"].split(), wanted.split()) <= 0.15 * len(wanted.split())
    for at, text in begins[3:-3]:
        first = min(words, key=lambda word: abs(word["start"] - at))
        assert abs(first["start"] - at) < 0.3 and first["word"] in (text.split()[0], *WORDS)


def test_pieces_are_no_longer_than_asked_and_lose_nothing():
    sound = np.random.default_rng(0).normal(0, 0.1, 16000 * 65).astype(np.float32)
    pieces = cut(sound, 16000)
    assert pieces[0][0] == 0 and pieces[-1][1] == len(sound)
    assert all(a[1] == b[0] for a, b in pairwise(pieces)) and max(b - a for a, b in pieces) <= 20 * 16000


def test_a_span_is_answered_as_the_file_that_it_is_cut_from(model, cli, folder, talk, tmp_path):
    sound, begins = talk
    path = tmp_path / "talk.wav"
    path.write_bytes(write_wave(sound.samples, sound.rate))
    start, text = begins[2]
    done = cli("predict", folder, f"{path}#t={start:.2f},{start + 1.6:.2f}")
    assert done.code == 0 and distance(done.out.split(), text.split()) <= 1
    assert "received no such file" in cli("predict", folder, "nothing.wav#t=1,2").err
    assert "inside the recording" in cli("predict", folder, f"{path}#t=90,91").err


# ---- words that may be said ------------------------------------------------------------------------------------------


def test_only_these_words(model, cli, folder):
    sounds = [sound for sound, _ in recordings("test")[:6]]
    for answer in lamella.predict(model, *sounds, words="Go, stop"):
        assert set(answer["text"].split()) <= {"go", "stop"}
    with pytest.raises(UsageError, match="the letter 'z', which this model never learned"):
        lamella.predict(model, sounds[0], words="zebra")
    with pytest.raises(UsageError, match="expected words with commas"):
        lamella.predict(model, sounds[0], words=", ,")


def test_a_text_says_which_of_two_words_that_sound_alike_is_meant(model, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("Blew up. Fan blew. Lamp blew.\n" * 40)
    sound = wave_uri(say("fan blue", np.random.default_rng(3)), RATE)
    plain = model.predict(sound)["text"]
    again = lamella.predict(model, sound, lm=str(text), lm_weight=3)["text"]
    assert plain.split()[0] == again.split()[0] == "fan" and again == "fan blew"
    with pytest.raises(DataError, match="received nothing of that name"):
        lamella.predict(model, sound, lm=str(tmp_path / "nothing.txt"))


def test_the_text_of_training_is_not_asked_for_again(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("A lamp. Go on.\n")
    job = SpeechRecognition(SpeechRecognition.Config(lm=str(text)))
    rows = job.sample("train")[:20]
    job.fit(rows)
    transcripts, read = from_bytes(job.language_, len(job.letters_))
    assert set(read.vocabulary) <= {"a", "lamp", "go", "on"} and "lamp" in read.vocabulary
    assert set(transcripts.vocabulary) == {word for row in rows for word in row["text"].split()}
    job.calibrate([], lambda examples: [])
    assert job.config.lm == ""


def test_a_damaged_language_model_is_refused():
    raw = to_bytes([Language.learn(["a b", "b a"], [" ", "a", "b"])] * 2)
    for broken in (raw[:-3], raw.replace(b'"vocabulary', b'"vocabularx'), raw.replace(b'"1 words ', b'"1 wordz '), b""):
        with pytest.raises(ModelError):
            from_bytes(broken, 3)
    with pytest.raises(ModelError, match="n-grams are damaged"):
        from_bytes(raw, 1)


def test_how_sure_a_word_is_follows_how_often_such_words_are_right():
    rng = np.random.default_rng(0)
    answers, wanted = [], []
    for _ in range(300):
        sure = float(rng.uniform(0.5, 0.99))
        right = bool(rng.random() < 0.6)  # whatever the net says
        answers.append({"words": [{"word": "a", "confidence": sure}]})
        wanted.append(["a" if right else "b"])
    slope, offset = _platt(answers, wanted)
    sure = 1 / (1 + np.exp(-(slope * np.log(0.75 / 0.25) + offset)))
    assert 0.5 < sure < 0.7


# ---- files -----------------------------------------------------------------------------------------------------------


def test_subtitles_and_textgrids_are_read_again(tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(write_wave(np.random.default_rng(0).normal(0, 0.1, 24000), 8000))
    for suffix in (".srt", ".vtt", ".textgrid"):
        other = path.with_suffix(suffix)
        other.write_bytes(write(suffix, [3.0], [SAID]))
        rows, _ = read_speech([other])
        assert [row["audio"].removeprefix(str(path)) for row in rows] == ["#t=0.5,0.8", "#t=2,2.6"]
        assert [row["text"] for row in rows] == ["good", "morning"]
        other.unlink()
    assert json.loads(write(".json", [3.0], [SAID]))["seconds"] == 3.0
    assert write(".txt", [3.0], [SAID]) == b"good morning\n" and write(".png", [3.0], [SAID]) is None
    empty = [{"text": "", "words": [], "confidence": 0.0, "reason": SILENCE}]
    assert write(".srt", [1.0], empty) == b"" and b'""' in write(".textgrid", [1.0], empty)


def test_subtitles_are_short():
    words = [{"word": "wordy", "start": i * 0.3, "end": i * 0.3 + 0.3} for i in range(60)]
    for cue in cues(words):
        assert sum(len(w["word"]) + 1 for w in cue) <= 43 and cue[-1]["end"] - cue[0]["start"] <= 6.01


def test_on_the_command_line(folder, cli, tmp_path):
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for i, (sound, _) in enumerate(recordings("test")[:3]):
        heard = read_sound(sound)
        (sounds / f"{i}.wav").write_bytes(write_wave(heard.samples, heard.rate))
    one = sounds / "0.wav"
    text = cli("predict", folder, one).out
    assert cli("predict", folder, one, "-o", "-").out == text and text.strip()
    for suffix in (".srt", ".vtt", ".json", ".TextGrid", ".txt"):
        out = tmp_path / f"out{suffix}"
        assert cli("predict", folder, one, "-o", out).code == 0
        assert text.split()[0] in out.read_text()
    assert cli("predict", folder, sounds, "-o", tmp_path / "all.csv").code == 0
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 4
    assert cli("predict", folder, one, "-o", tmp_path / "one.csv").code == 0  # one recording is a table of one row
    assert (tmp_path / "one.csv").read_text().splitlines()[0].startswith("audio,predicted_text")
    bad = cli("predict", folder, one, "-o", tmp_path / "one.docx")
    assert bad.code == 2 and "-o with .docx: expected .txt" in bad.err and not (tmp_path / "one.docx").exists()
    (sounds / "silent.wav").write_bytes(write_wave(np.zeros(8000, np.float32), 8000))
    silent = cli("predict", folder, sounds / "silent.wav", "-o", "-")
    assert silent.out.strip() == "" and "note: silence" in silent.err and "silent.wav: 1 file\n" in silent.err
    (sounds / "0.wav").write_bytes(b"RIFF....WAVE")
    bad = cli("predict", folder, one)
    assert bad.code == 2 and "expected a WAV file with samples" in bad.err and len(bad.err.splitlines()) == 1


def test_over_http(model, tmp_path):
    sound = recordings("test")[0][0]
    (tmp_path / "a.wav").write_bytes(write_wave(np.ones(9000, np.float32), 8000))
    long = wave_uri(np.concatenate([read_sound(s).samples for s, _ in recordings("test")[:30]]), RATE, bits=8)
    with serving({"asr": model}) as server:
        for uri in (sound, long):
            reply = server.post("/models/asr/predict", {"examples": [{"audio": uri}]}).json
            assert reply["answers"] == [model.predict(uri)] and reply["rendered"] == [model.predict(uri)["text"]]
        for wrong in (str(tmp_path / "a.wav"), f"{tmp_path / 'a.wav'}#t=0,1", "data:audio/wav;base64,AAAA", 7):
            refused = server.post("/models/asr/predict", {"examples": [{"audio": wrong}]})
            assert refused.status in (400, 422) and refused.error, refused.raw


def test_texts_of_nothing_but_marks_cannot_be_learned_from():
    job = SpeechRecognition()
    with pytest.raises(DataError, match="expected texts of what is said"):
        job.fit([{"audio": recordings("test")[0][0], "text": "..."}])
    job.fit([{"audio": recordings("test")[0][0], "text": "yes no"}])
    with pytest.raises(DataError, match="expected letters that training has seen, received 'z'"):
        job.targets({"audio": "", "text": "zoo"})
