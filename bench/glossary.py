"""How many terms of a glossary the shipped English to French model honours, and what that costs.

    python -m bench.glossary [--beams 4]

Held-out sentences of everyday life (recipes/translation/everyday.tsv), and sentences about software written for this.
Half of the terms are the usual translations, half are what a house might prescribe and the references do not have.
chrF is against the references, for both kinds of sentence apart; where a house's term is not theirs, they get it too, for
the answers with the glossary alone.
"""

import argparse
import tempfile
import time
from pathlib import Path

from lamella import metrics
from lamella.model import shipped
from lamella.options import replace_config
from lamella.tasks.translation.glossary import Glossary

EVERYDAY = Path(__file__).parent.parent / "recipes" / "translation" / "everyday.tsv"
USUAL = """
train station=gare; umbrella=parapluie; garden=jardin; box=boîte; keys=clés; shirt=chemise; phone=téléphone
doctor=médecin; door=porte; river=rivière; gift=cadeau; traffic=circulation; credit card=carte bancaire; lake=lac
airport=aéroport; helmet=casque; motorcycle=moto; factory=usine; bicycles=vélos; pharmacy=pharmacie; bridge=pont
kitchen=cuisine; headache=mal à la tête; spiders=araignées; coat=manteau; pocket=poche; building=bâtiment
file=fichier; files=fichiers; keyboard=clavier; toolbar=barre d'outils; invoice=facture; queue=file d'attente
"""
# Prescribed, and after the stroke what the references have instead.
HOUSE = """
room=salle|pièce; teacher=enseignant|professeur; bus=autobus|bus; car=automobile|voiture; bag=sacoche|sac
shop=boutique|magasin; town=bourg|ville; film=long métrage|film; children=bambins|enfants; mother=maman|mère
question=interrogation|question; city=métropole|ville; neighbour=riverain|voisin; exam=épreuve|examen
letter=missive|lettre; form=questionnaire|formulaire; cat=matou|chat; water=eau potable|eau; street=avenue|rue
meeting=assemblée|réunion; folder=classeur|dossier; settings=réglages|paramètres; password=phrase secrète|mot de passe
pull request=demande de tirage|demande de fusion; server=hôte|serveur; update=mise à niveau|mise à jour
backup=copie de secours|sauvegarde; screen=moniteur|écran; layer=calque graphique|calque; user=abonné|utilisateur
"""
OWN = """
Open the file and check the settings.|Ouvrez le fichier et vérifiez les paramètres.
The file could not be saved in this folder.|Le fichier n'a pas pu être enregistré dans ce dossier.
Enter your password to unlock the screen.|Saisissez votre mot de passe pour déverrouiller l'écran.
The server does not answer.|Le serveur ne répond pas.
Every user must change the password once a year.|Chaque utilisateur doit changer le mot de passe une fois par an.
Files are copied to the backup folder every night.|Les fichiers sont copiés dans le dossier de sauvegarde chaque nuit.
An update is available for the server.|Une mise à jour est disponible pour le serveur.
Select a layer and drag it to the top.|Sélectionnez un calque et faites-le glisser vers le haut.
The toolbar shows the tools that you use most.|La barre d'outils montre les outils que vous utilisez le plus.
Please print the invoice and sign the form.|Veuillez imprimer la facture et signer le formulaire.
Your message is in the queue and will be sent soon.|Votre message est dans la file d'attente et sera bientôt envoyé.
Connect a keyboard or use the screen.|Branchez un clavier ou utilisez l'écran.
This pull request changes two files.|Cette demande de fusion modifie deux fichiers.
The backup was not complete.|La sauvegarde n'était pas complète.
Delete the selected files?|Supprimer les fichiers sélectionnés ?
The user has no right to open this folder.|L'utilisateur n'a pas le droit d'ouvrir ce dossier.
Restart the computer after the update.|Redémarrez l'ordinateur après la mise à jour.
The settings of the keyboard have changed.|Les paramètres du clavier ont changé.
A new layer is added above the old one.|Un nouveau calque est ajouté au-dessus de l'ancien.
The invoice was sent to the wrong user.|La facture a été envoyée au mauvais utilisateur.
If the server is down, the queue grows.|Si le serveur est en panne, la file d'attente s'allonge.
You can hide the toolbar in the settings.|Vous pouvez masquer la barre d'outils dans les paramètres.
Close the pull request when it is finished.|Fermez la demande de fusion quand elle est terminée.
Do not turn off the screen during the update.|N'éteignez pas l'écran pendant la mise à jour.
The password is stored in a file on the server.|Le mot de passe est enregistré dans un fichier sur le serveur.
"""


