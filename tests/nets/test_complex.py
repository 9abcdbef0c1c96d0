"""ComplEx beside complex numbers."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from lamella.nets.factorization import complex as complex_
from lamella.nets.factorization.complex import ComplEx, cubes


def test_scores_are_products_of_complex_vectors():
    torch.manual_seed(0)
    net = ComplEx(5, 2, 3).eval()
    e, r = (torch.complex(*table.detach().chunk(2, dim=1)) for table in (net.entity_table, net.relation_table))
    head, relation, tail = torch.tensor([0, 4]), torch.tensor([1, 0]), torch.tensor([2, 3])
    out = net(head, relation, tail)
    wanted = torch.einsum("bk,bk,ek->be", e[head], r[relation], e.conj()).real
    torch.testing.assert_close(out["tails"], wanted)
    torch.testing.assert_close(net.tails(head, relation)["scores"], wanted)
    torch.testing.assert_close(out["heads"], torch.einsum("bk,bk,ek->be", e[tail], r[relation + 2], e.conj()).real)
    norm = e[head].abs() ** 3 + e[tail].abs() ** 3 + (r[relation].abs() ** 3 + r[relation + 2].abs() ** 3) / 2
    torch.testing.assert_close(out["penalty"], norm.sum(dim=1))


def test_the_penalty_has_a_gradient_at_zero():
    vectors = torch.zeros(1, 4, requires_grad=True)
    cubes(vectors).sum().backward()
    assert vectors.grad is not None and bool(vectors.grad.isfinite().all())


def test_a_sample_of_very_many_entities_stands_for_all(monkeypatch):
    torch.manual_seed(0)
    net = complex_.ComplEx(3000, 2, 8)
    head, relation, tail = torch.randint(3000, (64,)), torch.randint(2, (64,)), torch.randint(3000, (64,))

    def losses(out):
        assert (out["tails"].gather(1, out["tail_at"][:, None]).shape == (64, 1)) and out["penalty"].shape == (64,)
        return [F.cross_entropy(out[f"{end}s"], out[f"{end}_at"]).item() for end in ("tail", "head")]

    whole = losses(net(head, relation, tail))
    assert net(head, relation, tail)["tails"].shape == (64, 3000)
    monkeypatch.setattr(complex_, "ALL", 2000)
    monkeypatch.setattr(complex_, "SAMPLED", 1000)
    sampled = net(head, relation, tail)
    assert sampled["tails"].shape[1] < 1200
    assert all(abs(a - b) < 0.05 for a, b in zip(losses(sampled), whole, strict=True)), "each counts for those left out"
    sum(out.sum() for out in (sampled["tails"], sampled["heads"])).backward()
    assert net.eval()(head, relation, tail)["tails"].shape == (64, 3000), "all, when it is measured"
