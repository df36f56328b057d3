"""What programs do with their arguments: tables, one file a family, and the reader of them."""
