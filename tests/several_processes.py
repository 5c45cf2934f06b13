"""Functions in several processes that gloo connects, forked from this one."""
import multiprocessing
import os
import pickle
import traceback

import torch


def _call(rank, count, folder, function, arguments, result):
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(count), LOCAL_RANK='0')
    # mmengine leaves a folder of results behind.
    os.chdir(folder)
    try:
        torch.distributed.init_process_group(
            'gloo', f'file://{folder}/meeting', rank=rank, world_size=count)
        # Not `send`, which shares the memory of tensors with this process.
        result.send_bytes(pickle.dumps((function(rank, *arguments), None)))
        torch.distributed.destroy_process_group()
    except BaseException:
        result.send_bytes(pickle.dumps((None, traceback.format_exc())))
        raise


def in_processes(folder, count, function, *arguments):
    """Call ``function(rank, *arguments)`` in each of ``count`` processes.

    Returns:
        What each process returned, in their order.
    """
    context = multiprocessing.get_context('fork')
    folder.mkdir(parents=True, exist_ok=True)
    running = []
    for rank in range(count):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(
            target=_call,
            args=(rank, count, str(folder), function, arguments, sender))
        process.start()
        sender.close()
        running.append((process, receiver))
    results = []
    for _, receiver in running:
        try:
            result, error = pickle.loads(receiver.recv_bytes())
        except EOFError:
            result, error = None, 'the process ended without a word'
        assert error is None, error
        results.append(result)
    for process, _ in running:
        process.join()
    return results
