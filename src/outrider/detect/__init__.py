"""What is in a call or a result: findings, each with advice. Pure."""
