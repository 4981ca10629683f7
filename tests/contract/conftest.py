"""Failed asserts of the inherited suite explain themselves like those of any test."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.contract.suite", "tests.contract.brakes")
