"""The text encoder that other tasks begin from: masked words of English and French text."""
