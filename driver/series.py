#!/usr/bin/env python3
"""
The series part of ./qemu-caliptra: the work as patches against pristine QEMU.

    series.py PRISTINE-TREE OUTPUT-DIR

The table below says which file goes into which patch.  Everything compiles
after each patch: the model's files are built from the patch on that has them
all.  The result depends on the files and on the last commit's author and
date only.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import fnmatch
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys

ROOT = Path(os.environ['CALIPTRA_ROOT'])
OVERLAY = ('configs', 'docs', 'hw', 'include', 'qapi', 'scripts', 'target',
           'tests')

# subject, body, patterns of files (patched files by their path in QEMU)
SERIES = [
    ('hw/gpio/aspeed_gpio: Do not leak the names of set properties', """
object_property_add() copies the name.  The leak shows up in each run of an
ASPEED machine under the address sanitizer.
""", ['hw/gpio/aspeed_gpio.c']),
    ('hw/misc: Register map and interfaces of a Caliptra core', """
Caliptra is the open Root of Trust that several SoCs integrate.  Its model
keeps the two halves of the core apart as silicon does: hardware (registers,
mailbox, fuses, engines, vaults) and the firmware that drives it from inside.

Start with what the parts of the model agree on: the registers, the core as a
SoC sees it, the private state, and the interfaces of each half.
""", ['include/hw/misc/caliptra*.h', 'hw/misc/caliptra_internal.h',
      'hw/misc/caliptra_regs.h',
      'hw/misc/caliptra_engines.h', 'hw/misc/caliptra_intr.*',
      'hw/misc/caliptra_reg.*', 'hw/misc/caliptra_time.*',
      'hw/misc/caliptra_fw.h',
      'hw/misc/caliptra_errors.*', 'hw/misc/caliptra_log.c',
      'hw/misc/caliptra_soc_if.c', 'qapi/*']),
    ('hw/misc/caliptra_crypto: Arithmetic of a Caliptra core', """
SHA-2 with a state that can be saved, HMAC and its KDF, the DRBG, P-384 on top
of libgcrypt, AES-CBC, and the verification of LMS signatures, which no
library offers for the parameters in use.  Pure functions on bytes, without
device state, so that unit tests can hold them against published vectors.
""", ['hw/misc/caliptra_crypto.*']),
    ('hw/misc/caliptra_mbox: Mailbox of a Caliptra core', """
The mailbox is how a SoC talks to Caliptra: a lock, a command, a FIFO into
128 KiB of SRAM, and a state machine that punishes those who break its rules.
""", ['hw/misc/caliptra_mbox.c']),
    ('hw/misc/caliptra_soc_ifc: SoC interface of a Caliptra core', """
Boot and error status, fuses and their locks, mailbox users, the watchdog on
virtual time, the TRNG handshake, generic wires.
""", ['hw/misc/caliptra_soc_ifc.c']),
    ('hw/misc/caliptra_sha_acc: SHA accelerator of a Caliptra core', """
The only engine that a SoC can use itself, by streaming or on the mailbox's
SRAM.
""", ['hw/misc/caliptra_sha_acc.c']),
    ('hw/misc/caliptra_vault: Vaults of a Caliptra core', """
Keys, PCRs and data that outlive the firmware that made them.  Locks and the
permitted uses of a key are enforced here and not by the model of firmware.
""", ['hw/misc/caliptra_vault.c']),
    ('hw/misc/caliptra_engines: Engines of a Caliptra core', """
Register front ends of ECC, HMAC, SHA-512, SHA-256, the deobfuscation engine
and the random number generator, as Caliptra's microcontroller sees them, with
their ports to the vaults.
""", ['hw/misc/caliptra_engines.c', 'hw/misc/caliptra_doe.c',
      'hw/misc/caliptra_ecc.c', 'hw/misc/caliptra_hmac.c',
      'hw/misc/caliptra_sha256.c', 'hw/misc/caliptra_sha512.c',
      'hw/misc/caliptra_trng.*']),
    ('hw/misc/caliptra: Caliptra core', """
