"""Images, and how much of them may be decoded."""
