"""pocketsphinx on WAV files of 16 kHz: run by `bench.speech_recognition` in the peer's own environment.

    python speech_recognition_peer.py WORDS FILE...     WORDS: the only words of a grammar, with commas between, or nothing

Prints one line of JSON: the text of each file, and the processor seconds of all, the model's loading aside.
"""

import json
import sys
import tempfile
import time
import wave

from pocketsphinx import Decoder


def main() -> None:
    words, *files = sys.argv[1:]
    options = {"samprate": 16000, "loglevel": "FATAL"}
    if words:
        with tempfile.NamedTemporaryFile("w", suffix=".gram", delete=False) as file:
            file.write(f"#JSGF V1.0;\ngrammar words;\npublic <said> = {' | '.join(words.split(','))};\n")
        options |= {"jsgf": file.name, "lm": None}
    decoder = Decoder(**options)
    texts = []
    start = time.process_time()
    for path in files:
        with wave.open(path) as sound:
            raw = sound.readframes(sound.getnframes())
        decoder.start_utt()
        decoder.process_raw(raw, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        texts.append(found.hypstr if found else "")
    print(json.dumps({"texts": texts, "seconds": time.process_time() - start}))


if __name__ == "__main__":
    main()
