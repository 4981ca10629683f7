"""The raw client for people and scripts, ``workflow-admin api``: the flags and labels of the skill's script.

Nothing here passes a gate, so no agent is ever offered it. Text of the service is shown with its control
characters made visible; errors are raised for the program that runs the command to report.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from workflow import (
    ActionError,
    Clock,
    InDoubt,
    JsonError,
    Service,
    UsageError,
    read_json,
    typed_path,
    visible,
    write_json,
)

from .client import MAX_FILE, MOST_MESSAGES, OPERATION, Client, Message, Task, normalise_operation
from .config import FILE, KEY, Config, replace_file
from .download import save
from .options import PATH, Strict, check_one_way, files_option, no_key, not_here, task_option, tokens_option

Connect = Callable[[], tuple[Service, str, Clock]]
"""Gives the service, its base URL and a clock, when a command needs them."""

EVERY = 3.0
GENERATION = 20 * 60.0
CHANGE = 8 * 60.0
HEARTBEAT = 30.0
"""Seconds: between looks, at most for an image and for a change, between signs of life."""

_LARGEST_CONVERSATION = 4 * 1024 * 1024
Found = TypeVar("Found")


def commands(connect: Connect) -> click.Group:
    """The group ``api``; ``connect`` is called by the commands that call the service, and only by them."""

    @click.group("api", context_settings={"help_option_names": ["-h", "--help"]})
    @click.pass_context
    def api(context: click.Context) -> None:
        """The service's own calls, for people and scripts: no gates, no journal.

        \b
        Examples:
          workflow-admin api config get
          workflow-admin api prepare -m 'A poster for a jazz night' --save talk.json
          workflow-admin api poll --task-id ID --output .
        """
        context.obj = connect

    for command in (config, upload, prepare, create, poll, send_message, get_messages):
        api.add_command(command)
    return api


@click.group()
def config() -> None:
    """The file ~/.config/anygen/config.json, which other clients share.

    \b
    Examples:
      workflow-admin api config set api_key
      workflow-admin api config path
    """


@config.command("set", short_help="Set the key, from the prompt or standard input.")
@click.argument("name", default=KEY)
@click.argument("value", required=False, metavar="", expose_value=False, callback=not_here)
def config_set(name: str) -> None:
    """Set the key, NAME api_key, to what is typed at the prompt or comes from standard input.

    \b
    Examples:
      workflow-admin api config set
      workflow-admin api config set < key.txt
    """
    notices = _config().set(name, _secret(name))
    _notify(notices)
    click.echo(f"{name}: set (in {FILE})")


@config.command("get")
@click.argument("name", default=KEY)
def config_get(name: str) -> None:
    """Say whether NAME is set and where; its value is never shown.

    \b
    Examples:
      workflow-admin api config get
      workflow-admin api config get api_key
    """
    found = _config().get(name, os.environ)
    _notify(found.notices)
    click.echo(f"{name}: set (from {found.source})" if found.source else f"{name}: not set")


@config.command("delete")
@click.argument("name")
def config_delete(name: str) -> None:
    """Remove NAME from the file; all else in it stays.

    \b
    Examples:
      workflow-admin api config delete api_key
    """
    found = _config().delete(name)
    _notify(found.notices)
    click.echo(f"{name}: {'deleted' if found.source else 'was not set'}")


@config.command("path")
def config_path() -> None:
    """Say where the file is.

    \b
    Examples:
      workflow-admin api config path
    """
    click.echo(_config().path)


@click.command(cls=Strict)
@click.option("--file", "paths", multiple=True, required=True, type=PATH, help="the file, and no other (repeatable)")
@no_key
@click.pass_obj
def upload(connect: Connect, paths: tuple[Path, ...]) -> None:
    """Upload files of at most 50 MB each; their tokens come in the same order.

    \b
    Examples:
      workflow-admin api upload --file sketch.png
      workflow-admin api upload --file sketch.png --file logo.png
    """
    for token in _uploaded(_client(connect), paths):
        _label("File Token", token)


@click.command(cls=Strict)
@click.option("--message", "-m", required=True, help="what the user says")
@tokens_option
@files_option
@click.option("--input", "source", type=PATH, help="go on with a saved conversation")
@click.option("--save", "target", type=PATH, help="save the conversation")
@no_key
@click.pass_obj
def prepare(
    connect: Connect,
    message: str,
    tokens: tuple[str, ...],
    paths: tuple[Path, ...],
    source: Path | None,
    target: Path | None,
) -> None:
    """Talk about what is to be made, until there is a plan.

    \b
    Examples:
      workflow-admin api prepare -m 'A poster for a jazz night' --save talk.json
      workflow-admin api prepare -m 'In blue' --input talk.json --save talk.json
    """
    before = _conversation(source) if source else {}
    client = _client(connect)
    known = list(before.get("file_tokens") or [])
    given = dict.fromkeys([*tokens, *_uploaded(client, paths)])
    fresh = [token for token in given if token not in known]
    parts = [{"type": "file", "file_token": token} for token in fresh]
    said = {"role": "user", "content": [{"type": "text", "text": message}, *parts]}
    params = before.get("suggested_task_params") or {}
    answer = client.prepare(
        [*(before.get("messages") or []), said], known + fresh, before.get("prepare_session_id"), params
    )
    if target:
        after = {
            "messages": answer.messages,
            "file_tokens": known + fresh,
            "prepare_session_id": answer.prepare_id,
            "suggested_task_params": answer.plan or params,
        }
        replace_file(target, write_json(after) + "\n")
    _label("Status", "ready" if answer.plan else "collecting")
    _block("REPLY", answer.reply)
    if answer.plan:
        _block("RESULT", answer.plan["prompt"])


@click.command(cls=Strict, short_help="Begin a task. It is paid, and cannot be called off.")
@click.option("--operation", "-o", default=OPERATION, show_default=True, help="what is to be made")
@click.option("--prompt", "-p", required=True, help="the plan, as `prepare` gave it")
@tokens_option
@click.option("--language", "-l", help="ignored: the service drops it")
@no_key
@click.pass_obj
def create(connect: Connect, operation: str, prompt: str, tokens: tuple[str, ...], language: str | None) -> None:
    """Begin a task. It is paid, and cannot be called off.

    \b
    Examples:
      workflow-admin api create -p 'A poster for a jazz night, in blue'
    """
    normalise_operation(operation)
    if language:
        _notify(["--language is not sent: the service goes by the language of the prompt."])
    with _paid("the task was created"):
        task = _client(connect).create(prompt, list(dict.fromkeys(tokens)))
    _label("Task ID", task.task_id)
    _label("Task URL", task.url)


@click.command(cls=Strict)
@task_option
@click.option("--output", type=PATH, help="download the image into this folder")
@no_key
@click.pass_obj
def poll(connect: Connect, task_id: str, output: Path | None) -> None:
    """Wait until a task has ended, for 20 minutes at most.

    \b
    Examples:
      workflow-admin api poll --task-id ID
      workflow-admin api poll --task-id ID --output .
    """
    if output and not output.is_dir():
        raise UsageError("--output names no folder.", "Make the folder first.")
    service, base_url, clock = connect()
    client = Client(service, base_url)

    def look() -> tuple[Task | None, str]:
        task = client.task(task_id)
        done = f", {task.progress} %" if task.progress is not None else ""
        return (None if task.status == "processing" else task), f"{task.status}{done}"

    task = _wait(clock, GENERATION, look)
    _label("Status", task.status)
    _label("Task URL", task.url)
    if task.status != "completed":
        raise ActionError(
            f"The task {'failed' if task.status == 'failed' else 'was cancelled'}.", hint="Its page may say why."
        )
    link = task.output.get("file_url")
    if not isinstance(link, str) or not link:
        return
    if output and client.owns(link):
        link = str(save(link, task.output.get("file_name") or f"{task_id}.image", output))
    elif output:
        _notify(["The image is on another host and was not downloaded; this is its link."])
    _block("RESULT", link)


@click.command("send-message", cls=Strict, short_help="Ask for a change of a finished image. It is paid.")
@task_option
@click.option("--message", "-m", required=True, help="the change that is wanted")
@files_option
@tokens_option
@no_key
@click.pass_obj
def send_message(
    connect: Connect, task_id: str, message: str, paths: tuple[Path, ...], tokens: tuple[str, ...]
) -> None:
    """Ask for a change of a finished image. It is paid.

    \b
    Examples:
      workflow-admin api send-message --task-id ID -m 'A little darker'
    """
    client = _client(connect)
    given = list(dict.fromkeys([*tokens, *_uploaded(client, paths)]))
    with _paid("the message was sent"):
        number = client.send(task_id, message, given)
    _label("Message ID", str(number))
    _label("Status", "processing")


@click.command("get-messages", cls=Strict, short_help="Show a task's messages, or wait for an answer.")
@task_option
@click.option(
    "--limit", default=10, show_default=True, type=click.IntRange(1, MOST_MESSAGES), help="maximum number to list"
)
@click.option("--cursor", help="the older page that the last answer named")
@click.option("--wait", is_flag=True, help="wait for an answer, for 8 minutes at most")
@click.option("--since-id", type=int, help="with --wait: the message to be answered (else the user's latest)")
@no_key
@click.pass_context
def get_messages(
    context: click.Context, task_id: str, limit: int, cursor: str | None, wait: bool, since_id: int | None
) -> None:
    """Show a task's messages, the latest first; or wait for the answer to one.

    \b
    Examples:
      workflow-admin api get-messages --task-id ID --limit 3
      workflow-admin api get-messages --task-id ID --wait
    """
    check_one_way(context, "wait", only_with=("since_id",), only_without=("limit", "cursor"))
    service, base_url, clock = context.obj()
    client = Client(service, base_url)
    if wait:
        _await_answer(client, clock, task_id, since_id)
        return
    page = client.messages(task_id, limit, cursor)
    for message in page.messages:
        _show(message)
    click.echo(f"[SNAPSHOT] {visible(write_json(page.snapshot))}")
    if page.cursor:
        _label("Cursor", page.cursor)


def _await_answer(client: Client, clock: Clock, task_id: str, since_id: int | None) -> None:
    """Without an id, the answer to the user's latest message: never the one to a message before it."""
    asked = since_id

    def look() -> tuple[Message | None, str]:
        nonlocal asked
        if asked is None:
            latest = client.messages(task_id, MOST_MESSAGES).messages
            asked = max((each.id for each in latest if each.role == "user"), default=0)
        return client.answer(task_id, asked), "no answer yet"

    answer = _wait(clock, CHANGE, look)
    _show(answer)
    if answer.status != "completed":
        raise ActionError("The change failed.", hint="The task's page may say why.")


