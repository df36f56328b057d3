"""The commands, one file each; they print and never decide."""
