"""
What the sanitizers report, without the leaks that are QEMU's own.

Suppressions of LeakSanitizer go by one name of a function each, and libasan
does not always find names; so stacks are read here.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import re
import subprocess

# Functions in the stack of an allocation -> why it may leak
KNOWN_LEAKS = {
    ('tcp_chr_read', 'json_lexer_feed'):
        'a process that exits within a command of QMP, or at an incoming '
        'stream that is refused, leaves the requests that wait: the '
        'dispatcher has them in a coroutine, whose stack nobody searches '
        '(monitor/qmp.c)',
    ('qemu_fopen_bdrv', 'qio_channel_block_new'):
        'the channel of a snapshot in an image, in which the file that is made '
        'of it takes a share of its own (migration/savevm.c)',
    ('save_snapshot', 'migrate_init'):
        'the writer of a stream\'s description: the end of a migration frees '
        'it, that of a snapshot does not (migration/migration.c)',
}

FRAME = re.compile(r'^\s*#\d+ 0x[0-9a-f]+ '
                   r'(?:in (?P<name>\S+)|.*\((?P<file>\S+)\+'
                   r'(?P<offset>0x[0-9a-f]+)\))', re.MULTILINE)


def lookup(file, offsets):
    """The functions at @offsets of the program @file, inlined ones too"""
    # these are addresses that a call returns to
    calls = [hex(int(offset, 16) - 1) for offset in offsets]
    try:
        lines = subprocess.run(['addr2line', '-f', '-i', '-e', file, *calls],
                               stdout=subprocess.PIPE, encoding='utf-8',
                               stderr=subprocess.DEVNULL,
                               check=False).stdout.splitlines()
    except OSError:
        return set()
    # each name is followed by its place in the source
    return set(lines[::2])


def functions(stack, find):
    """The names of the functions in the text of a @stack"""
    names = set()
    files = {}
    for frame in FRAME.finditer(stack):
        if frame['name']:
            names.add(frame['name'])
        else:
            files.setdefault(frame['file'], []).append(frame['offset'])
    for file, offsets in files.items():
        names |= find(file, offsets)
    return names


def is_known(stack, find):
    names = functions(stack, find)
    return any(names.issuperset(leak) for leak in KNOWN_LEAKS)


def is_fault(report, find=lookup):
    """
    Whether @report, all that a process had to say, has more than warnings
    (there are some about coroutines) and KNOWN_LEAKS
    """
    if 'runtime error: ' in report:
        return True
    errors = re.findall(r'ERROR: (.*)', report)
    if not errors:
        return False
    if any(error != 'LeakSanitizer: detected memory leaks'
           for error in errors):
        return True
    # what hangs on a leak (indirect) belongs to it
    leaks = re.findall(r'^Direct leak of .*\n((?:\s+#.*\n)*)', report,
                       re.MULTILINE)
    return not leaks or not all(is_known(leak, find) for leak in leaks)
