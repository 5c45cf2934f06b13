"""Tools called in this process."""
import runpy
import sys

import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from tool_process import tool_path


@pytest.fixture
def call_tool(monkeypatch):
    """Call a tool in this process, where torch is imported once."""

    # yapf takes seconds for a config, and the text is not tested.
    # onedl-mmengine imports it only where it uses it.
    monkeypatch.setattr(
        'mmengine.config.config.FormatCode',
        lambda text, **options: (text, True),
        raising=False)

    def call(name, *arguments):
        # Runners of the same second have the same name, by which a later one
        # would find an earlier one's log and screen.
        for kind in (DefaultScope, MMLogger, MessageHub):
            kind._instance_dict.clear()
        path = tool_path(name)
        monkeypatch.syspath_prepend(str(path.parent))
        monkeypatch.setattr(sys, 'argv',
                            [f'{name}.py', *map(str, arguments)])
        runpy.run_path(str(path), run_name='__main__')

    return call


@pytest.fixture
def error_of(call_tool):
    """The one line with which a tool ends that cannot do its work."""

    def error(name, *arguments):
        with pytest.raises(SystemExit) as stopped:
            call_tool(name, *arguments)
        message = stopped.value.code
        prefix = f'{name}.py: error: '
        assert isinstance(message, str), message  # exits with status 1
        assert message.startswith(prefix) and '\n' not in message
        return message[len(prefix):]

    return error
