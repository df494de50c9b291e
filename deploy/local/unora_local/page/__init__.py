"""What the page in the browser needs beside REST, on this machine only: the page's own files, the rule clock, the codes
of SMS, members to meet, a moderator, pictures, the payment sandbox, and a stream of a member's own events.

The gateway leads everything below `/local/` here, and nothing here is in the image
(docs/decisions/0053-a-bridge-behind-the-page.md).
"""
