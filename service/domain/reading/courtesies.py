"""Thanks and greetings: a closed list that needs nobody."""

from service.domain.reading.words import words


def is_courtesy(normal: str) -> bool:
    """Whether the whole normalised text is a courtesy."""
    return normal in words("courtesy")
