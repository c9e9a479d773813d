#!/usr/bin/env python3
"""
The bench part of ./qemu-caliptra: what the model costs on this host.

    bench.py [-n RUNS] [--pristine QEMU-BINARY]

SPDX-License-Identifier: GPL-2.0-or-later
"""

import argparse
import hashlib
import json
import os
from pathlib import Path
import select
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from unittest import mock

ROOT = Path(os.environ['CALIPTRA_ROOT'])
OBJ = Path(os.environ['CALIPTRA_OBJ'])
BUNDLE = Path(os.environ['CALIPTRA_BUNDLE'])
GUEST = Path(os.environ['CALIPTRA_GUEST'])
QEMU = os.environ['QEMU_TEST_QEMU_BINARY']
ROM = OBJ / 'qemu-bundle/usr/local/share/qemu/ast27x0_bootrom.bin'

sys.path.insert(0, str(ROOT / 'scripts/caliptra'))
sys.path.insert(0, str(ROOT / 'tests/caliptra/guest'))
import caliptra_common  # noqa: E402
import caliptra_keys  # noqa: E402
import payloads  # noqa: E402

ENTRY = 0x430000000
PAYLOADS = 0x431000000
CORES = 4
TIMEOUT = 60
IDLE_SECONDS = 5


class Machine:
    """A QEMU process with QMP, whose log comes line by line"""

    def __init__(self, workdir, binary=QEMU, options='', args=()):
        self.sock, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [binary, '-M', 'ast2700fc' + options, '-display', 'none',
             '-nodefaults', '-bios', ROM, '-S',
             '-chardev', f'socket,id=qmp,fd={theirs.fileno()}',
             '-mon', 'chardev=qmp,mode=control', *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=open(workdir / 'stderr', 'ab'),
            pass_fds=[theirs.fileno()])
        theirs.close()
        self.qmp_file = self.sock.makefile('rw', encoding='utf-8')
        self.sock.settimeout(TIMEOUT)
        if not self.qmp_file.readline():
            sys.exit('qemu-caliptra: bench: QEMU did not start: ' +
                     (workdir / 'stderr').read_text().strip())
        self.qmp('qmp_capabilities')

    def qmp(self, command, **arguments):
        self.qmp_file.write(json.dumps({'execute': command,
                                        'arguments': arguments}) + '\n')
        self.qmp_file.flush()
        while True:
            answer = json.loads(self.qmp_file.readline())
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                sys.exit(f'qemu-caliptra: bench: {answer["error"]["desc"]}')

    def lines(self):
        """Lines of standard output, as they come"""
        text = b''
        while True:
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        TIMEOUT)
            data = os.read(self.process.stdout.fileno(), 4096) if ready \
                else b''
            if not data:
                sys.exit('qemu-caliptra: bench: QEMU says nothing more')
            *complete, text = (text + data).split(b'\n')
            for line in complete:
                yield line.decode(errors='replace').strip()

    def wait_for(self, what):
        for line in self.lines():
            if what in line:
                return

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.qmp_file.close()
        self.sock.close()


def boot_options():
    return (f',caliptra-firmware={BUNDLE}/caliptra-fw.bin'
            f',caliptra-fuses={BUNDLE}/fuses.json,caliptra-log=out')


OUT = ('-chardev', 'stdio,id=out,signal=off')
OUT_MUX = ('-chardev', 'stdio,id=out,mux=on,signal=off',
           '-serial', 'chardev:out')


def start_args(image):
    args = ['-device', f'loader,file={image},addr={ENTRY:#x},force-raw=on']
    for n in range(CORES):
        args += ['-device', f'loader,addr={ENTRY:#x},cpu-num={n}']
    return args


def median(function, runs):
    return statistics.median(function() for _ in range(runs))


def time_boot(workdir):
    """Seconds from the machine's start to ready_for_runtime"""
    vm = Machine(workdir, options=boot_options(), args=OUT)
    start = time.monotonic()
    vm.qmp('cont')
    vm.wait_for('CA35 cores released')
    seconds = time.monotonic() - start
    vm.end()
    return seconds


def time_start(workdir, binary):
    """Seconds from the start of the process to its QMP greeting"""
    start = time.monotonic()
    vm = Machine(workdir, binary)
    seconds = time.monotonic() - start
    vm.end()
    return seconds


