"""The journey of two members from sign-up to Day 15, played against a running stack as clients play it."""
