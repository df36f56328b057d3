"""What hosts start for every tool call: a tiny client, native or standard library only. It knows no room."""
