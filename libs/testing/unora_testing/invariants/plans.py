"""What plans bring, in SQL."""


def best(user: str, *, free: int, plus: int, pro: int) -> str:
    """The most that any plan of a member has ever brought: what was taken under one stays when it ends."""
    return f"""
        (SELECT coalesce(max(CASE tier WHEN 'pro' THEN {pro} ELSE {plus} END), {free})
         FROM billing.subscriptions WHERE user_id = {user})"""
