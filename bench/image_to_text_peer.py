"""A ViT and a GPT-2 as transformers' VisionEncoderDecoder, from scratch: the peer of `bench.image_to_text`.

    PEER/bin/python bench/image_to_text_peer.py learn.jsonl test.jsonl answers.json MINUTES SIDE THREADS

It runs in an environment of its own, which needs torch, transformers and Pillow, and imports nothing of lamella. Words that
occur twice are its vocabulary. Four layers of 192 numbers on either side, patches of 8 or 16 points, AdamW with a warm-up and
a cosine, label smoothing as lamella's, beams of 3. Writes a list of captions, one for each line of the test file.
"""

import base64
import io
import json
import math
import random
import sys
import time
from collections import Counter
from pathlib import Path

import torch
from PIL import Image
from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

PAD, UNKNOWN, START, END = range(4)
BATCH, RATE, LONGEST = 32, 1e-3, 40


def picture(value: str, side: int) -> torch.Tensor:
    """(3, side, side), of mean about 0."""
    raw = io.BytesIO(base64.b64decode(value.partition(",")[2])) if value.startswith("data:") else value
    image = Image.open(raw).convert("RGB").resize((side, side))
    points = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return points.view(side, side, 3).permute(2, 0, 1)


def main() -> None:
    learn_file, test_file, answers_file, minutes, side_text, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    rng, side = random.Random(0), int(side_text)
    learn, test = (
        list(map(json.loads, Path(name).read_text("utf-8").splitlines())) for name in (learn_file, test_file)
    )
    counts = Counter(word for row in learn for caption in row["caption"] for word in caption.split())
    words = ["", "?", "", "", *(word for word, count in counts.most_common() if count > 1)]
    ids = {word: i for i, word in enumerate(words) if i > END}
    encoder = ViTConfig(
        hidden_size=192, num_hidden_layers=4, num_attention_heads=4, intermediate_size=768, image_size=side,
        patch_size=16 if side > 80 else 8,
    )  # fmt: skip
    decoder = GPT2Config(
        vocab_size=len(words), n_positions=LONGEST + 2, n_embd=192, n_layer=4, n_head=4, bos_token_id=START,
        eos_token_id=END, pad_token_id=PAD, add_cross_attention=True, is_decoder=True,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = START, PAD, END
    net = VisionEncoderDecoderModel(config)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    pictures = torch.stack([picture(row["image"], side) for row in learn])
    begun, seconds, step = time.time(), 60 * float(minutes), 0
    net.train()
    while (share := (time.time() - begun) / seconds) < 1:
        rows = [rng.randrange(len(learn)) for _ in range(BATCH)]
        texts = [
            [*(ids.get(w, UNKNOWN) for w in rng.choice(learn[i]["caption"]).split()[: LONGEST - 1]), END] for i in rows
        ]
        longest = max(map(len, texts))
        labels = torch.tensor([text + [-100] * (longest - len(text)) for text in texts])
        prompt = torch.tensor([[START, *text[:-1]] + [PAD] * (longest - len(text)) for text in texts])
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * share))
        out = net(pixel_values=pictures[rows].float() / 127.5 - 1, decoder_input_ids=prompt)
        loss = torch.nn.functional.cross_entropy(
            out.logits.flatten(0, 1), labels.flatten(), ignore_index=-100, label_smoothing=0.1
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
    print(
        f"VisionEncoderDecoder: {step} steps, {sum(p.numel() for p in net.parameters()) / 1e6:.1f} million parameters",
        flush=True,
    )
    net.eval()
    answers = []
    with torch.no_grad():
        for first in range(0, len(test), BATCH):
            part = torch.stack([picture(row["image"], side) for row in test[first : first + BATCH]]).float() / 127.5 - 1
            made = net.generate(pixel_values=part, num_beams=3, max_length=LONGEST)
            answers += [" ".join(words[i] for i in row.tolist() if i == UNKNOWN or i > END) for row in made]
    Path(answers_file).write_text(json.dumps(answers, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
