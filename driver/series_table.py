"""
Which file goes into which patch of which series.

A new file of the overlay wants a place here, and most often a pattern has it
already.  Lists of files (meson.build, Kconfig, trace-events, MAINTAINERS), and
the C files in GROW, stand with the patch that begins with them; their lines
come with what they name, and need no words here.  Where that does not do,
there are PARTS and INTERIM below.

SPDX-License-Identifier: GPL-2.0-or-later
"""


class Patch:
    """
    subject, body: of the commit
    files: patterns; the first patch of all that fits has the file
    tests: what it brings that meson runs: names of suites; tests in Python
           of tests/caliptra without the folder
    """

    def __init__(self, subject, body, files=(), tests=()):
        self.subject = subject
        self.body = body.strip()
        self.files = files
        self.tests = tests


class Series:
    def __init__(self, name, subject, cover, *patches):
        self.name = name
        self.subject = subject
        self.cover = cover.strip()
        self.patches = patches


MENDS = Series(
    'mends', 'ASPEED AST2700: small repairs', """
What is wrong today in the ASPEED AST2700 machines, found while a Caliptra
Root of Trust was added to them.  Each patch stands alone.
""",
    Patch('hw/gpio/aspeed_gpio: Do not leak the names of set properties', """
object_property_add() copies the name.  The leak shows up in each run of an
ASPEED machine under the address sanitizer.
""", ['hw/gpio/aspeed_gpio.c']),
    Patch('hw/arm/aspeed: Select what the AST2700 has', """
A build with --without-default-devices and nothing but ASPEED_SOC does not
link, or has machines that abort: the SoCs use an OR gate, SD host
controllers and EHCI controllers, and do not say so.
""", ['hw/arm/Kconfig:selects']),
    Patch('hw/arm/aspeed_ast27x0-fc: No boot ROM is an error, or none', """
Without the file of the boot ROM ast2700fc leaves errp set in a function that
returns success, and goes on into an abort.  A file that was named must be
there; the default one may be missing if start addresses are given otherwise,
by loaders or -kernel, and is then worth a warning only.
""", ['hw/arm/aspeed_ast27x0-fc.c:bootrom']),
    Patch('migration/file: Free the name of the last outgoing file', """
Only multifd's cleanup frees it: each further migration to a file leaks the
name of the one before.
""", ['migration/file.c']),
    Patch('system/qtest: Free what a deleted server has kept', """
A server that object-add makes and object-del ends keeps its name, that of its
log and its chardev.
""", ['system/qtest.c']),
    Patch('target/arm: Copy no registers from nowhere', """
A Cortex-M has no list of coprocessor registers to migrate: its arrays are
null pointers, which memcpy() must not see even if there is nothing to copy.
""", ['target/arm/machine.c']),
    Patch('monitor: Accesses of physical memory are debug accesses', """
xp, pmemsave and gdb's physical mode read devices as a CPU does: they take
locks, empty FIFOs and clear what clears at a read.  Say that it is a debugger
who looks, as for virtual addresses.
""", ['monitor/*', 'system/*', 'gdbstub/*']),
)

