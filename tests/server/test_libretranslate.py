"""The LibreTranslate API with its own client, and what that client does not do by hand."""

from __future__ import annotations

import urllib.error
from types import SimpleNamespace

import pytest
from libretranslatepy import LibreTranslateAPI

import lamella
from lamella.model import shipped
from tests.serving import one_pair, serving


class Identifier:
    """As much of a model that tells languages as is asked: French where there is an accent or a French word."""

    def check(self, examples):
        return examples

    async def answers(self, model, examples):
        french = [0.9 if set("éèàù").intersection(e["text"]) or "le " in e["text"].lower() else 0.2 for e in examples]
        return [{"label": "", "probabilities": {"en": round(0.995 - p, 3), "fr": p, "de": 0.005}} for p in french]

    async def ready(self):
        return self

    async def reading(self, work, job):
        return work()

    model = None
    worker = SimpleNamespace(relieve=lambda: None)
    look = stop = staticmethod(lambda: None)


def both():
    """English to French and back."""
    return {name: one_pair(name) for name in ("en-fr", "fr-en")}


@pytest.fixture(scope="module")
def server():
    with serving(both()) as found:
        found.state.identifier = Identifier()
        yield found


@pytest.fixture
def client(server):
    return LibreTranslateAPI(server.url)


FORM = "application/x-www-form-urlencoded"


