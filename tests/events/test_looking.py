"""Whether a tool's name says that it only looks."""

from __future__ import annotations

import pytest

from outrider.events.looking import looks_only


@pytest.mark.parametrize("tool", ["get_issue", "listFiles", "mcp:github/search_code", "host:Grep", "checkStatus"])
def test_a_tool_that_looks_says_so_by_how_its_name_begins(tool):
    assert looks_only(tool)


@pytest.mark.parametrize("tool", ["send_get", "checkout_cart", "check_in", "mcp:shop/checkout", "listen"])
def test_a_word_that_only_begins_like_looking_does_not_count(tool):
    assert not looks_only(tool)
