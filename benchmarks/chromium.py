"""The system's Chromium; nothing is downloaded."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Browser, Playwright

FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


def launched(playwright: Playwright) -> Browser:
    """A browser with nothing in its cache. `CHROMIUM` names another program."""
    names = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    return playwright.chromium.launch(executable_path=program, args=FLAGS)
