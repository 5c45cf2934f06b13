"""Tools called in this process, and weights for them."""
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from tool_process import run_here, tool_path


@pytest.fixture
def save_untrained():
    """Save the untrained model of a config file as a checkpoint."""

    def save(config, path, heatmaps=None):
        """``heatmaps`` is a value of all heatmaps' weights."""
        init_default_scope('mmpose')
        torch.manual_seed(0)
        model = MODELS.build(Config.fromfile(config).model)
        for stack in model.backbone.stacks if heatmaps is not None else ():
            torch.nn.init.constant_(stack.heatmaps.weight, heatmaps)
        torch.save(dict(state_dict=model.state_dict()), path)

    return save


@pytest.fixture
def call_tool():
    """Call a tool in this process, where torch is imported once."""
    return lambda name, *arguments: run_here(tool_path(name), arguments)


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
