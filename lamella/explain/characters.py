"""Characters for a terminal: cleaned of what could steer it, and coloured where it can."""

# Of the 256 colours of terminals, from weak to strong: for the answer, and against it.
FOR, AGAINST = (194, 157, 120, 83, 46), (224, 217, 210, 203, 196)


def paint(text: str, share: float, colour: bool, front: bool = False) -> str:
    """Colour a text's background or letters; share (-1 to 1) sets the strength."""
    if not colour or abs(share) < 0.05:
        return text
    tones = FOR if share > 0 else AGAINST
    tone = tones[min(len(tones) - 1, int(abs(share) * len(tones)))]
    return f"\x1b[38;5;{tone}m{text}\x1b[0m" if front else f"\x1b[30;48;5;{tone}m{text}\x1b[0m"


def clean(text: str, keep: bool = False) -> str:
    """A text without control characters, which could steer a terminal; line breaks become spaces unless kept."""
    text = str(text) if keep else " ".join(str(text).split())
    return "".join(c if c.isprintable() or (keep and c == "\n") else "\ufffd" for c in text)
