#!/usr/bin/env python3
"""
The bench part of ./qemu-caliptra: what the model costs on this host.

    bench.py [-n ROUNDS] [--pristine QEMU-BINARY] [--growth] [--json]

Each number stands beside a limit that was measured in the same round: what
the same loop costs with registers that only store, or what the operations a
command consists of cost in the bare library.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import argparse
import collections
import contextlib
import ctypes
import hashlib
import json
import os
from pathlib import Path
import re
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
sys.path.insert(0, str(ROOT / 'tests/caliptra'))
sys.path.insert(0, str(ROOT / 'tests/caliptra/guest'))
# where the window is: in the machine 'caliptra'
os.environ['CALIPTRA_TARGET'] = 'veer'
import caliptra_common  # noqa: E402
import caliptra_image  # noqa: E402
import caliptra_keys  # noqa: E402
import caliptra_soc  # noqa: E402
import dpe_bench  # noqa: E402
import dpe_model  # noqa: E402
import payloads  # noqa: E402
from qtestlib import QTest  # noqa: E402

ENTRY = 0x430000000
PAYLOADS = 0x431000000
CORES = 4
TIMEOUT = 60
RELEASED = 'CA35 cores released'
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
        return output_lines(self.process)

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


def output_lines(process):
    """Lines of the standard output of a process, as they come"""
    text = b''
    while True:
        ready, _, _ = select.select([process.stdout], [], [], TIMEOUT)
        data = os.read(process.stdout.fileno(), 4096) if ready else b''
        if not data:
            sys.exit(f'qemu-caliptra: bench: {process.args[0]} says nothing '
                     'more')
        *complete, text = (text + data).split(b'\n')
        for line in complete:
            yield line.decode(errors='replace').strip()


OUT = ('-chardev', 'stdio,id=out,signal=off')
OUT_MUX = ('-chardev', 'stdio,id=out,mux=on,signal=off',
           '-serial', 'chardev:out')


def start_args(image):
    args = ['-device', f'loader,file={image},addr={ENTRY:#x},force-raw=on']
    for n in range(CORES):
        args += ['-device', f'loader,addr={ENTRY:#x},cpu-num={n}']
    return args


def time_start(workdir, binary, options=''):
    """Seconds from the start of the process to its QMP greeting"""
    start = time.monotonic()
    vm = Machine(workdir, binary, options, OUT)
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
        vm.wait_for(RELEASED)
    time.sleep(1)
    before = cpu_and_wakeups(vm.process.pid)
    time.sleep(IDLE_SECONDS)
    after = cpu_and_wakeups(vm.process.pid)
    vm.end()
    return after[0] - before[0], after[1] - before[1]


# where the registers are that only store: those of caliptra-testdev, behind
# its views of the core (caliptra_testdev.c)
STORE_DEVICE = 0x500000000
STORE = STORE_DEVICE + 0x70000000 + 0x40000

COMMANDS = ('ecdsa', 'lms', 'sign', 'certify', 'quote')
COUNTED = 10


class Guest:
    """The guest that measures"""

    def __init__(self, workdir):
        self.workdir = workdir
        digest = hashlib.sha384(payloads.MESSAGE).digest()
        ecc = caliptra_keys.dev_ecc_key(0)
        # the mailbox has numbers as they are, the bundle in hardware words
        x, y, r, s = (caliptra_common.hw_words(half)
                      for pair in (ecc.public, ecc.sign(digest))
                      for half in (pair[:48], pair[48:]))
        self.vector = (x, y, r, s, digest)
        self.data = {
            payloads.MESSAGE_TAG: payloads.MESSAGE,
            payloads.ECDSA384_SIGNATURE_VERIFY:
                payloads.CHECKSUM + x + y + r + s,
            payloads.LMS_SIGNATURE_VERIFY: payloads.lms_request(digest)}

    def machine(self, data, options=(), args=()):
        """A machine that has its payloads, not yet started"""
        params = self.workdir / 'payloads.bin'
        params.write_bytes(payloads.payloads(payloads.BENCH,
                                             self.data | data))
        return Machine(self.workdir, options=boot_options(), args=[
            *OUT_MUX, *start_args(GUEST / 'guest.bin'), '-device',
            f'loader,file={params},addr={PAYLOADS:#x},force-raw=on', *args])

    @staticmethod
    def numbers(lines):
        """
        What it prints: seconds for one, in the order of its lines, a list of
        them by name
        """
        numbers = {}
        for line in lines:
            words = line.split()
            if words[:1] == ['failed']:
                sys.exit(f'qemu-caliptra: bench: {words[1]} failed')
            if words[:1] == ['frequency']:
                return {name: [ticks / int(words[1]) / count
                               for count, ticks in values]
                        for name, values in numbers.items()}
            if len(words) == 3 and words[1].isdigit() and words[2].isdigit():
                numbers.setdefault(words[0], []).append(
                    (int(words[1]), int(words[2])))
        return numbers

    def measure(self):
        """Seconds by name, and those of the boot"""
        vm = self.machine({payloads.STORE: struct.pack('<Q', STORE)}, args=(
            '-device', f'caliptra-testdev,addr={STORE_DEVICE:#x}'))
        start = time.monotonic()
        vm.qmp('cont')
        lines = vm.lines()
        for line in lines:
            if RELEASED in line:
                break
        boot = time.monotonic() - start
        numbers = {name: values[0]
                   for name, values in self.numbers(lines).items()}
        vm.end()
        return numbers | {'boot': boot}

    def repeat(self, *what, args=()):
        """Seconds for one of each of the pairs of tag and count"""
        vm = self.machine({payloads.REPEAT: b''.join(
            payloads.tag(tag) + struct.pack('<I', count)
            for tag, count in what if count)}, args=args)
        vm.qmp('cont')
        lines = vm.lines()
        for line in lines:
            if RELEASED in line:
                break
        numbers = self.numbers(lines)
        vm.end()
        return numbers


class Genuine:
    """Genuine ROM and firmware, executed by the machine 'caliptra'"""

    QEMU = OBJ / 'qemu-system-riscv32'
    READY = '[caliptra] ready for commands'
    # what runtime's own console says last
    LISTENS = 'listening for mailbox commands'

    def __init__(self, workdir, folder):
        self.workdir = workdir
        self.rom = Path(folder) / 'rom.bin'
        self.firmware = Path(folder) / 'fw.bin'
        for file in self.rom, self.firmware:
            if not file.is_file():
                sys.exit(f'qemu-caliptra: bench: CALIPTRA_GENUINE_DIR: there '
                         f'is no {file}')

    @contextlib.contextmanager
    def process(self, *command):
        with subprocess.Popen(
                [str(word) for word in command], cwd=self.workdir,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.kill()

    def time(self, until, *command):
        """Seconds from the start of a process to a line"""
        start = time.monotonic()
        with self.process(*command) as process:
            for line in output_lines(process):
                if until in line:
                    return time.monotonic() - start

    def boot(self):
        return self.time(
            self.READY, self.QEMU, '-M',
            f'caliptra,caliptra-firmware={self.firmware},log=out', '-bios',
            self.rom, '-display', 'none', '-nodefaults', *OUT)

    def emulator(self, binary):
        return self.time(self.LISTENS, binary, '--rom', self.rom,
                         '--firmware', self.firmware)

    def commands(self):
        """Seconds from the execution of a command to its answer, by name"""
        seconds = {}
        # who may ask for all of it
        bundle = caliptra_image.Bundle(self.firmware.read_bytes())
        user = bundle['header.pl0_pauser']
        with QTest(self.QEMU, f'caliptra,caliptra-firmware={self.firmware},'
                   f'pauser={user}', bios=self.rom, accel='tcg') as soc:
            self.wait(soc, caliptra_soc.FLOW_STATUS,
                      lambda word: word & caliptra_soc.READY_FOR_RUNTIME)
            for name, command, request in GENUINE_COMMANDS:
                seconds[name] = statistics.median(
                    self.command(soc, command, request)
                    for _ in range(COUNTED))
        return seconds

    @staticmethod
    def wait(soc, addr, done):
        """Until done(word), which is read there; the word"""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            word = soc.read32(addr)
            if done(word):
                return word
            # somebody has to execute what is waited for
            time.sleep(1e-4)
        fatal = soc.read32(caliptra_soc.FW_ERROR_FATAL)
        sys.exit('qemu-caliptra: bench: genuine firmware does not go on, '
                 f'CPTRA_FW_ERROR_FATAL 0x{fatal:08x}')

    def command(self, soc, command, request):
        self.wait(soc, caliptra_soc.MBOX_LOCK, lambda word: not word & 1)
        soc.writes32([(caliptra_soc.MBOX_CMD, command),
                      (caliptra_soc.MBOX_DLEN, len(request))] +
                     [(caliptra_soc.MBOX_DATAIN, word) for word, in
                      struct.iter_unpack('<I', request)])
        start = time.monotonic()
        soc.write32(caliptra_soc.MBOX_EXECUTE, 1)
        status = self.wait(soc, caliptra_soc.MBOX_STATUS,
                           lambda word: word & 0xf != caliptra_soc.CMD_BUSY)
        seconds = time.monotonic() - start
        length = soc.read32(caliptra_soc.MBOX_DLEN)
        soc.write32(caliptra_soc.MBOX_EXECUTE, 0)
        # the DPE can refuse in the answer, which then is its header
        if status & 0xf != caliptra_soc.DATA_READY or length <= DPE_HEADER:
            sys.exit('qemu-caliptra: bench: genuine firmware refuses a '
                     'command')
        return seconds


# commands of the ECC engine (caliptra-rtl ecc_reg.rdl): what the library has
ECC_OPERATIONS = {1: 'mul', 2: 'sign', 3: 'verify'}


def count_operations(guest):
    """How many operations of the ECC engine a boot and each command take"""
    log = guest.workdir / 'trace'
    trace = ('-trace', 'caliptra_engine_start', '-D', log)

    def count(*what):
        guest.repeat(*what, args=trace)
        counts = collections.Counter()
        for match in re.finditer(r': ecc command (\d)', log.read_text()):
            counts[ECC_OPERATIONS[int(match[1])]] += 1
        return counts

    boot = count()
    operations = {'boot': boot}
    for name, tag in (('ecdsa', payloads.ECDSA384_SIGNATURE_VERIFY),
                      ('sign', payloads.DPE_SIGN),
                      ('certify', payloads.DPE_CERTIFY_KEY),
                      ('quote', payloads.QUOTE_PCRS)):
        total = count((tag, COUNTED))
        total.subtract(boot)
        operations[name] = {what: n / COUNTED for what, n in total.items()}
    return operations


def lms_hashes():
    """How many SHA-256 the LMS verification of the guest takes"""
    digest = hashlib.sha384(payloads.MESSAGE).digest()
    lms = caliptra_keys.dev_lms_key(0)
    signature = lms.sign(digest)
    with mock.patch.object(caliptra_keys, 'lms_hash',
                           wraps=caliptra_keys.lms_hash) as lms_hash:
        lms.verify(digest, signature)
    return lms_hash.call_count


class Host:
    """The bare library"""

    def __init__(self, workdir, vector):
        self.command = [workdir / 'bench-host',
                        *(part.hex() for part in vector)]
        run('gcc', '-O2', '-Wall', '-Werror', ROOT / 'driver/bench-host.c',
            '-o', self.command[0], '-lgcrypt')

    def measure(self):
        """Seconds for one of each"""
        return {line.split()[0]: 1 / float(line.split()[1])
                for line in run(*self.command).splitlines()}


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
    """Rows of numbers, each with its limit, and what is wanted of the two"""

    def __init__(self, load):
        self.load = load
        self.rows = []

    def row(self, what, unit, values, limits=None, per_second=1, goal=None):
        """
        @values and @limits are seconds, round by round; with @per_second they
        are shown as so many units a second.  @goal is a ratio: of the speed
        of the limit for what is per second, of its time for what is not.
        """
        def show(seconds):
            return per_second / seconds if per_second else 1000 * seconds

        row = {'what': what, 'unit': unit,
               'value': statistics.median(map(show, values))}
        if limits:
            ratios = [show(value) / show(limit)
                      for value, limit in zip(values, limits)]
            row |= {'limit': statistics.median(map(show, limits)),
                    'ratio': statistics.median(ratios),
                    'min': min(ratios), 'max': max(ratios)}
        if goal:
            row['goal'] = goal
            row['met'] = (row['ratio'] >= goal if per_second else
                          row['ratio'] <= goal)
        self.rows.append(row)

    def amount(self, what, unit, value, most=None):
        """A number that is no time, and the most that it may be"""
        row = {'what': what, 'unit': unit, 'value': value}
        if most is not None:
            row |= {'limit': most, 'met': value <= most}
        self.rows.append(row)

    def judged(self):
        others = self.load.others()
        if others > Load.TOO_MUCH:
            for row in self.rows:
                row.pop('met', None)
            print(f'loaded machine: others used {100 * others:.0f} % of the '
                  'CPUs meanwhile; nothing is judged, measure again when it '
                  'is quiet', file=sys.stderr)
            return False
        return True

    def json(self):
        judged = self.judged()
        print(json.dumps({'judged': judged, 'rows': self.rows}, indent=2))

    def print(self):
        self.judged()
        print(f'{"":44} {"value":>9} {"limit":>9} {"":5}  '
              'ratio (min to max)')
        for row in self.rows:
            text = (f'{row["what"]:44} {number(row["value"]):>9} '
                    f'{number(row.get("limit")):>9} {row["unit"]:5}')
            if 'ratio' in row:
                text += (f'  {row["ratio"]:.2f} ({row["min"]:.2f} to '
                         f'{row["max"]:.2f})')
            if 'met' in row:
                text += ', goal ' if 'goal' in row else '  '
                text += f'{row["goal"]} ' if 'goal' in row else ''
                text += 'met' if row['met'] else 'MISSED'
            print(text.rstrip())


def number(value):
    """Three digits that count"""
    if value is None:
        return ''
    return f'{value:.0f}' if value >= 100 else f'{value:.3g}'


def main():
    parser = argparse.ArgumentParser(prog='qemu-caliptra bench')
    parser.add_argument('-n', type=int, default=7, help='rounds, of which the '
                        'median is taken')
    parser.add_argument('--pristine', help='a QEMU without the overlay')
    parser.add_argument('--growth', action='store_true', help='whether time '
                        'and memory grow with what has been done (minutes)')
    parser.add_argument('--json', action='store_true', help='for machines')
    args = parser.parse_args()

    if args.n < 1:
        parser.error('-n: at least one round')
    report = Report(Load())
    with tempfile.TemporaryDirectory(prefix='caliptra-bench-') as workdir:
        if args.growth:
            growth(Path(workdir), report)
        else:
            measure(Path(workdir), args, report)
    if args.json:
        report.json()
    else:
        report.print()


# bytes of a response of INVOKE_DPE_COMMAND without more
DPE_HEADER = 24
GENUINE_COMMANDS = (
    ('DPE Sign', dpe_model.CMD_INVOKE_DPE, dpe_model.sign()),
    ('DPE CertifyKey', dpe_model.CMD_INVOKE_DPE, dpe_model.certify()),
    ('QUOTE_PCRS', dpe_bench.QUOTE_PCRS,
     dpe_model.request(dpe_bench.QUOTE_PCRS, bytes(32))))


def time_genuine(genuine):
    """Seconds by name; upstream's emulator if it is named"""
    emulator = os.environ.get('CALIPTRA_EMULATOR')
    seconds = {f'genuine {name}': value
               for name, value in genuine.commands().items()}
    seconds['genuine-boot'] = genuine.boot()
    if emulator:
        seconds['emulator'] = genuine.emulator(emulator)
    return seconds


