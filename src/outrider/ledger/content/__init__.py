"""Content beside the chain: encrypted, disclosed one by one, erased by destroying keys. The chain holds commitments."""
