"""The journey of sixty members, two of them to Day 15, played against a running stack as clients play it."""