def measure(workdir, args, report):
    guest = Guest(workdir)
    host = Host(workdir, guest.vector)
    operations = count_operations(guest)
    hashes = lms_hashes()
    folder = os.environ.get('CALIPTRA_GENUINE_DIR')
    genuine = Genuine(workdir, folder) if folder else None
    bundle = (BUNDLE / 'caliptra-fw.bin').stat().st_size

    rounds = []
    for _ in range(args.n):
        seconds = guest.measure()
        limits = host.measure()
        seconds['start'] = time_start(workdir, QEMU)
        seconds['start-auto'] = time_start(workdir, QEMU, boot_options())
        if args.pristine:
            seconds['pristine'] = time_start(workdir, args.pristine)
        if genuine:
            seconds |= time_genuine(genuine)
        rounds.append((seconds, limits))

    def values(name):
        return [seconds[name] for seconds, _ in rounds]

    def library(counts, hashes=0, sha_bytes=0):
        return [sum(n * limits[what] for what, n in counts.items()) +
                hashes * limits['sha256'] + sha_bytes * limits['sha']
                for _, limits in rounds]

    report.row('upload through the FIFO', 'MB/s', values('fifo'),
               values('fifo-limit'), 1e-6, 0.8)
    report.row('SHA accelerator, streamed', 'MB/s', values('sha'),
               values('sha-limit'), 1e-6, 0.8)
    report.row('status register, reads', 'M/s', values('read'),
               values('read-limit'), 1e-6, 0.8)
    # both signers of the bundle have an LMS signature; one is a self-test
    report.row('start to ready_for_runtime and release', 'ms', values('boot'),
               library(operations['boot'], 3 * hashes, bundle), 0, 1.5)
    for name, what in (('ecdsa', 'ECDSA384_SIGNATURE_VERIFY'),
                       ('sign', 'DPE Sign'), ('certify', 'DPE CertifyKey'),
                       ('quote', 'QUOTE_PCRS')):
        report.row(what, '/s', values(name), library(operations[name]))
    # most of it is the way of a request of 1,676 bytes through the FIFO
    report.row('LMS_SIGNATURE_VERIFY', '/s', values('lms'),
               library({}, hashes))
    # two requests that fail alike, one after all of the hashes
    alone = (statistics.median(values('lms-wrong')) -
             statistics.median(values('lms-refused')))
    if alone > 0:
        report.row('... without the way of the request', '/s', [alone],
                   [statistics.median(library({}, hashes))], goal=0.5)
    else:
        print('LMS_SIGNATURE_VERIFY: its way took longer than all of it; not '
              'judged, measure again when it is quiet', file=sys.stderr)
    pristine = values('pristine') if args.pristine else None
    report.row('process start, caliptra-boot=off', 'ms', values('start'),
               pristine, 0)
    report.row('process start, caliptra-boot=auto', 'ms',
               values('start-auto'), pristine, 0)

    if genuine:
        emulator = 'emulator' in rounds[0][0]
        report.row('genuine: start to ready for commands', 'ms',
                   values('genuine-boot'),
                   values('emulator') if emulator else None, 0,
                   0.5 if emulator else None)
        for name, _, _ in GENUINE_COMMANDS:
            report.row(f'genuine: {name}', '/s', values(f'genuine {name}'))

    wfi = workdir / 'wfi.bin'
    # wfi; b .-4
    wfi.write_bytes(struct.pack('<II', 0xd503207f, 0x17ffffff))
    for what, options, released in (
            ('idle after the boot', boot_options(), True),
            ('idle, caliptra-boot=off', '', False)):
        seconds, wakeups = idle(workdir, options, wfi, released)
        report.amount(f'{what}: CPU in {IDLE_SECONDS} s', 'ms',
                      seconds * 1000, 0)
        report.amount(f'{what}: wake-ups in {IDLE_SECONDS} s', '', wakeups, 0)


