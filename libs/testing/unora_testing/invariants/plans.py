"""The numbers of plans, in SQL."""


def best(user: str, *, free: int, plus: int, pro: int) -> str:
    """The highest number of all plans that a member has had: what was used under a plan stays used when it ends."""
    return f"""
        (SELECT coalesce(max(CASE tier WHEN 'pro' THEN {pro} ELSE {plus} END), {free})
         FROM billing.subscriptions WHERE user_id = {user})"""
