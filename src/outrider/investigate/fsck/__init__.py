"""Everything that lies in a home, recomputed from its bytes: what is whole, what can be made again, what is lost."""
