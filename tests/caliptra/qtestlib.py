#!/usr/bin/env python3
#
# A small client of QEMU's qtest protocol
#
# Starts a QEMU with a qtest (and, when asked for, a QMP) socket and drives
# it.  Commands can be sent in batches whose answers are read later, which
# makes some hundred thousand register accesses a second possible.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""qtest client: class QTest."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

# how many commands may be on their way; their answers must fit the socket
# buffer, or both sides would wait for each other
WINDOW = 512

DEFAULT_MACHINE = 'ast2700fc'


class QTestError(Exception):
    """QEMU has ended, or has refused a command."""


def default_binary():
    """The QEMU to test: $QTEST_QEMU_BINARY, else the one in the path."""
    return os.environ.get('QTEST_QEMU_BINARY', 'qemu-system-aarch64')


class LineSocket:
    """Lines over a connected socket."""

    def __init__(self, sock):
        self.sock = sock
        self.buf = b''

    def send(self, text):
        self.sock.sendall(text.encode())

    def lines(self, n):
        """The next n lines, without their ends."""
        buf = self.buf
        parts = [buf]
        have = buf.count(b'\n')
        while have < n:
            data = self.sock.recv(1 << 16)
            if not data:
                raise ConnectionError('connection closed')
            have += data.count(b'\n')
            parts.append(data)
        out = b''.join(parts).split(b'\n', n)
        self.buf = out.pop()
        return [line.decode() for line in out]

    def close(self):
        self.sock.close()


