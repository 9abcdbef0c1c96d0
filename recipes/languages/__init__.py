"""The language identifier that ships with lamella, from packages that anyone can install."""