def test_its_own_client(client):
    assert client.translate("Good morning!", "en", "fr") == lamella.translate("Good morning!", "en", "fr")
    assert client.translate("Où est la gare ?", "auto", "en") == lamella.translate("Où est la gare ?", "fr", "en")
    assert client.languages() == [
        {"code": "en", "name": "English", "targets": ["en", "fr"]},
        {"code": "fr", "name": "French", "targets": ["en", "fr"]},
    ]
    assert client.detect("Le chat est là.")[0]["language"] == "fr"
    assert client.translate("nothing", "en", "en") == "nothing"
    assert (
        client.detect("12:30") == [{"confidence": 0.0, "language": "en"}]
        and client.translate("12:30", "auto", "en") == "12:30"
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        client.translate("Guten Tag", "de", "fr")
    assert error.value.code == 400


def test_a_key_is_left_unread(server):
    assert LibreTranslateAPI(server.url, api_key="secret").translate("Hello!", "en", "fr")


def test_json_and_forms_are_the_same(server):
    ask = {"q": "Do you want to save the changes?", "source": "en", "target": "fr", "alternatives": 2}
    found = server.post("/translate", ask).json
    assert found["translatedText"] == lamella.translate(ask["q"], "en", "fr")
    assert 1 <= len(found["alternatives"]) <= 2 and found["translatedText"] not in found["alternatives"]
    form = b"q=Do%20you+want+to+save+the+changes%3F&source=en&target=fr&alternatives=2&api_key="
    assert server.post("/translate", form, FORM).json == found
    assert set(server.post("/translate", {**ask, "alternatives": 0}).json) == {"translatedText"}


def test_several_texts(server):
    texts = ["Good morning.", "", "Thank you."]
    found = server.post("/translate", {"q": texts, "source": "en", "target": "fr"}).json
    assert found == {"translatedText": lamella.translate(texts, "en", "fr")}
    found = server.post("/translate", {"q": ["Où est le chat ?"], "source": "auto", "target": "en"}).json
    assert [guess["language"] for guess in found["detectedLanguage"]] == ["fr"]
    one = server.post("/translate", {"q": "Où est le chat ?", "source": "auto", "target": "en"}).json
    assert found["detectedLanguage"] == [one["detectedLanguage"]]
    assert found["translatedText"] == [one["translatedText"]]


def test_markup(server):
    page = '<p class="big">Good morning.</p>\n<script>x = "Good"</script>'
    found = server.post("/translate", {"q": page, "source": "en", "target": "fr", "format": "html"}).json[
        "translatedText"
    ]
    assert found == page.replace("Good morning.", lamella.translate("Good morning.", "en", "fr"))
    some = server.post(
        "/translate", {"q": ["<b>", "", page], "source": "en", "target": "fr", "format": "html", "alternatives": 1}
    )
    assert some.json["translatedText"] == ["<b>", "", found] and len(some.json["alternatives"]) == 3
    plain = server.post("/translate", {"q": "<script>alert(1)</script>", "source": "en", "target": "fr"})
    assert plain.headers["content-type"] == "application/json" and "script" in plain.json["translatedText"]


@pytest.mark.parametrize(
    ("name", "raw", "kept"),
    [
        ("a.txt", b"Good morning.\r\n", b"\r\n"),
        ("a.md", b"# Good morning\n\n    code\n", b"    code\n"),
        ("a.html", b"<p>Good morning.</p>", b"</p>"),
        ("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\nGood morning.\n", b"00:00:01,000 --> 00:00:02,000"),
        ("a.po", b'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Good morning"\nmsgstr ""\n', b'msgid "Good morning"\n'),
    ],
)  # fmt: skip
def test_files(server, name, raw, kept):
    found = server.send_file("/translate_file", name, raw, source="en", target="fr").json
    url = found["translatedFileUrl"]
    assert url.startswith(f"{server.url}/download_file/") and len(url.rpartition("/")[2]) > 30
    done = server.get(url.removeprefix(server.url))
    assert done.status == 200 and b"onjour" in done.raw and kept in done.raw
    assert (
        "attachment" in done.headers["content-disposition"] and f"a.fr{name[1:]}" in done.headers["content-disposition"]
    )


def test_files_that_are_refused(server):
    assert server.send_file("/translate_file", "a.exe", b"x", source="en", target="fr").status == 400
    assert server.send_file("/translate_file", "a.txt", b"x", source="en", target="xx").status == 400
    assert server.send_file("/translate_file", "a.txt", b"Le chat.", source="auto", target="en").status == 200
    assert server.get("/download_file/a.txt").status == 404


def test_settings_and_what_is_not_offered(server):
    found = server.get("/frontend/settings").json
    assert found["charLimit"] == 100_000 and not found["suggestions"] and not found["keyRequired"]
    assert {".txt", ".md", ".html", ".srt", ".po"} <= set(found["supportedFilesFormat"])
    reply = server.post("/suggest", {"q": "a", "s": "b", "source": "en", "target": "fr"})
    assert reply.status == 403 and "Suggestions" in reply.error


def test_without_a_model_that_tells_languages(server, monkeypatch):
    monkeypatch.setattr(server.state, "identifier", None)
    for reply in (
        server.post("/detect", {"q": "a"}),
        server.send_file("/translate_file", "a.txt", b"a", source="auto", target="fr"),
        server.post("/translate", {"q": "a", "source": "auto", "target": "fr"}),
    ):
        assert reply.status == 501 and "Name the language" in reply.error


SHORT = [("Hello", "fr", "en"), ("Hello!", "en", "en"), ("Merci", "en", "fr"), ("Merci", "fr", "fr"), ("Thanks", "fr", "en"),
         ("Bonjour", "en", "fr"), ("Yes", "fr", "en"), ("Oui", "en", "fr"), ("élève", "en", "fr"), ("Cancel", "fr", "en")]  # fmt: skip


@pytest.mark.skipif(
    not (shipped.FOLDER / "languages").is_dir(), reason="the model that tells languages is not there yet"
)
def test_the_model_that_tells_languages():
    with serving(both()) as server:
        foreign = server.post("/translate", {"q": "Wo ist der Bahnhof, bitte?", "source": "auto", "target": "fr"})
        assert foreign.status == 400 and foreign.error.startswith("de is not supported")
        for text, target, code in SHORT:
            found = server.post("/translate", {"q": text, "source": "auto", "target": target}).json
            assert found["detectedLanguage"]["language"] == code, text
            assert code != target or found["translatedText"] == text
        for text, code in (("Where is the nearest station, please?", "en"), ("Où est la gare la plus proche ?", "fr")):
            [best, *_] = server.post("/detect", {"q": text}).json
            assert best["language"] == code and 50 < best["confidence"] <= 100
