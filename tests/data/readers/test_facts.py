"""Facts in every form: tables, N-Triples, OpenKE, labels beside; and what is wrong with a file."""

from __future__ import annotations

import json

import pytest

import lamella
from lamella.data.readers.facts import read_facts

FACTS = [("ann", "parent of", "ben"), ("ben", "lives in", "wick"), ("ann", "lives in", "wick")]


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ["train.txt", "facts.tsv", "facts.tab"])
def test_tabs_without_a_header(tmp_path, name):
    path = written(tmp_path / name, "".join("\t".join(fact) + "\n" for fact in FACTS))
    facts, lines = read_facts([path])
    assert facts == FACTS and lines[-1] == "3 facts, 3 entities, 2 relations"


@pytest.mark.parametrize(
    "header",
    [
        "head,relation,tail",
        "h,r,t",
        "subject,predicate,object",
        "Source,Type,Target",
        ":START_ID,:TYPE,:END_ID",
        "from,rel,to",
    ],
)
def test_usual_headers(tmp_path, header):
    path = written(tmp_path / "facts.csv", header + "\n" + "".join(",".join(fact) + "\n" for fact in FACTS))
    assert read_facts([path])[0] == FACTS


def test_a_header_in_another_order_and_columns_that_are_chosen(tmp_path):
    turned = "".join(f"{t},{h},{r}\n" for h, r, t in FACTS)
    assert read_facts([written(tmp_path / "a.csv", "tail,head,relation\n" + turned)])[0] == FACTS
    chosen = {"head": "who", "relation": "how", "tail": "whom"}
    assert read_facts([written(tmp_path / "b.csv", "whom,who,how\n" + turned)], chosen)[0] == FACTS
    numbers = {"head": "2", "relation": "3", "tail": "1"}
    assert read_facts([written(tmp_path / "c.csv", turned)], numbers)[0] == FACTS
    rows = "".join(json.dumps(dict(zip(("head", "relation", "tail"), fact))) + "\n" for fact in FACTS)
    assert read_facts([written(tmp_path / "d.jsonl", rows)])[0] == FACTS


def test_a_first_fact_is_no_header(tmp_path):
    """All its cells look like names, and none comes back."""
    rows = "London\tcapital of\tEngland\n" + "".join(f"town {n}\tlies in\tcounty\n" for n in range(30))
    assert read_facts([written(tmp_path / "a.txt", rows)])[0][0] == ("London", "capital of", "England")


def test_ntriples(tmp_path):
    text = """# a comment
<http://example.org/Q1> <http://example.org/p#parentOf> <http://example.org/New%20York> .
_:b1 <http://example.org/p#parentOf> <http://other.org/Q1> . # another Q1
<http://example.org/Q1> <http://www.w3.org/2000/01/rdf-schema#label> "Ann \\"A\\" Lee"@en .
<http://example.org/Q1> <http://example.org/age> "42"^^<http://www.w3.org/2001/XMLSchema#integer> .

"""
    facts, lines = read_facts([written(tmp_path / "a.nt", text)])
    assert facts == [('Ann "A" Lee', "parentOf", "New York"), ("_:b1", "parentOf", "http://other.org/Q1")]
    assert "dropped 1: a literal, which is no entity" in lines


def test_openke_has_the_tail_before_the_relation(tmp_path):
    written(tmp_path / "entity2id.txt", "3\nann\t0\nNew York\t1\nwick\t2\n")
    written(tmp_path / "relation2id.txt", "2\nparent of\t0\n/lives/in\t1\n")
    path = written(tmp_path / "train2id.txt", "2\n0 2 1\n1 2 0\n")
    assert read_facts([path])[0] == [("ann", "/lives/in", "wick"), ("New York", "parent of", "wick")]
    (tmp_path / "relation2id.txt").unlink()
    with pytest.raises(lamella.DataError, match=r"expected relation2id\.txt beside it"):
        read_facts([path])


def test_labels_given_and_beside(tmp_path):
    path = written(tmp_path / "a.tsv", "Q1\tP1\tQ2\nQ3\tP1\tQ2\n")
    labels = written(tmp_path / "names.tsv", "Q1\tAnn\nQ2\tBen\nQ3\tAnn\nP1\tparent of\n")
    facts, lines = read_facts([path, labels])
    assert facts == [("Ann (Q1)", "parent of", "Ben"), ("Ann (Q3)", "parent of", "Ben")]
    assert "note: labels for 4 of 4 ids" in lines
    written(tmp_path / "relations.json", json.dumps({"P1": {"label": "is a parent of"}, "P9": 3}))
    written(tmp_path / "entity2text.txt", "Q2\tBenjamin\n")
    assert read_facts([path])[0][0] == ("Q1", "is a parent of", "Benjamin")
    with pytest.raises(lamella.DataError, match="received two columns, which are taken for ids"):
        read_facts([labels])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "received nothing|empty"),
        ("a b\nc d\n", "column|three"),
        ("head,relation\na,b\n", "expected 3 columns"),
        ("a\tb\tc\n" + "a\tb\n" * 5, "bad rows|two columns"),
        ("a\t\tc\n" * 5, "bad rows|an empty cell|received"),
        ("head\trelation\ttail\n", "a header only"),
    ],
)
def test_what_is_no_fact_is_named(tmp_path, text, message):
    with pytest.raises(lamella.DataError, match=message) as caught:
        read_facts([written(tmp_path / "a.tsv", text)])
    assert "\n" not in str(caught.value)


