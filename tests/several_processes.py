"""Functions in several processes that gloo connects, forked from this one."""
import os
import pickle

import torch
from torch.multiprocessing import start_processes


def _call(rank, count, folder, function, arguments):
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(count), LOCAL_RANK='0')
    # mmengine leaves a folder of results behind.
    os.chdir(folder)
    torch.distributed.init_process_group(
        'gloo', f'file://{folder}/meeting', rank=rank, world_size=count)
    result = pickle.dumps(function(rank, *arguments))
    (folder / f'{rank}.pkl').write_bytes(result)
    torch.distributed.destroy_process_group()


def in_processes(folder, count, function, *arguments):
    """Call ``function(rank, *arguments)`` in each of ``count`` processes.

    Returns:
        What each process returned, in their order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start_processes(_call, (count, folder, function, arguments), count,
                    start_method='fork')
    return [pickle.loads((folder / f'{rank}.pkl').read_bytes())
            for rank in range(count)]
