"""What the services know of written text: how it is compared, what of it can be seen, and whether it tells how to reach
or name a person.

The package is pure: it reads nothing, and keeps nothing between calls.
"""
