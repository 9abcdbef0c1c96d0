"""Parallel text from clones of public repositories, and from files that a person downloads.

    python -m recipes.translation.repositories --clones FOLDER --lang fr -o FILE

`FOLDER/owner+name` is a clone of each repository, with a work tree or bare; what is not there is skipped and named.
Readers go by format (`catalogues`, `markdown`, `documents`, `tales`, `novels`), and a table says which repository is
read how, under which licence, at which revision and why (`general`, `manuals`).
"""
