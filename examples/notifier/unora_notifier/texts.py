"""What a push message says. It holds no name and no text of a partner: the app shows those after it was opened."""

from __future__ import annotations

from typing import Final

DEFAULT: Final = "en"
TEXTS: Final = {
    "en": {
        "match": "You have a new connection.",
        "day ends soon": "Today ends soon, and neither of you has checked in.",
        "at risk": "Your streak is at risk: your check-in is missing today.",
        "nudge": "You were nudged: your check-in is awaited.",
        "window open": "A day was missed. You can still recover your streak.",
        "reveal ready": "A reveal is ready to be opened.",
        "new device": "Your account was signed in to on a new device. Was it you?",
    },
    "pt": {
        "match": "Você tem uma nova conexão.",
        "day ends soon": "O dia está acabando, e ainda falta o check-in dos dois.",
        "at risk": "Sua sequência está em risco: falta o seu check-in de hoje.",
        "nudge": "Você recebeu um toque: falta o seu check-in.",
        "window open": "Um dia foi perdido. Ainda dá para recuperar a sequência.",
        "reveal ready": "Há uma revelação pronta para abrir.",
        "new device": "Sua conta foi acessada em um novo aparelho. Foi você?",
    },
}
"""By language and kind."""


def text(kind: str, locale: str) -> str:
    """The text for a BCP 47 tag such as `pt-BR`; in English for a language that is not there."""
    return TEXTS.get(locale.partition("-")[0].lower(), TEXTS[DEFAULT])[kind]
