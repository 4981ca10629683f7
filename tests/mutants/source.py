"""The source mutants: one check each, and the tests that are to notice its loss. The text stands there exactly once.

A row whose text has moved is named by ``python -m tests.mutants source --list-stale``: point it at the new place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Mutation(NamedTuple):
    """``old`` becomes ``new`` in ``file``; ``tests`` are run first, everything else only if they pass."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


SURVIVORS: Mapping[str, str] = {}
"""Mutant → the decision that proves that nothing can notice it; at most two."""

P, U, T, M, F, C = (f"tests/{room}/test_" for room in ("promises", "unit", "threats", "mcp", "faults", "contract"))
GATES, DECIDE, LEAKS = (f"workflow/machine/{name}.py" for name in ("gates", "decide", "leaks"))
WORK, SPEAK, TURNS, QUESTION = (f"workflow/engine/{name}.py" for name in ("work", "speak", "turns", "question"))
HTTP, KEY = "workflow/service/http.py", "workflow/service/key.py"
FILES, TOKENS, APPROVERS, PRIVATE = (
    f"workflow/local/{name}.py" for name in ("files", "tokens", "approvers", "private")
)
STORE, SQLITE, LOCKS = (f"workflow/store/{name}.py" for name in ("__init__", "sqlite", "locks"))
JOURNAL, EVIDENCE, DIGEST, JSON = (
    f"workflow/model/{name}.py" for name in ("journal", "evidence", "digest", "strict_json")
)
SERVED = "workflow/mcp_server"
HISTORY = "workflow/history"


