"""The recipe's readers of clones, archives and downloads, from files to clean pairs."""

import gzip
import io
import subprocess
import tarfile

import pytest

pytest.importorskip("lxml", reason="the recipes read XML with lxml")

from recipes.translation import normalise, wordlists, words
from recipes.translation.common import Pair, read_pairs
from recipes.translation.repositories import alignment, clone, downloads, novels, segments
from recipes.translation.repositories.__main__ import SOURCES, distinct, listing, main
from recipes.translation.repositories.catalogues import gettext, keyed
from recipes.translation.repositories.source import LANGUAGES
from recipes.translation.repositories.tales import aligned_lines, conversations, stories


def git(folder, *command, date="2020-01-01T00:00:00Z"):
    environment = {
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
        "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": "/usr/bin:/bin", "HOME": str(folder),
    }  # fmt: skip
    subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True, env=environment)


def commit(folder, files, date="2020-01-01T00:00:00Z"):
    """Add files to a repository that is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x", date=date)


def test_a_clone_is_read_at_a_date_with_a_work_tree_or_bare(tmp_path):
    commit(tmp_path / "o+n", {"é/a.txt": "old", "b.txt": "b"}, "2021-05-01T00:00:00Z")
    commit(tmp_path / "o+n", {"é/a.txt": "new"}, "2022-05-01T00:00:00Z")
    git(tmp_path, "clone", "-q", "--bare", "o+n", "o+bare")
    library = clone.Library(tmp_path)
    for name in ("o+n", "o+bare"):
        assert library.open(name).read(["é/a.txt", "none"]) == {"é/a.txt": b"new"}
        assert library.open(name, "main before 2022-01-01").read(["é/a.txt"]) == {"é/a.txt": b"old"}
        assert library.open(name, " before 2022-01-01").paths() == ["b.txt", "é/a.txt"]
    with pytest.raises(clone.Unavailable, match="no commit before 2001-01-01"):
        library.open("o+n", "main before 2001-01-01")
    with pytest.raises(clone.Unavailable, match="expected the revision 'other'"):
        library.open("o+n", "other")
    with pytest.raises(clone.Unavailable, match="not there"):
        library.open("o+missing")


def test_a_plain_folder_has_no_revisions_even_inside_another_repository(tmp_path):
    commit(tmp_path, {"o+n/a.txt": "text"})
    library = clone.Library(tmp_path)
    assert library.open("o+n").read(["a.txt"]) == {"a.txt": b"text"}
    with pytest.raises(clone.Unavailable, match="expected a git clone"):
        library.open("o+n", "main before 2022-01-01")


def test_a_source_package_is_read_from_its_archive(tmp_path):
    data = b'msgid "You see a cat."\nmsgstr "Vous voyez un chat."\n'
    with tarfile.open(tmp_path / "game_1.0.orig.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("game-1.0/lang/po/fr.po")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    library = clone.Library(tmp_path)
    read = gettext("debian:game-1.0", r"lang/po/{lang}\.po")
    assert list(read(library, "fr")) == [("lang/po/fr.po", "You see a cat.", "Vous voyez un chat.")]


def test_packages_that_are_reserved_are_not_read(tmp_path):
    (tmp_path / "tgame_1.0.orig.tar.xz").write_bytes(b"")
    assert not clone.Library(tmp_path).has("debian:tgame-1.0")


def test_texts_by_key_lose_the_language_in_front(tmp_path):
    commit(tmp_path / "o+n", {"en.yml": "en:\n  a: The first\n  b: Alone\n", "fr.yml": "fr:\n  a: Le premier\n"})
    read = keyed("o+n", "yaml", r"en\.yml", "{lang}.yml")
    assert list(read(clone.Library(tmp_path), "fr")) == [("en.yml", "The first", "Le premier")]


def test_stories_need_a_free_licence_and_as_many_pages(tmp_path):
    def story(*pages, licence="[CC-BY]", by="Ana"):
        facts = f"* License: {licence}\n* Translation: {by}\n"
        return "# Title\n\n##\n" + "\n\n##\n".join([*pages, facts])

    commit(tmp_path / "o+en", {f"en/000{n}_x.md": story("The dog runs.", "It barks.") for n in range(1, 5)})
    commit(
        tmp_path / "o+xx",
        {
            "fr/0001_y.md": story("Le chien court.", "Il aboie."),
            "fr/0002_y.md": story("Le chien court.", "Il aboie.", licence="[CC-BY-NC]"),
            "fr/0003_y.md": story("Le chien court et aboie."),
            "fr/0004_y.md": story("Chien courir.", "Aboyer.", by="A Machine"),
        },
    )
    rows = list(stories("o+en", "o+xx", without=("A Machine",))(clone.Library(tmp_path), "fr"))
    assert [row for row in rows if row[1] != "Title"] == [
        ("0001", "The dog runs.", "Le chien court."),
        ("0001", "It barks.", "Il aboie."),
    ]


def test_conversations_turn_the_customer_round(tmp_path):
    turns = '{"d": [{"speaker": "agent", "source": "hi, i can help", "target": "Hallo"}, '
    turns += '{"speaker": "customer", "source": "Danke", "target": "thanks"}]}'
    commit(tmp_path / "o+n", {"train.json": turns})
    rows = list(conversations("o+n", ("train.json",))(clone.Library(tmp_path), "de"))
    assert [row[1:] for row in rows] == [("Hi, I can help", "Hallo"), ("Thanks", "Danke")]


def test_of_aligned_works_only_those_named_are_read(tmp_path):
    files = {f"t/{w}_{lang}.txt": f"Author\nTitle\n{w} {lang}\n" for w in ("free", "other") for lang in ("en", "fr")}
    commit(tmp_path / "o+n", files)
    rows = list(aligned_lines("o+n", "t/{work}_{lang}.txt", {"fr": ("free",)})(clone.Library(tmp_path), "fr"))
    assert rows == [("free", "free en", "free fr")]


def test_paragraphs_are_split_only_where_the_numbers_of_sentences_agree():
    assert segments.split("One is here. Two is there.", "L'un est ici. L'autre est là.", "fr") == [
        ("One is here.", "L'un est ici."),
        ("Two is there.", "L'autre est là."),
    ]
    assert segments.split("One is here. Two is there.", "Un seul texte.", "fr") == [
        ("One is here. Two is there.", "Un seul texte.")
    ]
    assert segments.split("He left. She stayed.", "他走了。她留下了。", "zh") == [
        ("He left.", "他走了。"),
        ("She stayed.", "她留下了。"),
    ]
    assert segments.sentences("Mr. Fogg met Dr. Who. They left at 3.15 p.m. together.", "en") == [
        "Mr. Fogg met Dr. Who.",
        "They left at 3.15 p.m. together.",
    ]
    assert len(segments.sentences("Usted vive en EE. UU. Es grande. La U.S. Army no.", "es")) == 2


@pytest.mark.parametrize(
    ("text", "traditional"),
    [
        ("这是一个简单的句子。", False),
        ("這是一個簡單的句子。", True),
        ("开放", False),
        ("開放", True),
        ("hello", False),
    ],
)
def test_traditional_script(text, traditional):
    assert segments.is_traditional(text) is traditional


def kept(rows, lang="fr", whole=False):
    pairs = (Pair("games", f"o+n/{i}", *row) for i, row in enumerate(rows))
    return [tuple(pair[2:]) for pair in segments.clean(pairs, lang, whole, segments.Counter())]


def test_what_is_not_kept():
    good = ("The old house is empty.", "La vieille maison est vide.")
    rows = [
        good,
        good,
        ("Too short", "Trop court"),
        ("The file is the same text.", "The file is the same text."),
        ("There were 1066 of them here.", "Il y en avait 1492 ici."),
        ("It says %s to them all.", "Il le dit à tous."),
    ]
    assert kept(rows) == [good]
    assert kept([("Open %s in a new window now", "Ouvrir %s dans une nouvelle fenêtre"), good], whole=True) == [good]
    assert kept([("The old house is empty.", "老房子是空的。"), ("He opens the door.", "他開門。")], "zh") == [
        ("The old house is empty.", "老房子是空的。")
    ]


def test_a_chinese_sentence_with_a_name_in_it_is_no_identifier():
    rows = [("See asyncio.run() in the manual for this.", "详情请参阅手册中的asyncio.run()。")]
    assert kept(rows, "zh") == rows
    assert kept([("Look at the example file now.", "/etc/a_b.conf")], "zh") == []


def test_messages_made_alike_are_few():
    rows = [(f"You pick up {n} apples from Smith.", f"Vous ramassez {n} pommes chez Smith.") for n in range(2, 99)]
    assert len(kept(rows)) == segments.SAME_TEMPLATE


def test_chinese_has_full_width_marks_and_no_blanks():
    text = normalise.characters('请打开 (Python 3.11), 然后 "保存". 见 https://a.b/c?d=1', "zh")
    assert text == "请打开（Python 3.11），然后“保存”。见https://a.b/c?d=1"
    assert normalise.characters("plain, text (x)", "zh_CN") == "plain, text (x)"


BOOK = [
    ("The captain walked slowly to the harbour.", "Le capitaine marcha lentement vers le port."),
    ("His ship, the Victoria, had left in 1872.", "Son navire, le Victoria, était parti en 1872."),
    ("He was alone.", "Il était seul."),
    ("Nobody on the island remembered Captain Fogg.", "Personne dans l'île ne se souvenait du capitaine Fogg."),
    ("The lighthouse keeper, Passepartout, waved.", "Le gardien du phare, Passepartout, fit signe."),
    ("They talked about London and Bombay.", "Ils parlèrent de Londres et de Bombay."),
]  # fmt: skip


def test_sentences_of_a_chapter_are_aligned_over_one_that_is_missing():
    source, target = [a for a, _ in BOOK], [b for _, b in BOOK]
    beads = alignment.align(
        source, [*target[:3], "Une phrase qui manque en anglais, tout entière.", *target[3:]], alignment.Lexicon()
    )
    pairs = [(one[0], two[0]) for one, two, _ in beads if len(one) == len(two) == 1]
    assert (1, 1) in pairs and (4, 5) in pairs
    assert not any(two == range(3, 4) and one for one, two, _ in beads)


def test_words_are_learned_from_what_was_aligned():
    lexicon = alignment.Lexicon()
    lexicon.learn([(("dog", f"x{n}"), ("chien", f"y{n}")) for n in range(5)])
    assert lexicon.pairs == {"dog": {"chien"}}
    assert lexicon.overlap(("dog", "barks"), ("chien", "aboie")) == 0.5


def test_a_novel_is_read_by_its_chapters(tmp_path):
    def book(side, heading):
        body = "\n\n".join(
            f"{heading} {numeral}\n\n" + "\n\n".join(p[side] for p in BOOK * 6) for numeral in ("I", "II")
        )
        contents = f"{heading} I\n{heading} II\n"
        return f"notes\n*** START OF THIS PROJECT GUTENBERG EBOOK X ***\n{contents}\n{body}\n*** END OF THE PROJECT GUTENBERG"

    commit(tmp_path / "G+A_1", {"1-0.txt": book(0, "Chapter")})
    commit(tmp_path / "G+B_2", {"2-8.txt": book(1, "CHAPITRE")})
    english = novels.Edition("G+*_1", r"Chapter [IVX]+")
    read = novels.novel(english, {"fr": novels.Edition("G+*_2", r"CHAPITRE [IVX]+")})
    rows = list(read(clone.Library(tmp_path), "fr"))
    assert {row[0] for row in rows} == {"1", "2"}
    assert {row[1:] for row in rows} <= set(BOOK) and len(rows) >= 12
    short = novels.novel(english, {"fr": novels.Edition("G+*_2", r"CHAPITRE III")})
    with pytest.raises(clone.Unavailable, match="2 chapters in English, 0 in fr"):
        list(short(clone.Library(tmp_path), "fr"))


def test_downloads_plain_and_packed(tmp_path):
    (tmp_path / "a.tsv").write_bytes(b"Run!\tCours !\tCC-BY\r\nno tab\nGo.\tVa.\n")
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress("Hi.\t你好。\nOpen.\t開門。\n".encode()))
    assert [p[2:] for p in downloads.tatoeba(tmp_path / "a.tsv", "fr")] == [("Run!", "Cours !"), ("Go.", "Va.")]
    assert [p[2:] for p in downloads.tatoeba(tmp_path / "b.tsv.gz", "zh")] == [("Hi.", "你好。")]
    (tmp_path / "en").write_text("Wash hands.\n\nStay home.\n")
    (tmp_path / "fr").write_text("Lavez-vous les mains.\n\nRestez chez vous.\n")
    assert len(list(downloads.tico(tmp_path / "en", tmp_path / "fr", "fr"))) == 2
    (tmp_path / "fr").write_text("Lavez-vous les mains.\n")
    with pytest.raises(clone.Unavailable, match="expected 3 lines"):
        list(downloads.tico(tmp_path / "en", tmp_path / "fr", "fr"))
    (tmp_path / "c.gz").write_bytes(b"not packed")
    with pytest.raises(clone.Unavailable, match="expected a text file"):
        list(downloads.tatoeba(tmp_path / "c.gz", "fr"))
    with pytest.raises(clone.Unavailable, match="none has a tab"):
        list(downloads.tatoeba(tmp_path / "en", "fr"))


def test_nothing_of_a_test_set_is_written(tmp_path, capsys):
    (tmp_path / "t.tsv").write_text("Run!\tCours !\nGo on.\tContinue.\nSleep well.\tDors bien.\n")
    (tmp_path / "test.tsv").write_text("go on\tx\nother\tDORS BIEN\n")
    main(["--lang", "fr", "-o", str(tmp_path / "out.tsv"), "--tatoeba", str(tmp_path / "t.tsv"),
          "--without", str(tmp_path / "test.tsv")])  # fmt: skip
    assert [p.source for p in read_pairs(tmp_path / "out.tsv")] == ["Run!"]
    assert "2 in a test set" in capsys.readouterr().out


def test_clones_are_read_counted_and_packed(tmp_path, capsys):
    page = {"en": "# Why\n\nIt is simple to use.\n", "fr": "# Pourquoi\n\nC'est simple à utiliser.\n"}
    commit(tmp_path / "c/heroku+12factor", {f"content/{lang}/a.md": text for lang, text in page.items()})
    main(["--clones", str(tmp_path / "c"), "--lang", "fr", "-o", str(tmp_path / "out.tsv.gz")])
    lines = gzip.decompress((tmp_path / "out.tsv.gz").read_bytes()).decode().splitlines()
    assert lines == ["heroku+12factor\tIt is simple to use.\tC'est simple à utiliser."]
    printed = capsys.readouterr().out
    assert [line.split()[1:3] for line in printed.splitlines() if line.startswith("heroku")] == [["1", "232"]]
    assert "no clone of it here" in printed


def test_equal_pairs_of_two_sources_are_one():
    pairs = [Pair("prose", "a/x", "The end.", "La fin."), Pair("prose", "b/y", "the end", "La fin")]
    assert list(distinct(pairs, frozenset(), segments.Counter())) == pairs[:1]


def test_every_source_says_licence_and_credit():
    names = [source.name for source in SOURCES]
    assert len(names) == len(set(names)) and len(names) > 45
    for source in SOURCES:
        assert source.licence and source.credit and source.readers and source.codes.keys() <= set(LANGUAGES)
        assert "NC" not in source.licence.replace("CC BY-NC and are left out", "") and not source.name.startswith("t")
    assert not {"Tuxemon+Tuxemon", "mastodon+joinmastodon", "Stellarium+stellarium-skycultures"} & set(names)
    assert listing().count("\n") == len(names) + 1


def test_dictionaries():
    text = "# head\nto {v} (x) SEE: y ::\nfever {n} (heat) :: Fieber {n}, Hitze {f}, mehr\nfib {v} (lie) :: flunkern\n"
    assert list(wordlists.wiktionary(text, True)) == [("fever", "Fieber"), ("fever", "Hitze"), ("to fib", "flunkern")]
    assert list(wordlists.wiktionary("équipe {f} :: team; crew\n", False)) == [("team", "équipe"), ("crew", "équipe")]
    both = "kiln {n} (oven) :: 窯, 窑 /yáo/\n"
    assert list(wordlists.wiktionary(both, True, chinese=True)) == [("kiln", "窑")]
    cedict = "# x\n貓頭鷹 猫头鹰 [mao1 tou2 ying1] /owl/CL:隻|只[zhi1]/\n王 王 [Wang2] /surname Wang/\n"
    assert list(wordlists.cedict(cedict)) == [("owl", "猫头鹰")]
    entries = '<e><p><l>encre<s n="n"/></l><r>ink<s n="n"/></r></p></e><e r="LR"><p><l>a<s n="n"/></l><r>b</r></p></e>'
    assert list(wordlists.apertium(entries, english_first=False)) == [("ink", "encre")]
    table = "country,country:de,country:zh\nFrance,Frankreich,法国(France)\n"
    assert list(wordlists.geography(table, "de")) == [("France", "Frankreich")]
    assert list(wordlists.geography(table, "zh")) == [("France", "法国")]


def test_names_of_the_cldr_come_before_dictionaries():
    pairs = [
        Pair("words-clean", "cldr", "Monday", "Montag"),
        Pair("words", "d", "Monday", "Mondtag"),
        *(Pair("words", "d", "house", text) for text in ("Haus", "Gebäude", "Heim", "Bude")),
    ]
    dropped = words.Counter()
    assert [p.target for p in words.choose(pairs, "de", dropped)] == ["Montag", "Haus", "Gebäude", "Heim"]
    assert dropped == {"the CLDR has it": 1, "more translations": 1}


def test_what_dictionaries_agree_on_comes_before_what_stands_first():
    said = ["affûter", "manger", "manger", "alimenter", "manger", "manger"]
    found = words.choose([Pair("words", "d", "to eat", text) for text in said], "fr", words.Counter())
    assert [p.target for p in found] == ["manger"]


def test_patterns_of_the_cldr_are_filled_with_numbers():
    left = {"p-one": "in {0} day", "p-other": "in {0} days"}
    found = dict(wordlists._counted(left, {"p-one": "dans {0} jour", "p-other": "dans {0} jours"}, "p-"))
    assert found["in 1 day"] == "dans 1 jour" and found["in 5 days"] == "dans 5 jours"
    assert dict(wordlists._counted(left, {"p-other": "{0}天后"}, "p-"))["in 1 day"] == "1天后"
