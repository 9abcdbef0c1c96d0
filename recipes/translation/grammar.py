"""Simple sentences with their translations, made by a small grammar: everyday words in many combinations.

    python -m recipes.translation.grammar        shows twenty of them

Names of animals, people, things and places, plain adjectives and verbs are rare in software and its manuals. The
grammar knows gender, number, elision, the place of adjectives and the agreement of participles, so that what it makes is
correct French, if dull; `phrases*.tsv` are for how people talk. Nothing here is a pangram: `split.is_pangram` is asked.
"""

import random
from collections.abc import Iterator

from recipes.translation.split import is_pangram

COUNT = 16_000

# English singular and plural, French singular, gender; the plural has an s where none is given.
ANIMALS = """
fox foxes renard m|dog dogs chien m|cat cats chat m|horse horses cheval m chevaux|cow cows vache f|bird birds oiseau m oiseaux|
wolf wolves loup m|bear bears ours m ours|rabbit rabbits lapin m|mouse mice souris f souris|sheep sheep mouton m|goat goats chèvre f|
pig pigs cochon m|duck ducks canard m|hen hens poule f|frog frogs grenouille f|lion lions lion m|monkey monkeys singe m|
squirrel squirrels écureuil m|donkey donkeys âne m|bee bees abeille f|snake snakes serpent m|elephant elephants éléphant m
"""
PEOPLE = """
boy boys garçon m|girl girls fille f|man men homme m|woman women femme f|child children enfant m|neighbour neighbours voisin m|
friend friends ami m|brother brothers frère m|sister sisters sœur f|teacher teachers professeur m|doctor doctors médecin m|
farmer farmers fermier m|soldier soldiers soldat m|king kings roi m|queen queens reine f|driver drivers chauffeur m|
student students étudiant m|singer singers chanteur m|thief thieves voleur m|baker bakers boulanger m|painter painters peintre m
"""
PLACES = """
house houses maison f|garden gardens jardin m|wall walls mur m|fence fences clôture f|river rivers rivière f|tree trees arbre m|
table tables table f|chair chairs chaise f|bed beds lit m|box boxes boîte f|bridge bridges pont m|road roads route f|
street streets rue f|forest forests forêt f|field fields champ m|hill hills colline f|mountain mountains montagne f|
lake lakes lac m|beach beaches plage f|church churches église f|school schools école f|shop shops magasin m|
kitchen kitchens cuisine f|window windows fenêtre f|door doors porte f|roof roofs toit m|boat boats bateau m bateaux|
car cars voiture f|train trains train m|castle castles château m châteaux|village villages village m|town towns ville f|
bench benches banc m|stone stones pierre f|log logs tronc m|ditch ditches fossé m|barrel barrels tonneau m tonneaux
"""
THINGS = """
book books livre m|letter letters lettre f|apple apples pomme f|bread - pain m|cake cakes gâteau m gâteaux|hat hats chapeau m chapeaux|
coat coats manteau m manteaux|shoe shoes chaussure f|key keys clé f|bag bags sac m|knife knives couteau m couteaux|
cup cups tasse f|bottle bottles bouteille f|flower flowers fleur f|picture pictures tableau m tableaux|song songs chanson f|
story stories histoire f|ball balls balle f|lamp lamps lampe f|clock clocks horloge f|shirt shirts chemise f|dress dresses robe f|
ring rings bague f|basket baskets panier m|umbrella umbrellas parapluie m|egg eggs œuf m|cheese cheeses fromage m|soup soups soupe f
"""
# English, French masculine and feminine singular and plural; before: they stand before the noun.
ADJECTIVES = """
brown brun brune bruns brunes|lazy paresseux paresseuse paresseux paresseuses|quick rapide rapide rapides rapides|
red rouge rouge rouges rouges|white blanc blanche blancs blanches|black noir noire noirs noires|green vert verte verts vertes|
blue bleu bleue bleus bleues|grey gris grise gris grises|yellow jaune jaune jaunes jaunes|happy heureux heureuse heureux heureuses|
sad triste triste tristes tristes|tired fatigué fatiguée fatigués fatiguées|hungry affamé affamée affamés affamées|
strong fort forte forts fortes|weak faible faible faibles faibles|rich riche riche riches riches|poor pauvre pauvre pauvres pauvres|
clever intelligent intelligente intelligents intelligentes|quiet calme calme calmes calmes|
dangerous dangereux dangereuse dangereux dangereuses|strange étrange étrange étranges étranges|heavy lourd lourde lourds lourdes|
cold froid froide froids froides|warm chaud chaude chauds chaudes|clean propre propre propres propres|dirty sale sale sales sales|
empty vide vide vides vides|expensive cher chère chers chères|famous célèbre célèbre célèbres célèbres|wild sauvage sauvage sauvages sauvages|
angry furieux furieuse furieux furieuses|kind gentil gentille gentils gentilles|shy timide timide timides timides|
brave courageux courageuse courageux courageuses|curious curieux curieuse curieux curieuses|blind aveugle aveugle aveugles aveugles
"""
BEFORE = """
small petit petite petits petites|big grand grande grands grandes|old vieux vieille vieux vieilles vieil|young jeune jeune jeunes jeunes|
beautiful beau belle beaux belles bel|pretty joli jolie jolis jolies|fat gros grosse gros grosses|new nouveau nouvelle nouveaux nouvelles nouvel
"""
ANIMATE = {
    "happy",
    "sad",
    "tired",
    "hungry",
    "clever",
    "stupid",
    "lazy",
    "angry",
    "kind",
    "shy",
    "brave",
    "curious",
    "blind",
}
ANIMATE |= {"young", "fat", "wild", "rich", "poor", "weak", "quick"}
COLOURS = {"brown", "white", "black", "grey", "fat", "wild", "blind"}  # not said of people here
LIFELESS = {"heavy", "cold", "warm", "clean", "dirty", "empty", "expensive", "new", "green", "blue", "yellow", "red"}
# English third person, plural, past; French singular, plural, participle, auxiliary.
MOVES = """
jumps jump jumped|saute sautent sauté a|runs run ran|court courent couru a|walks walk walked|marche marchent marché a|
sleeps sleep slept|dort dorment dormi a|waits wait waited|attend attendent attendu a|sings sing sang|chante chantent chanté a|
dances dance danced|danse dansent dansé a|swims swim swam|nage nagent nagé a|plays play played|joue jouent joué a|
hides hide hid|se cache se cachent caché s'est|stops stop stopped|s'arrête s'arrêtent arrêté s'est|
sits sit sat|s'assoit s'assoient assis s'est|falls fall fell|tombe tombent tombé est|works work worked|travaille travaillent travaillé a
"""
WHERE = {
    "jump": (("over", "par-dessus"),) * 4 + (("onto", "sur"), ("off", "de"), ("across", "par-dessus")),
    "run": (("across", "à travers"), ("towards", "vers"), ("behind", "derrière"), ("around", "autour de")),
    "walk": (("across", "à travers"), ("towards", "vers"), ("around", "autour de"), ("past", "devant")),
    "fall": (("off", "de"), ("behind", "derrière"), ("near", "près de")),
    "swim": (("near", "près de"), ("towards", "vers"), ("under", "sous")),
}
REST = (
    ("under", "sous"),
    ("behind", "derrière"),
    ("in front of", "devant"),
    ("near", "près de"),
    ("next to", "à côté de"),
    ("on", "sur"),
)
DOES = """
sees see saw|voit voient vu|likes like liked|aime aiment aimé|follows follow followed|suit suivent suivi|hears hear heard|entend entendent entendu|
watches watch watched|regarde regardent regardé|finds find found|trouve trouvent trouvé|helps help helped|aide aident aidé|
knows know knew|connaît connaissent connu|looks_for look_for looked_for|cherche cherchent cherché|hates hate hated|déteste détestent détesté|
meets meet met|rencontre rencontrent rencontré|calls call called|appelle appellent appelé|hits hit hit|frappe frappent frappé
"""
HAS = """
buys buy bought|achète achètent acheté|sells sell sold|vend vendent vendu|loses lose lost|perd perdent perdu|carries carry carried|porte portent porté|
brings bring brought|apporte apportent apporté|steals steal stole|vole volent volé|breaks break broke|casse cassent cassé|
washes wash washed|lave lavent lavé|forgets forget forgot|oublie oublient oublié|takes take took|prend prennent pris|
wants want wanted|veut veulent voulu|opens open opened|ouvre ouvrent ouvert
"""
VOWEL = "aeiouyâéèêîôœhàù"
ASPIRATED = ("haut", "héros")