Put the blocks together: bus window, reset domains, boot FSM, wires,
properties and the migration state.
""", ['hw/misc/caliptra.c', 'hw/misc/caliptra_fuses.c',
      'hw/misc/caliptra_file.c',
      'hw/misc/caliptra_time.*', 'hw/misc/caliptra_uc.c',
      'hw/misc/caliptra_testdev.c']),
    ('hw/misc/caliptra_fw: Scheduler and drivers of the firmware side', """
Caliptra's ROM, FMC and runtime as flows of steps.  The hardware side posts
events, and each step runs from a virtual-time timer, so that runs are
repeatable and a snapshot can be taken between any two steps.  Firmware
touches the hardware only as the microcontroller could.
""", ['hw/misc/caliptra_fw.c', 'hw/misc/caliptra_fw_drv.c']),
    ('hw/misc/caliptra_fw_rom: Cold boot, reset flows and firmware load', """
What Caliptra's ROM and FMC do, in their order, with their boot status and
error numbers, and the complete verification of a firmware bundle.
""", ['hw/misc/caliptra_fw_rom.c', 'hw/misc/caliptra_fw_kat.c',
      'hw/misc/caliptra_fw_fmc.c', 'hw/misc/caliptra_fw_image.c']),
    ('hw/misc/caliptra_fw_dice: Identity of a Caliptra core', """
The DICE key ladder from the fuses to the runtime's key, measurements and
their logs, and the certificates and signing requests that go with them.
""", ['hw/misc/caliptra_fw_dice.c', 'hw/misc/caliptra_fw_x509.*']),
    ('hw/misc/caliptra_fw_runtime: Mailbox commands of the runtime', """
The table of commands with their checks, the DICE Protection Environment and
the authorization of SoC images.
""", ['hw/misc/caliptra_fw_runtime.c', 'hw/misc/caliptra_fw_dpe*',
      'hw/misc/caliptra_fw_auth.c']),
    ('hw/misc/aspeed_scu: Registers of the AST2700 that start cores', """
CA35_REL, the reset vectors, the control of SSP and TSP, and what drives a
Caliptra core become registers with lines.  All is storage, as before, for
machines that connect nobody to them.
""", ['hw/misc/aspeed_scu*', 'include/hw/misc/aspeed_scu*']),
    ('hw/misc/caliptra_bringup: Bring-up of a Caliptra core by its SoC', """
Straps, power, reset, mailbox user, fuses, entropy on demand, firmware: what
each SoC's boot ROM has to do.  An abstract device, so that a SoC says only
how it reaches the core and its own power and reset bits.
""", ['hw/misc/caliptra_bringup.c', 'hw/misc/caliptra_soc.c']),
    ('hw/nvram/aspeed_otp_ast2700: OTP of the ASPEED AST2700', """
What a SoC of this family is, from the hashes of its owner's keys to its life
cycle, stands in its OTP.  Model the memory, behind a drive in any of the
forms in which ASPEED's tools know it, and the controller that reads and
programs it.
""", ['hw/nvram/*', 'include/hw/nvram/*']),
    ('hw/misc/aspeed_caliptra: Caliptra in the ASPEED AST27x0', """
The window in which bus masters see the core, and the SCU registers that drive
its power, reset and straps.  A stand-in for the BootMCU, which QEMU does not
have, brings Caliptra up through these registers as the real one would.
""", ['include/hw/misc/aspeed_caliptra.h', 'hw/misc/aspeed_caliptra.c',
      'hw/misc/aspeed_bootmcu*', 'include/hw/misc/aspeed_bootmcu*',
      'hw/misc/aspeed_flsh.*', 'hw/misc/aspeed_ipc.*',
      'include/hw/misc/aspeed_ipc.h', 'hw/misc/Kconfig',
      'hw/misc/meson.build',
      'hw/misc/trace-events', 'hw/arm/Kconfig', 'Kconfig.host', 'meson.build',
      'configs/devices/aarch64-softmmu/*']),
    ('hw/arm/aspeed_ast27x0-fc: Boot the CA35 cores through Caliptra', """
With a Caliptra firmware given, hold the Cortex-A35 cores until Caliptra's
runtime is ready, as on silicon.  Without one the machine behaves as before,
except that it no longer ends when there are no images for the coprocessors
or no boot ROM although start addresses are given otherwise.
""", ['hw/arm/*', 'include/hw/arm/*']),
    ('target/riscv: CSRs of a core by a table of the core', """