AST2700 = Series(
    'ast2700', 'ASPEED AST2700: reset of the cores, IPC mailboxes, OTP', """
What the ast2700fc machine lacks to run the software of its four processors
(CA35, SSP, TSP, and the BootMCU, which QEMU does not have) in the order in
which silicon starts it: the SCU registers that hold and release cores, the
memory that SSP and TSP share with the CA35, the IPC mailboxes between them,
and the OTP with its controller.

Nothing changes for those who use the machine as before: all is storage
until something drives the lines.
""",
    Patch('hw/misc/aspeed_scu: Registers of the AST2700 that start cores', """
CA35_REL, the reset vectors, the control of SSP and TSP, and what drives a
Caliptra core become registers with lines.  All is storage, as before, for
machines that connect nobody to them.
""", ['hw/misc/aspeed_scu*', 'include/hw/misc/aspeed_scu*',
      'hw/misc/meson.build', 'hw/misc/trace-events']),
    Patch('hw/arm/aspeed_ast27x0-fc: Put the CPUs into clusters', """
gdb, and TCG's translation blocks, want CPUs that differ or see other memory
to be in clusters of their own: without, gdb takes the Cortex-M4 cores for
Cortex-A35 ones.
""", ['hw/arm/aspeed_ast27x0-fc.c:cluster', 'hw/arm/Kconfig:cluster']),
    Patch('hw/arm/aspeed_ast27x0-fc: SSP and TSP run in the DRAM', """
Their SDRAM is a part of the SoC's, where whoever starts them has put their
firmware, and through which they talk to the CA35.  It was memory of their
own that nobody else could see.
""", ['hw/arm/aspeed_ast27x0-[st]sp.c', 'hw/arm/aspeed_coprocessor_common.c',
      'include/hw/arm/aspeed_coprocessor.h',
      'hw/arm/aspeed_ast27x0-fc.c:sdram']),
    Patch('hw/arm/aspeed_ast27x0_cores: Reset of the cores by the SCU', """
The SCU's lines hold and release the cores, and give the CA35 their start
address.  A core without code stays off: a Cortex-M4 that finds no vector
table locks up, and took QEMU with it.
""", ['hw/arm/aspeed_ast27x0_cores.c', 'include/hw/arm/aspeed_ast27x0_*',
      'hw/arm/meson.build', 'hw/arm/aspeed_ast27x0-fc.c:cores']),
    Patch('hw/misc/aspeed_ipc: Mailboxes between the processors', """
Two blocks of mailboxes with doorbell interrupts, seen by all processors at
addresses of their own.
""", ['hw/misc/aspeed_ipc.c', 'include/hw/misc/aspeed_ipc.h',
      'hw/arm/aspeed_ast27x0-fc.c:ipc']),
    Patch('tests/qtest: IPC mailboxes of the AST2700', """
Registers, doorbells and their interrupts from each processor's view.
""", ['tests/qtest/ast2700-ipc-test.c', 'tests/qtest/meson.build'],
          ['qtest-aarch64/ast2700-ipc-test']),
    Patch('hw/nvram/aspeed_otp_ast2700: Images of an OTP', """
What a SoC of this family is, from the hashes of its owner's keys to its life
cycle, stands in its OTP.  Read the forms in which ASPEED's tools know its
content, with the unit test of it.
""", ['hw/nvram/aspeed_otp_image.*', 'include/hw/nvram/aspeed_otp_ast2700.h',
      'tests/unit/test-aspeed-otp.c', 'hw/nvram/meson.build',
      'tests/unit/meson.build'], ['test-aspeed-otp']),
    Patch('hw/nvram/aspeed_otp_ast2700: OTP of the ASPEED AST2700', """
The memory, behind a drive or in RAM, and the controller that reads and
programs it.
""", ['hw/nvram/*', 'include/hw/nvram/*',
      'hw/arm/aspeed_ast27x0-fc.c:otp']),
    Patch('tests/qtest: OTP of the AST2700', """
Reads, programming rules and their marks, protections, images of all forms,
snapshots; and the library with which tests start the machine.
""", ['tests/qtest/ast2700-otp-test.c', 'tests/qtest/caliptra-utils.*',
      'tests/data/caliptra/*', 'MAINTAINERS'],
          ['qtest-aarch64/ast2700-otp-test']),
)