def _rows(text: str) -> list[list[str]]:
    return [row.split() for row in text.replace("\n", "").split("|") if row.strip()]


def _pairs(text: str) -> list[tuple[list[str], list[str]]]:
    rows = _rows(text)
    return list(zip(rows[::2], rows[1::2], strict=True))


def _elides(word: str) -> bool:
    return word[0].lower() in VOWEL and not word.startswith(ASPIRATED)


class Phrase:
    """A noun with its article and adjectives, in both languages."""

    def __init__(
        self, chance: random.Random, nouns: list[list[str]], alive: bool, adjectives: int, plural: bool
    ) -> None:
        english, many, french, gender, *irregular = noun_row = chance.choice(nouns)
        unsaid = (LIFELESS if alive else ANIMATE) | (COLOURS if noun_row in _rows(PEOPLE) else set())
        self.plural = plural and many != "-"
        self.feminine = gender == "f"
        noun = (irregular[0] if irregular else french + "s") if self.plural else french
        place = 2 * self.plural + self.feminine
        fitting = [a for a in _rows(ADJECTIVES) if a[0] not in unsaid]
        early = [a for a in _rows(BEFORE) if a[0] not in unsaid]
        chosen = chance.sample(fitting, adjectives) if adjectives else []
        front = chance.choice(early) if chance.random() < (0.25 if adjectives < 2 else 0.1) else None
        words = [a[0] for a in ([front] if front else []) + chosen]
        self.english = " ".join([*words, many if self.plural else english])
        after = " et ".join(a[1 + place] for a in reversed(chosen))
        first = ""
        if front:
            special = len(front) > 5 and place == 0 and _elides(noun)
            first = (front[5] if special else front[1 + place]) + " "
        self.french = f"{first}{noun} {after}".strip()

    def the(self) -> tuple[str, str]:
        if self.plural:
            return f"the {self.english}", f"les {self.french}"
        if _elides(self.french):
            return f"the {self.english}", f"l'{self.french}"
        return f"the {self.english}", f"{'la' if self.feminine else 'le'} {self.french}"

    def a(self) -> tuple[str, str]:
        if self.plural:
            return f"two {self.english}", f"deux {self.french}"
        article = "an" if self.english[0] in "aeiou" else "a"
        return f"{article} {self.english}", f"{'une' if self.feminine else 'un'} {self.french}"

    def my(self, chance: random.Random) -> tuple[str, str]:
        english, *forms = chance.choice(
            (("my", "mon", "ma", "mes"), ("your", "ton", "ta", "tes"), ("our", "notre", "notre", "nos"))
        )
        place = 2 if self.plural else int(self.feminine and (not _elides(self.french) or forms[0] == "notre"))
        return f"{english} {self.english}", f"{forms[place]} {self.french}"

    def any(self, chance: random.Random) -> tuple[str, str]:
        kind = chance.random()
        return self.the() if kind < 0.7 else self.a() if kind < 0.85 else self.my(chance)


