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

ROOT = Path(os.environ['CALIPTRA_ROOT'])
OBJ = Path(os.environ['CALIPTRA_OBJ'])
BUNDLE = Path(os.environ['CALIPTRA_BUNDLE'])
QEMU = os.environ['QEMU_TEST_QEMU_BINARY']
ROM = OBJ / 'qemu-bundle/usr/local/share/qemu/ast27x0_bootrom.bin'

sys.path.insert(0, str(ROOT / 'scripts/caliptra'))
import caliptra_common  # noqa: E402
import caliptra_keys  # noqa: E402

ENTRY = 0x430000000
PARAMS = 0x431000000
CORES = 4
TIMEOUT = 60
ECDSA_VERIFY = 0x53494756
LMS_VERIFY = 0x4C4D5356
VERIFICATIONS = 100
# what the guest puts into the SHA accelerator before the commands
MESSAGE = bytes(64)
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


def request(command, count, payload):
    """A command for the guest, checksum in front"""
    total = sum(struct.pack('<I', command)) + sum(payload)
    payload = struct.pack('<I', -total & 0xffffffff) + payload
    return struct.pack('<III', command, count, len(payload)) + payload


def guest_numbers(workdir):
    """What the guest measured: name -> (count, seconds)"""
    digest = hashlib.sha384(MESSAGE).digest()
    ecc = caliptra_keys.dev_ecc_key(0)
    # the mailbox has numbers as they are, the bundle in hardware words
    x, y, r, s = (caliptra_common.hw_words(half)
                  for pair in (ecc.public, ecc.sign(digest))
                  for half in (pair[:48], pair[48:]))
    lms = caliptra_keys.dev_lms_key(0)
    sig = lms.sign(digest)
    types = struct.pack('<II', caliptra_keys.LMS_TYPE,
                        caliptra_keys.LMOTS_TYPE)
    lms_request = (types + lms.public[8:] + sig[3::-1] + sig[4:1256] +
                   sig[1259:1255:-1] + sig[1260:])
    params = workdir / 'params.bin'
    params.write_bytes(
        request(ECDSA_VERIFY, VERIFICATIONS, x + y + r + s) +
        request(LMS_VERIFY, VERIFICATIONS, lms_request) + bytes(4))
    image = compile_guest(workdir)
    vm = Machine(workdir, options=boot_options(),
                 args=[*OUT_MUX, *start_args(image), '-device',
                       f'loader,file={params},addr={PARAMS:#x},force-raw=on'])
    vm.qmp('cont')
    numbers = {}
    for line in vm.lines():
        words = line.split()
        if words[:1] == ['failed']:
            sys.exit(f'qemu-caliptra: bench: command {int(words[1]):#x} failed')
        if words[:1] == ['command']:
            numbers[int(words[1])] = (int(words[2]), int(words[3]))
        elif words[:1] in (['fifo'], ['sha']):
            numbers[words[0]] = (int(words[1]), int(words[2]))
        elif words[:1] == ['frequency']:
            frequency = int(words[1])
            break
    vm.end()
    return {name: (count, ticks / frequency)
            for name, (count, ticks) in numbers.items()}, (x, y, r, s, digest)


def compile_guest(workdir):
    source = ROOT / 'tests/caliptra/guest'
    elf = workdir / 'bench.elf'
    image = workdir / 'bench.bin'
    run('aarch64-linux-gnu-gcc', '-std=gnu11', '-O2', '-Wall', '-Werror',
        '-ffreestanding', '-nostdlib', '-static', '-fno-pic', '-no-pie',
        '-fno-stack-protector', '-mcpu=cortex-a35', '-mgeneral-regs-only',
        '-mstrict-align', '-Wno-main', '-Wl,--build-id=none',
        '-Wl,--no-warn-rwx-segments', '-Wl,-z,noexecstack',
        '-T', source / 'guest.ld', '-o', elf,
        source / 'start.S', ROOT / 'driver/bench-guest.c')
    run('aarch64-linux-gnu-objcopy', '-O', 'binary', '-R', '.stacks', elf,
        image)
    return image


def host_numbers(workdir, vector):
    """The bare library: bytes a second of SHA-384, P-384 verifications"""
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


def row(what, value, remark=''):
    print(f'{what:52} {value:>14}  {remark}', flush=True)


def main():
    parser = argparse.ArgumentParser(prog='qemu-caliptra bench')
    parser.add_argument('-n', type=int, default=9, help='runs, of which the '
                        'median is taken')
    parser.add_argument('--pristine', help='a QEMU without the overlay')
    args = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix='caliptra-bench-') as workdir:
        workdir = Path(workdir)
        row('machine start to ready_for_runtime and release',
            f'{median(lambda: time_boot(workdir), args.n) * 1000:.1f} ms',
            'target: below 60 ms')

        guest, vector = guest_numbers(workdir)
        host = host_numbers(workdir, vector)
        count, seconds = guest['fifo']
        row('FIRMWARE_LOAD upload through the FIFO, by a guest',
            f'{count / seconds / 1e6:.1f} MB/s')
        count, seconds = guest['sha']
        row('SHA accelerator, streamed by a guest',
            f'{count / seconds / 1e6:.1f} MB/s',
            f'libgcrypt alone: {host["sha"] / 1e6:.0f} MB/s')
        count, seconds = guest[ECDSA_VERIFY]
        row('ECDSA384_SIGNATURE_VERIFY, by a guest',
            f'{count / seconds:.0f} /s',
            f'libgcrypt alone: {host["verify"]:.0f} /s')
        count, seconds = guest[LMS_VERIFY]
        row('LMS_SIGNATURE_VERIFY, by a guest', f'{count / seconds:.0f} /s',
            'no library has it')

        ours = median(lambda: time_start(workdir, QEMU), args.n)
        row('process start, caliptra-boot=off', f'{ours * 1000:.1f} ms')
        if args.pristine:
            pairs = [(time_start(workdir, args.pristine),
                      time_start(workdir, QEMU)) for _ in range(args.n)]
            theirs = statistics.median(pair[0] for pair in pairs)
            row('process start, QEMU without the overlay',
                f'{theirs * 1000:.1f} ms', 'target: no difference; paired: '
                f'{statistics.median(b - a for a, b in pairs) * 1000:+.1f} ms')

        wfi = workdir / 'wfi.bin'
        # wfi; b .-4
        wfi.write_bytes(struct.pack('<II', 0xd503207f, 0x17ffffff))
        for what, options, released in (
                ('idle after the boot', boot_options(), True),
                ('idle, caliptra-boot=off', '', False)):
            seconds, wakeups = idle(workdir, options, wfi, released)
            row(f'{what}: CPU time in {IDLE_SECONDS} s',
                f'{seconds * 1000:.0f} ms', f'main loop woke {wakeups} times')


if __name__ == '__main__':
    main()