CORE = Series(
    'core', 'Caliptra Root of Trust: the core', """
Caliptra is the open Root of Trust that several SoCs integrate.  Its model
keeps the two halves of the core apart as silicon does: hardware (registers,
mailbox, fuses, engines, vaults), which this series brings, and the
microcontroller inside with its firmware, which is a device behind a link.

The core follows caliptra-rtl v1.1 register by register and knows nothing of
the SoC around it, nor of who plays its microcontroller.  Its blocks come one
by one; the core answers for those that are there.
""",
    Patch('hw/misc/caliptra_crypto: Arithmetic of a Caliptra core', """
SHA-2 with a state that can be saved, HMAC and its KDF, the DRBG, P-384 on top
of libgcrypt, AES-CBC, and the verification of LMS signatures, which no
library offers for the parameters in use.  Pure functions on bytes, without
device state, so that unit tests can hold them against published vectors.

QEMU's own crypto has no arithmetic on elliptic curves, hence libgcrypt,
whichever library that uses.
""", ['hw/misc/caliptra_crypto.*', 'Kconfig.host', 'meson.build',
      'hw/misc/Kconfig']),
    Patch('tests/unit: Vectors for the arithmetic of a Caliptra core', """
Published vectors, and what must be refused.
""", ['tests/unit/test-caliptra-crypto.c'], ['test-caliptra-crypto']),
    Patch('hw/misc/caliptra: Register map, and a core as SoCs see it', """
What the parts of the model agree on: the registers, the interface through
which a SoC reaches a core wherever it lives, and the class of those that play
the microcontroller.
""", ['include/hw/misc/caliptra_map.h', 'include/hw/misc/caliptra.h',
      'include/hw/misc/caliptra_uc.h', 'hw/misc/caliptra_regs.h',
      'hw/misc/caliptra_soc_if.c']),
    Patch('hw/misc/caliptra: Time and interrupt blocks', """
A clock that stands still when the host does not let QEMU run while something
is counted against it; and the interrupt block, of which each block has one.
""", ['hw/misc/caliptra_time.*', 'hw/misc/caliptra_intr.*']),
    Patch('hw/misc/caliptra_errors: Names and causes of error numbers', """
Caliptra reports a number.  Say its name, and the likely cause, to people.
""", ['include/hw/misc/caliptra_errors.h', 'hw/misc/caliptra_errors.*']),
    Patch('hw/misc/caliptra: State of a core', """
One struct a block, the narrow interface of each, and the rows of the tables
that describe registers.
""", ['hw/misc/caliptra_reg.h', 'hw/misc/caliptra_engines.h',
      'hw/misc/caliptra_internal.h']),
    Patch('hw/misc/caliptra: Caliptra core', """
Reset domains, boot FSM, wires, the two buses, properties and the migration
state.  The registers of the blocks, which come next, are rows of tables:
what reads and writes them is here.
""", ['hw/misc/caliptra.c', 'hw/misc/caliptra_reg.c']),
    Patch('hw/misc/caliptra_soc_ifc: SoC interface of a Caliptra core', """
Boot and error status, fuses and their locks, mailbox users, the watchdog on
virtual time, the TRNG handshake, generic wires.
""", ['hw/misc/caliptra_soc_ifc.c']),
    Patch('hw/misc/caliptra_mbox: Mailbox of a Caliptra core', """
The mailbox is how a SoC talks to Caliptra: a lock, a command, a FIFO into
128 KiB of SRAM, and a state machine that punishes those who break its rules.
""", ['hw/misc/caliptra_mbox.c']),
    Patch('hw/misc/caliptra_sha_acc: SHA accelerator of a Caliptra core', """
The only engine that a SoC can use itself, by streaming or on the mailbox's
SRAM.
""", ['hw/misc/caliptra_sha_acc.c']),
    Patch('hw/misc/caliptra_vault: Vaults of a Caliptra core', """
Keys, PCRs and data that outlive the firmware that made them.  Locks and the
permitted uses of a key are enforced here and not by the model of firmware.
""", ['hw/misc/caliptra_vault.c']),
    Patch('hw/misc/caliptra_engines: DOE, HMAC and SHA-256 of a core', """
Register front ends of engines as Caliptra's microcontroller sees them, with
their ports to the vaults; and what all of them share.
""", ['hw/misc/caliptra_engines.c', 'hw/misc/caliptra_doe.c',
      'hw/misc/caliptra_hmac.c', 'hw/misc/caliptra_sha256.c']),
    Patch('hw/misc/caliptra_engines: ECC, SHA-512 and TRNG of a core', """
The other engines.
""", ['hw/misc/caliptra_ecc.c', 'hw/misc/caliptra_sha512.c',
      'hw/misc/caliptra_trng.c']),
    Patch('hw/misc/caliptra_uc: Who plays the microcontroller', """
The door between the two halves: events one way, accesses and interrupt lines
the other.  The first to go through it is a test device that drives the bus
from outside.
""", ['hw/misc/caliptra_uc.c', 'hw/misc/caliptra_testdev.c']),
)

