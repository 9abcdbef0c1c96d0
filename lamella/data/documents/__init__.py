"""Files that are translated in place: all but the words stays byte for byte."""
