"""What MCP clients read of the commands of people, and what the log tells of the clients."""

from __future__ import annotations

from tests.mcp.conftest import Place, talk
from tests.mcp.host import Host, Person, agree, decline
from workflow.history.clients import KINDS, Client, seen


def clients(place: Place) -> list[Client]:
    """As `workflow doctor` reads them."""
    return seen(place.store.log(kinds=KINDS, limit=100))


def test_no_tool_resource_or_prompt_offers_a_command_of_people(quick: Place, era: str) -> None:
    """Neither the answer to a gate nor a passphrase is anything that a client can call or is told to run."""

    async def play(host: Host) -> None:
        client = host.client
        listed = [each.model_dump_json() for each in (await client.list_tools()).tools]
        listed += [each.model_dump_json() for each in (await client.list_prompts()).prompts]
        listed += [each.model_dump_json() for each in (await client.list_resources()).resources]
        listed += [each.model_dump_json() for each in (await client.list_resource_templates()).resource_templates]
        listed.append(client.instructions or "")
        assert len(listed) > 8
        assert [text for text in listed if "workflow-admin" in text or "passphrase" in text] == []

    talk(quick, era, play)


def test_a_raised_gate_has_the_person_asked_and_the_agent_run_nothing(quick: Place, era: str) -> None:
    """The reply's `how` and the refusal's hint leave it to the person, and name no command for the agent to type."""

    async def play(host: Host) -> None:
        quick.policy["user_approved"] = "proven"
        reply = await host.start()
        how = next(each["how"] for each in reply["next"] if each["event"] == "approve")
        refused = await host.advance("approve")
        for text in (how, refused["error"]["hint"]):
            assert "Ask the person to answer" in text and "workflow-admin" not in text
            assert "terminal of their own" in text and "Do not answer for them" in text

    talk(quick, era, play)


def test_the_log_tells_which_clients_ask(quick: Place, era: str) -> None:
    """A form that was answered, and one that was not, each under the client's own name."""
    assert clients(quick) == []

    async def play(host: Host) -> None:
        await host.start()
        await host.advance("approve")

    talk(quick, era, play, Person(decline))
    (found,) = clients(quick)
    assert found.name and found.what == "no answer: the person has declined the question"
    quick.clock.pass_(60)
    talk(quick, era, play, Person(agree))
    (again,) = clients(quick)
    assert (again.name, again.what) == (found.name, "a form was answered") and again.at > found.at