FIRMWARE = Series(
    'firmware', 'Caliptra Root of Trust: a native model of its firmware', """
No binary of Caliptra's own firmware is executed: this is a model of what its
ROM, FMC and runtime do, for those who want the services of a Root of Trust
at the speed of the host, with the same error numbers, keys and certificates
as on silicon.  A genuine firmware bundle is verified, measured and
identified.

It is a device behind the core's link, and touches the hardware only as the
microcontroller could.
""",
    Patch('hw/misc/caliptra_log: What a boot tells people', """
A log line for each stage of a boot on an optional chardev, causes of the
errors, and checks of the files that users give.
""", ['hw/misc/caliptra_log.c', 'include/hw/misc/caliptra_log.h',
      'hw/misc/caliptra_file.c', 'include/hw/misc/caliptra_file.h']),
    Patch('hw/misc/caliptra_fw_x509: DER of Caliptra\'s certificates', """
A writer of DER into a buffer, and the templates of the certificates and
signing requests; pure functions, with the unit test of them.
""", ['hw/misc/caliptra_fw_x509.*', 'tests/unit/test-caliptra-x509.c'],
          ['test-caliptra-x509']),
    Patch('hw/misc/caliptra_fw: Firmware as flows of steps', """
The state of the firmware side, and what its parts know of each other.
""", ['hw/misc/caliptra_fw.h', 'hw/misc/caliptra_fw_dpe.h',
      'hw/misc/caliptra_fw_dpe_internal.h', 'hw/misc/caliptra_fw_release.h']),
    Patch('hw/misc/caliptra_fw: Scheduler of the firmware side', """
Caliptra's ROM, FMC and runtime as flows of steps.  The hardware side posts
events, and each step runs from a virtual-time timer, so that runs are
repeatable and a snapshot can be taken between any two steps.  Firmware
touches the hardware only as the microcontroller could.
""", ['hw/misc/caliptra_fw.c']),
    Patch('hw/misc/caliptra_fw_drv: Drivers of engines and vaults', """
What caliptra-sw's drivers do with the registers.
""", ['hw/misc/caliptra_fw_drv.c']),
    Patch('hw/misc/caliptra_fw_release: What differs between releases', """
One table: what tells releases of FMC and runtime, and what is new in each.
""", ['hw/misc/caliptra_fw_release.c']),
    Patch('hw/misc/caliptra_fw_image: Verification of a firmware bundle', """
All of it: keys against fuses, ECDSA and LMS signatures, digests, version
numbers, load addresses; in the ROM's order, with its error numbers.
""", ['hw/misc/caliptra_fw_image.c']),
    Patch('hw/misc/caliptra_fw_dice: Identity of a Caliptra core', """
The DICE key ladder from the fuses to the runtime's key, measurements and
their logs, and the certificates and signing requests that go with them.
""", ['hw/misc/caliptra_fw_dice.c']),
    Patch('hw/misc/caliptra_fw_rom: Cold boot, reset flows, firmware load', """
What Caliptra's ROM and FMC do, in their order, with their boot status and
error numbers, and the known-answer tests with which the ROM begins.
""", ['hw/misc/caliptra_fw_rom.c', 'hw/misc/caliptra_fw_fmc.c',
      'hw/misc/caliptra_fw_kat.c']),
    Patch('hw/misc/caliptra_fw_runtime: Mailbox commands of the runtime', """
The table of commands with their checks.
""", ['hw/misc/caliptra_fw_r[eu]*']),
    Patch('hw/misc/caliptra_fw_dpe: Contexts and certificates of the DPE', """
The tree of the DICE Protection Environment's contexts, its rules and their
validation, and the certificates of its leaves.
""", ['hw/misc/caliptra_fw_dpe_tree.c', 'hw/misc/caliptra_fw_dpe_x509.c']),
    Patch('hw/misc/caliptra_fw_dpe: Commands of the DPE', """
What the SoC's software asks the DICE Protection Environment for.
""", ['hw/misc/caliptra_fw_dpe*']),
    Patch('hw/misc/caliptra_fw_auth: Authorization of SoC images', """
Auth manifests, and images that are judged by them; what is authorised can be
measured into the DICE Protection Environment.
""", ['hw/misc/caliptra_fw_auth.c']),
)

