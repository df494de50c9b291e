"""Where the answers of mutating calls are kept for a repeat (BI-08); `once.py` says when."""

from __future__ import annotations


class Answers:
    """The statements on one context's kept answers, under (caller, method, request id)."""

    def __init__(self, context: str) -> None:
        self.find = f"""
            SELECT request_hash, answer FROM {context}.kept_answers
            WHERE caller = $1 AND method = $2 AND request_id = $3"""
        self.keep = f"""
            INSERT INTO {context}.kept_answers (caller, method, request_id, request_hash, answer)
            VALUES ($1, $2, $3, $4, $5)"""
