"""What stays in a translation: digits, names, capitals, brackets, placeholders, and the same answer in any company.

    python -m bench.translation_constants [--pairs en-fr fr-en] [--only digits names ...] [--show 5] [--catalogues FILES]

Sentences are made from frames and fillings that were written for this, so that no net has seen them. Printed for each kind
are how many were tried, how many were wrong and how many of these say so themselves (`doubts`). Catalogues of gettext (.po,
.mo) give up to 1,000 more texts with brackets or quotation marks: those of the program, and to English their translations.
"""

import argparse
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator

import polib  # type: ignore[import-untyped]

from lamella.data.text import placeholders
from lamella.model import Model, shipped
from lamella.tasks.translation import Translation
from lamella.tasks.translation.outcomes import Outcome
from lamella.tasks.translation.proper import word_set

Case = tuple[str, list[str]]  # a text, and what must be in its translation

FRAMES = {
    "en": [
        "The order {} was sent yesterday.", "Please call {} before noon.", "We paid {} for it.", "It happened on {} in the evening.",
        "The number is {}.", "You can find {} on the second page.", "He wrote {} on the wall.", "My sister bought {} last week.",
        "The old price was {}, which was too much.", "Nobody knows why {} is so important.", "Install {} and restart the computer.",
        "If {} is wrong, tell us.", "{} is what the teacher said.", "Is it {} or not?", "The train with {} leaves from here.",
    ],
    "fr": [
        "La commande {} est partie hier.", "Veuillez appeler {} avant midi.", "Nous avons payé {} pour cela.",
        "C'est arrivé le {} dans la soirée.", "Le numéro est {}.", "Vous trouverez {} à la deuxième page.", "Il a écrit {} sur le mur.",
        "Ma sœur a acheté {} la semaine dernière.", "L'ancien prix était de {}, ce qui était trop.",
        "Personne ne sait pourquoi {} est si important.", "Installez {} et redémarrez l'ordinateur.", "Si {} est faux, dites-le-nous.",
        "{} est ce que le professeur a dit.", "Est-ce {} ou non ?", "Le train avec {} part d'ici.",
    ],
    "de": [
        "Die Bestellung {} wurde gestern verschickt.", "Bitte rufen Sie {} vor Mittag an.", "Wir haben {} dafür bezahlt.",
        "Die Nummer ist {}.", "Sie finden {} auf der zweiten Seite.", "Er schrieb {} an die Wand.", "Meine Schwester kaufte letzte Woche {}.",
        "Der alte Preis war {}, das war zu viel.", "Niemand weiß, warum {} so wichtig ist.", "Wenn {} falsch ist, sagen Sie es uns.",
        "{} ist das, was der Lehrer sagte.", "Ist es {} oder nicht?", "Der Zug mit {} fährt hier ab.",
    ],
    "es": [
        "El pedido {} salió ayer.", "Por favor, llame a {} antes del mediodía.", "Pagamos {} por ello.", "El número es {}.",
        "Encontrará {} en la segunda página.", "Escribió {} en la pared.", "Mi hermana compró {} la semana pasada.",
        "El precio antiguo era {}, que era demasiado.", "Nadie sabe por qué {} es tan importante.", "Si {} está mal, díganoslo.",
        "{} es lo que dijo el profesor.", "¿Es {} o no?", "El tren con {} sale de aquí.",
    ],
    "zh": [
        "订单 {} 昨天寄出了。", "请在中午前拨打 {}。", "我们为此付了 {}。", "号码是 {}。", "你可以在第二页找到 {}。", "他在墙上写了 {}。",
        "我姐姐上周买了 {}。", "没有人知道为什么 {} 这么重要。", "如果 {} 错了，请告诉我们。", "{} 是老师说的。", "是不是 {}？",
    ],
}  # fmt: skip
NAMED = {
    "en": [
        "I met {} last year.", "We bought it from {} in the spring.", "Yesterday {} came home late.", "Do you know {}?", "She works for {} now.",
        "The book by {} is on the table.", "I think {} is wrong.", "My friend {} lives near the river.", "They sent {} a long letter.",
        "Everybody loves {} and {}.", "Ask {} before you leave.", "The car of {} was stolen.",
    ],
    "fr": [
        "J'ai rencontré {} l'année dernière.", "Nous l'avons acheté chez {} au printemps.", "Hier {} est rentré tard.", "Connais-tu {} ?",
        "Elle travaille pour {} maintenant.", "Le livre de {} est sur la table.", "Je crois que {} a tort.",
        "Mon ami {} habite près de la rivière.", "Ils ont envoyé une longue lettre à {}.", "Tout le monde aime {} et {}.",
        "Demande à {} avant de partir.", "La voiture de {} a été volée.",
    ],
    "de": [
        "Ich habe letztes Jahr {} getroffen.", "Wir haben es im Frühling von {} gekauft.", "Gestern kam {} spät nach Hause.", "Kennst du {}?",
        "Sie arbeitet jetzt für {}.", "Das Buch von {} liegt auf dem Tisch.", "Ich glaube, {} hat unrecht.", "Mein Freund {} wohnt am Fluss.",
        "Alle lieben {} und {}.", "Frag {}, bevor du gehst.", "Das Auto von {} wurde gestohlen.",
    ],
    "es": [
        "Conocí a {} el año pasado.", "Se lo compramos a {} en primavera.", "Ayer {} llegó tarde a casa.", "¿Conoces a {}?",
        "Ella trabaja ahora para {}.", "El libro de {} está en la mesa.", "Creo que {} se equivoca.", "Mi amigo {} vive cerca del río.",
        "Todos quieren a {} y {}.", "Pregunta a {} antes de irte.", "Robaron el coche de {}.",
    ],
    "zh": [
        "我去年见过 {}。", "我们春天从 {} 买的。", "昨天 {} 回家很晚。", "你认识 {} 吗？", "她现在为 {} 工作。", "{} 的书在桌子上。",
        "我觉得 {} 错了。", "大家都喜欢 {} 和 {}。", "走之前问问 {}。",
    ],
}  # fmt: skip
NAMES = sorted(
    word_set(
        "Johnson Nakamura Kubernetes YouTube Lefebvre O'Brien McDonald Kowalski Grafana PostgreSQL Dubrovnik Bratislava Wozniak Zuckerberg Samsung "
        "Rossignol Tchaikovsky Beaumont Schneider Fernandez LibreOffice GitHub Firefox Thunderbird Netflix Adebayo Nguyen Okonkwo Svensson Jaroslav "
        "Marseille Toulouse Vancouver Montevideo Nairobi Lidl Decathlon Airbus Renault Playstation iPhone eBay WhatsApp Raspberry Debian @marie_d #vacances"
    )
)
LABELS = {
    "en": "add to cart|save|cancel|dog|monday|no entry|wet paint|do not touch|open the door|my account|delete all files|log out|help|search|settings|"
    "keep out|private property|sold out|free delivery|next page|back to top|the end|house for sale|danger|two tickets please|about us|play|stop|"
    "no smoking|thank you|i love you|good morning|print this page|edit profile|new message|last name|first name|forgot your password",
    "fr": "ajouter au panier|enregistrer|annuler|chien|lundi|entrée interdite|peinture fraîche|ne pas toucher|ouvrir la porte|mon compte|supprimer tout|"
    "se déconnecter|aide|rechercher|réglages|ne pas entrer|propriété privée|complet|livraison gratuite|page suivante|haut de page|fin|"
    "maison à vendre|danger|deux billets|à propos|jouer|arrêt|défense de fumer|merci|je t'aime|bonjour|imprimer|modifier|nouveau message",
    "de": "in den warenkorb|speichern|abbrechen|hund|montag|kein zutritt|frisch gestrichen|nicht berühren|die tür öffnen|mein konto|alles löschen|"
    "abmelden|hilfe|suchen|einstellungen|ausverkauft|kostenloser versand|nächste seite|nach oben|ende|haus zu verkaufen|gefahr|über uns|spielen|"
    "rauchen verboten|danke|guten morgen|drucken|profil bearbeiten|neue nachricht",
    "es": "añadir al carrito|guardar|cancelar|perro|lunes|prohibido el paso|pintura fresca|no tocar|abrir la puerta|mi cuenta|eliminar todo|"
    "cerrar sesión|ayuda|buscar|ajustes|agotado|envío gratis|página siguiente|volver arriba|fin|casa en venta|peligro|sobre nosotros|jugar|"
    "prohibido fumar|gracias|te quiero|buenos días|imprimir|mensaje nuevo",
    "zh": "保存|取消|狗|星期一|我的帐户|帮助|搜索",
}
MARKED = {
    "en": [
        'He said "{}" and left.',
        "Open the file ({}).",
        "The {} (old) is here.",
        '"{}", she said.',
        "Press [{}] now.",
        "See “{}” below.",
        "({})",
    ],
    "fr": [
        "Il a dit « {} » et il est parti.",
        "Ouvrez le fichier ({}).",
        "Le {} (ancien) est ici.",
        "« {} », dit-elle.",
        "Voir [{}].",
        "({})",
    ],
    "de": [
        "Er sagte „{}“ und ging.",
        "Öffnen Sie die Datei ({}).",
        "Das {} (alt) ist hier.",
        "„{}“, sagte sie.",
        "Drücken Sie [{}].",
        "({})",
    ],
    "es": [
        "Dijo «{}» y se fue.",
        "Abra el archivo ({}).",
        "El {} (viejo) está aquí.",
        "«{}», dijo ella.",
        "Pulse [{}].",
        "({})",
    ],
    "zh": ["他说：“{}”。", "打开文件（{}）。", "这个{}（旧的）在这里。", "按[{}]。", "（{}）"],
}
INSIDE = {
    "en": "yes|no|the key|a small house|come back|water|good luck",
    "fr": "oui|non|la clé|une petite maison|reviens|eau|bonne chance",
    "de": "ja|nein|der Schlüssel|ein kleines Haus|komm zurück|Wasser|viel Glück",
    "es": "sí|no|la llave|una casa pequeña|vuelve|agua|buena suerte",
    "zh": "是|不|钥匙|小房子|回来|水|祝你好运",
}
SHAPES = [
    "%name%", "__name__", "[[name]]", "<%= x %>", "{ $x }", "%1!s!", "{{name}}", "app.menu.file_open", ":ref:`guide`", "`guide <a.html>`_", ":smile:",
    "&nbsp;", "%s", "{0}", "${x}", "<b>", "https://a.org/b?c=1", "me@a.org", "{% if x %}", "$t(key)",
]  # fmt: skip
SHAPED = {"en": ["Open {} now.", "The user {} is here.", "We found {} in the file.", "{} is not ready."],
          "fr": ["Ouvrez {} maintenant.", "L'utilisateur {} est ici.", "Nous avons trouvé {} dans le fichier.", "{} n'est pas prêt."],
          "de": ["Öffnen Sie jetzt {}.", "Der Benutzer {} ist hier.", "Wir haben {} in der Datei gefunden.", "{} ist nicht bereit."],
          "es": ["Abra {} ahora.", "El usuario {} está aquí.", "Encontramos {} en el archivo.", "{} no está listo."],
          "zh": ["现在打开 {}。", "用户 {} 在这里。", "我们在文件中找到了 {}。", "{} 还没有准备好。"]}  # fmt: skip


