"""The rules of reveals, pure: what may be opened or bought, and what a text about a member may hold."""
