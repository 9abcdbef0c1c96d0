"""argos-translate with the weights of one of our translators: run by `bench.translation --argos` and `bench.cold_start --argos`.

    ARGOS/bin/python bench/translation_argos.py PACKAGES en fr              reads lines of JSON {"text": ...}, answers {"seconds": ..., "text": ...}
    ARGOS/bin/python bench/translation_argos.py PACKAGES en fr TEXT         translates one text, as its command does, and ends

PACKAGES is a folder with one package in it (`bench/translation_peer.py --package`). The net that argos-translate cuts sentences with
is fetched from the internet; here each paragraph is taken as one sentence instead, which costs it nothing.
"""

import json
import os
import sys
import time
from pathlib import Path

packages, src, dst, *texts = sys.argv[1:]
os.environ |= {
    "ARGOS_PACKAGES_DIR": packages, "XDG_DATA_HOME": packages + "-data", "XDG_CONFIG_HOME": packages + "-config",
    "XDG_CACHE_HOME": packages + "-cache", "ARGOS_INTRA_THREADS": str(len(os.sched_getaffinity(0))),
}  # fmt: skip

from argostranslate import cli, sbd, translate  # noqa: E402  # it reads its settings when it is imported

sbd.MiniSBDSentencizer.split_sentences = lambda self, text: [text]


def main():
    if texts:
        sys.argv[1:] = ["--from-lang", src, "--to-lang", dst, *texts]
        cli.main()
        return
    from importlib.metadata import version

    translation = translate.get_translation_from_codes(src, dst)
    print(
        json.dumps({"version": version("argostranslate"), "packages": [p.name for p in Path(packages).iterdir()]}),
        flush=True,
    )
    for line in sys.stdin:
        text = json.loads(line)["text"]
        translation.cache = {}  # of the paragraphs translated last, which would all be found again
        start = time.perf_counter()
        answer = translation.translate(text)
        print(json.dumps({"seconds": time.perf_counter() - start, "text": answer}), flush=True)


if __name__ == "__main__":
    main()
