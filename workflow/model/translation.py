"""The one rule for translation: skill, MCP instructions and the reply's page give it word for word."""

from __future__ import annotations

RULE = (
    "Tell the user everything in their language. Translate a message whose `translate_to` is set. Nobody has looked"
    " which language a part of `parts` is in: look, and translate it only if it is in another language than theirs."
    " Your translation comes beside the text or instead of it. Keep structure, details and links unchanged; add,"
    " shorten and reword nothing. What is sent is always the original."
)
