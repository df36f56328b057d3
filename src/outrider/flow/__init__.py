"""What contexts and files carry: labels and keyed fingerprints. Pure."""