def test_a_few_bad_rows_are_counted(tmp_path):
    rows = "".join(f"a{n}\tr\tb\n" for n in range(30)) + f"x\ty\n{'n' * 2000}\tr\tb\na0\tr\tb\n"
    facts, lines = read_facts([written(tmp_path / "a.tsv", rows)])
    said = "\n".join(lines)
    assert len(facts) == 30 and "dropped 2: bad row" in said and "2,000 characters" in said
    assert "dropped 1: a fact that is there already" in said


def test_unknown_columns_and_folders(tmp_path):
    with pytest.raises(lamella.UsageError, match="expected head, relation, tail, received subject"):
        read_facts(["a.tsv"], {"subject": "a"})
    with pytest.raises(lamella.DataError, match=r"folder with train\.txt"):
        read_facts([str(tmp_path)])
    path = written(tmp_path / "a.tsv", "a\tr\tb\n" * 3)
    with pytest.raises(lamella.DataError, match="columns from 1 to 3, received 4"):
        read_facts([path], {"tail": "4"})


def test_lists_of_labels_with_gaps_headers_and_other_orders(tmp_path):
    path = written(tmp_path / "train.txt", "".join(f"Q{i}\tP1\tQ{i + 1}\n" for i in range(4)))
    written(tmp_path / "entity2text.txt", "Q1\tdog\nQ2\n\nQ3\tcat, a pet\tsmall\n")
    facts, lines = read_facts([path])
    assert facts[0] == ("Q0", "P1", "dog") and facts[2] == ("Q2", "P1", "cat, a pet small")
    assert "dropped 1: a label without an id, or an id without a label" in lines
    for text in ("id,label\nQ0,bird\nP1,eats\n", "label,id\nbird,Q0\neats,P1\n"):
        labels = written(tmp_path / "names.csv", text)
        facts, lines = read_facts([path, labels])
        assert facts[0] == ("bird", "eats", "dog") and "note: labels for 4 of 6 ids" in lines
    labels = written(tmp_path / "names.csv", "X0,bird\nX1,eats\n")
    (tmp_path / "entity2text.txt").unlink()
    assert "note: labels for 0 of 6 ids" in read_facts([path, labels])[1]


def test_forms_that_are_not_read_say_what_to_do(tmp_path):
    with pytest.raises(lamella.DataError, match=r"received Turtle\. Convert it to N-Triples"):
        read_facts([written(tmp_path / "a.ttl", "@prefix ex: <http://e.org/> .\n")])
    with pytest.raises(lamella.DataError, match=r"Of OpenKE give train2id\.txt"):
        read_facts([str(tmp_path)])


def test_a_second_label_in_ntriples_is_counted(tmp_path):
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    text = (
        f'<http://e/a> <http://e/p> <http://e/b> .\n<http://e/a> {label} "Ann"@en .\n<http://e/a> {label} "Anna"@de .\n'
    )
    facts, lines = read_facts([written(tmp_path / "a.nt", text)])
    assert facts == [("Ann", "p", "b")] and "dropped 1: a further label of what has one" in lines


LINES = "<http://x/a> <http://x/p> <http://x/b> {graph}.\n_:n <http://x/p> <http://x/b> {graph}.\n"


@pytest.mark.parametrize("name, graph", [("a.nq", "<http://g> "), ("a.nq", "_:g "), ("a.txt", ""), ("facts", "")])
def test_ntriples_with_graphs_and_under_another_name(tmp_path, name, graph):
    facts, _ = read_facts([written(tmp_path / name, "# from a dump\n" + LINES.format(graph=graph))])
    assert facts == [("a", "p", "b"), ("_:n", "p", "b")]


def test_literals_alone_are_no_facts(tmp_path):
    path = written(tmp_path / "a.nt", '<http://x/a> <http://x/p> "long"@en .\n<http://x/b> <http://x/p> "short"@en .\n')
    with pytest.raises(lamella.DataError, match="received literals alone"):
        read_facts([path])


@pytest.fixture
def openke(tmp_path):
    """The two lists of names; a file of facts is still to be written."""
    written(tmp_path / "entity2id.txt", "3\nann\t0\nben\t1\nNew York\t2\n")
    written(tmp_path / "relation2id.txt", "2\nparent of\t0\nlives in\t1\n")
    return tmp_path


@pytest.mark.parametrize("count, noted", [("2\n", False), ("", False), ("7\n", True)])
def test_the_count_of_openke_is_a_claim(openke, count, noted):
    facts, lines = read_facts([written(openke / "train2id.txt", count + "0 1 0\n1 2 1\n")])
    assert facts == [("ann", "parent of", "ben"), ("ben", "lives in", "New York")]
    assert any("says 7 rows, and 2 rows are there" in line for line in lines) == noted