def cpu_and_wakeups(pid):
    """CPU seconds used by all threads, and how often the main loop woke"""
    fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    status = Path(f'/proc/{pid}/task/{pid}/status').read_text()
    switches = int(status.split('voluntary_ctxt_switches:')[1].split()[0])
    return ticks / os.sysconf('SC_CLK_TCK'), switches


def idle(workdir, options, image, released):
    """CPU seconds and wake-ups of IDLE_SECONDS with all cores in WFI"""
    vm = Machine(workdir, options=options, args=[*OUT, *start_args(image)])
    vm.qmp('cont')
    if released:
        vm.wait_for('CA35 cores released')
    time.sleep(1)
    before = cpu_and_wakeups(vm.process.pid)
    time.sleep(IDLE_SECONDS)
    after = cpu_and_wakeups(vm.process.pid)
    vm.end()
    return after[0] - before[0], after[1] - before[1]


def guest_numbers(workdir):
    """
    What the guest measured, name -> (count, seconds), and the ECDSA
    signature that it had verified
    """
    digest = hashlib.sha384(payloads.MESSAGE).digest()
    ecc = caliptra_keys.dev_ecc_key(0)
    # the mailbox has numbers as they are, the bundle in hardware words
    x, y, r, s = (caliptra_common.hw_words(half)
                  for pair in (ecc.public, ecc.sign(digest))
                  for half in (pair[:48], pair[48:]))
    params = workdir / 'payloads.bin'
    params.write_bytes(payloads.payloads(payloads.BENCH, {
        payloads.MESSAGE_TAG: payloads.MESSAGE,
        payloads.ECDSA384_SIGNATURE_VERIFY:
            payloads.CHECKSUM + x + y + r + s,
        payloads.LMS_SIGNATURE_VERIFY: payloads.lms_request(digest)}))
    vm = Machine(workdir, options=boot_options(),
                 args=[*OUT_MUX, *start_args(GUEST / 'guest.bin'), '-device',
                       f'loader,file={params},addr={PAYLOADS:#x},force-raw=on'])
    vm.qmp('cont')
    numbers = {}
    for line in vm.lines():
        words = line.split()
        if words[:1] == ['failed']:
            sys.exit(f'qemu-caliptra: bench: {words[1]} failed')
        if words[:1] == ['frequency']:
            frequency = int(words[1])
            break
        if words and words[0] in ('fifo', 'sha', 'ecdsa', 'lms'):
            numbers[words[0]] = (int(words[1]), int(words[2]))
    vm.end()
    return {name: (count, ticks / frequency)
            for name, (count, ticks) in numbers.items()}, (x, y, r, s, digest)


def lms_hashes():
    """How many SHA-256 the LMS verification of the guest takes"""
    digest = hashlib.sha384(payloads.MESSAGE).digest()
    lms = caliptra_keys.dev_lms_key(0)
    signature = lms.sign(digest)
    with mock.patch.object(caliptra_keys, 'lms_hash',
                           wraps=caliptra_keys.lms_hash) as lms_hash:
        lms.verify(digest, signature)
    return lms_hash.call_count


def host_numbers(workdir, vector):
    """The bare library: what it does in a second, by name"""
    program = workdir / 'bench-host'
    run('gcc', '-O2', '-Wall', '-Werror', ROOT / 'driver/bench-host.c', '-o',
        program, '-lgcrypt')
    out = run(program, *(part.hex() for part in vector))
    return {line.split()[0]: float(line.split()[1])
            for line in out.splitlines()}


def run(*command):
    process = subprocess.run([str(word) for word in command], check=False,
                             capture_output=True, encoding='utf-8')
    if process.returncode:
        sys.exit(f'qemu-caliptra: bench: {command[0]}: '
                 f'{process.stderr.strip() or process.returncode}')
    return process.stdout


class Load:
    """How much of the host's CPUs others use meanwhile"""

    # from here on the numbers say little
    TOO_MUCH = 0.1

    def __init__(self):
        self.start = self.sample()

    @staticmethod
    def sample():
        """(time, CPU seconds of everybody, CPU seconds of ours)"""
        with open('/proc/stat', encoding='ascii') as f:
            user, nice, system, _, _, irq, softirq, steal = map(
                int, f.readline().split()[1:9])
        mine = os.times()
        return (time.monotonic(), (user + nice + system + irq + softirq +
                                   steal) / os.sysconf('SC_CLK_TCK'),
                mine.user + mine.system + mine.children_user +
                mine.children_system)

    def others(self):
        """Share of all CPUs, from 0 to 1"""
        seconds, everybody, mine = (now - then for now, then in
                                    zip(self.sample(), self.start))
        return max(0, everybody - mine) / seconds / os.cpu_count()


