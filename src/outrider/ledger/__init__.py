"""The record: journal, Merkle tree, checkpoints, proofs, and a verifier that shares no code with the writer."""
