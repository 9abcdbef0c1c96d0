"""Capitalised words that translators do translate, a language a line: no names that have to be kept.

Days, months, titles, peoples and languages, and the best-known places: `Japanese`, `Monday`, `Germany`.
"""

from __future__ import annotations

from functools import cache

_ENGLISH = """
i i'm i'll i've i'd mr mrs ms miss dr sir madam lady lord king queen prince princess president minister prime professor doctor captain general
mother father mom dad mum grandma grandpa aunt uncle saint god bible heaven hell christmas easter halloween christian christians catholic
protestant muslim muslims islam jewish jew jews buddhist hindu internet web english french german spanish italian portuguese dutch belgian
swiss austrian polish russian ukrainian czech hungarian greek turkish swedish norwegian danish finnish irish scottish welsh british
european american canadian mexican brazilian african asian australian chinese japanese korean indian arab arabic hebrew latin roman
egyptian iranian iraqi israeli syrian vietnamese thai cuban england france germany spain italy portugal netherlands holland belgium
switzerland austria poland russia ukraine hungary greece turkey sweden norway denmark finland ireland scotland wales britain kingdom
europe america states united canada mexico brazil argentina chile peru colombia africa asia australia china japan korea india egypt morocco
algeria tunisia libya syria israel iraq iran lebanon jordan saudi arabia vietnam thailand indonesia philippines zealand london paris
lisbon brussels geneva vienna warsaw moscow athens rome venice florence milan naples munich cologne hamburg copenhagen edinburgh
dover beijing cairo jerusalem mediterranean atlantic pacific alps rhine danube thames seine earth sun moon mars venus jupiter north south
east west northern southern eastern western republic union nations council parliament government senate congress university church museum
street avenue road square bridge river lake sea ocean mount mountain bay island city war world century revolution renaissance
"""
_CALENDAR = """
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december
mondays tuesdays wednesdays thursdays fridays saturdays sundays
"""
_FRENCH = """
m mm mme mmes mlle monsieur madame mademoiselle dr docteur professeur président dieu noël pâques bible état états internet web
français française françaises anglais anglaise allemand allemande allemands espagnol espagnole italien italienne américain américaine
américains européen européenne chinois chinoise japonais japonaise russe russes belge belges suisse suisses canadien africain arabe juif
juifs chrétien musulman musulmans catholique romain romains grec grecs turc turcs france angleterre allemagne espagne italie belgique pays-bas
europe amérique afrique asie australie chine japon inde russie pologne suède norvège danemark finlande grèce turquie égypte maroc algérie
tunisie brésil mexique irlande écosse autriche hongrie ukraine corée londres lisbonne bruxelles genève vienne varsovie moscou athènes
rome venise florence pékin méditerranée atlantique pacifique alpes terre soleil lune mars nord sud est ouest royaume-uni unis moyen âge guerre
république union nations église révolution renaissance
"""
_SPANISH = """
sr sra srta señor señora don doña dr dios navidad biblia internet estados unidos españa francia alemania inglaterra italia europa américa
áfrica asia china japón rusia méxico brasil londres parís lisboa bruselas ginebra viena moscú atenas roma pekín tierra sol luna norte sur
este oeste unión república naciones
"""
_LISTS = {"en": _ENGLISH + _CALENDAR, "fr": _FRENCH, "es": _SPANISH}


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


@cache
def ordinary(language: str) -> frozenset[str]:
    """Capitalised words of a language that are translated, in small letters.

    >>> "monday" in ordinary("en"), "johnson" in ordinary("en")
    (True, False)
    """
    return word_set(_LISTS.get(language, ""))