LINK = Series(
    'link', 'Caliptra Root of Trust: a core in another process', """
A SoC's machine can have its Caliptra core in a second QEMU, which executes
the genuine ROM and firmware, as people do with other management cores; or in
any other program that speaks the protocol.
""",
    Patch('hw/misc/caliptra_link_proto: SoC and core in two processes', """
Frames on a byte stream, with their specification and unit test: accesses
with their user, all inputs of a core, all its output lines, and whether the
SoC runs.
""", ['hw/misc/caliptra_link_proto.*', 'docs/interop/*',
      'tests/unit/test-caliptra-link.c'], ['test-caliptra-link']),
    Patch("hw/misc/caliptra_remote: The SoC's end of a link", """
caliptra-remote is a core for the SoC that it is connected to.  A SoC that
reads waits for the core's answer, with a limit, and whatever goes wrong is
a core without power.
""", ['hw/misc/caliptra_link_conn.*', 'hw/misc/caliptra_remote.c',
      'include/hw/misc/caliptra_remote.h']),
    Patch("hw/misc/caliptra_link: The core's end of a link", """
caliptra-link drives a core as a SoC does, and holds what it counts against
a limit while the SoC stands.
""", ['hw/misc/caliptra_link.c', 'include/hw/misc/caliptra_link.h']),
)

BOOT = Series(
    'boot', 'ASPEED AST2700: boot through Caliptra', """
The ast2700fc machine boots through its Root of Trust: its Cortex-A35 cores
are held until Caliptra has verified its firmware and its runtime is ready,
as on silicon.  Without a Caliptra firmware the machine behaves as before.

A stand-in for the BootMCU, which QEMU does not have, does what its software
does: brings Caliptra up, loads what is in the flash, has it authorised, and
answers the other cores' requests for Caliptra's services.

docs/system/arm/aspeed.rst shows how to use it, docs/specs/caliptra.rst how
it is built.
""",
    Patch('hw/misc/caliptra_bringup: Bring-up of a Caliptra core', """
Straps, power, reset, mailbox user, fuses, entropy on demand, firmware: what
each SoC's boot ROM has to do.  An abstract device, so that a SoC says only
how it reaches the core and its own power and reset bits.
""", ['hw/misc/caliptra_bringup.c', 'include/hw/misc/caliptra_bringup.h',
      'hw/misc/caliptra_fuses.c', 'include/hw/misc/caliptra_fuses.h',
      'qapi/*']),
    Patch('hw/misc/caliptra_soc: The least SoC around a Caliptra core', """
For machines of a core and nothing else: power, reset, straps and entropy,
and the bring-up.
""", ['hw/misc/caliptra_soc.c', 'include/hw/misc/caliptra_soc.h']),
    Patch('hw/misc/aspeed_caliptra: Caliptra in the ASPEED AST27x0', """
The window in which bus masters see the core, and the lines from the SCU that
drive its power, reset and straps.
""", ['include/hw/misc/aspeed_caliptra.h', 'hw/misc/aspeed_caliptra.c',
      'configs/devices/aarch64-softmmu/*']),
    Patch('hw/misc/aspeed_flsh: Flash images and SoC manifests', """
The container in which the AST2700's firmware lies in the flash, and the
manifest that says which image loads where; pure functions on bytes, with
their unit test.
""", ['hw/misc/aspeed_flsh.*', 'tests/unit/test-caliptra-flsh.c'],
          ['test-caliptra-flsh']),
    Patch('hw/misc/aspeed_bootmcu: Stand-in for the BootMCU', """
What the BootMCU's software does to bring Caliptra up: fuses and life cycle
out of the OTP, firmware, and the release of the CA35 cores.
""", ['hw/misc/aspeed_bootmcu.[ch]', 'hw/misc/aspeed_bootmcu_otp.*',
      'include/hw/misc/aspeed_bootmcu_ipc.h']),
    Patch('hw/misc/aspeed_bootmcu_ipc: Caliptra as a service', """
The other processors ask for Caliptra's commands over the IPC mailboxes, as
their drivers in U-Boot, OP-TEE and Zephyr do.
""", ['hw/misc/aspeed_bootmcu_ipc.c']),
    Patch('hw/misc/aspeed_bootmcu_flash: Boot from flash', """
Caliptra's bundle, the container and its SoC manifest out of the flash; each
image is authorised by Caliptra before anything runs it.
""", ['hw/misc/aspeed_bootmcu_bundle.c', 'hw/misc/aspeed_bootmcu_flash.c']),
    Patch('hw/arm/aspeed_ast27x0-fc: Boot the CA35 cores through Caliptra', """
With a Caliptra firmware given, hold the Cortex-A35 cores until Caliptra's
runtime is ready, as on silicon.  Without one the machine behaves as before.
""", ['hw/arm/aspeed_ast27x0-fc.c:caliptra']),
    Patch('tests/qtest: Caliptra in the AST2700', """
Registers and their access rules, the mailbox from lock to unlock, fuses,
resets, options of the machine.
""", ['tests/qtest/aspeed_caliptra-test.c',
      'tests/qtest/caliptra-registers.c.inc'],
          ['qtest-aarch64/aspeed_caliptra-test']),
    Patch('tests/qtest: SCU of the AST2700 that starts cores', """
Storage without Caliptra; with it, lines that hold and release the cores, and
power, reset and straps of Caliptra.
""", ['tests/qtest/aspeed_caliptra-scu-test.c'],
          ['qtest-aarch64/aspeed_caliptra-scu-test']),
    Patch('tests/qtest: Firmware of Caliptra in the AST2700', """
Commands and errors of the ROM, firmware bundles good and bad, the way of the
machine to the runtime by itself.
""", ['tests/qtest/aspeed_caliptra-fw*'],
          ['qtest-aarch64/aspeed_caliptra-fw-test']),
    Patch('docs: Caliptra model and the ast2700fc machine', """
For those who boot the machine, and for those who change the model or put it
into another SoC.
""", ['docs/system/arm/*', 'docs/specs/*']),
)

