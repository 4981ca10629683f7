"""Deciding and phrasing: what a definition allows, and the words for it. Nothing here touches the world."""
