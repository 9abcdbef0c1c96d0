"""Sources of general language: textbooks, advice, speech, tales, news. Ranked by worth, best first.

`expected` are the counts of an earlier reading of the same repositories, made to choose among them.
"""

from __future__ import annotations

from recipes.translation.repositories.catalogues import gettext, keyed, read_json, read_lang, self_keyed
from recipes.translation.repositories.documents import textbooks
from recipes.translation.repositories.markdown import keyed_pages, pages
from recipes.translation.repositories.novels import Edition, novel
from recipes.translation.repositories.source import Source, codes
from recipes.translation.repositories.tales import aligned_lines, conversations, stories, visual_novel

_ROMAN = r"[IVXLC]+\.?"
_STAX = "OpenStax; translated for OpenStax"


def _book(
    name: str, english: Edition, others: dict[str, Edition], expected: tuple[int, int, int, int], credit: str
) -> Source:
    """A novel whose author and translators died long ago."""
    return Source(
        name, "prose", (novel(english, others),), "public domain (Project Gutenberg)", credit,
        codes(" ".join(others)), expected, "old style; French to English loose at times",
    )  # fmt: skip


SOURCES = (
    Source(
        "debian:cataclysm-dda-0.H", "games",
        (gettext("debian:cataclysm-dda-0.H", r"lang/po/{lang}\.po"),),
        "CC BY-SA 3.0", "CleverRaven and contributors; translators on Transifex",
        codes(es="es_ES", zh="zh_CN"), (25_069, 20_652, 49_118, 56_561),
        "weapons and gore; French free at times; lists of items and Argentine Spanish are left out", whole=True,
    ),
    Source(
        "openstax+osbooks-fisica-universitaria-bundle", "prose",
        (textbooks("openstax+osbooks-university-physics-bundle", "openstax+osbooks-fisica-universitaria-bundle"),),
        "CC BY 4.0", _STAX, codes("es"), (0, 0, 27_811, 0), "a formula is X",
        also=("openstax+osbooks-university-physics-bundle",),
    ),
    Source(
        "openstax+osbooks-quimica-bundle", "prose",
        (textbooks("openstax+osbooks-chemistry-bundle", "openstax+osbooks-quimica-bundle"),),
        "CC BY 4.0", _STAX, codes("es"), (0, 0, 12_411, 0), "a formula is X",
        also=("openstax+osbooks-chemistry-bundle",),
    ),
    Source(
        "openstax+osbooks-introduccion-estadistica-bundle", "prose",
        (textbooks("openstax+osbooks-introductory-statistics-bundle",
                   "openstax+osbooks-introduccion-estadistica-bundle"),),
        "CC BY 4.0", _STAX, codes("es"), (0, 0, 3_983, 0), "a formula is X",
        also=("openstax+osbooks-introductory-statistics-bundle",),
    ),
    Source(
        "Unbabel+BConTrasT", "prose",
        (conversations("Unbabel+BConTrasT", ("train.json", "dev.json")),),
        "CC BY-SA 4.0", "Unbabel; from Taskmaster-1", codes("de"), (0, 11_995, 0, 0),
        "hasty English, whose capitals are set right; its test files stay unread",
    ),
    Source(
        "cds-snc+digital-canada-ca", "prose",
        (keyed_pages("cds-snc+digital-canada-ca", r"content/{lang}/.*\.md", r"^translationKey:\s*[\"']?(.+?)[\"']?\s*$"),),
        "MIT", "Canadian Digital Service", codes("fr"), (5_390, 0, 0, 0), "Canadian French",
    ),
    _book(
        "GITenberg+The-Three-Musketeers_1257",
        Edition("GITenberg+*_1257", r"(?:\d{1,2} [A-Z].*|EPILOGUE)"),
        {"fr": Edition("GITenberg+*_13951", r"(?:CHAPITRE (?:PREMIER|[IVXLC]+).*|INTRODUCTION|ÉPILOGUE)")},
        (9_111, 0, 0, 0), "Alexandre Dumas; William Robson",
    ),
    _book(
        "GITenberg+Madame-Bovary_2413",
        Edition("GITenberg+*_2413", r"Chapter \w+(?:[- ]\w+)?"), {"fr": Edition("GITenberg+*_14155", _ROMAN)},
        (4_347, 0, 0, 0), "Gustave Flaubert; Eleanor Marx-Aveling",
    ),
    _book(
        "GITenberg+Around-the-World-in-80-Days_103",
        Edition("GITenberg+*_103", r"Chapter [IVXL]+"), {"fr": Edition("GITenberg+*_800", _ROMAN)},
        (2_436, 0, 0, 0), "Jules Verne; George Makepeace Towle",
    ),
    _book(
        "GITenberg+Candide_19942",
        Edition("GITenberg+*_19942", _ROMAN),
        {"fr": Edition("GITenberg+*_4650", r"CHAPITRE [IVXL]+\.?(?:er)?.*")},
        (930, 0, 0, 0), "Voltaire; an edition of 1918",
    ),
    _book(
        "GITenberg+Alice-s-Adventures-in-Wonderland_11",
        Edition("GITenberg+*_11", r"CHAPTER [IVX]+\. .*"),
        {"fr": Edition("GITenberg+*_55456", r"CHAPITRE (?:PREMIER|[IVX]+)\."),
         "de": Edition("GITenberg+*_19778", r"\w+ Kapitel\.?")},
        (711, 719, 0, 0), "Lewis Carroll; Henri Bué; Antonie Zimmermann",
    ),
    Source(
        "global-asp+global-asp", "prose", (stories("global-asp+asp-source", "global-asp+global-asp"),
         stories("global-asp+asp-source", "global-asp+asp-source")),
        "CC BY 4.0 (a quarter of the stories are CC BY-NC and are left out)",
        "African Storybook; translators named in each story", codes(), (2_212, 794, 766, 772), "some pages free",
        also=("global-asp+asp-source",),
    ),
    Source(
        "global-asp+global-pb", "prose",
        (stories("global-asp+pb-source", "global-asp+global-pb", without=("Anita Badhwar",)),),
        "CC BY 4.0", "Pratham Books; translators named in each story", codes("fr de es"), (485, 501, 77, 0),
        "the French of one translator reads like a machine's and is left out; some German by learners",
        also=("global-asp+pb-source",),
    ),
    Source(
        "mozilla-l10n+engagement-l10n", "prose",
        (self_keyed("mozilla-l10n+engagement-l10n", r"{lang}/.*\.lang", read_lang),),
        "MPL 2.0", "Mozilla", codes("fr de es"), (1_821, 1_896, 1_160, 0), "letters and campaigns",
    ),
    Source(
        "mozilla-l10n+www-l10n", "prose",
        (keyed("mozilla-l10n+www-l10n", "fluent", r"en/(.*\.ftl)", r"{lang}/\1", {"zh-CN": "HEAD before 2023-01-01"}),),
        "MPL 2.0", "Mozilla; localisers on Pontoon", codes(es="es-ES", zh="zh-CN"), (2_590, 2_527, 2_689, 2_155),
        "Chinese at an older revision: from 2023 on a machine translated first",
    ),
    Source(
        "mozilla+legal-docs", "prose",
        (pages("mozilla+legal-docs", r"en/(.*\.md)", r"{lang}/\1"),),
        "CC BY-SA 3.0", "Mozilla", codes(es="es-ES", zh="zh-CN"), (1_489, 1_221, 1_485, 1_237), "formal",
    ),
    Source(
        "00-Evan+shattered-pixel-dungeon", "games",
        (keyed("00-Evan+shattered-pixel-dungeon", "properties", r"(core/src/main/assets/messages/.*?)\.properties",
               r"\1_{lang}.properties"),),
        "GPL-3", "Evan Debenham; translators on Transifex", codes(), (5_279, 5_162, 5_248, 5_125),
        "numbers and placeholders",
    ),
    Source(
        "raspberrypilearning+*", "prose",
        (pages("raspberrypilearning+*", r"en/(.*\.md)", r"{lang}/\1"),),
        "CC BY-SA 4.0", "Raspberry Pi Foundation; volunteers on Crowdin",
        codes(fr="fr-FR", de="de-DE", es="es-LA", zh="zh-CN"), (2_565, 1_769, 1_979, 485),
        "any number of that owner's projects; Scratch's words repeat; one pair in 8 to 20 is shifted in Spanish",
    ),
    Source(
        "uccser+cs-unplugged", "prose",
        (pages("uccser+cs-unplugged", r"(csunplugged/.*/content/)en/(.*\.md)", r"\1{lang}/\2"),
         keyed("uccser+cs-unplugged", "yaml", r"(csunplugged/.*/content/)en/(.*\.yaml)", r"\1{lang}/\2"),
         gettext("uccser+cs-unplugged", r"csunplugged/locale/{lang}/LC_MESSAGES/django\.po")),
        "CC BY-SA 4.0", "UC Computer Science Education; volunteers on Crowdin", codes(zh="zh_Hans"),
        (1_080, 1_246, 620, 449),
    ),
    Source(
        "github+opensource.guide", "prose",
        (pages("github+opensource.guide", r"_articles/([^/]+\.md)", r"_articles/{lang}/\1", without=r"^de/.*finding-users"),),
        "CC BY 4.0", "GitHub and volunteers", codes(zh="zh-hans"), (1_076, 629, 1_019, 872),
        "one German page began as a machine's and is left out",
    ),
    Source(
        "monero-project+monero-site", "prose",
        (keyed("monero-project+monero-site", "yaml", r"_i18n/en\.yml", r"_i18n/{lang}.yml"),
         pages("monero-project+monero-site", r"_i18n/en/(.*\.md)", r"_i18n/{lang}/\1")),
        "BSD-3", "The Monero Project; volunteers on Weblate", codes(zh="zh-cn"), (1_415, 1_800, 1_197, 467),
    ),
    Source(
        "bitcoin-dot-org+bitcoin.org", "prose",
        (keyed("bitcoin-dot-org+bitcoin.org", "yaml", r"_translations/en\.yml", r"_translations/{lang}.yml"),),
        "MIT", "bitcoin.org; volunteers on Transifex, reviewed", codes(zh="zh_CN"), (910, 1_216, 897, 1_037),
    ),
    Source(
        "scratchfoundation+scratch-l10n", "interface",
        (keyed("scratchfoundation+scratch-l10n", "json", r"((?:www|editor)/.*/)en\.json", r"\1{lang}.json"),),
        "AGPL-3", "Scratch Foundation; volunteers on Transifex", codes(zh="zh-cn"), (3_385, 3_161, 3_347, 2_998),
        "some Chinese in traditional script, which is filtered",
    ),
    Source(
        "renpy+renpy", "games",
        (visual_novel("renpy+renpy", r"(?:tutorial|the_question)/game/tl/{lang}/(?!common|gui|error).*\.rpy"),),
        "MIT", "Tom Rothamel and translators", codes("fr es zh", fr="french", es="spanish", zh="schinese"),
        (2_263, 481, 2_360, 2_318), "its system messages may be a machine's; the two stories alone are read",
    ),
    Source(
        "bilinguator+aligned-texts", "prose",
        (aligned_lines("bilinguator+aligned-texts", "texts/{work}/{work}_{lang}.txt", {
            "fr": ("den_standhaftige_tinsoldat", "the_canterville_ghost", "discours_de_la_methode"),
            "de": ("manifesto", "discours_de_la_methode"),
        }),),
        "public domain: these works alone", "H. C. Andersen, O. Wilde, R. Descartes, K. Marx; H. B. Paull, D. Soldi,"
        " A. Savine, J. Veitch, S. Moore, J. H. von Kirchmann", codes("fr de"), (2_013, 1_933, 0, 0),
        "never read all: others are under copyright or do not name their translator",
    ),
    Source(
        "DjangoGirls+tutorial", "prose",
        (pages("DjangoGirls+tutorial", r"en/(.*\.md)", r"{lang}/\1"),),
        "CC BY-SA 4.0", "Django Girls; volunteers on Crowdin", codes(), (552, 549, 498, 96),
        "German began as a draft",
    ),
    Source(
        "deltachat+deltachat-pages", "prose",
        (pages("deltachat+deltachat-pages", r"en/(.*\.md)", r"{lang}/\1"),
         keyed("deltachat+deltachat-pages", "yaml", r"_data/lang/en\.yaml", r"_data/lang/{lang}.yml")),
        "GPL-3", "Delta Chat contributors; volunteers on Transifex", codes(zh="zh_CN"), (231, 795, 412, 231),
    ),
    Source(
        "AntennaPod+antennapod.github.io", "prose",
        (keyed("AntennaPod+antennapod.github.io", "yaml", r"_i18n/en\.yml", r"_i18n/{lang}.yml"),
         pages("AntennaPod+antennapod.github.io", r"_i18n/en/(.*\.md)", r"_i18n/{lang}/\1")),
        "CC BY-SA 4.0", "AntennaPod contributors; volunteers on Weblate", codes("fr de es"), (763, 763, 782, 0),
    ),
    Source(
        "LINCnil+GDPR-Developer-Guide", "prose",
        (keyed_pages("LINCnil+GDPR-Developer-Guide", r"\d\d-.*\.md", r"^(\d\d)-", "LINCnil+Guide-RGPD-du-developpeur"),),
        "GPL-3", "CNIL", codes("fr"), (220, 0, 0, 0), "French is the original",
        also=("LINCnil+Guide-RGPD-du-developpeur",),
    ),
    Source(
        "heroku+12factor", "prose",
        (pages("heroku+12factor", r"content/en/(.*\.md)", r"content/{lang}/\1"),),
        "MIT", "Adam Wiggins and translators", codes(zh="zh_cn"), (232, 182, 234, 214),
    ),
    Source(
        "elementary+website", "interface",
        (self_keyed("elementary+website", r"_lang/{lang}/.*\.json", read_json),),
        "MIT", "elementary; volunteers on Weblate", codes(zh="zh_CN"), (556, 425, 570, 411),
    ),
    Source(
        "canada-ca+digital-playbook-guide-numerique", "prose",
        (keyed_pages("canada-ca+digital-playbook-guide-numerique", r"{lang}/\d+-.*\.md", r"^\w\w/(\d+)-"),),
        "Open Government Licence - Canada", "Government of Canada", codes("fr"), (192, 0, 0, 0),
    ),
    Source(
        "EthicalSource+contributor_covenant", "prose",
        (pages("EthicalSource+contributor_covenant", r"(content/version/.*/code[-_]of[-_]conduct)\.md", r"\1.{lang}.md"),),
        "CC BY 4.0", "Coraline Ada Ehmke and translators", codes(zh="zh-cn"), (24, 24, 24, 16),
    ),
)  # fmt: skip
