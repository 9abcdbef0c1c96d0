"""Complete facts: the missing tail, head or relation, whether a fact is true, and the rule that says so.

Two parts that know different things answer together. The net is ComplEx (Trouillon et al., 2016) with reciprocal relations, a
cross-entropy over all entities and the N3 penalty (Lacroix et al., 2018): it generalizes from everything to everything and
gives no reason. Rules of one to three facts, or five in sparse graphs, are mined from the same facts with support and confidence (`rules`): they are
few, can be read, and stand on facts that can be shown, and on facts that are added when the model answers. How far each
of the two is believed is learned on facts that neither was made from (`mixture`).
"""

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.readers.triples import Fact, clean
from lamella.fields import Conclusion, Field, Id
from lamella.metrics.filtered import filtered_ranks, reciprocal
from lamella.task import (
    Answer,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Question,
    Run,
    Scores,
    Task,
    Training,
    as_learned,
)
from lamella.tasks.link_prediction import disjoint, leaks, mixture, penalty
from lamella.tasks.link_prediction.answers import Asked, Ends
from lamella.tasks.link_prediction.config import Config as Config
from lamella.tasks.link_prediction.graph import INVERSE, Graph, parse_facts
from lamella.tasks.link_prediction.knowledge import Ints, Knowledge, pack_facts, unpack_facts
from lamella.tasks.link_prediction.longer import usual_length
from lamella.tasks.link_prediction.reasons import Rules
from lamella.tasks.link_prediction.rules import mine, pack, unpack
from lamella.tasks.link_prediction.tables import Tables

if TYPE_CHECKING:
    from torch import Tensor, nn

AT_ONCE = 128  # facts that are ranked at a time, both ways, among all entities
MISSING = 0.9  # of the facts, at the full strength of that noise
RULED_OUT = 3.0  # nats: how surely a candidate is none that facts rule out, before validation says more
SHOWN_FACTS = 500  # of a model, where examples are wanted that it can answer
DROPOUT, FEW = 0.2, 1000  # of a small net, and up to how many entities
MANY, LARGE = 8_000, 1024  # entities, and from which on so many facts are in a batch
SEARCHED_RANK = 64  # complex numbers of the vectors of the short search


HEAD, TAIL = Id("The entity that the fact is about."), Id("The entity that it leads to.")
RELATION = Id("How the head is related to the tail; ^relation: the other way round.")


def _without_facts(task: "LinkPrediction", strength: float, seed: int) -> Task:
    """Up to MISSING of the facts that rules stand on are not known when it answers; rankings still leave them out."""
    other, facts = copy.copy(task), task.graph.knowledge.facts
    gone = np.random.default_rng(seed).random(len(facts)) < MISSING * strength
    other.facts_, other.filter_ = pack_facts(facts[~gone]), task.filter_ + pack_facts(facts[gone])
    for name in ("graph", "_added"):
        vars(other).pop(name, None)
    return other


USUAL = Training(
    nets=("factorization",),
    noun="facts",
    batch=256,
    rate=50.0,  # of AdaGrad: .1 for a small net
    decay=0.0,
    muon=False,
    precise=True,
    measured={"ranks": True},
    terms="rows",
    noises={"missing facts": _without_facts},
)