def quantities(rng: random.Random, language: str) -> Iterator[str]:
    """Numbers and codes of every kind, without end."""
    digits: Callable[[int], str] = lambda n: "".join(rng.choice("0123456789") for _ in range(n))  # noqa: E731
    letters: Callable[[int], str] = lambda n: "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ") for _ in range(n))  # noqa: E731
    hexa: Callable[[int], str] = lambda n: "".join(rng.choice("0123456789abcdef") for _ in range(n))  # noqa: E731
    group, point = {"fr": ("\u202f", ","), "de": (".", ","), "es": (".", ",")}.get(language, (",", "."))
    while True:
        whole = f"{rng.randrange(1, 900)}{group}{digits(3)}"
        money = f"{whole}{point}{digits(2)}"
        yield from (
            f"+{rng.randrange(1, 9)} ({digits(3)}) {digits(3)}-{digits(4)}", f"0{digits(1)} {digits(2)} {digits(2)} {digits(2)} {digits(2)}",
            f"{letters(2)}{digits(10)}", f"{letters(3)}-{digits(4)}", ":".join(hexa(2).upper() for _ in range(6)),
            f"{hexa(8)}-{hexa(4)}-{hexa(4)}-{hexa(4)}-{hexa(12)}", f"{digits(2)}{point}{digits(1)}%" if point == "." else f"{digits(2)}{point}{digits(1)} %",
            f"Python 3.{digits(2)}", f"€{money}" if point == "." else f"{money} €", whole, str(rng.randrange(2, 100)), str(rng.randrange(1900, 2030)),
            f"20{digits(2)}-0{rng.randrange(1, 9)}-1{digits(1)}", f"1{digits(1)}:{rng.randrange(10, 59)}", f"192.168.{digits(1)}.{digits(2)}",
            f"{rng.randrange(2, 90)} km", f"v{digits(1)}.{digits(1)}.{digits(2)}", hexa(10) + "7", f"{rng.randrange(2, 90)}{point}5 kg",
        )  # fmt: skip