# ---- growth ----

def resident(vm):
    """MB of memory"""
    status = Path(f'/proc/{vm.process.pid}/status').read_text()
    return int(status.split('VmRSS:')[1].split()[0]) / 1024


PR_SET_THP_DISABLE = 41


def without_huge_pages():
    """
    For what is started from now on: the kernel makes huge pages of small ones
    in its own time, with what lies between them, and that is no growth.
    """
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)


BOOTS = 1000
# the DPE has no room for many more (PL0 contexts)
CONTEXTS = (0, 1, 10)
MANY_COMMANDS = 100000
PARTS = 10


def growth(workdir, report):
    """Beside each number: what it was at the beginning"""
    without_huge_pages()
    guest = Guest(workdir)
    digest = hashlib.sha384(payloads.MESSAGE).digest()
    guest.data[payloads.SET_AUTH_MANIFEST] = \
        payloads.manifest_request(digest)

    first = None
    for n in CONTEXTS:
        seconds = guest.repeat((payloads.DPE_DERIVE_CONTEXT, n),
                               (payloads.DPE_CERTIFY_KEY, 50))['certify']
        first = first or seconds
        report.row(f'CertifyKey after {n} DeriveContext', '/s', seconds,
                   first)
    seconds = guest.repeat(*[(payloads.SET_AUTH_MANIFEST, 50)] * 2)['manifest']
    report.row('SET_AUTH_MANIFEST of 127 entries, again', '/s', seconds[1:],
               seconds[:1])

    vm = guest.machine({payloads.REPEAT: b''.join(
        payloads.tag(payloads.FW_INFO) +
        struct.pack('<I', MANY_COMMANDS // PARTS) for _ in range(PARTS))})
    vm.qmp('cont')
    memory = []

    def lines():
        for line in vm.lines():
            if line.startswith('info '):
                memory.append(resident(vm))
            yield line

    seconds = guest.numbers(lines())['info']
    vm.end()
    report.row(f'FW_INFO, the last of {MANY_COMMANDS}', '/s', seconds[-1:],
               seconds[:1])
    report.amount('... and the memory', 'MB', memory[-1], memory[0] + 1)

    vm = Machine(workdir, options=boot_options(), args=OUT)
    vm.qmp('cont')
    lines = vm.lines()
    seconds, memory = [], []
    for boot in range(BOOTS):
        start = time.monotonic()
        if boot:
            vm.qmp('system_reset')
        for line in lines:
            if RELEASED in line:
                break
        seconds.append(time.monotonic() - start)
        memory.append(resident(vm))
    vm.end()
    part = BOOTS // PARTS
    report.row(f'boots, the last {part} of {BOOTS}', 'ms', seconds[-part:],
               seconds[1:part + 1], 0)
    report.amount('... and the memory', 'MB', memory[-1], memory[part] + 1)


if __name__ == '__main__':
    main()
