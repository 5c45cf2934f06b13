"""Run code in a Python that has imported nothing yet."""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Makes modules missing, whether installed or not.
HIDE = '''
import sys
for name in {names!r}:
    sys.modules[name] = None
'''


def run_python(code, path=(), hide=()):
    """Run code; a failure of it is a failure of the test.

    Args:
        code: its last line assigns a JSON value to ``result``.
        path: folders that are searched for modules before all others.
        hide: names of modules that are to be missing.

    Returns:
        ``result`` and what went to stderr.
    """
    code = HIDE.format(names=tuple(hide)) + code
    code += '\nimport json\nprint("result:", json.dumps(result))\n'
    folders = [*map(str, path), str(ROOT), os.environ.get('PYTHONPATH', '')]
    finished = subprocess.run([sys.executable, '-c', code],
                              capture_output=True,
                              text=True,
                              env={
                                  **os.environ, 'PYTHONPATH':
                                  os.pathsep.join(filter(None, folders))
                              })
    assert finished.returncode == 0, finished.stderr
    answer = finished.stdout[finished.stdout.rindex('result:') + 7:]
    return json.loads(answer), finished.stderr