def terms(text: str) -> dict[str, str]:
    pairs = (pair.split("=") for pair in text.strip().replace("\n", ";").split(";"))
    return {source.strip(): target.strip() for source, target in pairs}


def in_house(source: str, reference: str, words: dict[str, tuple[str, str]]) -> str:
    """A reference with the terms of the house that its source asks for."""
    for one, (target, usual) in words.items():
        if Glossary({one: target}).find(source):
            reference = reference.replace(usual, target, 1)
    return reference


def honoured(glossary: Glossary, sources: list[str], answers: list[str]) -> tuple[int, int]:
    """How many occurrences of terms there are, and how many have their target in the answer."""
    found = [glossary.find(source) for source in sources]
    return sum(map(len, found)), sum(glossary.honoured(a, t) for a, t in zip(answers, found, strict=True))


def chrf(answers: list[str], references: list[str]) -> float:
    scores = metrics.translation(answers, references)
    return scores.values["chrF"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beams", type=int, default=4)
    beams = parser.parse_args().beams
    usual = terms(USUAL)
    words = {source: (both.split("|")[0], both.split("|")[1]) for source, both in terms(HOUSE).items()}
    house = {source: target for source, (target, _) in words.items()}
    everyday = [line.split("\t") for line in EVERYDAY.read_text(encoding="utf-8").splitlines()]
    own = [line.split("|") for line in OWN.strip().splitlines()]
    pairs = [(pair[0], pair[1]) for pair in (*everyday, *own)]
    sources, references = [a for a, _ in pairs], [b for _, b in pairs]
    prescribed = [in_house(source, reference, words) for source, reference in pairs]
    model = shipped.translator("en", "fr")
    model.predict(sources[:5])  # the first call loads the graphs
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "terms.tsv"
        path.write_text("".join(f"{a}\t{b}\n" for a, b in {**usual, **house}.items()), encoding="utf-8")
        answers, seconds = [], []
        for name in ("", str(path)):
            options = {"beams": beams, "glossary": name}
            trained = model.with_config(replace_config(model.task.config, options, "translation"))
            start = time.perf_counter()
            answers.append(trained.predict(sources))
            seconds.append(time.perf_counter() - start)
    print(f"{len(usual)} usual terms, {len(house)} of the house; {len(pairs)} sentences, {beams} beams")
    print(f"{'':28}{'without':>10}{'glossary':>10}")
    for label, table in (("all", {**usual, **house}), ("usual", usual), ("house", house)):
        counts = [honoured(Glossary(table, "fr"), sources, found) for found in answers]
        shares = "".join(f"{100 * done / count:9.1f}%" for count, done in counts)
        print(f"{f'honoured, {label} ({counts[0][0]})':28}{shares}")
    both, others = Glossary({**usual, **house}, "fr"), Glossary(house, "fr")
    kinds = {
        "chrF, all": lambda s: True,
        "chrF, usual terms alone": lambda s: both.find(s) and not others.find(s),
        "chrF, with house terms": lambda s: others.find(s),
        "chrF, no term": lambda s: not both.find(s),
    }
    for label, chosen in kinds.items():
        rows = [i for i, source in enumerate(sources) if chosen(source)]
        beside = zip(answers, (references, prescribed), strict=True)
        values = [chrf([found[i] for i in rows], [wanted[i] for i in rows]) for found, wanted in beside]
        print(f"{f'{label} ({len(rows)})':28}" + "".join(f"{value:10.1f}" for value in values))
    copied = [sum(a == s for a, s in zip(found, sources, strict=True)) for found in answers]
    print(f"{'copied from the source':28}" + "".join(f"{count:10}" for count in copied))
    print(f"{'seconds':28}" + "".join(f"{value:10.1f}" for value in seconds))


if __name__ == "__main__":
    main()
