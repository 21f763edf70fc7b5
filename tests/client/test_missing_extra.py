"""The client without its extra."""

import subprocess
import sys


def test_without_httpx_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['httpx'] = None\nimport emolens.client"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MissingExtraError: to ask a server over HTTP, install the extra 'client'" in ended.stderr.splitlines()[-1]