A core whose CSRs are not those of the privileged architecture, or are so in
another way, cannot add them to the table that all cores share.  Let each core
point to its table; that of all cores up to now is the common one.
""", ['target/riscv/cpu.h', 'target/riscv/cpu.c', 'target/riscv/csr.c',
      'target/riscv/gdbstub.c', 'target/riscv/riscv-qmp-cmds.c']),
    ('target/riscv: VeeR EL2', """
The core of Caliptra and of other small SoCs, with operations of its own where
it is not like others: memories in the core, access checks with a second
cause, bus errors as non-maskable interrupts, interrupts that name their
handler, a sleep of its own.  No other core's path is touched.
""", ['target/riscv/*']),
    ('hw/intc/veer_pic: Interrupt controller of the VeeR EL2', """
31 sources with gateways and priorities.
""", ['hw/intc/*', 'include/hw/intc/*']),
    ('hw/riscv/caliptra: Caliptra as a machine that executes its firmware', """
The microcontroller, its memories and its bus in front of the Caliptra core,
for those who write or check Caliptra's firmware.
""", ['hw/riscv/*', 'include/hw/riscv/*',
      'configs/devices/riscv32-softmmu/*']),
    ('tests/unit: Vectors for the Caliptra model', """
Published vectors for the arithmetic and the certificates' encoding.
""", ['tests/unit/*']),
    ('tests/qtest: Caliptra in the AST2700', """
Registers and their access rules, the mailbox from lock to unlock, fuses,
resets, ROM commands, and firmware bundles.
""", ['tests/qtest/*', 'tests/data/caliptra/*']),
    ('scripts/caliptra: Make and inspect Caliptra firmware bundles', """
Nobody has a signed bundle at hand.  Make one with the public development
keys, or one's own, show what is in a bundle and which fuses it needs, and
fetch a running machine's certificates.
""", ['scripts/caliptra/*']),
    ('tests/caliptra: Models and traces to hold the Caliptra model against', """
Tests in Python that drive the machine over qtest and compare it with
independent models and with recorded bus traces; and a small guest that asks
Caliptra for its report.
""", ['tests/caliptra/*', 'tests/meson.build']),
    ('tests/functional: Boot ast2700fc through Caliptra', """
Up to the guest's report, with refused firmware, under gdb, with snapshots in
the middle, twice the same with -icount.
""", ['tests/functional/*']),
    ('docs: Caliptra model and the ast2700fc machine', """
For those who boot the machine, and for those who change the model or put it
into another SoC.
""", ['docs/*', 'MAINTAINERS']),
]

COVER_SUBJECT = 'Caliptra Root of Trust, and the AST2700 booting through it'
COVER = """\
This series adds a model of a Caliptra 1.2 Root of Trust, and lets the
ast2700fc machine boot through it: its Cortex-A35 cores are held until
Caliptra has verified its firmware and its runtime is ready.

The core is a SoC-independent sysbus device with two halves.  The hardware
half follows the RTL register by register; the firmware half is a native
model of what Caliptra's ROM, FMC and runtime do, so no binary of Caliptra's
own firmware is executed, but a genuine firmware bundle is verified,
measured and identified as on silicon, with the same error numbers, keys and
certificates.