def _of(preposition: str, phrase: str) -> str:
    """`de` and what follows it: de + le = du, de + les = des.

    >>> _of("près de", "le mur"), _of("sur", "le mur"), _of("de", "l'arbre")
    ('près du mur', 'sur le mur', "de l'arbre")
    """
    if not preposition.endswith("de"):
        return f"{preposition} {phrase}"
    start = preposition.removesuffix("de")
    if phrase.startswith("le "):
        return f"{start}du {phrase[3:]}"
    return f"{start}des {phrase[4:]}" if phrase.startswith("les ") else f"{preposition} {phrase}"


def _agree(participle: str, subject: Phrase) -> str:
    ending = ("e" if subject.feminine else "") + ("s" if subject.plural and not participle.endswith("s") else "")
    return participle + (("es" if subject.plural else "e") if subject.feminine else ending)


def _verb(chance: random.Random, pair: tuple[list[str], list[str]], subject: Phrase) -> tuple[str, str]:
    (one, many, past), french = pair
    reflexive = french[0] == "se" or french[0].startswith("s'")
    if french[0] == "se":
        french = [f"se {french[1]}", f"se {french[3]}", *french[4:]]
    singular, plural, participle = french[:3]
    auxiliary = french[3] if len(french) > 3 else "a"
    kind = chance.random()
    if kind < 0.6:
        return (many if subject.plural else one), (plural if subject.plural else singular)
    if kind < 0.75 and one not in ("sees", "likes", "hears", "knows", "hates", "wants"):
        base = many[:-1] if many.endswith("e") and many != "see" else many
        base += base[-1] if base in ("run", "swim", "stop", "sit", "hit") else ""
        ing = "looking for" if many == "look_for" else base + "ing"
        return f"{'are' if subject.plural else 'is'} {ing}", (plural if subject.plural else singular)
    if reflexive or auxiliary == "est":
        helper = {"s'est": ("s'est", "se sont"), "est": ("est", "sont")}[auxiliary][subject.plural]
        return past, f"{helper} {_agree(participle, subject)}"
    return past, f"{'ont' if subject.plural else 'a'} {participle}"


