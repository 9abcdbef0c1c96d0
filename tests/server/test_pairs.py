"""Models of several pairs, and pairs that go through another language."""

from __future__ import annotations

import copy
from functools import cache
from types import SimpleNamespace

import pytest

import lamella
from lamella.server.batching import Job
from lamella.server.pairs import Pairs
from lamella.tasks.translation import Translation
from tests.serving import one_pair, serving

shipped_model = cache(one_pair)


def several(*targets):
    """The model of English to French, as one that translates to these languages: what it writes is French all the same."""
    model = copy.copy(shipped_model("en-fr"))
    task = model.task = copy.copy(model.task)
    task.inputs = lambda example, own=task: Translation.inputs(own, {**example, "to": "fr"})
    task.directions_ = [f"en-{code}" for code in targets]
    config = copy.copy(task.config)
    config.dst = targets[0]
    return model.with_config(config)


@pytest.fixture(scope="module")
def server():
    with serving({"fr-en": shipped_model("fr-en"), "en-de+es": several("de", "es")}) as found:
        yield found


TEXT = "Le fichier est vide."


def test_every_pair_that_can_be_reached(server):
    found = {row["code"]: row["targets"] for row in server.get("/languages").json}
    assert found == {
        "en": ["de", "en", "es"], "fr": ["de", "en", "es", "fr"], "de": ["de"], "es": ["es"],
    }  # fmt: skip
    assert [row["code"] for row in server.get("/languages").json] == ["en", "fr", "de", "es"], "English, then by name"
    ways = {(way["from"], way["to"]): (way["through"], way["model"]) for way in server.get("/models").json["pairs"]}
    assert ways == {
        ("fr", "en"): ("", "fr-en"), ("en", "de"): ("", "en-de+es"), ("en", "es"): ("", "en-de+es"),
        ("fr", "de"): ("en", "en-de+es"), ("fr", "es"): ("en", "en-de+es"),
    }  # fmt: skip
    [facts] = [one for one in server.get("/models").json["models"] if one["name"] == "en-de+es"]
    assert facts["directions"] == [["en", "de"], ["en", "es"]] and facts["languages"] == ["en", "de"]


def test_one_model_or_two(server):
    def asked(text, source, target):
        return server.post("/translate", {"q": text, "source": source, "target": target}).json["translatedText"]

    english = asked(TEXT, "fr", "en")
    assert english == lamella.translate(TEXT, "fr", "en")
    assert asked(english, "en", "de") == asked(english, "en", "es") == lamella.translate(english, "en", "fr")
    last = several("de", "es").after(shipped_model("fr-en"))
    assert asked(TEXT, "fr", "es") == asked(TEXT, "FR", "es-MX") == last.predict(TEXT)
    page = server.post("/translate", {"q": f"<p>{TEXT}</p>", "source": "fr", "target": "es", "format": "html"}).json
    assert page["translatedText"] == f"<p>{last.predict(TEXT)}</p>"


def test_the_first_model_reads():
    """What its net knows, in its language; the last one's would say that it cannot be read, and copy it."""
    first, last = copy.copy(shipped_model("fr-en")), several("es")
    first.task = copy.copy(first.task)
    first.task.pieces = SimpleNamespace(knows=lambda text: False, encode=first.task.pieces.encode)
    both = last.after(first)
    assert both.predict(TEXT) == TEXT and both.task.state.reader is first.task, "nothing that the first one knows"
    config = lamella.options.replace_config(both.task.config, {"details": True}, "translation")
    assert both.with_config(config).predict(TEXT)["status"] == "copied"
    assert last.task.state.reader is None and last.predict("The file is empty.") != "The file is empty."


def test_a_pair_that_no_models_lead_to(server):
    reply = server.post("/translate", {"q": "Hallo", "source": "de", "target": "fr"})
    assert reply.status == 400 and reply.error == "French (fr) is not available as a target language from German (de)"
    reply = server.post("/translate", {"q": "Wo ist der Bahnhof, bitte?", "source": "auto", "target": "en"})
    assert reply.status == 400 and "not available" in reply.error


def test_files_through_another_language(server):
    for source in ("fr", "auto"):
        found = server.send_file("/translate_file", "a.txt", TEXT.encode(), source=source, target="de").json
        done = server.get(found["translatedFileUrl"].removeprefix(server.url))
        assert done.raw.decode() == several("de").after(shipped_model("fr-en")).predict(TEXT)
        assert "a.de.txt" in done.headers["content-disposition"]
    same = server.send_file("/translate_file", "a.txt", TEXT.encode(), source="auto", target="fr").json
    assert server.get(same["translatedFileUrl"].removeprefix(server.url)).raw.decode() == TEXT


def test_the_routes_of_a_model(server):
    """As the page asks them: options say which pair."""
    place, pair = "/models/en-de+es", {"from": "fr", "to": "es"}
    text = several("de", "es").after(shipped_model("fr-en")).predict(TEXT)
    found = server.post(f"{place}/predict", {"examples": [{"text": TEXT}], "options": pair}).json
    assert found["answers"] == [text]
    file = server.send_file(f"{place}/document", "a.txt", TEXT.encode(), options='{"from": "fr", "to": "es"}')
    assert file.raw.decode() == text and "a.es.txt" in file.headers["content-disposition"]
    refused = server.post(f"{place}/explain", {"example": {"text": TEXT}, "options": pair})
    assert refused.status == 400 and "two models" in refused.error
    refused = server.post(f"{place}/predict", {"examples": [{"text": TEXT}], "options": {"from": "fr", "to": "zh"}})
    assert refused.status == 400 and "en to de, en to es" in refused.error


def test_only_jobs_of_one_pair_are_answered_together():
    first, last = shipped_model("fr-en"), several("de", "es")
    other = last.with_config(lamella.options.replace_config(last.task.config, {"to": "es"}, "translation"))
    jobs = [Job(model, [], 1.0) for model in (last, other, last.after(first), other.after(first))]
    for i, one in enumerate(jobs):
        assert [one.fits(two) for two in jobs] == [i == k for k in range(len(jobs))]
    assert jobs[2].fits(Job(last.after(first), [], 1.0))


def test_which_model_is_asked_first():
    """One that was made for a pair, then one that was trained both ways; English is the language between."""

    def served(*directions):
        return SimpleNamespace(now=SimpleNamespace(directions=list(directions)))

    both, back = served(("en", "fr"), ("fr", "en")), served(("fr", "en"))
    assert Pairs({"a": both}).direct == {("en", "fr"): both, ("fr", "en"): both}
    assert Pairs({"a": both, "b": back}).direct["fr", "en"] is back
    ways = Pairs({"a": served(("fr", "de"), ("fr", "en")), "b": served(("de", "es")), "c": served(("en", "es"))})
    way = ways.way("fr", "es")
    assert way.middle == "en" and ways.way("es", "fr") is None and ways.way("fr", "fr") is None
    assert ways.code("FR_ca") == "fr" and ways.code("zz") == ways.code("") == ""
    assert ways.sources("es") == ["de", "en", "fr"] and ways.targets("fr") == ["de", "en", "es"]