def digits_of(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d", text))


def run(model: Model, texts: list[str]) -> list[Outcome]:
    assert isinstance(model.task, Translation)
    to = model.task.config.dst
    return model.task.outcomes([{"text": text, "to": to} for text in texts], model.run)


def sets(language: str, rng: random.Random) -> dict[str, tuple[list[str], Callable[[str, str], bool]]]:
    """For each kind its texts, and whether a translation of one keeps what it must."""
    some = quantities(rng, language)
    numbers = [rng.choice(FRAMES[language]).format(next(some)) for _ in range(500)]
    named = [rng.choice(NAMED[language]).format(*rng.sample(NAMES, 2)) for _ in range(300)]
    marked = [frame.format(word) for frame in MARKED[language] for word in INSIDE[language].split("|")]
    shaped = [frame.format(shape) for shape in SHAPES for frame in SHAPED[language]]
    ends = "".join(re.findall(r"\W", "".join(MARKED[language])))

    def names_kept(source: str, answer: str) -> bool:
        return all(name in answer for name in NAMES if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", source))

    def balanced(source: str, answer: str) -> bool:
        pairs = [re.findall(r"[()\[\]（）]", text) for text in (source, answer)]
        pairs = [[{"（": "(", "）": ")"}.get(mark, mark) for mark in some] for some in pairs]
        quotes = [len(re.findall(r'["“”«»„]', text)) for text in (source, answer)]
        return Counter(pairs[0]) == Counter(pairs[1]) and quotes[0] == quotes[1] and bool(ends)

    def shapes_kept(source: str, answer: str) -> bool:
        same = Counter(placeholders.find(source)) == Counter(placeholders.find(answer))
        return same and all(shape in answer for shape in SHAPES if shape in source and not shape.startswith("`"))

    return {
        "digits": (numbers, lambda source, answer: digits_of(source) == digits_of(answer)),
        "names": (named, names_kept),
        "marks": (marked, balanced),
        "shapes": (shaped, shapes_kept),
    }


_MARKS = re.compile(r"[()\[\]（）【】]|[\"“”«»„「」]")


def catalogued(files: list[str], src: str) -> list[str]:
    """Texts of catalogues with brackets or quotation marks, 1,000 at most, in a fixed order."""
    found: dict[str, None] = {}
    for file in files:
        entries = polib.mofile(file) if file.endswith(".mo") else polib.pofile(file)
        for entry in entries:
            text = entry.msgid if src == "en" else entry.msgstr
            if _MARKS.search(text) and "\n" not in text and len(text) < 200 and entry.msgstr:
                found[text] = None
    texts = sorted(found)
    random.Random(1).shuffle(texts)
    return texts[:1000]


def balance(text: str) -> Counter[str]:
    """How many brackets of each kind, and quotation marks of any, a text has outside placeholders."""
    for start, end in reversed(placeholders.spans(text)):
        text = text[:start] + " " * (end - start) + text[end:]
    one = {"（": "(", "）": ")", "【": "[", "】": "]"}
    return Counter(one.get(mark, mark if mark in "()[]" else '"') for mark in _MARKS.findall(text))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", nargs="+", default=["en-fr", "fr-en"])
    options.add_argument("--only", nargs="+", default=["digits", "names", "marks", "shapes", "capitals", "company"])
    options.add_argument("--show", type=int, default=0, help="Print so many of the wrong answers.")
    options.add_argument("--catalogues", nargs="+", default=[], help="Gettext catalogues, for marks.")
    options.add_argument("--company", type=int, default=500, help="Ask so many texts alone and together.")
    asked = options.parse_args()
    for pair in asked.pairs:
        src, dst = pair.split("-")
        model = shipped.translator(src, dst)
        kinds = sets(src, random.Random(1))
        for name in [one for one in asked.only if one in kinds]:
            texts, is_right = kinds[name]
            outcomes = run(model, texts)
            wrong = [(s, o) for s, o in zip(texts, outcomes, strict=True) if not is_right(s, o.text)]
            said = sum(bool(o.doubts) or o.status == "kept" for _, o in wrong)
            repaired = sum(o.status == "repaired" for o in outcomes)
            print(f"{pair} {name}: {len(texts)} texts, {len(wrong)} wrong, {said} of them flagged, {repaired} repaired")
            for source, outcome in wrong[: asked.show]:
                print(f"    {source}\n    {outcome}")
        if texts := catalogued(asked.catalogues, src):
            outcomes = run(model, texts)
            wrong = [(s, o) for s, o in zip(texts, outcomes, strict=True) if balance(s) != balance(o.text)]
            said = sum(bool(o.doubts) or o.status == "kept" for _, o in wrong)
            print(
                f"{pair} catalogues: {len(texts)} texts, {len(wrong)} with other brackets or quotation marks, {said} of them flagged"
            )
            for source, outcome in wrong[: asked.show]:
                print(f"    {source}\n    {outcome.text}")
        if "capitals" in asked.only:
            lower = LABELS[src].split("|")
            plain = [o.text.lower() for o in run(model, lower)]
            for form, change in (("capitals", str.upper), ("title", str.title), ("initial", str.capitalize)):
                answers = [o.text.lower() for o in run(model, [change(text) for text in lower])]
                differ = [(a, b, c) for a, b, c in zip(lower, plain, answers, strict=True) if b != c]
                print(f"{pair} {form}: {len(lower)} texts, {len(differ)} other than in small letters")
                for one in differ[: asked.show]:
                    print("   ", *one, sep=" | ")
        if "company" in asked.only:
            texts = kinds["digits"][0][: asked.company]
            together = [o.text for o in run(model, texts)]
            alone = [run(model, [text])[0].text for text in texts]
            print(
                f"{pair} company: {len(texts)} texts, {sum(a != b for a, b in zip(together, alone, strict=True))} other alone"
            )


if __name__ == "__main__":
    main()