def _wait(clock: Clock, within: float, look: Callable[[], tuple[Found | None, str]]) -> Found:
    """What ``look`` finds within so many seconds; only a certain no of the service ends it before."""
    began, passed, beaten = clock.now(), 0.0, 0.0
    while passed < within:
        pause = EVERY
        try:
            found, news = look()
            if found is not None:
                return found
        except ActionError as error:
            if error.definite and not error.transient:
                raise
            news, pause = error.kind, max(EVERY, error.retry_after or 0.0)
        passed = clock.now().since(began)
        if passed - beaten >= HEARTBEAT:
            beaten = passed
            click.echo(f"[HEARTBEAT] {passed:.0f} s: {news}", err=True)
        clock.sleep(max(0.0, min(pause, within - passed)))
        passed = clock.now().since(began)
    raise ActionError(f"There was no end within {within / 60:.0f} minutes.", "late", hint="Look again later.")


@contextmanager
def _paid(what: str) -> Iterator[None]:
    """A call whose answer was lost is in doubt, not merely failed: to repeat it could be to pay twice."""
    try:
        yield
    except ActionError as error:
        if error.definite:
            raise
        raise InDoubt(
            f"It is not known whether {what}. {error.message}",
            request_id=error.request_id,
            hint="Look in your AnyGen account before you repeat it: it may be paid for already.",
        ) from error