class QTest:
    """A QEMU that is driven over qtest.

    machine: the argument of -machine (options included), or None
    args:    further arguments
    qmp:     open a QMP connection too, for qmp() and events()
    bios:    file for -bios; by default an empty boot ROM image, for QEMU
             refuses this machine without one; False: QEMU's own, if any
    accel:   "qtest" stops the CPUs; "tcg" lets them run
    serial:  argument of the first -serial
    """

    def __init__(self, binary=None, machine=DEFAULT_MACHINE, args=(),
                 qmp=False, bios=None, accel='qtest', stderr=None,
                 timeout=120, serial='null'):
        self.binary = binary or default_binary()
        self.dir = tempfile.mkdtemp(prefix='qtest-')
        self.proc = None
        self.qtest = None
        self.qmp_sock = None
        self.qmp_events = []
        try:
            self._start(machine, list(args), qmp, bios, accel, stderr,
                        timeout, serial)
        except (QTestError, ConnectionError) as e:
            text = self.stderr().strip()
            self.close()
            raise QTestError('%s\n%s\n%s' % (e, ' '.join(self.cmdline),
                                             text)) from None
        except BaseException:
            self.close()
            raise

    def _start(self, machine, args, qmp, bios, accel, stderr, timeout,
               serial):
        cmd = [self.binary, '-display', 'none', '-accel', accel,
               '-qtest-log', '/dev/null']
        if machine is not None:
            cmd += ['-machine', machine]
            if bios is None:
                bios = os.path.join(self.dir, 'bios.bin')
                with open(bios, 'wb') as f:
                    f.write(bytes(4096))
            if bios:
                cmd += ['-bios', bios]
        listeners = []
        for name, opt in (('qtest', '-qtest'), ('qmp', '-qmp')):
            if name == 'qmp' and not qmp:
                continue
            path = os.path.join(self.dir, name)
            lst = socket.socket(socket.AF_UNIX)
            lst.bind(path)
            lst.listen(1)
            lst.settimeout(timeout)
            listeners.append(lst)
            cmd += [opt, 'unix:' + path]
        cmd += ['-monitor', 'none', '-serial', serial, '-serial', 'null',
                '-serial', 'null', '-nodefaults']
        cmd += args
        self.cmdline = cmd
        self.stderr_path = os.path.join(self.dir, 'stderr')
        socks = []
        try:
            with open(self.stderr_path, 'wb') as err:
                self.proc = subprocess.Popen(cmd, stdin=subprocess.DEVNULL,
                                             stderr=stderr or err)
            for lst in listeners:
                socks.append(self._accept(lst, timeout))
        except OSError as e:
            raise QTestError(str(e)) from None
        finally:
            for lst in listeners:
                lst.close()
        for sock in socks:
            sock.settimeout(timeout)
        self.qtest = LineSocket(socks[0])
        # an answer: the machine is there, or QEMU has given its reasons
        self.cmd('endianness')
        if qmp:
            self.qmp_sock = LineSocket(socks[1])
            self._qmp_read()
            self.qmp('qmp_capabilities')

    def _accept(self, lst, timeout):
        lst.settimeout(0.1)
        for _ in range(int(timeout * 10)):
            try:
                return lst.accept()[0]
            except socket.timeout:
                if self.proc.poll() is not None:
                    raise QTestError('QEMU ended with %s' %
                                     self.proc.returncode) from None
        raise QTestError('QEMU does not connect')

    def stderr(self):
        """What QEMU has written to stderr so far."""
        try:
            with open(self.stderr_path, encoding='utf-8',
                      errors='replace') as f:
                return f.read()
        except OSError:
            return ''

    # ---- commands ----

    def batch(self, cmds):
        """Send all commands; the list of their answers (without "OK ")."""
        try:
            return self._batch(cmds)
        except OSError as e:
            self.proc.wait(20)
            raise QTestError('QEMU ended with %s (%s): %s' %
                             (self.proc.returncode, e,
                              self.stderr())) from None

    def _batch(self, cmds):
        out = []
        pending = 0
        pos = 0
        while pos < len(cmds) or pending:
            if pos < len(cmds):
                chunk = cmds[pos:pos + WINDOW]
                self.qtest.send('\n'.join(chunk) + '\n')
                pos += len(chunk)
                nxt = len(chunk)
            else:
                nxt = 0
            if pending:
                out += self.qtest.lines(pending)
            pending = nxt
        for i, line in enumerate(out):
            if not line.startswith('OK'):
                raise QTestError('%s: %s' % (cmds[i], line))
        return [line[3:] for line in out]

    def cmd(self, line):
        """One command; its answer."""
        return self.batch([line])[0]

    def read32(self, addr):
        return int(self.cmd('readl 0x%x' % addr), 16) & 0xffffffff

    def write32(self, addr, data):
        self.cmd('writel 0x%x 0x%x' % (addr, data))

    def read64(self, addr):
        return int(self.cmd('readq 0x%x' % addr), 16)

    def write64(self, addr, data):
        self.cmd('writeq 0x%x 0x%x' % (addr, data))

    def reads32(self, addrs):
        """Many reads in one go."""
        return [int(r, 16) & 0xffffffff
                for r in self.batch(['readl 0x%x' % a for a in addrs])]

    def writes32(self, pairs):
        """Many writes of (address, data) in one go."""
        self.batch(['writel 0x%x 0x%x' % p for p in pairs])

    def memread(self, addr, size):
        return bytes.fromhex(self.cmd('read 0x%x 0x%x' % (addr, size))[2:])

    def memwrite(self, addr, data):
        self.cmd('write 0x%x 0x%x 0x%s' % (addr, len(data), data.hex()))

    def clock_step(self, ns=None):
        """Let virtual time pass (to the next timer without an argument)."""
        return int(self.cmd('clock_step' + ('' if ns is None
                                            else ' %d' % ns)))

    def clock_set(self, ns):
        return int(self.cmd('clock_set %d' % ns))

    def poll32(self, addr, mask, value, step_ns=100000, tries=10000):
        """Step the clock until (word & mask) == value; the word."""
        for _ in range(tries):
            word = self.read32(addr)
            if word & mask == value:
                return word
            self.clock_step(step_ns)
        raise QTestError('0x%x stays 0x%x, waiting for 0x%x under 0x%x' %
                         (addr, word, value, mask))

    # ---- QMP ----

    def _qmp_read(self):
        return json.loads(self.qmp_sock.lines(1)[0])

    def qmp(self, command, **arguments):
        """A QMP command (underscores in argument names become dashes)."""
        msg = {'execute': command}
        if arguments:
            msg['arguments'] = {k.replace('_', '-'): v
                                for k, v in arguments.items()}
        self.qmp_sock.send(json.dumps(msg) + '\n')
        while True:
            rsp = self._qmp_read()
            if 'event' in rsp:
                self.qmp_events.append(rsp)
            elif 'error' in rsp:
                raise QTestError('%s: %s' % (command, rsp['error']['desc']))
            else:
                return rsp['return']

    def wait_migrated(self):
        """Until a migration is over, on either side, and "cont" may follow."""
        for _ in range(6000):
            status = self.qmp('query-migrate').get('status')
            if status == 'failed':
                raise QTestError('migration failed\n' + self.stderr())
            if status == 'completed' and \
               self.qmp('query-status')['status'] != 'finish-migrate':
                return
            time.sleep(0.01)
        raise QTestError('migration does not end')

    def hmp(self, line):
        """A human monitor command."""
        return self.qmp('human-monitor-command', command_line=line)

    def qom_get(self, path, prop):
        return self.qmp('qom-get', path=path, property=prop)

    def find_qom(self, typename, root='/machine'):
        """QOM path of the first object of a type."""
        todo = [root]
        while todo:
            path = todo.pop(0)
            for prop in self.qmp('qom-list', path=path):
                if prop['type'].startswith('child<'):
                    child = path + '/' + prop['name']
                    if prop['type'] == 'child<%s>' % typename:
                        return child
                    todo.append(child)
        raise QTestError('no %s in the machine' % typename)

    # ---- end ----

    def close(self):
        for sock in (self.qtest, self.qmp_sock):
            if sock:
                sock.close()
        if self.proc:
            if self.proc.poll() is None:
                self.proc.terminate()
            try:
                self.proc.wait(20)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