TOOLS = Series(
    'tools', 'Caliptra Root of Trust: tools, and tests with them', """
Nobody has a signed firmware bundle at hand.  This series brings the tools
that make and inspect bundles, flash and OTP images, and the tests that need
them: against independent models in Python, recorded bus traces, and a small
guest that boots and asks Caliptra for its report.
""",
    Patch('scripts/caliptra: Make and inspect firmware bundles', """
Make a bundle with the public development keys, or one's own, show what is in
a bundle and which fuses it needs, and sign it anew.
""", ['scripts/caliptra/bundle.py', 'scripts/caliptra/caliptra_common.py',
      'scripts/caliptra/caliptra_image.py',
      'scripts/caliptra/caliptra_keys.py']),
    Patch('scripts/caliptra: Flash images, manifests and OTP images', """
The other files with which an AST2700 boots.
""", ['scripts/caliptra/*flash.py', 'scripts/caliptra/manifest.py',
      'scripts/caliptra/*otp.py']),
    Patch('scripts/caliptra: Ask a machine that runs', """
Any mailbox command, by QMP; and the certificates.
""", ['scripts/caliptra/*']),
    Patch('tests/caliptra: What the tests in Python share', """
A SoC over qtest, independent models, known answers.  The tests appear in
make check-functional, with the thorough ones.
""", ['tests/caliptra/meson.build', 'tests/meson.build',
      'tests/caliptra/tap.py', 'tests/caliptra/[!lt]*.py',
      'tests/caliptra/registers.csv', 'tests/caliptra/traces/*']),
    Patch('tests/qtest/fuzz: Targets for Caliptra', """
Registers, mailbox commands, firmware images and manifests, migration streams.
""", ['tests/qtest/fuzz/*']),
    Patch('tests/caliptra: Tools', """
What the tools make and refuse.
""", ['tests/caliptra/test_bundle.py', 'tests/caliptra/test_manifest.py',
      'tests/caliptra/test_flash.py', 'tests/caliptra/test_otp.py'],
          ['test_bundle', 'test_manifest', 'test_flash', 'test_otp']),
    Patch('tests/caliptra: Hardware of a core', """
Registers, mailbox, SHA accelerator, engines against models; bus traces,
snapshots.
""", ['tests/caliptra/test_registers.py', 'tests/caliptra/test_mailbox.py',
      'tests/caliptra/test_sha.py', 'tests/caliptra/test_engines.py',
      'tests/caliptra/test_replay.py', 'tests/caliptra/test_fuzz*.py',
      'tests/caliptra/test_coverage.py', 'tests/caliptra/test_snapshot.py'],
          ['test_registers', 'test_mailbox', 'test_sha', 'test_engines',
           'test_replay', 'test_fuzz', 'test_coverage', 'test_snapshot']),
    Patch('tests/caliptra: Firmware of a core', """
Boot, bundles that must be refused, identity, commands, DPE.
""", ['tests/caliptra/test_[!clmpstv]*.py', 'tests/caliptra/test_mbox.py',
      'tests/caliptra/test_cl[!o]*.py', 'tests/caliptra/test_co*.py',
      'tests/caliptra/test_peeks.py', 'tests/caliptra/test_secrets.py'],
          ['test_boot', 'test_badbundles', 'test_identity', 'test_commands',
           'test_releases',
           'test_dpe', 'test_dpe_model', 'test_dpe_resets', 'test_secrets',
           'test_auth_manifest', 'test_mbox', 'test_peeks', 'test_ipc',
           'test_clients', 'test_flash_boot', 'test_otp_machine']),
    Patch('tests/caliptra: What a guest stands on', """
The start of the four cores, their console, and the mailbox from their side.
""", ['tests/caliptra/guest/guest.h', 'tests/caliptra/guest/guest.ld',
      'tests/caliptra/guest/start.S', 'tests/caliptra/guest/console.c',
      'tests/caliptra/guest/caliptra.c']),
    Patch('tests/caliptra: A guest that asks Caliptra', """
Four cores that say what they are, and what Caliptra says of its firmware, its
certificates, and a blob that it attests.
""", ['tests/caliptra/guest/guest.c', 'tests/caliptra/guest/build.sh',
      'tests/caliptra/guest/x509.c', 'tests/caliptra/guest/report.c',
      'tests/caliptra/guest/payloads.py']),
    Patch('tests/caliptra: A guest that tries all commands', """
Each command's answers, good and bad, from the CPU's side.
""", ['tests/caliptra/guest/check.c']),
    Patch('tests/caliptra: Guests for IPC and throughput', """
Caliptra's commands over the IPC mailboxes, and how many a second.
""", ['tests/caliptra/guest/*']),
    Patch('tests/functional: Boot ast2700fc through Caliptra', """
Up to the guest's report, with refused firmware, under gdb, with snapshots in
the middle, twice the same with -icount.
""", ['tests/functional/caliptra.py', 'tests/functional/aarch64/meson.build',
      'tests/functional/aarch64/test_aspeed_caliptra.py',
      'tests/functional/aarch64/test_aspeed_caliptra_[!r]*.py'],
          ['func-aarch64-aspeed_caliptra',
           'func-aarch64-aspeed_caliptra_cores',
           'func-aarch64-aspeed_caliptra_gdb',
           'func-aarch64-aspeed_caliptra_icount',
           'func-aarch64-aspeed_caliptra_log',
           'func-aarch64-aspeed_caliptra_migration',
           'func-aarch64-aspeed_caliptra_stall']),
)