def sentence(chance: random.Random) -> tuple[str, str]:
    """An English sentence and its translation."""
    living, places, things = _rows(ANIMALS) + _rows(PEOPLE), _rows(PLACES), _rows(THINGS)

    def some(nouns: list[list[str]], alive: bool, most: int = 2) -> Phrase:
        weights = {1: (5, 5, 0), 2: (3, 5, 3)}[most]
        return Phrase(chance, nouns, alive, chance.choices((0, 1, 2), weights)[0], chance.random() < 0.2)

    subject = some(living, True)
    who = subject.any(chance)
    kind = chance.random()
    if kind < 0.5:
        verb = chance.choice(_pairs(MOVES) + _pairs(MOVES)[:1] * 3)
        goal = some(living, True, 1) if chance.random() < 0.4 else some(places, False, 1)
        said, french = _verb(chance, verb, subject)
        english_where, french_where = chance.choice(WHERE.get(verb[0][1], REST))
        where = goal.any(chance)
        pair = f"{who[0]} {said} {english_where} {where[0]}", f"{who[1]} {french} {_of(french_where, where[1])}"
    elif kind < 0.9:
        verb = chance.choice(_pairs(DOES) if kind < 0.7 else _pairs(HAS))
        other = (some(living, True, 1) if kind < 0.7 else some(things, False, 1)).any(chance)
        said, french = _verb(chance, verb, subject)
        pair = f"{who[0]} {said} {other[0]}", f"{who[1]} {french} {other[1]}"
    else:
        quality = chance.choice([a for a in _rows(ADJECTIVES) if a[0] not in LIFELESS])
        form = quality[1 + 2 * subject.plural + subject.feminine]
        verbs = (("is", "are", "est", "sont"), ("was", "were", "était", "étaient"))
        one, many, un, deux = chance.choice(verbs)
        pair = (
            f"{who[0]} {many if subject.plural else one} {quality[0]}",
            f"{who[1]} {deux if subject.plural else un} {form}",
        )
    english, french = (side[0].upper() + side[1:] + "." for side in pair)
    return english.replace("_", " "), french


def sentences(count: int = COUNT, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Different sentences, the same ones each time; none is a pangram or holds one of the phrases of those known."""
    chance, seen = random.Random(seed), set()
    while len(seen) < count:
        pair = sentence(chance)
        if pair[0] not in seen and not any(map(is_pangram, pair)):
            seen.add(pair[0])
            yield pair


if __name__ == "__main__":
    for number, (english, french) in enumerate(sentences(200)):
        if number % 10 == 0:
            print(f"{english:60} {french}")
