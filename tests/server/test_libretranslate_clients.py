"""What LibreTranslate's clients send, as their sources show it, and what its server answers them: fields, bodies, errors.

The Python client itself is called in `test_libretranslate`.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.serving import one_pair, serving

FORM = "application/x-www-form-urlencoded"
EXTENSION = "moz-extension://0c1f7a2e-33b5-4d0e-9d7a-7f1b2a3c4d5e"


@pytest.fixture(scope="module")
def server():
    models = {name: one_pair(name) for name in ("en-fr", "fr-en")}
    with serving(models) as found:
        yield found


def sent(server, path, fields, **headers):
    """A form as browsers send `FormData`."""
    parts = [f'--e\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    body = "".join([*parts, "--e--\r\n"]).encode()
    return server.post(path, body, "multipart/form-data; boundary=e", **headers)


# ---- clients -----------------------------------------------------------------------------------------------------


def test_the_web_client(server):
    """It loads settings and languages, then posts forms; it shows `error` of a reply that is not one of success."""
    settings = server.get("/frontend/settings").json
    assert {"apiKeys", "charLimit", "filesTranslation", "frontendTimeout", "keyRequired", "suggestions"} <= set(
        settings
    )
    assert settings["language"]["source"] == {"code": "auto", "name": "Auto Detect"}
    codes = [row["code"] for row in server.get("/languages").json]
    assert settings["language"]["target"]["code"] in codes
    ask = {
        "q": "Good morning.",
        "source": "auto",
        "target": "fr",
        "format": "text",
        "alternatives": "3",
        "api_key": "",
        "secret": "x",
    }
    found = sent(server, "/translate", ask).json
    assert found["translatedText"] and isinstance(found["alternatives"], list)
    assert found["detectedLanguage"]["language"] == "en" and 0 < found["detectedLanguage"]["confidence"] <= 100
    again = sent(server, "/translate", {**ask, "q": "<p>Good morning.</p>", "format": "html"}).json
    assert again["translatedText"] == f"<p>{found['translatedText']}</p>"
    assert sent(server, "/suggest", {"q": "a", "s": "b", "source": "en", "target": "fr"}).status == 403
    assert sent(server, "/translate", {**ask, "q": ""}).error == "Invalid request: missing q parameter"
    file = server.send_file("/translate_file", "a.txt", b"Good morning.", source="en", target="fr", api_key="")
    assert file.status == 200 and file.json["translatedFileUrl"].startswith(server.url)


def test_clients_in_javascript(server):
    """JSON, a key that is null, other fields, a charset in the media type."""
    ask = {"q": "Good morning.", "source": "en", "target": "fr", "format": "text", "api_key": None}
    kind = "application/json;charset=utf-8"
    found = server.post("/translate", ask, kind, Accept="application/json, text/plain, */*").json
    assert set(found) == {"translatedText"}
    guess = server.post("/detect", {"q": "Bonjour tout le monde", "format": "text", "api_key": None}, kind).json
    assert guess[0]["language"] == "fr"
    assert server.post("/translate", ask, "application/vnd.api+json").json == found


def test_clients_that_ask_in_the_address(server):
    """A POST without a body, as `requests.post(url, params=...)` makes it."""
    query = urlencode({"q": "Good morning.", "source": "en", "target": "fr", "format": "text", "api_key": "x"})
    found = server.ask("POST", f"/translate?{query}", None, {"Content-Length": "0"})
    same = server.post("/translate", {"q": "Good morning.", "source": "en", "target": "fr"})
    assert found.json == same.json
    assert server.post(f"/translate?{query}", b"", FORM).json == server.post("/translate", query.encode(), FORM).json
    assert server.post("/detect?q=Bonjour", b"", FORM).json[0]["language"] == "fr"
    assert server.post("/translate?source=en&target=fr", b"q=Good+morning.", FORM).json == found.json, "both at once"
    assert server.post("/translate?q=other", {"q": "Good morning.", "source": "en", "target": "fr"}).json == same.json


def test_a_browser_extension():
    """It asks from an origin of its own, which whoever starts the server has named."""

    with serving({"en-fr": one_pair("en-fr")}, origins=[EXTENSION]) as server:
        asked = {
            "Origin": EXTENSION,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        assert server.ask("OPTIONS", "/translate", None, asked).status == 204
        found = server.post("/translate", {"q": "Hello", "source": "auto", "target": "fr"}, Origin=EXTENSION)
        assert found.json["detectedLanguage"]["language"] == "en"
        assert found.headers["access-control-allow-origin"] == EXTENSION
        assert server.get("/languages", Origin=EXTENSION).json[0]["code"] == "en"


def test_a_social_server(server):
    """It translates posts as HTML, from a language that it may not know."""
    ask = {
        "q": "<p>Le fichier est vide.</p><p>Merci !</p>",
        "source": "auto",
        "target": "en",
        "format": "html",
        "api_key": "",
    }
    found = server.post("/translate", ask).json
    assert found["detectedLanguage"]["language"] == "fr" and found["translatedText"].count("<p>") == 2


# ---- fields ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "text"),
    [({"q": 5}, "5"), ({"q": 0}, "0"), ({"q": 12.5}, "12.5"), ({"q": [5, "6"]}, ["5", "6"]), ({"q": [""]}, [""]),
     ({"q": " "}, " "), ({"q": "😀"}, "😀"), ({"q": ["😀", " "], "source": "auto"}, ["😀", " "]),
     ({"q": "7", "source": "EN", "target": "fr_CA"}, "7"), ({"q": "7", "source": "en-GB"}, "7"), ({"q": "7", "format": None}, "7"),
     ({"q": "7", "format": ""}, "7"), ({"q": "7", "alternatives": None}, "7"), ({"q": "x", "target": "en"}, "x"),
     ({"q": ["x", "y"], "target": "en"}, ["x", "y"])],
)  # fmt: skip
def test_what_is_taken(server, ask, text):
    reply = server.post("/translate", {"source": "en", "target": "fr", **ask})
    assert reply.status == 200 and reply.json["translatedText"] == text


@pytest.mark.parametrize("many", [2, "2", 2.0, -1, "-1", 0, 10**30, True])
def test_alternatives(server, many):
    ask = {"q": ["Good morning.", "7"], "source": "en", "target": "fr", "alternatives": many}
    reply = server.post("/translate", ask)
    if many is True:
        assert reply.status == 400
        return
    found = reply.json
    assert ("alternatives" in found) == (int(many) > 0)
    if int(many) > 0:
        assert len(found["alternatives"]) == 2 and found["alternatives"][1] == []
        assert len(found["alternatives"][0]) <= 7 and found["translatedText"][0] not in found["alternatives"][0]


GOOD = {"q": "x", "source": "en", "target": "fr"}
MISSING = "Invalid request: missing {} parameter"


@pytest.mark.parametrize(
    ("ask", "error"),
    [({}, MISSING.format("q")), ({**GOOD, "q": ""}, MISSING.format("q")), ({**GOOD, "q": None}, MISSING.format("q")),
     ({**GOOD, "q": []}, MISSING.format("q")), ({"q": "x", "target": "fr"}, MISSING.format("source")),
     ({**GOOD, "source": ""}, MISSING.format("source")), ({"q": "x", "source": "en"}, MISSING.format("target")),
     ({**GOOD, "target": None}, MISSING.format("target")), ({**GOOD, "source": "zz"}, "zz is not supported"),
     ({**GOOD, "target": "zz"}, "zz is not supported"), ({**GOOD, "source": "zz", "target": "zz"}, "zz is not supported"),
     ({**GOOD, "source": "auto", "target": "zz"}, "zz is not supported"), ({**GOOD, "target": "auto"}, "auto is not supported"),
     ({**GOOD, "source": 5}, "5 is not supported"), ({**GOOD, "format": "pdf"}, "pdf format is not supported"),
     ({**GOOD, "alternatives": "many"}, "Invalid request: alternatives parameter is not a number"),
     ({**GOOD, "alternatives": []}, None), ({**GOOD, "alternatives": [1]}, "Invalid request: alternatives parameter is not a number"),
     ({**GOOD, "q": True}, "Invalid request: q parameter is not a text or a list of texts, but a truth value"),
     ({**GOOD, "q": {"a": 1}}, "Invalid request: q parameter is not a text or a list of texts, but an object"),
     ({**GOOD, "q": ["a", None]}, "Invalid request: q parameter is not a text or a list of texts, but null"),
     ({**GOOD, "q": [["a"]]}, "Invalid request: q parameter is not a text or a list of texts, but a list"),
     ({**GOOD, "q": "a" * 200_000}, "Invalid request: request (200000) exceeds text limit (100000)"),
     ({**GOOD, "q": ["a"] * 2000}, "Invalid request: request (2000) exceeds text limit (1000)")],
)  # fmt: skip
def test_what_is_refused(server, ask, error):
    reply = server.post("/translate", ask)
    if error is None:  # an empty list counts as none, as with LibreTranslate
        assert reply.status == 200
        return
    assert (reply.status, reply.error) == (400, error)
    flat = all(isinstance(value, str | int) and not isinstance(value, bool) for value in ask.values())
    if flat and len(str(ask)) < 1000:
        form = server.post("/translate", urlencode(ask).encode(), FORM)
        assert (form.status, form.error) == (400, error), "a form is refused alike"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"5", b"null", b"\xff\xfe", b'{"q": "\\ud800"}', b"[" * 5000]
)
def test_json_that_is_no_object(server, body):
    for path in ("/translate", "/detect"):
        reply = server.post(path, body)
        assert reply.status == 400 and reply.error.startswith("Invalid JSON format")


def test_other_kinds_of_body(server):
    body = json.dumps(GOOD).encode()
    for kind in ("text/plain;charset=UTF-8", "", "application/xml"):
        reply = server.post("/translate", body, kind)
        assert (reply.status, reply.error[:36]) == (400, MISSING.format("q")) and "application/json" in reply.error
    assert server.post("/translate", b"--e\r\nbroken", "multipart/form-data; boundary=e").status == 400
    assert server.post("/translate", b"q=%ff&source=en&target=fr", FORM).status in (200, 400)
    assert server.post("/translate", b"--e\r\n", "multipart/form-data").status == 400, "without a boundary"
    lines = server.post("/translate", b"q=7%0D%0A8&source=en&target=fr", FORM).json["translatedText"]
    assert lines == "7\n8", "the lines of a form end with a line feed alone"


def test_pages_come_back_with_letters(server):
    """Whatever encoding a page says that it is in: it came as text."""
    for before in (
        "",
        '<meta charset="iso-8859-1">',
        '<meta charset="utf-16">',
        '<?xml version="1.0" encoding="ascii"?>',
    ):
        ask = {
            "q": f"{before}<p>The boy ate &lt;3 caf&eacute;s &amp; 日本.</p>",
            "source": "en",
            "target": "fr",
            "format": "html",
        }
        found = server.post("/translate", ask).json["translatedText"]
        assert found.startswith(f"{before}<p>") and "&#" not in found and "&eacute;" not in found
        assert "garçon" in found and "&lt;3" in found and "&amp;" in found


def test_an_address_that_ends_with_a_slash(server):
    assert server.post("//translate", GOOD).json == server.post("/translate", GOOD).json
    assert server.get("//languages").json == server.get("/languages").json
    assert server.post("/translate", "\ufeff{}".encode()).error == MISSING.format("q"), "a byte order mark"


def test_detect(server):
    for body in ({}, {"q": ""}, {"q": []}):
        assert server.post("/detect", body).error == MISSING.format("q")
    several = server.post("/detect", {"q": ["Le chat est là.", "Où est la gare ?", "12"]}).json
    assert several[0]["language"] == "fr" and sum(guess["confidence"] for guess in several) <= 100.5
    assert server.post("/detect", {"q": 12}).json == [{"confidence": 0.0, "language": "en"}]
    assert "Bonjour" and server.post("/detect", b"q=Bonjour", FORM).json[0]["language"] == "fr"


def test_each_text_of_a_batch_has_its_own_language(server):
    texts = ["Where is the station?", "Où est la gare ?", "12:30", "Wo ist denn hier der Bahnhof?", "Merci", ""]
    found = server.post("/translate", {"q": texts, "source": "auto", "target": "fr"}).json
    guesses = found["detectedLanguage"]
    assert [guess["language"] for guess in guesses] == ["en", "fr", "en", "de", "fr", "en"]
    assert [guess["confidence"] > 0 for guess in guesses] == [True, True, False, True, True, False]
    assert found["translatedText"][0] != texts[0] and found["translatedText"][1:] == texts[1:], "the rest as it was"
    for text, answer, guess in zip(texts[:3], found["translatedText"], guesses, strict=False):
        alone = server.post("/translate", {"q": text, "source": "auto", "target": "fr"}).json
        assert alone == {"translatedText": answer, "detectedLanguage": guess}
    reply = server.post("/translate", {"q": texts[3:4] * 2, "source": "auto", "target": "fr"})
    assert reply.status == 400 and reply.error.startswith("de is not supported")


# ---- routes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error"),
    [({"source": "en"}, MISSING.format("target")), ({"target": "fr"}, MISSING.format("source")),
     ({"source": "zz", "target": "fr"}, "zz is not supported"), ({"source": "en", "target": "zz"}, "zz is not supported"),
     ({"source": "auto", "target": "zz"}, "zz is not supported")],
)  # fmt: skip
def test_files_that_are_refused(server, given, error):
    reply = server.send_file("/translate_file", "a.txt", b"Hello", **given)
    assert (reply.status, reply.error) == (400, error)


def test_a_request_without_a_file(server):
    for reply in (
        server.post("/translate_file", GOOD),
        sent(server, "/translate_file", GOOD),
        sent(server, "/translate_file", {**GOOD, "file": "x"}),
    ):
        assert reply.status == 400 and reply.error.startswith(MISSING.format("file"))
    for name in ("a.exe", ".txt", "txt", "a."):
        reply = server.send_file("/translate_file", name, b"x", source="en", target="fr")
        assert reply.status == 400 and reply.error.startswith("Invalid request: file format not supported"), name
    assert reply.status == 400 and reply.error.startswith("Invalid request: file format not supported")


def test_the_language_of_a_file_is_that_of_its_words(server):
    """Not of its tags, nor of the bytes of an archive."""
    page = '<html><head><style>.the-button-of-this-page { color: red }</style></head><p class="where is the button">Où est la gare ?</p></html>'
    found = server.send_file("/translate_file", "a.html", page.encode(), source="auto", target="en")
    assert "gare" not in server.get(found.json["translatedFileUrl"].removeprefix(server.url)).raw.decode()


@pytest.mark.parametrize(
    ("name", "raw", "kept"), [("a.txt", b"", None), ("a.md", b"```\ncode\n```\n", b"```\ncode\n```\n"), ("a.txt", b"12:30\n", b"12:30\n"),
                              ("a.docx", b"PK broken", None), ("a.json", b"{broken", None)],
)  # fmt: skip
def test_files_without_words(server, name, raw, kept):
    """Or that cannot be read: the error is that of the file, not of a language."""
    reply = server.send_file("/translate_file", name, raw, source="auto", target="fr")
    if kept is None:
        assert reply.status == 422 and name.partition(".")[2] in reply.error and "not supported" not in reply.error
    else:
        assert server.get(reply.json["translatedFileUrl"].removeprefix(server.url)).raw == kept


def test_the_other_routes(server):
    assert server.get("/health").json["status"] == "ok"
    spec = server.get("/spec").json
    assert spec["swagger"] == "2.0" and {"/translate", "/detect", "/languages"} <= set(spec["paths"])
    names = {field["name"] for field in spec["paths"]["/translate"]["post"]["parameters"]}
    assert names == {"q", "source", "target", "format", "alternatives", "api_key"}
    assert server.get("/").headers["content-type"].startswith("text/html")
    assert server.get("/docs").headers["location"] == "/openapi.json"
    assert server.post("/suggest", {"q": "a", "s": "b"}).error == "Suggestions are disabled on this server."
    assert server.get("/download_file/none.txt").status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/translate"), ("GET", "/detect"), ("GET", "/suggest"), ("GET", "/translate_file"), ("POST", "/languages"),
     ("POST", "/frontend/settings"), ("POST", "/health"), ("POST", "/spec"), ("PUT", "/translate")],
)  # fmt: skip
def test_other_methods(server, method, path):
    assert server.ask(method, path, b"", {"Content-Type": "application/json"}).status == 405