VEER = Series(
    'veer', 'Caliptra as a machine that executes its firmware', """
For those who write or check Caliptra's own firmware: the VeeR EL2 core that
is its microcontroller, and a machine of the core around it, which executes
the genuine ROM and firmware.
""",
    Patch('accel/tcg: Invalidate a range from its start on', """
A range that begins in the midst of a page took with it all that is in the
page before it.
""", ['accel/tcg/*']),
    Patch('target/riscv: CSRs of a core by a table of the core', """
A core whose CSRs are not those of the privileged architecture, or are so in
another way, cannot add them to the table that all cores share.  Let each core
point to its table; that of all cores up to now is the common one.
""", ['target/riscv/cpu.h', 'target/riscv/cpu.c', 'target/riscv/csr.c',
      'target/riscv/gdbstub.c', 'target/riscv/riscv-qmp-cmds.c']),
    Patch('target/riscv: VeeR EL2', """
The core of Caliptra and of other small SoCs, with operations of its own where
it is not like others: memories in the core, access checks with a second
cause, bus errors as non-maskable interrupts, interrupts that name their
handler, a sleep of its own.  Loads and stores of all cores are aligned where
a page asks for it, as pages of this core alone do; no other core's path is
touched.
""", ['target/riscv/veer.[ch]', 'target/riscv/[!v]*']),
    Patch('target/riscv: CSRs of the VeeR EL2', """
Those that it has of its own, and those that it has in another way.
""", ['target/riscv/veer_csr.c']),
    Patch('hw/intc/veer_pic: Interrupt controller of the VeeR EL2', """
31 sources with gateways and priorities.
""", ['hw/intc/*', 'include/hw/intc/*']),
    Patch('hw/riscv/caliptra: Caliptra as a machine', """
The microcontroller, its memories and its bus in front of the Caliptra core.
""", ['hw/riscv/*', 'include/hw/riscv/*', 'docs/system/*riscv*',
      'configs/devices/riscv32-softmmu/*']),
    Patch('tests/caliptra: VeeR EL2 against recordings from RTL', """
Ten programs of which each retired instruction and each memory word is
compared, a ROM and a firmware that boot, snapshots within, and streams that
are damaged.
""", ['tests/caliptra/test_veer*.py', 'tests/caliptra/test_machine.py',
      'tests/caliptra/test_streams.py', 'tests/caliptra/test_clock.py',
      'tests/caliptra/test_target.py', 'tests/caliptra/test_properties.py',
      'tests/caliptra/veer/*'],
          ['test_veer', 'test_machine', 'test_streams', 'test_clock',
           'test_target', 'test_properties']),
    Patch('tests/caliptra: SoC and core in two processes', """
Each end against a model of the other, what goes wrong between them, noise,
and both together, as the tests of the ast2700fc machine find them.
""", ['tests/caliptra/linklib.py', 'tests/caliptra/test_link.py',
      'tests/functional/aarch64/test_aspeed_caliptra_remote.py'],
          ['test_link', 'func-aarch64-aspeed_caliptra_remote']),
)

