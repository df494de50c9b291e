"""What a person at the keyboard can mend: the text says what is wrong, and what to do."""


class Mistake(Exception):
    """A command cannot do what it was told. Its text is printed as it is, and the exit status is 1."""


class NotReadyError(Mistake):
    """The stack does not run, or is not ready."""
