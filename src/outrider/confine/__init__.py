"""The sandbox: a pure plan from a charter, the launcher that applies it, the proxy that is its only way out."""