# Parts of a file of QEMU that come with several patches: its new lines have
# the first rule that fits
PARTS = {
    'hw/arm/Kconfig': (
        ('cluster', 'CPU_CLUSTER'),
        ('selects', ''),
    ),
    'hw/arm/aspeed_ast27x0-fc.c': (
        ('caliptra', 'caliptra|CALIPTRA|Caliptra|bootmcu|ca35.held'),
        ('cluster', 'cluster|qdev-properties'),
        ('sdram', 'sdram|SSP_DRAM|SSP_AHB|TSP_DRAM|TCM|ssp_tcm'),
        ('ipc', 'ipc|IPC'),
        ('otp', 'otp|OTP'),
        ('cores', r'\bcores\b|CORES|_cores'),
        ('bootrom', ''),
    ),
}

# Files of the overlay that grow: tables and calls of what comes later
GROW = (
    'hw/misc/caliptra.c', 'hw/misc/caliptra_reg.c',
    'hw/misc/caliptra_soc_ifc.c', 'hw/misc/caliptra_engines.c',
    'hw/misc/caliptra_fw.c', 'hw/misc/caliptra_fw_[!dh]*.c',
    'hw/misc/caliptra_fw_dice.c', 'hw/misc/caliptra_fw_dpe_*.c',
    'hw/misc/aspeed_bootmcu.c',
    'target/riscv/veer.c',
)

# What a line is until something else is there:
# file -> (the line, before, what brings it)
INTERIM = {
    'hw/misc/caliptra.c': (
        ('return wires | caliptra_engines_wires(s) << '
         'CALIPTRA_WIRE_ENGINES_SHIFT;', 'return wires;',
         'hw/misc/caliptra_engines.c'),
        ("""\
    if (event == ClockPreUpdate) {
        caliptra_soc_ifc_clock_stop(s);
    } else {
        caliptra_soc_ifc_clock_start(s);
        caliptra_update(s);
    }
""", """\
    if (event == ClockUpdate) {
        caliptra_update(s);
    }
""", 'hw/misc/caliptra_soc_ifc.c'),
    ),
    'hw/arm/aspeed_ast27x0-fc.c': (
        ('MACHINE(s)->kernel_filename || ast2700fc_starts_ca35(s)',
         'MACHINE(s)->kernel_filename',
         'hw/arm/aspeed_ast27x0-fc.c:cores'),
    ),
}

# Messages of checkpatch.pl that are all right, and why
ACCEPTED = (
    (r"Does new file 'tests/(data|caliptra)/\S*' need 'SPDX",
     'data without comments'),
    (r'line over \d+ characters\n\S* FILE: tests/caliptra/veer/rtl/',
     'programs that have been recorded on RTL, with their checksums'),
    (r'line over \d+ characters\n\S* FILE: hw/misc/caliptra_errors.h.inc',
     "caliptra-sw's names"),
    (r'Macros with complex values.*CALIPTRA_ERR_##name = ',
     'enumerators out of a table'),
    (r'Macros with multiple statements.*define WRAP\(',
     'declarations, as in tests/qtest/fuzz/qtest_wrappers.c'),
)

ALL = (MENDS, AST2700, CORE, FIRMWARE, LINK, BOOT, TOOLS, VEER)
