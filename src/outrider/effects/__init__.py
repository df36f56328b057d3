"""What a call would really do. Pure."""