def _uploaded(client: Client, paths: Sequence[Path]) -> list[str]:
    """The tokens of the files, all of them read before the first leaves."""
    contents = [(path.name, _read(path, MAX_FILE)) for path in paths]
    return [client.upload(name, content) for name, content in contents]


def _read(path: Path, limit: int) -> bytes:
    """A regular file's bytes; one that is too large is refused before anything leaves (R43)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"{path} is not a regular file.")
            content = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > limit:
        raise UsageError(f"{path} is larger than {limit >> 20} MB.", "Reduce the file size.")
    return content


def _conversation(path: Path) -> dict[str, Any]:
    """What ``--save`` wrote; the skill's script wrote the same fields."""
    try:
        saved = read_json(_read(path, _LARGEST_CONVERSATION), what=str(path))
    except JsonError as error:
        raise UsageError(f"{error}.") from None
    kinds = {"messages": list, "file_tokens": list, "prepare_session_id": str, "suggested_task_params": dict}
    if isinstance(saved, dict) and all(isinstance(saved.get(name), (kind, type(None))) for name, kind in kinds.items()):
        return saved
    raise UsageError(f"{path} holds no conversation.", "Name a file that --save wrote.")


def _secret(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, err=True))
    return sys.stdin.read(4096).removeprefix("\ufeff")  # some shells begin what they pipe with a byte order mark


def _config() -> Config:
    return Config(Path(typed_path("~")))


def _client(connect: Connect) -> Client:
    service, base_url, _ = connect()
    return Client(service, base_url)


def _show(message: Message) -> None:
    _label("Message ID", str(message.id))
    _label("Role", message.role)
    _label("Status", message.status)
    _block("REPLY" if message.role == "assistant" else "MESSAGE", message.content)


def _label(name: str, value: str) -> None:
    click.echo(f"{name}: {visible(value)}")


def _block(name: str, text: str) -> None:
    """A text of the service: as it is for a program; on a terminal, further lines stand behind a margin."""
    shown = visible(text, keep="\n\t")
    shown = shown.replace("\n", "\n│ ") if sys.stdout.isatty() else shown
    click.echo(f"[{name}] {shown}")


def _notify(notices: Sequence[str]) -> None:
    for notice in notices:
        click.echo(notice, err=True)
