"""BertForMaskedLM from scratch, for `bench.fill_mask`: runs in an environment with torch and transformers, and nothing of lamella.

    python fill_mask_peer.py facts.json

Trains on the ids of facts.json for so many minutes on one core, then answers lines on standard input, {"pieces", "places"}, with
a line "rows columns" and the log-probabilities as float32.
"""

import json
import sys
import time

import torch
from transformers import BertConfig, BertForMaskedLM

BATCH, RATE, WARMUP, SHARE = 32, 5e-4, 200, 0.15  # windows, AdamW's peak, steps, of the words as in the paper


def masked(ids: torch.Tensor, kinds: torch.Tensor, mask: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Whole words masked as BERT's authors do: 80% by the mask, 10% by any piece, 10% as they are; labels -100 elsewhere."""
    kind = kinds[ids]
    word = (kind != 2).cumsum(1)
    chosen = (torch.rand(len(ids), ids.shape[1] + 2) < SHARE).gather(1, word) & (kind != 0)
    chosen[0, 0] |= not bool(chosen.any())
    draw = torch.rand(ids.shape)
    given = torch.where(chosen & (draw < 0.8), torch.full_like(ids, mask), ids)
    given = torch.where(chosen & (draw > 0.9), torch.randint(4, len(kinds), ids.shape), given)
    return given, torch.where(chosen, ids, torch.full_like(ids, -100))


def main() -> None:
    """Train, then answer until the pipe is closed."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with open(sys.argv[1], encoding="utf-8") as file:
        facts = json.load(file)
    kinds, window = torch.tensor(facts["kinds"]), facts["window"]
    stream = torch.tensor([i for row in facts["ids"] for i in row])
    config = BertConfig(
        vocab_size=len(kinds), hidden_size=facts["width"], num_hidden_layers=facts["depth"],
        num_attention_heads=facts["heads"], intermediate_size=4 * facts["width"], max_position_embeddings=window + 2,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    net = BertForMaskedLM(config)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01, betas=(0.9, 0.98))
    start, seconds, step = time.perf_counter(), 60 * facts["minutes"], 0
    while (spent := time.perf_counter() - start) < seconds:
        at = torch.randint(0, max(1, len(stream) - window), (BATCH,))
        ids = torch.stack([stream[a : a + window] for a in at.tolist()])
        given, labels = masked(ids, kinds, facts["mask"])
        for group in optimizer.param_groups:
            group["lr"] = RATE * min((step + 1) / WARMUP, 1 - spent / seconds)
        loss = net(input_ids=given, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
    net.eval()
    count = sum(p.numel() for p in net.parameters())
    print(f"BertForMaskedLM, {count / 1e6:.2f} million parameters, {step} steps, loss {loss.item():.3f}", flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        ids, places = torch.tensor(question["pieces"]), torch.tensor(question["places"])
        with torch.no_grad():
            hidden = net.bert(ids, attention_mask=(ids != 0).long()).last_hidden_state[torch.arange(len(ids)), places]
            scores = net.cls(hidden[:, None])[:, 0].float().log_softmax(dim=-1)
        sys.stdout.buffer.write(f"{scores.shape[0]} {scores.shape[1]}\n".encode() + scores.numpy().tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