docs/system/arm/aspeed.rst shows how to use it, docs/specs/caliptra.rst how
it is built.
"""


class Trouble(Exception):
    """Something to tell in one line"""


def patch_target(patch):
    return re.search(r'^\+\+\+ b/(\S+)', patch.read_text(encoding='utf-8'),
                     re.M)[1]


def work_files():
    """path in QEMU -> (True for a patch, where it is here)"""
    files = {}
    for top in OVERLAY:
        for path in (ROOT / top).rglob('*'):
            if path.is_file() and '__pycache__' not in path.parts:
                files[str(path.relative_to(ROOT))] = (False, path)
    for patch in (ROOT / 'patches').glob('*.patch'):
        files[patch_target(patch)] = (True, patch)
    return files


def assign(files):
    """The files of each patch; the first pattern that fits has the file"""
    groups = [[] for _ in SERIES]
    for name in sorted(files):
        for group, (_, _, patterns) in zip(groups, SERIES):
            if any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
                group.append(name)
                break
        else:
            raise Trouble(f'{name} is in no patch: add it to SERIES in '
                          'driver/series.py')
    return groups


class Git:
    def __init__(self, tree):
        who, mail, when = subprocess.run(
            ['git', '-C', ROOT, 'log', '-1', '--format=%an%n%ae%n%aD'],
            check=True, capture_output=True, encoding='utf-8'
        ).stdout.splitlines()
        self.signed_off = f'Signed-off-by: {who} <{mail}>'
        self.tree = tree
        self.env = {
            **os.environ, 'GIT_CONFIG_GLOBAL': '/dev/null',
            'GIT_CONFIG_SYSTEM': '/dev/null', 'GIT_DIR': str(tree / '.git'),
            'GIT_WORK_TREE': str(tree),
            'GIT_AUTHOR_NAME': who, 'GIT_AUTHOR_EMAIL': mail,
            'GIT_AUTHOR_DATE': when, 'GIT_COMMITTER_NAME': who,
            'GIT_COMMITTER_EMAIL': mail, 'GIT_COMMITTER_DATE': when,
        }

    def __call__(self, *args, stdin=None):
        run = subprocess.run(['git', *args], cwd=self.tree, env=self.env,
                             check=False, input=stdin, encoding='utf-8',
                             capture_output=True)
        if run.returncode:
            raise Trouble(f'git {args[0]}: {run.stderr.strip()}')
        return run.stdout

    def commit(self, subject, body):
        self('commit', '-q', '-F', '-', stdin=f'{subject}\n\n{body.strip()}'
             f'\n\n{self.signed_off}\n')


def lay(tree, name, is_patch, path):
    if is_patch:
        run = subprocess.run(['patch', '-s', '-p1', '-F0', '-i', path],
                             cwd=tree, check=False, capture_output=True,
                             encoding='utf-8')
        if run.returncode:
            raise Trouble(f'{path.name} does not apply: {run.stdout.strip()}')
    else:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tree / name)


def checkpatch(tree, patch):
    """checkpatch.pl's verdict: (errors, warnings, report)"""
    run = subprocess.run(['perl', 'scripts/checkpatch.pl', '--no-color',
                          patch], cwd=tree, check=False, encoding='utf-8',
                         capture_output=True)
    total = re.search(r'total: (\d+) errors, (\d+) warnings', run.stdout)
    if not total:
        raise Trouble(f'checkpatch.pl on {patch.name}: {run.stderr.strip()}')
    return int(total[1]), int(total[2]), run.stdout


def main(tree, out):
    files = work_files()
    groups = assign(files)
    git = Git(tree)
    git('init', '-q', '-b', 'series')
    # nothing in the background that the removal of the tree would meet
    git('config', 'gc.auto', '0')
    git('config', 'maintenance.auto', 'false')
    git('add', '-f', '.')
    git('commit', '-q', '-m', 'QEMU')
    for group, (subject, body, _) in zip(groups, SERIES):
        if not group:
            raise Trouble(f'no file is left for the patch "{subject}"')
        for name in group:
            lay(tree, name, *files[name])
        git('add', '-f', '--', *group)
        git.commit(subject, body)

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    git('format-patch', '-q', '--no-signature', '--cover-letter', '--binary',
        '--no-renames', '-o', str(out), f'HEAD~{len(SERIES)}')
    cover = out / '0000-cover-letter.patch'
    cover.write_text(cover.read_text(encoding='utf-8')
                     .replace('*** SUBJECT HERE ***', COVER_SUBJECT)
                     .replace('*** BLURB HERE ***', COVER),
                     encoding='utf-8')

    errors = 0
    (out / 'checkpatch').mkdir()
    for patch in sorted(out.glob('0*.patch')):
        if patch == cover:
            continue
        found, warnings, report = checkpatch(tree, patch)
        errors += found
        (out / 'checkpatch' / f'{patch.stem}.log').write_text(
            report, encoding='utf-8')
        print(f'{patch.name:68} {found} errors, {warnings} warnings')
    print(f'{len(SERIES)} patches in {os.path.relpath(out)}, checkpatch.pl: '
          f'{errors} errors')
    return 1 if errors else 0


if __name__ == '__main__':
    try:
        sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
    except Trouble as trouble:
        sys.exit(f'qemu-caliptra: series: {trouble}')