def _row(name: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    return Mutation(
        name, file, old, new, tuple(f"{test}.py" if "::" not in test else test.replace("::", ".py::") for test in tests)
    )


TABLE: tuple[Mutation, ...] = (
    # gates: what an answer is bound to, and whether it still fits
    _row(
        "subject drops shown",
        GATES,
        '"shown": shown})',
        '"shown": None})',
        f"{P}phase2_plan",
        f"{P}answers",
        f"{P}languages",
    ),
    _row(
        "subject drops data",
        GATES,
        "{name: data.get(name) for name in gate.subject}",
        "{}",
        f"{P}phase2_plan",
        f"{P}phase3_create",
    ),
    _row(
        "subject drops the gate",
        GATES,
        'return digest({"gate": gate.as_json(), "data"',
        'return digest({"gate": "", "data"',
        f"{U}gates",
        f"{P}phase3_create",
    ),
    _row(
        "item subject drops to",
        GATES,
        ', "to": definition.service.base_url})',
        "})",
        f"{P}phase1_files",
        f"{P}golden",
        f"{P}upgrade",
    ),
    _row("item subject drops bytes", GATES, '"sha256": item["sha256"], "to"', '"sha256": "", "to"', f"{P}phase1_files"),
    _row(
        "policy not at call",
        GATES,
        "each for each in session.evidence if each.gate == name and at_least(each.strength, needed(gate, policy))",
        "each for each in session.evidence if each.gate == name",
        f"{M}policy",
        f"{P}phase3_create",
        f"{P}policy",
    ),
    _row(
        "consented ignores strength",
        GATES,
        "if each.gate == gate.name and at_least(each.strength, needed(gate, policy))",
        "if each.gate == gate.name",
        f"{U}gates",
        f"{P}phase1_files",
        f"{M}policy",
    ),
    _row(
        "policy lowers a gate",
        GATES,
        "return max(gate.strength, policy.get(gate.name, gate.strength), key=STRENGTHS.index)",
        "return policy.get(gate.name, gate.strength)",
        f"{P}policy",
        f"{P}phase2_plan",
    ),
    _row(
        "was shown always",
        GATES,
        "return of_own_words(definition, gate) or bool(session.shown.get(gate.name))",
        "return True",
        f"{P}attacks",
        f"{P}phase2_plan",
    ),
    _row(
        "evidence fits anything",
        GATES,
        "found = [each for each in held if each.subject in subjects]",
        "found = held",
        f"{U}gates",
        f"{P}phase2_plan",
        f"{P}phase1_files",
    ),
    _row("open items keep the sent ones", GATES, 'if item["sha256"] not in settled}', "}", f"{P}phase1_files"),
    # decide: who may answer what, and when
    _row(
        "about not compared",
        DECIDE,
        "if turn.about is not None and turn.about != gates.question(program.definition, gate, session, given):",
        "if False:",
        f"{P}answers",
        f"{M}gates",
    ),
    _row(
        "answer without revision",
        DECIDE,
        'if program.definition.events[turn.event or ""].gate and turn.expect_revision is None:',
        "if False:",
        f"{P}phase2_plan",
    ),
    _row("relayed copy off", DECIDE, "if copied(quote, heard) and not copied(quote, own):", "if False:", f"{P}quotes"),
    _row("wordless quotes pass", DECIDE, "if wordless(quote):", "if False:", f"{P}quotes"),
    _row("no quote passes", DECIDE, 'if not (turn.quote or "").strip():', "if turn.quote is None:", f"{P}phase2_plan"),
    _row(
        "strength unchecked",
        DECIDE,
        "if not at_least(turn.strength, needs):",
        "if False:",
        f"{P}phase2_plan",
        f"{P}policy",
    ),
    _row(
        "unshown gate answered",
        DECIDE,
        "if not gates.was_shown(program.definition, gate, session):",
        "if False:",
        f"{P}attacks",
        f"{P}withheld",
    ),
    _row(
        "stale revision taken",
        DECIDE,
        "if turn.expect_revision is not None and turn.expect_revision != session.revision:",
        "if False:",
        f"{P}repeated_turns",
    ),
    _row(
        "spending turn unnamed",
        DECIDE,
        "if turn.turn_id is None and turn.expect_revision is None:",
        "if False:",
        f"{U}decide",
    ),
    _row(
        "unknown item taken", DECIDE, "            if item not in names:", "            if False:", f"{P}phase1_files"
    ),
    _row("a name of two files taken", DECIDE, "if names.count(item) > 1:", "if False:", f"{P}attacks"),
    _row(
        "guards of events ignored",
        DECIDE,
        "        *_verdicts(verdicts),\n",
        "",
        f"{P}steps",
        f"{U}guards",
        f"{P}phase5_recommendations",
    ),
    _row(
        "own words may differ",
        DECIDE,
        "if turn.quote and said and turn.quote.strip() not in (words.strip() for words in said):",
        "if False:",
        f"{P}phase3_create",
    ),
    _row(
        "unknown input taken",
        DECIDE,
        "if name not in event.input and name not in event.optional:",
        "if False:",
        f"{U}decide",
        f"{P}bad_input",
    ),
    _row("longest text unbounded", DECIDE, "if len(value) > LONGEST_TEXT:", "if False:", f"{U}decide", f"{P}bad_input"),
    _row("files unbounded", DECIDE, "if len(value) > MOST_FILES:", "if False:", f"{P}phase1_files"),
    # evidence
    _row(
        "strengths are equal",
        EVIDENCE,
        "return STRENGTHS.index(strength) >= STRENGTHS.index(needed)",
        "return True",
        f"{P}policy::test_less_than_the_bundle_asks_is_noticed_and_changes_nothing",
        f"{P}phase2_plan::test_the_user_may_ask_for_a_stronger_approval",
    ),
    _row("copies are short", EVIDENCE, "SHORTEST_COPY = 32", "SHORTEST_COPY = 3200", f"{P}quotes"),
    # work: intent, doubt, what leaves
    _row(
        "spends nothing",
        WORK,
        "spends = [gate for gate in run.program.definition.needs(action.name) if gate in held]",
        "spends: list[str] = []",
        f"{P}phase3_create",
        f"{P}proof",
    ),
    _row(
        "intent not committed before call",
        WORK,
        '"spends": spends})\n    run.commit()',
        '"spends": spends})',
        f"{P}killed",
        f"{P}doubt_is_seen",
        f"{P}doubt",
    ),
    _row(
        "no check of evidence at the call",
        WORK,
        "if not gates.matching(definition, run.session, action.name, run.world.policy):",
        "if False:",
        f"{P}phase3_create",
        f"{P}phase2_plan",
    ),
    _row("journal unchecked before call", WORK, "    run.check_journal()\n", "", f"{P}vouched"),
    _row("doubt forgotten", WORK, "if paid and not error.definite:", "if False:", f"{P}doubt"),
    _row(
        "paid calls repeated",
        WORK,
        'if action.effect == "once" or not error.transient',
        "if not error.transient",
        f"{P}doubt",
        f"{P}phase3_faults",
    ),
    _row(
        "undeclared data set",
        WORK,
        "strange = sorted(set(done.data) - action.sets)",
        "strange: list[str] = []",
        f"{P}attacks",
        f"{P}phase3_faults",
        f"{P}another_bundle",
    ),
    _row("without a key", WORK, "        run.connection().key()\n", "", f"{P}key"),
    _row(
        "own folders open",
        "workflow/engine/run.py",
        "return (*self.world.forbidden, Path(key_file",
        "return (Path(key_file",
        f"{P}phase1_files",
    ),
    _row(
        "key's folder open",
        "workflow/engine/run.py",
        'return (*self.world.forbidden, Path(key_file.replace("~", str(self.world.home), 1)).parent)',
        "return self.world.forbidden",
        f"{P}phase1_files",
    ),
    # turns
    _row(
        "turn id other content",
        TURNS,
        'if entry.body["given"] != (digest(given) if entry.kind == "started" else given):',
        "if False:",
        f"{P}repeated_turns",
    ),
    _row(
        "key in turn recorded",
        TURNS,
        "if redact(turn.text, run.known_key()) != turn.text:",
        "if False:",
        f"{P}attacks",
        f"{T}key",
    ),
    _row("turns unbounded", TURNS, "if size > LARGEST_TURN:", "if False:", f"{P}bad_input"),
    _row(
        "owners share starts",
        TURNS,
        'return f"start@{owner}:{turn_id}" if owner else f"start:{turn_id}"',
        'return f"start:{turn_id}"',
        f"{M}owners::test_two_owners_may_choose_the_same_turn_id",
    ),
    _row(
        "refusals kept whole",
        "workflow/engine/refusals.py",
        "if size <= MOST_KEPT:",
        "if True:",
        f"{M}rooms::test_refusals_are_recorded_within_bounds",
    ),
    _row(
        "refusals without end",
        "workflow/engine/refusals.py",
        "    if room <= 0:\n        return\n",
        "",
        f"{M}rooms::test_refusals_are_recorded_within_bounds",
    ),
    _row("mark without history", QUESTION, "before[-1], turn.event", '"", turn.event', f"{M}gates"),
    _row(
        "proof of a question unasked",
        QUESTION,
        "if not at_least(self.strength, option.gate.needs):",
        "if False:",
        f"{M}gates",
        "tests/cli/test_admin",
    ),
    # speak and leaks
    _row(
        "plain variant unchecked",
        SPEAK,
        "if not parts or leaks.find(parts, secrets(run)):",
        "if not parts:",
        f"{P}withheld",
    ),
    _row(
        "withheld asks anyway",
        SPEAK,
        'shown = "" if said.withheld else digest(said.text)',
        "shown = digest(said.text)",
        f"{P}withheld",
        f"{P}phase2_plan",
    ),
    _row(
        "leaks said",
        SPEAK,
        "    leaking = leaks.find(parts, secrets(run))\n",
        "    leaking: list[str] = []\n",
        f"{P}withheld",
    ),
    _row(
        "key unknown to the leak check",
        SPEAK,
        "return secrets_of(run.program.definition, run.session.data, run.known_key())",
        'return secrets_of(run.program.definition, run.session.data, "")',
        f"{P}withheld",
        f"{T}key",
    ),
    _row(
        "leak skips verbatim values",
        LEAKS,
        'whole = "".join(part.text for part in parts)',
        'whole = "".join(part.text for part in parts if part.origin == OURS)',
        f"{T}leaks",
    ),
    _row("link end off", LEAKS, '_LINK_END = r"(?!-?[A-Za-z0-9_])"', '_LINK_END = r""', f"{T}leaks"),
    _row("patterns off", LEAKS, "*_patterns(frame, secrets.words)]", "]", f"{T}leaks"),
    _row("paths off", LEAKS, 'found.append("a file path")', "pass", f"{T}leaks"),
    _row("commands off", LEAKS, 'found.append("a command")', "pass", f"{T}leaks"),
    # files
    _row("take no digest", FILES, "if now.sha256 == sha256:", "if True:", f"{U}files"),
    _row(
        "second within removed",
        FILES,
        '        if _within(real, closed):\n            return "files of this folder are never read"\n        content',
        "        content",
        f"{U}files",
    ),
    _row(
        "first within removed", FILES, "    if _within(real, closed):  # before", "    if False:  # before", f"{U}files"
    ),
    _row(
        "links followed",
        FILES,
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK",
        "os.O_RDONLY | os.O_NONBLOCK",
        f"{U}files",
    ),
    _row("devices read", FILES, "if not stat.S_ISREG(found.st_mode):", "if False:", f"{U}files"),
    _row("files of any size", FILES, "if found.st_size > limit or len(content) > limit:", "if False:", f"{U}files"),
    # key and http
    _row(
        "redact no prefix",
        KEY,
        "return text.replace(key[:10], REDACTED) if len(key) >= 16 else text",
        "return text",
        f"{U}credentials",
        f"{P}withheld",
    ),
    _row(
        "redact the key itself only",
        KEY,
        "    for form in _forms(key):\n",
        "    for form in (key,):\n",
        f"{U}credentials",
    ),
    _row(
        "any key usable",
        KEY,
        'elif not all("!" <= character <= "~" for character in key):',
        "elif False:",
        f"{U}credentials",
        f"{F}http",
    ),
    _row(
        "origin unchecked",
        HTTP,
        '_check_origin(request.url or "", self._origin)  # the last',
        "pass  # the last",
        f"{F}http::test_the_adapter_stops_what_the_path_check_let_through",
    ),
    _row("target unchecked", HTTP, "        _check_target(method, path)\n", "", f"{F}http"),
    _row(
        "redirect body read",
        HTTP,
        "        def get_redirect_target(self, resp: Any) -> None:",
        "        def never_called(self, resp: Any) -> None:",
        f"{F}http::test_the_body_of_a_redirect_is_not_read",
    ),
    _row(
        "redirects followed",
        HTTP,
        '"allow_redirects": False',
        '"allow_redirects": True',
        f"{F}http::test_no_redirect_is_followed",
        f"{F}http::test_the_body_of_a_redirect_is_not_read",
    ),
    _row(
        "no netrc guard",
        HTTP,
        "session.trust_env = False",
        "session.trust_env = True",
        f"{F}http::test_the_environment_changes_neither_key_nor_route",
        f"{T}surroundings",
    ),
    _row("definite after connect", HTTP, "    if not wire.connected:\n", "    if True:\n", f"{F}http"),
    _row(
        "plain http anywhere",
        HTTP,
        'if scheme == "http" and not _is_loopback(host):',
        "if False:",
        f"{F}http::test_a_base_that_may_not_get_the_key",
    ),
    _row("key in service answer", HTTP, "shown = redact(text, key)", "shown = text", f"{F}http"),
    _row(
        "bodies without end", HTTP, "if decoded is None or len(decoded) > MAX_BODY:", "if decoded is None:", f"{F}http"
    ),
    _row(
        "headers of bundles unchecked",
        HTTP,
        "if not free_header(name) or name.lower() == key_header.lower():",
        "if False:",
        f"{F}http",
    ),
    _row(
        "any certificate",
        HTTP,
        '"cert_reqs": "CERT_REQUIRED"',
        '"cert_reqs": "CERT_NONE", "assert_hostname": False',
        f"{F}http",
    ),
    _row(
        "sandbox anywhere",
        "workflow/compose.py",
        'if parts.scheme != "http" or not loopback or',
        'if parts.scheme != "http" or',
        f"{P}key",
        "tests/cli/test_sandbox",
    ),
    _row(
        "owns any host",
        "phases/anygen/client.py",
        "return False\n        ours = urlsplit(self._base)",
        "return False\n        return True\n        ours = urlsplit(self._base)",
        f"{P}phase3_create",
    ),
    # journal, digests, JSON
    _row(
        "old evidence kept",
        JOURNAL,
        "kept = tuple(each for each in session.evidence if each.gate not in answered)",
        "kept = session.evidence",
        f"{P}phase1_files",
        f"{P}golden",
        f"{P}phase2_plan",
    ),
    _row(
        "shown survives asking again", JOURNAL, "if gate not in asked_anew})", "})", f"{P}phase2_plan", f"{P}withheld"
    ),
    _row("evidence not spent", JOURNAL, 'if each.gate not in body["spends"])', ")", f"{P}phase3_create"),
    _row("hash unchecked", JOURNAL, "if entry.hash != _chained(entry):", "if False:", f"{U}journal"),
    _row(
        "content unchecked",
        JOURNAL,
        "if entry.body is not None and _content(entry) != entry.digest:",
        "if False:",
        f"{U}journal",
    ),
    _row("order unchecked", JOURNAL, "if entry.seq != seq or entry.previous != previous:", "if False:", f"{U}journal"),
    _row("head unchecked", JOURNAL, "    if not seen:\n", "    if False:\n", f"{U}journal"),
    _row("erased content unexplained", JOURNAL, "    if gone:\n", "    if False:\n", f"{U}journal"),
    _row("seal unchecked", DIGEST, "if not seal or rest !=", "if not seal or False and rest !=", f"{C}sqlite_file"),
    _row("keys repeat", JSON, "if len(value) != len(pairs):", "if False:", f"{U}jsontext"),
    _row("towers of brackets", JSON, "if level > MAX_LEVELS:", "if False:", f"{U}jsontext"),
    # store
    _row(
        "append unfenced",
        STORE,
        "if (first.seq - 1, first.previous) != (stored or (0, START)):",
        "if False:",
        f"{C}memory",
        f"{C}sqlite",
    ),
    _row("db append unfenced", SQLITE, "    check_append(entries, session, stored)\n", "", f"{C}sqlite"),
    _row(
        "trusted snapshot unsealed",
        STORE,
        'content = unsealed(text or "") if trusted else None',
        "content = None",
        f"{C}sqlite_file",
    ),
    _row(
        "forget no sweep",
        SQLITE,
        "            connection.execute(statements.ERASE, (session.name, entry.seq))\n        self.sweep()",
        "            connection.execute(statements.ERASE, (session.name, entry.seq))",
        f"{P}forgetting",
    ),
    _row(
        "lock file identity unchecked",
        LOCKS,
        "            if _leads_to(path, file):\n                return file\n",
        "            return file\n",
        f"{C}holds",
    ),
    _row(
        "another's lock file removed",
        LOCKS,
        "        if _leads_to(path, file):\n            os.unlink(path)",
        "        os.unlink(path)",
        f"{C}holds",
    ),
    _row(
        "database follows links",
        SQLITE,
        "connection = apsw.Connection(str(self._path), apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW)",
        "connection = apsw.Connection(str(self._path), apsw.SQLITE_OPEN_READWRITE)",
        f"{C}sqlite_file",
    ),
    _row("commits not durable", SQLITE, "PRAGMA synchronous = FULL;", "PRAGMA synchronous = OFF;", f"{C}sqlite_file"),
    _row(
        "hidden sessions load",
        "workflow/store/visible.py",
        "return found if found is not None and self._sees(found.owner) else None",
        "return found",
        f"{M}owners",
    ),
    _row(
        "hidden sessions are listed",
        "workflow/store/visible.py",
        "        wanted = owner or self._owner\n",
        "        wanted = owner\n",
        f"{M}owners",
    ),
    _row(
        "hidden starts are found",
        "workflow/store/visible.py",
        "return None if self._hides(name) else self._store.record(name)",
        "return self._store.record(name)",
        f"{M}owners",
    ),
    # local
    _row(
        "wide modes unrepaired",
        PRIVATE,
        "        if mode & 0o077:\n            path.chmod(0o600)",
        "        if False:\n            path.chmod(0o600)",
        f"{C}sqlite_file",
        "tests/cli/test_tokens",
    ),
    _row("approver no wait", APPROVERS, "            if early:\n", "            if False:\n", f"{U}approvers"),
    _row("tries uncounted", APPROVERS, "wrong=approver.wrong + 1, tried=now)", "tried=now)", f"{U}approvers"),
    _row(
        "any passphrase",
        APPROVERS,
        "if not hmac.compare_digest(_digest(passphrase, approver.salt, approver.cost), approver.digest):",
        "if False:",
        f"{U}approvers",
    ),
    _row("approvers of others believed", APPROVERS, "& 0o022:", "& 0o000:", f"{U}approvers"),
    _row("any token", TOKENS, "if hmac.compare_digest(each.sha256, digest)), None)", "), None)", f"{M}admission"),
    # history
    _row(
        "compare row off", f"{HISTORY}/audit.py", "        if stored != true:\n", "        if False:\n", f"{P}tampering"
    ),
    _row(
        "compare snapshot off",
        f"{HISTORY}/audit.py",
        "if folded is None or record.session.head != entry.hash or _text(folded) != record.snapshot:",
        "if False:",
        f"{P}tampering",
    ),
    _row("fork doubt ignored", f"{HISTORY}/fork.py", "    if not call or place.doubt:\n", "    if True:\n", f"{P}fork"),
    _row(
        "fork keeps evidence",
        f"{HISTORY}/fork.py",
        "for each in place.evidence if not _pays(run.program, each)]",
        "for each in place.evidence]",
        f"{P}fork",
    ),
    _row(
        "fork loses its owner",
        f"{HISTORY}/fork.py",
        '({"owner": place.owner} if place.owner else {})',
        "{}",
        f"{M}owners",
    ),
    _row("proof question unchecked", f"{HISTORY}/proof.py", "and shown not in self._said:", "and False:", f"{P}proof"),
    _row(
        "proof without answers",
        f"{HISTORY}/proof.py",
        '            return "no answer in the log fits what was sent"',
        '            return ""',
        f"{P}proof",
    ),
    _row(
        "forgets in doubt",
        f"{HISTORY}/forget.py",
        "if session.intent or (session.doubt and record.summary.status not in ENDED):",
        "if False:",
        f"{P}forgetting",
    ),
    # mcp_server
    _row(
        "form any answer",
        f"{SERVED}/forms.py",
        "        if filled.answer != self.yes:\n",
        "        if False:\n",
        f"{M}gates",
    ),
    _row(
        "form without files",
        f"{SERVED}/forms.py",
        "if not all(isinstance(each, bool) for each in given):",
        "if False:",
        f"{M}gates",
    ),
    _row(
        "token still good",
        f"{SERVED}/admission.py",
        "            return token in self._tokens.listed()\n",
        "            return True\n",
        f"{M}admission",
    ),
    _row(
        "no token needed",
        f"{SERVED}/admission.py",
        'token = self._tokens.find(secret.strip()) if kind.lower() == "bearer" else None',
        "token = next(iter(self._tokens.listed()), None)",
        f"{M}admission",
    ),
    _row(
        "told any caller",
        f"{SERVED}/caller.py",
        "return self._caller.key == caller.key and self._caller.written > self._before",
        "return self._caller.written > self._before",
        f"{M}admission",
    ),
    _row(
        "told before it left",
        f"{SERVED}/caller.py",
        "return self._caller.key == caller.key and self._caller.written > self._before",
        "return self._caller.key == caller.key",
        f"{M}admission",
        f"{M}clients",
    ),
    _row(
        "auditor tools call",
        f"{SERVED}/server.py",
        'if ctx.method == "tools/call" and not caller.may_call(name):',
        "if False:",
        f"{M}admission",
        f"{M}owners",
    ),
    _row(
        "every owner sees all",
        f"{SERVED}/caller.py",
        "if self.scope in (ALL, AUDITOR):\n            return True",
        "if True:\n            return True",
        f"{M}owners",
    ),
    _row(
        "watch sees nobody's",
        f"{SERVED}/caller.py",
        "return self.scope == WATCH and owner is not None and tool == WATCHING",
        "return self.scope == WATCH and tool == WATCHING",
        f"{M}owners",
    ),
    _row(
        "nobody is everybody",
        f"{SERVED}/calls.py",
        "if caller is None and self.spool is None:",
        "if caller is None:",
        f"{M}owners",
    ),
    _row(
        "strangers unbounded",
        f"{SERVED}/sockets.py",
        "while len(self._strangers) > self._most_strangers:",
        "while False:",
        f"{M}rooms",
    ),
    _row(
        "headers take their time",
        f"{SERVED}/sockets.py",
        "        if self.idle and self.conn.our_state is not h11.SEND_RESPONSE:\n            self.abort()",
        "        return",
        f"{M}rooms",
    ),
    _row(
        "bodies take their time",
        f"{SERVED}/admission.py",
        "with anyio.move_on_after(BODY_SECONDS) as waited:",
        "with anyio.move_on_after(3600) as waited:",
        f"{M}rooms",
    ),
    _row(
        "clients unbounded", f"{SERVED}/connections.py", "while len(theirs) > self._most:", "while False:", f"{M}rooms"
    ),
    _row(
        "one owner takes all connections",
        f"{SERVED}/sockets.py",
        "if len(theirs) <= self._most_of_one:",
        "if True:",
        f"{M}rooms",
    ),
    _row(
        "a pace for each token",
        f"{SERVED}/admission.py",
        "seconds = self._pace.enter(token.owner)",
        "seconds = self._pace.enter(token.sha256)",
        f"{M}rooms",
    ),
    _row(
        "health fails open",
        f"{SERVED}/admission.py",
        "        except WorkflowError:\n            self._good = False\n",
        "        except WorkflowError:\n            self._good = True\n",
        f"{M}admission",
    ),
    _row("spool path allowed", f"{SERVED}/uploads.py", '    if "path" in item:\n', "    if False:\n", f"{M}broker"),
    _row(
        "one owner fills the spool",
        f"{SERVED}/uploads.py",
        "sum(theirs) + len(content) > self._owned or len(theirs) >= self._most",
        "False",
        f"{M}owners",
    ),
    # what the table of threats names beside these
    _row(
        "the folder is listed",
        FILES,
        "    found = _look(path, base, forbidden, limit)\n",
        "    os.listdir(base)\n    found = _look(path, base, forbidden, limit)\n",
        f"{P}phase1_disk",
        f"{U}files",
    ),
    _row(
        "key in the address",
        HTTP,
        "        key = checked_key(self._key())\n",
        '        key = checked_key(self._key())\n        sent["params"] = {**(query or {}), "key": key}\n',
        f"{F}http::test_the_key_travels_in_the_header_and_nowhere_else",
        f"{P}key",
    ),
    _row(
        "calls without end",
        HTTP,
        "with WATCHDOG.over(wire), self._session(wire) as session:",
        "with self._session(wire) as session:",
        f"{F}http::test_the_deadline_holds_against_drops",
    ),
    _row(
        "anchors allowed",
        "workflow/bundle/loader.py",
        "        if event.anchored:\n",
        "        if False:\n",
        f"{U}loader",
    ),
    _row(
        "values are templates",
        "workflow/machine/messages.py",
        "Part(shown(types[piece], data.get(piece)), types[piece])",
        "Part(Template(shown(types[piece], data.get(piece))).safe_substitute(data), types[piece])",
        f"{U}render",
        f"{T}texts",
    ),
    _row(
        "nothing is made visible",
        "workflow/machine/messages.py",
        "    if text.isascii() and text.isprintable():\n        return text\n",
        "    return text\n",
        f"{U}render",
        f"{T}texts",
    ),
    _row("short values are ids", LEAKS, "SHORTEST = 8", "SHORTEST = 1", f"{T}leaks"),
    _row(
        "any name is a name",
        "workflow/model/session_names.py",
        "return len(text) <= 64 and NAME.fullmatch(text) is not None",
        "return True",
        f"{T}names",
    ),
    _row(
        "bundle of the working directory",
        "workflow/compose.py",
        "return Path(folder).resolve() if folder else packaged()",
        "return Path(folder).resolve()",
        f"{T}names",
    ),
    _row(
        "agents are told to approve",
        DECIDE,
        'f"Ask the person to answer with `{gates.answered_with(session.name)}` in a terminal of their own; "',
        'f"Run `{gates.answered_with(session.name)}`; "',
        f"{T}not_offered",
    ),
)