class LinkPrediction(Task):
    fields = {"head": HEAD, "relation": RELATION}
    answer = Conclusion("The likeliest tail that is no known fact, with the rule and the facts behind it.")
    questions = {
        "tail": Question({"head": HEAD, "relation": RELATION}, answer, "Which tail completes a fact."),
        "head": Question(
            {"relation": RELATION, "tail": TAIL}, Conclusion("The likeliest head."), "Which head completes a fact."
        ),
        "relation": Question(
            {"head": HEAD, "tail": TAIL}, Conclusion("The likeliest relation."), "How two entities are related."
        ),
        "true": Question(
            {"head": HEAD, "relation": RELATION, "tail": TAIL},
            Conclusion("true or false, and how likely that is."),
            "Whether a fact is true.",
        ),
    }
    target = "tail"
    metric = "mrr"

    @as_learned(USUAL)
    def training(self) -> Training:
        """Of many entities larger batches: most of a step moves the table of all of them, however few facts are in it."""
        many = vars(self).get("entities_", b"").count(b"\n") >= MANY
        return msgspec.structs.replace(USUAL, batch=LARGE) if many else USUAL

    entities_: bytes  # a name a line
    relations_: list[str]
    facts_: bytes  # those of training, as ids
    filter_: bytes = b""  # other facts that were read, left out of rankings and used for nothing else
    rules_: bytes = b""
    disjoint_: bytes = b""
    n3_: float = penalty.USUAL
    mix_: Sequence[float] = (1.0, 0.0)  # weights of the parts of `Ends.parts`
    truth_: Sequence[float] = (1.0, 0.0)  # slope and bias of the log-odds that a fact is true

    def __init__(self, config: Any = None, size: str = "small") -> None:
        super().__init__(config, size)
        self.seen: dict[Fact, None] = {}  # all facts read by this task, those to measure with among them
        self.collecting = False  # decode gives what the two parts say instead of answers

    @property
    def optional(self) -> Mapping[str, Field]:
        return {"tail": TAIL} if self.config.ranks and self.state.asked in ("", "tail") else {}

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.facts import read_facts

        facts, lines = read_facts(list(paths), columns)
        self.seen |= dict.fromkeys(facts)
        lines += [f"warning: {line}" for line in leaks.warnings(facts)]
        return [_example(fact) for fact in facts], lines

    def sample(self, split: str) -> list[Example]:
        """The family of the sample; of a model that was trained on other facts, some of those: it knows no others."""
        from lamella.data.samples import link_prediction as samples

        facts = samples.facts(split)
        if "entities_" in vars(self) and not len(self.graph.ids(facts[:1])):
            own = self.graph.knowledge.facts[:SHOWN_FACTS].tolist()
            facts = [(h, r, t) for h, r, t in map(self.graph.names, own)]
        return [_example(fact) for fact in facts]

    def keys(self, example: Example) -> list[str]:
        return ["\0".join(_fact(example))]

    def given(self, example: Example) -> Example:
        return {name: example[name] for name in (*self.fields, *self.optional) if name in example}

    def fit(self, examples: Sequence[Example]) -> None:
        facts = dict.fromkeys(map(_fact, examples))
        rest = [fact for fact in self.seen if fact not in facts]
        # Entities of facts that are only measured have a vector too, so that they can be ranked among the others.
        entities = list(dict.fromkeys(e for h, _, t in (*facts, *rest) for e in (h, t)))
        self.relations_ = sorted({r for _, r, _ in facts})
        self.entities_ = "\n".join(entities).encode()
        graph = Graph(entities, self.relations_, np.zeros((0, 3), np.int64))
        ids = graph.ids(list(facts))
        self.facts_, self.filter_ = pack_facts(ids), pack_facts(graph.ids(rest))
        for name in ("graph", "ruled", "disjoint", "n3_", "mix_", "truth_", "_added", "_kept"):  # of an earlier fit
            vars(self).pop(name, None)
        c, known = self.config, Knowledge(ids, len(entities), len(self.relations_))
        self.rules_ = pack(mine(known, c.rules, c.rule_length or usual_length(known), c.support))
        self.disjoint_ = disjoint.learn(known) if c.rules else b""
        right = known.with_facts(graph.ids(rest), len(entities))
        self.n3_ = c.n3 or penalty.search(lambda: self._build(SEARCHED_RANK, members=1), ids, right, 2 * SEARCHED_RANK)

    @cached_property
    def graph(self) -> Graph:
        """What the model has learned."""
        entities = self.entities_.decode("utf-8", "replace").split("\n")
        return Graph(entities, self.relations_, unpack_facts(self.facts_, len(entities), len(self.relations_)))

    @cached_property
    def ruled(self) -> Rules:
        """The rules by relation."""
        return Rules(unpack(self.rules_, len(self.relations_)), len(self.relations_))

    @cached_property
    def disjoint(self) -> NDArray[np.bool_]:
        """Which relations never join the same two entities."""
        return disjoint.read(self.disjoint_, len(self.relations_))

    @property
    def world(self) -> Graph:
        """What is known now: the model's facts, and those that were added when it was asked."""
        c = self.config
        if not c.facts and not c.facts_file:
            return self.graph
        from lamella.data.readers.facts import read_facts  # late: most questions add none

        if vars(self).get("_added", ((),))[0] != (c.facts, c.facts_file):
            more = parse_facts(c.facts) + (read_facts([c.facts_file])[0] if c.facts_file else [])
            self._added = (c.facts, c.facts_file), self.graph.with_facts(more)
        return self._added[1]

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        world, ids = self.world, {}
        for name in self.fields:
            ids[name] = world.relation_id(example[name]) if name == "relation" else world.entity_id(name, example[name])
        return {name: np.array(i, np.int64) for name, i in ids.items()}

    def prompt(self, example: Example) -> Arrays:
        return self.targets(example)  # the net is trained both ways: from the tail to the head too

    def targets(self, example: Example) -> Arrays:
        return {"tail": np.array(self.graph.entity_id("tail", example["tail"]), np.int64)}

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        return self._build(self.size.width, self.config.members)

    def _build(self, rank: int, members: int) -> "nn.Module":
        from lamella.nets.factorization.complex import ComplEx

        entities, dropout = len(self.graph.entities), float(self.config.dropout)
        if dropout < 0:  # few vectors are soon learned by heart
            dropout = DROPOUT if entities <= FEW else 0.0
        return ComplEx(entities, len(self.relations_), rank, dropout, members)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        return penalty.loss(outputs, self.n3_)

    # ---- answers -----------------------------------------------------------------------------------------------

    def _ends(self, graphs: Mapping[str, GraphLike]) -> Ends:
        return Ends(
            graphs["tails"], self.world, self.ruled, self.mix_, self.disjoint, self.graph.knowledge, self._tables
        )

    @property
    def _tables(self) -> Tables | None:
        """What is kept of a small graph, as long as what is known and the weights of the parts are the same."""
        kept, world = vars(self).get("_kept"), self.world
        if kept is None or kept.world is not world or kept.mix != self.mix_:
            kept = self._kept = Tables(world, self.mix_) if Tables.fits(world) else None
        return kept

    def _asked(self, graphs: Mapping[str, GraphLike]) -> Asked:
        return Asked(self._ends(graphs), self.state.asked or "tail", self.truth_, self.config.top)

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        ends = self._ends(graphs)
        if self.collecting:
            return [{"parts": rows} for rows in zip(*ends.parts(inputs["head"], inputs["relation"]), strict=True)]
        if self.config.ranks and self.state.asked in ("", "tail"):
            names, scores = self.world.entities, ends.scores(inputs["head"], inputs["relation"])
            return [{"answer": names[int(row.argmax())], "scores": row} for row in scores]
        return self._asked(graphs).answers(inputs)

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        found: list[Answer] = []
        known: Knowledge | None = None
        for first in range(0, len(examples), AT_ONCE):
            part = examples[first : first + AT_ONCE]
            answers = run(part)
            if answers and "scores" in answers[0]:
                known = known or self._known(examples)
                self._rank(part, answers, run, known)
            found += answers
        return found

    def _rank(self, examples: Sequence[Example], answers: list[Answer], run: Run, known: Knowledge) -> None:
        """Put the ranks of the wanted ends, tail and head, in the place of the scores of answers to these examples."""
        whole = [n for n, e in enumerate(examples) if e.get("tail")]
        turned = [_turned(examples[n]) for n in whole]
        back = run(turned) if whole else []
        for n, other, backwards in zip(whole, turned, back, strict=True):
            ranks = []
            for example, answer in ((examples[n], answers[n]), (other, backwards)):
                head, wanted = (self.world.entity_id(name, example[name]) for name in ("head", "tail"))
                relation = self.world.relation_id(example["relation"])
                others = known.tails(head, relation)
                ranks += filtered_ranks(answer["scores"][None], np.array([wanted]), [others]).tolist()
            answers[n]["ranks"] = ranks
        for answer in answers:
            answer.pop("scores")

    def _known(self, examples: Sequence[Example]) -> Knowledge:
        """All facts that may be right besides the wanted one: those learned, those read beside them, those measured."""
        world = self.world
        counts = len(self.graph.entities), len(self.relations_)
        more = [unpack_facts(self.filter_, *counts), world.ids([_fact(e) for e in examples if e.get("tail")])]
        return world.knowledge.with_facts(np.concatenate(more), len(world.entities))

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        odds = self._asked(graphs).log_odds(inputs, answer["answer"])
        return Focus(f"log-odds of {answer['answer']}", odds, details=partial(self._details, graphs, inputs, answer))

    def _details(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> dict[str, Any]:
        return self._asked(graphs).explained({name: int(a[0]) for name, a in inputs.items()}, answer)

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """The weights of net and rules, and how sure a fact is, from facts that neither was made from."""
        facts = [e for e in examples if len(self._ids([e]))]
        self.filter_ = pack_facts(
            np.unique(np.concatenate([unpack_facts(self.filter_, *self._counts), self._ids(facts)]), axis=0)
        )
        if not facts:
            return
        known, self.collecting = self._known(facts), True
        try:
            queries = list(self._queries(facts, run, known))
        finally:
            self.collecting = False
        ruled = float(bool(self.rules_))
        start = (1.0, ruled, RULED_OUT if self.disjoint_ else 0.0, 1.0, ruled / 2)
        self.mix_ = mixture.less_of_rules(queries, mixture.fit(queries, start))
        self.truth_ = mixture.platt(*mixture.pairs(queries, self.mix_))

    @property
    def _counts(self) -> tuple[int, int]:
        return len(self.graph.entities), len(self.relations_)

    def _ids(self, examples: Sequence[Example]) -> Ints:
        return self.graph.ids([_fact(e) for e in examples])

    def _queries(self, examples: Sequence[Example], run: Run, known: Knowledge) -> Any:
        """Both questions of each fact: what the parts say of the candidates (C, 5) that may be right, and the right one."""
        for first in range(0, len(examples), AT_ONCE):
            part = [*examples[first : first + AT_ONCE]]
            part += [_turned(e) for e in part]
            for example, said in zip(part, run(part), strict=True):
                head, wanted = (self.graph.entity[clean(example[name])] for name in ("head", "tail"))
                others = known.tails(head, self.graph.relation_id(example["relation"]))
                yield mixture.candidates(said["parts"], wanted, others)

    # ---- scores ------------------------------------------------------------------------------------------------

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The ends that a relation has most often, whatever the other end."""
        ids = self._ids(learn)
        entities, count = self._counts
        often = np.zeros((2 * count, entities), np.float32)
        np.add.at(often, (ids[:, 1], ids[:, 2]), 1)
        np.add.at(often, (ids[:, 1] + count, ids[:, 0]), 1)
        known = self._known(examples)
        answers: list[Answer] = []
        for h, r, t in self._ids(examples).tolist():
            pair = [(often[r], t, known.tails(h, r)), (often[r + count], h, known.tails(t, r + count))]
            ranks = [float(filtered_ranks(s[None], np.array([w]), [o])[0]) for s, w, o in pair]
            answers.append({"answer": self.graph.entities[int(often[r].argmax())], "ranks": ranks})
        return answers

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        """Filtered ranks in both directions; of answers without ranks, the place in what they list."""
        ranks = [a.get("ranks") or [self._place(a, e)] for a, e in zip(answers, examples, strict=True)]
        told = leaks.told(self._ids(examples), self.graph.knowledge)
        notes = {
            "told by another fact": f"{told:.0%} of these facts stand in training the other way round or in other words"
        }
        return reciprocal(ranks, notes if told > leaks.WORTH else {})

    def _place(self, answer: Answer, example: Example) -> float:
        """The rank of the wanted tail among the answers listed; of one that is not there the mean of the rest."""
        listed = [answer["answer"], *(other["answer"] for other in answer.get("others", ()))]
        wanted = clean(example["tail"])
        return listed.index(wanted) + 1.0 if wanted in listed else (len(listed) + len(self.graph.entities)) / 2

    def render(self, answer: Answer) -> str:
        line: str = answer["answer"] + (f" {answer['probability']:.2f}" if "probability" in answer else "")
        if answer.get("rule"):
            facts = "; ".join(" ".join(fact) for fact in answer["facts"])
            line += f", because {facts} (rule: {answer['rule']})"
        if answer.get("ranks"):
            line += ", ranks " + " and ".join(f"{rank:g}" for rank in answer["ranks"])
        return line + (f"; known: {', '.join(answer['known'])}" if answer.get("known") else "")


def _example(fact: Fact) -> Example:
    return dict(zip(("head", "relation", "tail"), fact, strict=True))


def _fact(example: Example) -> Fact:
    """The fact of an example, by names as the model keeps them."""
    return clean(str(example["head"])), clean(str(example["relation"])), clean(str(example.get("tail", "")))


def _turned(example: Example) -> Example:
    """The same fact asked the other way round."""
    relation = example["relation"]
    other = relation.removeprefix(INVERSE) if relation.startswith(INVERSE) else f"{INVERSE}{relation}"
    return {"head": example["tail"], "relation": other, "tail": example["head"]}
