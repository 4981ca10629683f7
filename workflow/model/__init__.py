"""Records: frozen data, digests, errors, the journal and what adapters must offer. Nothing here touches the world."""
