# A running QEMU, over QMP and qtest
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Connections to a running QEMU for the Caliptra tools."""

import json
import os
import socket
import tempfile

from caliptra_common import ToolError

TIMEOUT = 10
# of sockaddr_un, with the 0 behind it
MAX_SOCKET_PATH = 107


def connect(address):
    """A socket: to a path, or to host:port"""
    host, colon, port = address.rpartition(':')
    sock = None
    try:
        if colon and port.isdigit():
            return socket.create_connection((host or 'localhost', int(port)),
                                            timeout=TIMEOUT)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(TIMEOUT)
        sock.connect(address)
        return sock
    except OSError as e:
        if sock:
            sock.close()
        why = e.strerror or str(e)
        if isinstance(e, (FileNotFoundError, ConnectionRefusedError)):
            why += ' (is QEMU running, with -qmp or -qtest there?)'
        raise ToolError(f'{address}: {why}') from None


class Connection:
    """Lines to and from QEMU"""

    def __init__(self, address):
        self.address = address
        self.sock = connect(address)
        self.file = self.sock.makefile('rw', encoding='utf-8')

    def send(self, text):
        try:
            self.file.write(text)
            self.file.flush()
        except OSError as e:
            raise ToolError(f'{self.address}: {e.strerror or e}') from None

    def line(self):
        try:
            line = self.file.readline()
        except TimeoutError:
            raise ToolError(f'{self.address}: no answer (another client may '
                            'be connected)') from None
        except (OSError, UnicodeDecodeError) as e:
            raise ToolError(f'{self.address}: {e}') from None
        if not line:
            raise ToolError(f'{self.address}: QEMU closed the connection '
                            '(another client may be connected)')
        return line

    def close(self):
        self.file.close()
        self.sock.close()


class Qmp(Connection):

    def __init__(self, address):
        super().__init__(address)
        if 'QMP' not in self.read():
            raise ToolError(f'{address}: this is not QMP')
        self.command('qmp_capabilities')

    def read(self):
        try:
            answer = json.loads(self.line())
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ToolError(f'{self.address}: this is not QMP')
        return answer

    def command(self, name, **arguments):
        """Underscores in names of arguments become dashes"""
        self.send(json.dumps({'execute': name, 'arguments': {
            key.replace('_', '-'): value
            for key, value in arguments.items()}}) + '\n')
        while True:
            answer = self.read()
            if 'error' in answer:
                raise ToolError(f'{name}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def get(self, path, name):
        return self.command('qom-get', path=path, property=name)

    def find(self, type_name, path='/machine'):
        """QOM path of the first object of a type below path, or None."""
        todo = [path]
        while todo:
            path = todo.pop(0)
            for prop in self.command('qom-list', path=path):
                if prop['type'] == type_name:
                    return f'{path}/{prop["name"]}'
                if prop['type'].startswith('child<'):
                    todo.append(f'{path}/{prop["name"]}')
        return None


class Qtest(Connection):
    """Register accesses, as one more bus master of the machine"""

    def command(self, line):
        self.send(line + '\n')
        answer = self.line().strip()
        if not answer.startswith('OK'):
            raise ToolError(f'{self.address}: {line}: {answer}')
        return answer[3:]

    def batch(self, lines):
        """Many commands in one go; their answers"""
        answers = []
        for i in range(0, len(lines), 256):
            part = lines[i:i + 256]
            self.send(''.join(line + '\n' for line in part))
            answers += [self.line().strip() for _ in part]
        for line, answer in zip(lines, answers):
            if not answer.startswith('OK'):
                raise ToolError(f'{self.address}: {line}: {answer}')
        return [answer[3:] for answer in answers]

    def reads32(self, addresses):
        return [int(answer, 16) & 0xFFFFFFFF for answer in
                self.batch([f'readl {addr:#x}' for addr in addresses])]

    def read32(self, address):
        return self.reads32([address])[0]

    def writes32(self, pairs):
        self.batch([f'writel {addr:#x} {data:#x}' for addr, data in pairs])

    def write32(self, address, data):
        self.writes32([(address, data)])


# The object of our own that serves qtest in a machine that was started
# without, and its chardev; made once, it stays until QEMU ends
QTEST_ID = 'caliptra-mbox'


def qtest_of(qmp):
    """A qtest connection to the machine behind @qmp, on the same host"""
    for chardev in qmp.command('query-chardev'):
        if chardev['label'] == QTEST_ID:
            # [disconnected:]unix:PATH[,server=on][ <-> ...]
            path = chardev['filename'].split('unix:', 1)[1]
            return Qtest(path.split(',')[0].split(' <-> ')[0])
    # beside the QMP socket: QEMU removes both
    path = os.path.abspath(qmp.address) + '.qtest'
    if not os.path.exists(qmp.address) or len(path) > MAX_SOCKET_PATH:
        path = os.path.join(tempfile.mkdtemp(prefix='caliptra-mbox-'), 'qtest')
    qmp.command('chardev-add', id=QTEST_ID, backend={
        'type': 'socket', 'data': {
            'addr': {'type': 'unix', 'data': {'path': path}},
            'server': True, 'wait': False}})
    try:
        qmp.command('object-add', qom_type='qtest', id=QTEST_ID,
                    chardev=QTEST_ID, log='none')
    except ToolError as e:
        qmp.command('chardev-remove', id=QTEST_ID)
        if 'Only one instance' in str(e):
            raise ToolError('this QEMU has a qtest socket already: name it '
                            'with --qtest') from None
        raise
    return Qtest(path)
