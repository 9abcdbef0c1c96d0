"""ComplEx: several members are as many nets, trained apart, whose scores are averaged."""

import pytest
import torch

from lamella.nets.factorization.complex import ComplEx

ENTITIES, RELATIONS, RANK = 7, 3, 4
FACTS = torch.tensor([[0, 1, 2], [3, 0, 4], [6, 2, 1]]).T


def alone(net: ComplEx, member: int) -> ComplEx:
    """One member of a net, as a net of its own."""
    one = ComplEx(ENTITIES, RELATIONS, RANK)
    with torch.no_grad():
        for own, table in ((one.entity_table, net.entity_table), (one.relation_table, net.relation_table)):
            own.copy_(torch.cat([part.chunk(net.members, dim=1)[member] for part in table.chunk(2, dim=1)], dim=1))
    return one.eval()


@pytest.fixture
def net() -> ComplEx:
    torch.manual_seed(0)
    return ComplEx(ENTITIES, RELATIONS, RANK, members=3).eval()


def test_scores_are_the_mean_of_those_of_the_members(net: ComplEx) -> None:
    head, relation, _ = FACTS
    apart = [alone(net, m).tails(head, relation)["scores"] for m in range(3)]
    torch.testing.assert_close(net.tails(head, relation)["scores"], torch.stack(apart).mean(dim=0))
    assert not torch.allclose(apart[0], apart[1])


def test_each_member_has_its_own_scores_and_penalty_in_training(net: ComplEx) -> None:
    together, apart = net(*FACTS), [alone(net, m)(*FACTS) for m in range(3)]
    for name in ("tails", "heads", "tail_at", "head_at"):
        torch.testing.assert_close(together[name], torch.cat([one[name] for one in apart]))
    torch.testing.assert_close(together["penalty"], torch.stack([one["penalty"] for one in apart]).mean(dim=0))


def test_a_member_learns_from_its_own_loss_alone(net: ComplEx) -> None:
    outputs = net(*FACTS)
    rows = len(FACTS[0])
    outputs["tails"][:rows].sum().backward()
    assert net.entity_table.grad is not None
    first, *others = net.entity_table.grad.unflatten(1, (2, net.members, RANK)).unbind(dim=2)
    assert first.abs().max() > 0 and all(other.abs().max() == 0 for other in others)
