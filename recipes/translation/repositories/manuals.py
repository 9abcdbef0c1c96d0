"""Sources of documentation and of the texts of programs, in full sentences."""

from __future__ import annotations

from recipes.translation.repositories.catalogues import gettext, keyed
from recipes.translation.repositories.documents import manual
from recipes.translation.repositories.markdown import asciidoc, pages, rest
from recipes.translation.repositories.source import Source, codes

_TRANSLATORS = "and its translators"

SOURCES = (
    Source(
        "python+python-docs-es", "documentation",
        (gettext("python+python-docs-es", r".*\.po", rest, "HEAD before 2021-12-01", r"^whatsnew/3\.4\.po|^library/inspect\.po"),),
        "PSF or CC0", f"Python Software Foundation {_TRANSLATORS}", codes("es"), (0, 0, 67_427, 0),
        "read before December 2021, when a script that translates was added; two files begun by a machine are left out",
    ),
    Source(
        "python+python-docs-zh-cn", "documentation",
        (gettext("python+python-docs-zh-cn", r".*\.po", rest, "3.13"),),
        "CC0", f"Python Software Foundation {_TRANSLATORS}", codes("zh"), (0, 0, 0, 63_719),
    ),
    Source(
        "python+python-docs-fr", "documentation",
        (gettext("python+python-docs-fr", r".*\.po", rest, "3.13"),),
        "CC0", f"Python Software Foundation {_TRANSLATORS}", codes("fr"), (29_323, 0, 0, 0),
    ),
    Source(
        "django+django-docs-translations", "documentation",
        (gettext("django+django-docs-translations", r"translations/{lang}/LC_MESSAGES/.*\.po", rest, "stable/4.2.x"),),
        "BSD-3, as Django", f"Django Software Foundation {_TRANSLATORS}", codes("fr es zh", zh="zh_Hans"), (29_554, 0, 2_134, 32_687),
        "the repository has no licence file of its own",
    ),
    Source(
        "php+doc-*@2023-12", "documentation",
        (manual("php+doc-en", "php+doc-{lang}", "2023-12-30"),),
        "CC BY 3.0", "the PHP Documentation Group", codes(), (52_340, 27_203, 24_433, 22_922),
        "read at the end of 2023: much of the Spanish of 2025 is a machine's", also=("php+doc-en",),
    ),
    Source(
        "reactjs+*.react.dev", "documentation",
        (pages("reactjs+react.dev", r"(src/content/.*\.md)", r"\1", "reactjs+{lang}.react.dev"),),
        "CC BY 4.0", f"Meta Platforms {_TRANSLATORS}", codes(zh="zh-hans"), (9_839, 435, 11_037, 12_216),
        "pages of which the translation is at an older state are read where sections agree", also=("reactjs+react.dev",),
    ),
    Source(
        "vuejs-translations+docs-fr", "documentation",
        (pages("vuejs+docs", r"(src/.*\.md)", r"\1", "vuejs-translations+docs-fr"),),
        "CC BY 4.0", f"Evan You {_TRANSLATORS}", codes("fr"), (4_726, 0, 0, 0), also=("vuejs+docs",),
    ),
    Source(
        "freebsd+freebsd-doc-translate", "documentation",
        (gettext("freebsd+freebsd-doc-translate", r".*/{lang}/.*\.po", asciidoc),),
        "BSD-2", f"the FreeBSD Documentation Project {_TRANSLATORS}",
        codes(fr="fr_FR", de="de_DE", zh="zh_CN"), (20, 213, 13_795, 2_231),
    ),
    Source(
        "KiCad+kicad-doc", "documentation",
        (gettext("KiCad+kicad-doc", r"src/.*/po/{lang}\.po", asciidoc),),
        "GPL-3+ or CC BY 3.0", f"the KiCad team {_TRANSLATORS}", codes(), (2_361, 2_910, 2_635, 4_375),
    ),
    Source(
        "rust-lang+book", "documentation",
        (pages("rust-lang+book", r"(src/.*\.md)", r"\1", "{lang}", other_revision="HEAD"),),
        "MIT or Apache-2.0", f"the Rust project {_TRANSLATORS}",
        codes("de es", de="rust-lang-de+rustbook-de", es="RustLangES+rust-book-es"), (9, 2_322, 4_795, 1_505),
        "sections whose blocks differ are left out",
    ),
    Source(
        "KaiserY+trpl-zh-cn", "documentation",
        (pages("rust-lang+book", r"(src/.*\.md)", r"\1", "KaiserY+trpl-zh-cn", "main before 2024-08-01",
               "HEAD before 2024-08-01"),),
        "MIT or Apache-2.0", f"the Rust project {_TRANSLATORS}", codes("zh"), (0, 0, 0, 1_505),
        "read before August 2024, when a language model began to proofread", also=("rust-lang+book",),
    ),
    Source(
        "google+comprehensive-rust", "documentation",
        (gettext("google+comprehensive-rust", r"po/{lang}\.po"),),
        "CC BY 4.0 or Apache-2.0", f"Google {_TRANSLATORS}", codes(zh="zh-CN"), (246, 329, 3_048, 2_051),
    ),
    Source(
        "openstreetmap+iD", "interface",
        (keyed("openstreetmap+iD", "yaml json", r"data/core\.yaml", r"dist/locales/{lang}.min.json"),),
        "ISC", f"iD contributors {_TRANSLATORS} on Transifex", codes(zh="zh-CN"), (1_371, 1_332, 1_360, 1_295),
        "read from what is built, since the sources have no translations",
    ),
    Source(
        "wikimedia+apps-android-wikipedia", "interface",
        (keyed("wikimedia+apps-android-wikipedia", "android", r"app/src/main/res/values/(strings\.xml)",
               r"app/src/main/res/values-{lang}/\1"),),
        "Apache-2.0", "Wikimedia Foundation; volunteers of translatewiki", codes(), (1_212, 1_166, 1_087, 1_032),
    ),
    Source(
        "wikimedia+GrowthExperiments", "interface",
        (keyed("wikimedia+mediawiki-extensions-GrowthExperiments", "json", r"(i18n/.*/)en\.json", r"\1{lang}.json"),),
        "GPL-3", "Wikimedia Foundation; volunteers of translatewiki", codes(zh="zh-hans"), (1_115, 1_082, 1_072, 1_066),
        also=("wikimedia+mediawiki-extensions-GrowthExperiments",),
    ),
    Source(
        "jnavila+git-manpages-l10n", "documentation",
        (gettext("jnavila+git-manpages-l10n", r"po/documentation\.{lang}\.po", asciidoc),),
        "GPL-2", f"the Git project {_TRANSLATORS}", codes(zh="zh_HANS-CN"), (0, 779, 2_855, 0),
    ),
    Source(
        "adambard+learnxinyminutes-docs", "documentation",
        (pages("adambard+learnxinyminutes-docs", r"([^/]+)\.html\.markdown", r"{lang}-{lang}/\1-{lang}.html.markdown",
               revision="HEAD before 2023-01-01"),
         pages("adambard+learnxinyminutes-docs", r"([^/]+)\.html\.markdown", r"zh-{lang}/\1-{lang}.html.markdown",
               revision="HEAD before 2023-01-01")),
        "CC BY-SA 3.0", "Adam Bard and contributors", codes(zh="cn"), (213, 273, 480, 287),
        "read before 2023, when language models became common in its changes",
    ),
    Source(
        "hotosm+tasking-manager", "interface",
        (keyed("hotosm+tasking-manager", "json", r"frontend/src/locales/en\.json", r"frontend/src/locales/{lang}.json"),),
        "BSD-2", "Humanitarian OpenStreetMap Team; volunteers on Transifex", codes("fr de es"), (635, 619, 628, 0),
    ),
    Source(
        "openstreetmap+id-tagging-schema", "names",
        (keyed("openstreetmap+id-tagging-schema", "json", r"dist/translations/en\.json", r"dist/translations/{lang}.json",
               without=r"\.(?:terms|aliases)(?:\.\d+)?$"),),
        "ISC", f"id-tagging-schema contributors {_TRANSLATORS} on Transifex", codes(zh="zh-CN"),
        (5_667, 6_158, 7_368, 7_230), "names of shops, places and services; not the words to search for, which correspond in no order",
    ),
)  # fmt: skip