class Report:
    """Rows of numbers: ratios first, they hold for other hosts too"""

    def __init__(self):
        self.ratios = []
        self.numbers = []

    def number(self, what, value, remark=''):
        self.numbers.append((what, value, remark))

    def ratio(self, what, ours, theirs, remark):
        """@ours as a part of @theirs, both per second"""
        self.ratios.append((what, f'{ours / theirs:.2f}', remark))

    def print(self, others):
        if others > Load.TOO_MUCH:
            print(f'loaded machine: others used {100 * others:.0f} % of the '
                  'CPUs meanwhile; measure again when it is quiet')
        for row in self.ratios + self.numbers:
            print(f'{row[0]:52} {row[1]:>12}  {row[2]}'.rstrip())


def main():
    parser = argparse.ArgumentParser(prog='qemu-caliptra bench')
    parser.add_argument('-n', type=int, default=9, help='runs, of which the '
                        'median is taken')
    parser.add_argument('--pristine', help='a QEMU without the overlay')
    args = parser.parse_args()

    if args.n < 1:
        parser.error('-n: at least one run')
    load = Load()
    report = Report()
    with tempfile.TemporaryDirectory(prefix='caliptra-bench-') as workdir:
        measure(Path(workdir), args, report)
    report.print(load.others())


def measure(workdir, args, report):
    report.number('machine start to ready_for_runtime and release',
                  f'{median(lambda: time_boot(workdir), args.n) * 1000:.1f} '
                  'ms', 'target: below 60 ms')

    guest, vector = guest_numbers(workdir)
    host = host_numbers(workdir, vector)
    rate = {name: count / seconds for name, (count, seconds) in guest.items()}
    hashes = lms_hashes()
    for what, ours, theirs in (
            ('SHA accelerator, streamed by a guest', 'sha', host['sha']),
            ('ECDSA384_SIGNATURE_VERIFY, by a guest', 'ecdsa',
             host['verify']),
            ('LMS_SIGNATURE_VERIFY, by a guest', 'lms',
             host['sha256'] / hashes)):
        report.ratio(what, rate[ours], theirs, 'of libgcrypt alone')
    report.number('FIRMWARE_LOAD upload through the FIFO, by a guest',
                  f'{rate["fifo"] / 1e6:.1f} MB/s')
    report.number('SHA accelerator, streamed by a guest',
                  f'{rate["sha"] / 1e6:.1f} MB/s',
                  f'libgcrypt alone: {host["sha"] / 1e6:.0f} MB/s')
    report.number('ECDSA384_SIGNATURE_VERIFY, by a guest',
                  f'{rate["ecdsa"]:.0f} /s',
                  f'libgcrypt alone: {host["verify"]:.0f} /s')
    report.number('LMS_SIGNATURE_VERIFY, by a guest', f'{rate["lms"]:.0f} /s',
                  f'its {hashes} SHA-256 by libgcrypt alone: '
                  f'{host["sha256"] / hashes:.0f} /s')

    ours = median(lambda: time_start(workdir, QEMU), args.n)
    report.number('process start, caliptra-boot=off', f'{ours * 1000:.1f} ms')
    if args.pristine:
        pairs = [(time_start(workdir, args.pristine),
                  time_start(workdir, QEMU)) for _ in range(args.n)]
        theirs = statistics.median(pair[0] for pair in pairs)
        report.ratios.append((
            'process start, to QEMU without the overlay',
            f'{statistics.median(b / a for a, b in pairs):.2f}',
            'target: 1'))
        report.number('process start, QEMU without the overlay',
                      f'{theirs * 1000:.1f} ms', 'paired: '
                      f'{statistics.median(b - a for a, b in pairs) * 1000:+.1f}'
                      ' ms')

    wfi = workdir / 'wfi.bin'
    # wfi; b .-4
    wfi.write_bytes(struct.pack('<II', 0xd503207f, 0x17ffffff))
    for what, options, released in (
            ('idle after the boot', boot_options(), True),
            ('idle, caliptra-boot=off', '', False)):
        seconds, wakeups = idle(workdir, options, wfi, released)
        report.number(f'{what}: CPU time in {IDLE_SECONDS} s',
                      f'{seconds * 1000:.0f} ms',
                      f'main loop woke {wakeups} times')


if __name__ == '__main__':
    main()
