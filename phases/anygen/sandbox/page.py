"""The page behind a task's link: what a person sees in the browser, with nothing fetched from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from .picture import plain, title_of
from .words import is_chinese

_STYLE = (
    "body{margin:0;background:#14161c;color:#ece8df;"
    "font:16px/1.6 'Segoe UI','PingFang SC','Noto Sans CJK SC',sans-serif}"
    "main{max-width:860px;margin:0 auto;padding:32px 20px 64px}"
    "h1{font-size:26px;font-weight:600;margin:0 0 4px}"
    "p{margin:0 0 20px;color:#a9adb8}a{color:#e0a54a}li{margin:4px 0}"
    "img{display:block;width:100%;height:auto;border-radius:10px;box-shadow:0 12px 48px #0009}"
    "progress{width:100%;height:14px;accent-color:#e0a54a}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#1d2029;padding:18px;border-radius:10px;"
    "font:14px/1.6 inherit}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

PAGE_POLICY = (
    f"default-src 'none'; img-src 'self'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PICTURE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"

_WORDS = {
    "processing": ("Being made… this page looks again by itself.", "正在生成……页面会自动刷新。"),
    "changing": ("Your changes are being made…", "正在修改……"),
    "completed": ("Ready.", "已完成。"),
    "failed": ("This picture could not be made.", "未能生成这张图片。"),
    "save": ("Save the picture", "保存图片"),
    "changes": ("Changes", "修改记录"),
    "plan": ("The plan", "设计方案"),
    "twin": ("Offline sandbox: no picture service was asked.", "离线沙箱：没有调用真实的图片服务。"),
}


def task_page(prompt: str, status: str, progress: int, picture: str, changes: Sequence[str]) -> str:
    """The page of a task: processing, changing, completed or failed; ``picture`` is a path of this host."""
    words = {name: pair[is_chinese(prompt)] for name, pair in _WORDS.items()}
    title = plain(title_of(prompt))
    unsettled = status in ("processing", "changing")
    parts = [f"<h1>{title}</h1><p>{words[status]}</p>"]
    if status == "processing":
        parts.append(f'<progress max="100" value="{progress}">{progress}%</progress>')
    if status in ("completed", "changing"):
        parts.append(f'<img src="{plain(picture)}" alt="{title}">')
        parts.append(f'<p><a href="{plain(picture)}" download>{words["save"]}</a></p>')
    if changes:
        items = "".join(f"<li>{plain(change)}</li>" for change in changes)
        parts.append(f"<h2>{words['changes']}</h2><ol>{items}</ol>")
    parts.append(f"<h2>{words['plan']}</h2><pre>{plain(prompt)}</pre><p>{words['twin']}</p>")
    return _page("zh-CN" if is_chinese(prompt) else "en", title, "".join(parts), refresh=unsettled)


def key_page(key: str) -> str:
    """Where a client without a key is sent: the sandbox's own key, which is no secret."""
    text = f"<p>Use <b>{plain(key)}</b>; any other sk- key works too.</p>"
    return _page("en", "A key for the sandbox", f"<h1>A key for the sandbox</h1>{text}")


def missing_page() -> str:
    """For a link that leads nowhere."""
    return _page("en", "Not found", "<h1>Not found</h1><p>There is no such page in this sandbox.</p>")


def _page(language: str, title: str, content: str, *, refresh: bool = False) -> str:
    again = '<meta http-equiv="refresh" content="3">' if refresh else ""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">{again}'
    return (
        f'<!DOCTYPE html><html lang="{language}"><head>{head}<title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><main>{content}</main></body></html>"
    )
