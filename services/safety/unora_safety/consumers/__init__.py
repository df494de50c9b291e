"""What safety does when other contexts, or itself, tell something."""

from unora_safety.consumers.audit import Audit, record
from unora_safety.consumers.patterns import Patterns

__all__ = ["Audit", "Patterns", "record"]
