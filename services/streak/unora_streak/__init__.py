"""The streak context: daily check-ins of a pair, and the state machine that judges them."""