def test_lists_of_openke_that_are_wrong(openke):
    path = written(openke / "train2id.txt", "1\n0 2 1\n")
    with pytest.raises(lamella.DataError, match="the list of names beside them"):
        read_facts([str(openke / "entity2id.txt")])
    written(openke / "entity2id.txt", "ann\t0\nben\t0\n")
    with pytest.raises(lamella.DataError, match='line 2: expected a number of its own for "ben", received 0'):
        read_facts([path])


def test_labels_of_entities_and_of_relations_have_numbers_of_their_own(tmp_path):
    written(tmp_path / "entities.tsv", "0\tAnn\n1\tBen\n")
    written(tmp_path / "relations.tsv", "0\tparent of\n1\tlives with\n")
    facts, _ = read_facts([written(tmp_path / "train.tsv", "0\t0\t1\n1\t1\t0\n")])
    assert facts == [("Ann", "parent of", "Ben"), ("Ben", "lives with", "Ann")]


def test_headers_of_neo4j_name_groups_and_types(tmp_path):
    rows = ":START_ID(Person),since:int,:END_ID(Person),:TYPE\nann,2001,ben,parent of\n"
    assert read_facts([written(tmp_path / "a.csv", rows)])[0] == [("ann", "parent of", "ben")]


def test_a_cell_of_several_values_is_no_name(tmp_path):
    rows = [dict(zip(("head", "relation", "tail"), fact)) for fact in FACTS * 4] + [
        {"head": "ann", "relation": "knows", "tail": ["ben", "cy"]}
    ]
    facts, lines = read_facts([written(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))])
    assert facts == FACTS and any("several values in one cell" in line for line in lines)


WIKIDATA = "item,itemLabel,prop,propLabel,value,valueLabel\nQ64,Berlin,P36,capital of,Q183,Germany\nQ90,Paris,P36,capital of,Q142,France\n"
PRIMEKG = (
    "relation,x_index,x_id,x_type,x_name,y_index,y_id,y_type,y_name\n"
    "binds,0,9796,gene,PHYHIP,8889,56992,gene,KIF15\nbinds,1,7918,gene,GPANK1,2798,9240,gene,PNMA1\n"
)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("head_name,relation_name,tail_name\nAnn,knows,Ben\n", [("Ann", "knows", "Ben")]),
        ("source,metaedge,target\nAnn,knows,Ben\n", [("Ann", "knows", "Ben")]),
        ("from_id,edge_type,to_id\nAnn,knows,Ben\n", [("Ann", "knows", "Ben")]),
        ("id,node1,label,node2,node1;label,label;label\nE1,Q1,P1,Q2,Ann,knows\n", [("Ann", "knows", "Q2")]),
        (WIKIDATA, [("Berlin", "capital of", "Germany"), ("Paris", "capital of", "France")]),
        (PRIMEKG, [("PHYHIP", "binds", "KIF15"), ("GPANK1", "binds", "PNMA1")]),
    ],
    ids=["names", "hetionet", "ids", "kgtk", "sparql", "primekg"],
)
def test_headers_with_ids_and_labels(tmp_path, text, wanted):
    """None of them is a fact itself, and what stands beside an id says what it is called."""
    assert read_facts([written(tmp_path / "a.csv", text)])[0] == wanted


def test_numbers_that_a_table_made_decimal_are_whole(tmp_path):
    facts, _ = read_facts([written(tmp_path / "a.csv", "head,relation,tail\n1.0,p,2\n2.0,p,3\n")])
    assert facts == [("1", "p", "2"), ("2", "p", "3")]
    facts, _ = read_facts([written(tmp_path / "a.csv", "head,relation,tail\n1.0,p,2\n2.5,p,3\n")])
    assert facts == [("1.0", "p", "2"), ("2.5", "p", "3")], "they are numbers and no ids"


def test_rows_of_conceptnet(tmp_path):
    row = "/a/[/r/IsA/,/c/en/{0}/]\t/r/IsA\t/c/en/{0}\t/c/en/animal\t{{}}\n"
    facts, _ = read_facts([written(tmp_path / "a.tsv", row.format("cat") + row.format("dog"))])
    assert facts == [("/c/en/cat", "/r/IsA", "/c/en/animal"), ("/c/en/dog", "/r/IsA", "/c/en/animal")]


def test_names_of_libkge_stand_beside(tmp_path):
    written(tmp_path / "entity_ids.del", "0\tAnn\n1\tBen\n")
    written(tmp_path / "relation_ids.del", "0\tknows\n")
    assert read_facts([written(tmp_path / "train.del", "0\t0\t1\n")])[0] == [("Ann", "knows", "Ben")]


def test_escapes_in_iris(tmp_path):
    line = "<http://x/M\\u00FCller> <http://x/p> <http://x/\\U0001F600> .\n"
    assert read_facts([written(tmp_path / "a.nt", line)])[0] == [("Müller", "p", "\U0001f600")]
