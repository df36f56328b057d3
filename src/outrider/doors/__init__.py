"""Where agents meet Outrider: each door turns a host's bytes into our messages, and our answers into its bytes."""
