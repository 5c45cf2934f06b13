"""Run code in a Python that has imported nothing yet."""
import json
import os
import sys

from tool_process import ROOT, run_command

# Makes modules missing, whether installed or not.
HIDE = '''
import sys
for name in {names!r}:
    sys.modules[name] = None
'''

# Makes mmcv the full one, as far as an import can tell.
WORKING_OPERATORS = '''
import sys, types

class Operators(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return print

operators = sys.modules['mmcv._ext'] = Operators('mmcv._ext')
'''


def write_working_modules(folder):
    """Write a torchvision and an xtcocotools that import into a folder."""
    for module, content in (('torchvision/transforms',
                             'class ToPILImage: pass'),
                            ('xtcocotools/coco', 'class COCO: pass'),
                            ('xtcocotools/cocoeval', 'class COCOeval: pass'),
                            ('xtcocotools/mask', '')):
        file = folder / f'{module}.py'
        file.parent.mkdir(exist_ok=True)
        (file.parent / '__init__.py').touch()
        file.write_text(content)


def run_python(code, path=(), hide=()):
    """Run code that assigns a JSON value to ``result``; it, and stderr.

    Folders of ``path`` are searched for modules before all others; those of
    ``hide`` are missing.
    """
    code = HIDE.format(names=tuple(hide)) + code
    code += '\nimport json\nprint("result:", json.dumps(result))\n'
    folders = [*map(str, path), str(ROOT), os.environ.get('PYTHONPATH', '')]
    finished = run_command(sys.executable, '-c', code, PYTHONPATH=(
        os.pathsep.join(filter(None, folders))))
    answer = finished.stdout[finished.stdout.rindex('result:') + 7:]
    return json.loads(answer), finished.stderr
