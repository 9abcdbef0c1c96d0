"""The files of a user -> examples, with an account of every row that was not used."""
