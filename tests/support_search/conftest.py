"""The desks of `tests/support_desk`, and what was found in them."""

from __future__ import annotations

from typing import Any

from tertulia.testing.client import Client
from tests.support_desk.conftest import desk, everywhere

__all__ = ["desk", "everywhere"]


async def found(agent: Client, query: str, **fields: Any) -> list[str]:
    """The rooms of the conversations that were found, in their order."""
    page = await agent.cmd("conversation.search", query=query, **fields)
    return [result["conversation"]["room"] for result in page["results"]]


async def the_one(agent: Client, query: str, **fields: Any) -> dict[str, Any]:
    """The only result."""
    (result,) = (await agent.cmd("conversation.search", query=query, **fields))["results"]
    told: dict[str, Any] = result
    return told


def marked(snippet: dict[str, Any]) -> list[str]:
    """The hits of a snippet."""
    return [snippet["text"][start:end] for start, end in snippet["marks"]]
