"""The one rule for translation: skill, MCP instructions and the reply's page give it word for word."""

from __future__ import annotations

RULE = (
    "Tell the user everything in their language. Translate a message whose `translate_to` is set. `und` as the"
    " `language` of a part says that nobody has looked which it is: look, and translate the part only if it is in"
    " another language than theirs. Your translation comes beside the text or"
    " instead of it. Keep structure, details and links unchanged; add, shorten and reword nothing. What is sent is"
    " always the original."
)
