"""A server that lives long, whose store is replaced beneath it by an older copy: it pays for nothing twice."""

from __future__ import annotations

from pathlib import Path

from tests.mcp.conftest import Place, talk
from tests.mcp.host import Host
from tests.promises.places import restore


def test_a_backup_that_is_put_back_beneath_a_live_server(quick: Place, era: str, tmp_path: Path) -> None:
    """The server that made the order asks the person again, and neither that answer nor a retry orders once more."""

    async def play(host: Host) -> None:
        started = await host.start()
        quick.store.backup(str(tmp_path / "copy.db"))
        assert (await host.advance("approve"))["state"] == "deliver.generating"
        restore(tmp_path / "copy.db", quick.folder / "state")
        reply = await host.advance("approve", expect_revision=started["revision"])
        assert reply["session"] == started["session"] and reply["error"]["class"] == "set_back"
        assert "somebody at the machine" in reply["error"]["hint"]
        assert [said["id"] for said in reply["say"]] == ["set_back"]
        assert (await host.advance("retry"))["error"]["class"] == "set_back"

    talk(quick, era, play)
    assert quick.created() == 1
