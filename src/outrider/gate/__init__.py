"""The one path of a call: the only room that knows all judging rooms."""
