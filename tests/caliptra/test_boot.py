#!/usr/bin/env python3
#
# The order of a boot as the SoC sees it: statuses, random numbers, watchdog
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Boot flows of ROM, FMC and runtime."""

import hashlib
import os
import re
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import caliptra_soc as soc_regs  # noqa: E402
from caliptra_soc import CaliptraSoc  # noqa: E402
from qtestlib import QTestError  # noqa: E402
import command_env as env  # noqa: E402

RNG_UNAVAILABLE = 1 << 1

# how a trace shows a write of the register
UC_BOOT_STATUS = re.compile('caliptra_uc_write .*: 0x30030038: (0x[0-9a-f]+)')

ROM_ENTRY = [0x181, 0x182, 0x183]
ROM_COLD = [0x101, 0x001, 0x002, 0x003, 0x004, 0x005, 0x006, 0x007]
IDEVID_CSR = [0x008, 0x009]
LDEVID = [0x00a, 0x041, 0x042, 0x043, 0x044, 0x045, 0x046]
LOAD = [0x081, 0x082, 0x083, 0x084, 0x085, 0x086, 0x087, 0x088,
        0x0c1, 0x0c2, 0x0c3, 0x0c4, 0x0c5, 0x0c6, 0x140]
UPDATE = [0x141, 0x142, 0x143, 0x144, 0x145, 0x146, 0x147, 0x148]
FMC = [0x400, 0x401, 0x402, 0x403, 0x404, 0x405, 0x406]
RUNTIME = [0x600]

DRIVER_TRNG_EXT_TIMEOUT = 0x00100001
DRIVER_ECC384_KEYGEN_PAIRWISE_CONSISTENCY_FAILURE = 0x0005000d
KAT_ECC384_KEY_PAIR_GENERATE_FAILURE = 0x90040004
KAT_HMAC384_FAILURE = 0x90030001

# draws of random numbers by what is done with them
CFI_SEED = 3
KATS = 3
IDEVID_DRAWS = 4
LDEVID_DRAWS = 6
FMC_ALIAS_DRAWS = 5
FMC_DRAWS = 9               # cold boot
FMC_WARM_DRAWS = 8
ROM_DRAWS = CFI_SEED + KATS + IDEVID_DRAWS + LDEVID_DRAWS
COLD_DRAWS = ROM_DRAWS + FMC_ALIAS_DRAWS + FMC_DRAWS + CFI_SEED
# DISABLE_ATTESTATION, as every warm reset ends in it
DISABLE_ATTESTATION_DRAWS = 3


class Soc(CaliptraSoc):
    """Notes each change of boot and flow status, and FW_ERROR_FATAL."""

    def __init__(self, args=(), **kwargs):
        self.written = None
        self.statuses = []
        self.flows = []
        self.most_draws = None
        if soc_regs.TARGET == 'veer':
            # a step is many of what is executed: a trace tells what was in it
            args = [*args, '-trace', 'caliptra_uc_write']
        super().__init__(args=args, **kwargs)
        if soc_regs.TARGET == 'veer':
            self.written = open(self.stderr_path, encoding='utf-8')

    def close(self):
        if self.written:
            self.written.close()
        super().close()

    def trng_words(self):
        if self.draws == self.most_draws:
            return None
        return super().trng_words()

    def new_statuses(self):
        """Values of BOOT_STATUS since the last call."""
        if not self.written:
            return [self.read32(soc_regs.BOOT_STATUS)]
        return [int(value, 16) for value in
                UC_BOOT_STATUS.findall(self.written.read())]

    def watch(self, until):
        """Step by step until until(self) is true."""
        for _ in range(5000):
            flow = self.read32(soc_regs.FLOW_STATUS)
            for status in self.new_statuses():
                if status and self.statuses[-1:] != [status]:
                    self.statuses.append(status)
            if not self.flows or self.flows[-1] != flow:
                self.flows.append(flow)
            if until(self):
                return
            self.step()
        raise AssertionError('boot status stays 0x%x' %
                             self.read32(soc_regs.BOOT_STATUS))

    def ready(self, bit):
        return self.read32(soc_regs.FLOW_STATUS) & bit

    def fatal(self):
        return self.read32(soc_regs.FW_ERROR_FATAL)

    def wait_trng_request(self):
        """A new one, within a millisecond; nobody serves it."""
        self.poll32(soc_regs.TRNG_STATUS, 0xffffffff, soc_regs.TRNG_DATA_REQ,
                    step_ns=1000 * 1000, tries=2)


class BootTests(unittest.TestCase):
    def setUp(self):
        self.soc = Soc()

    def tearDown(self):
        self.soc.close()

    def start(self, debug_locked=False, lifecycle=3, **kwargs):
        self.soc.power_on(debug_locked=debug_locked, lifecycle=lifecycle)
        self.soc.start(env.FUSES, **kwargs)

    def load(self, bundle=None):
        self.soc.mailbox_send(soc_regs.FIRMWARE_LOAD,
                              bundle or env.bundle())

    def runtime(self, **kwargs):
        soc = self.soc
        self.start(**kwargs)
        soc.watch(lambda soc: soc.ready(soc_regs.READY_FOR_FW))
        self.load()
        soc.watch(lambda soc: soc.ready(soc_regs.READY_FOR_RUNTIME))
        soc.write32(soc_regs.MBOX_EXECUTE, 0)
        soc.clock_step(1000 * 1000)
        soc.watch(lambda soc: True)

    def test_cold(self):
        """Each status in its order, and flow status beside it."""
        self.runtime()
        self.assertEqual(['%x' % s for s in self.soc.statuses],
                         ['%x' % s for s in ROM_ENTRY + ROM_COLD + LDEVID +
                          LOAD + FMC + RUNTIME])
        self.assertEqual(['%x' % f for f in self.soc.flows],
                         ['8000000', '18000000', '28000000'])
        self.assertEqual(self.soc.draws, COLD_DRAWS)

    def test_cold_debug_locked(self):
        """The register shows nothing until a command comes."""
        self.start(debug_locked=True)
        soc = self.soc
        soc.wait_ready_for_fw()
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0)
        soc.command(0x46505652)
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0x046)
        soc.load_firmware(env.bundle())
        soc.wait_ready_for_runtime()
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0x046)
        soc.command(0x46505652)
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0x600)

    def test_refused_firmware_debug_locked(self):
        """How far it came shows with the error."""
        self.start(debug_locked=True)
        soc = self.soc
        soc.wait_ready_for_fw()
        self.load(bytes(16))
        self.assertEqual(soc.wait_fatal(), 0x000b0001)
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0x082)
        self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0x18000000)

    def test_csr(self):
        soc = self.soc
        self.start(manuf=soc_regs.GENERATE_IDEVID_CSR)
        soc.watch(lambda soc: soc.ready(soc_regs.CSR_READY))
        # nothing goes on while the SoC has not taken it
        soc.clock_step(10 * 1000 * 1000)
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0x008)
        status = soc.read32(soc_regs.MBOX_STATUS)
        self.assertEqual((status >> 6 & 7, status >> 9 & 1), (4, 0))
        self.assertEqual(soc.read32(soc_regs.MBOX_CMD), 0)
        self.assertEqual(soc.read32(soc_regs.MBOX_USER), 0xffffffff)
        csr = soc.mailbox_data()
        self.assertEqual(csr[:2], b'\x30\x82')
        self.assertEqual(len(csr), int.from_bytes(csr[2:4], 'big') + 4)
        soc.write32(soc_regs.DBG_MANUF, 0)
        soc.watch(lambda soc: soc.ready(soc_regs.READY_FOR_FW))
        self.assertEqual(soc.read32(soc_regs.MBOX_STATUS) >> 6 & 7, 0)
        soc.watch(lambda soc: soc.statuses[-1] == 0x046)
        self.assertEqual(soc.statuses,
                         ROM_ENTRY + ROM_COLD + IDEVID_CSR + LDEVID)
        self.assertEqual(['%x' % f for f in soc.flows],
                         ['8000000', '9000000', '18000000'])
        self.assertEqual(soc.draws, ROM_DRAWS + 1)

    def test_csr_waits_for_the_mailbox(self):
        soc = self.soc
        soc.power_on(debug_locked=False)
        soc.start(env.FUSES, manuf=soc_regs.GENERATE_IDEVID_CSR)
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 0)
        soc.watch(lambda soc: soc.statuses[-1:] == [0x008])
        soc.clock_step(10 * 1000 * 1000)
        self.assertFalse(soc.ready(soc_regs.CSR_READY))
        # give it back, by way of a command that nobody serves yet
        soc.writes32([(soc_regs.MBOX_CMD, 0), (soc_regs.MBOX_DLEN, 0),
                      (soc_regs.MBOX_EXECUTE, 1)])
        soc.clock_step(10 * 1000 * 1000)
        self.assertFalse(soc.ready(soc_regs.CSR_READY))

    def test_csr_status_written_by_the_soc(self):
        soc = self.soc
        self.start(manuf=soc_regs.GENERATE_IDEVID_CSR)
        soc.watch(lambda soc: soc.ready(soc_regs.CSR_READY))
        soc.write32(soc_regs.MBOX_STATUS, soc_regs.CMD_COMPLETE)
        soc.write32(soc_regs.DBG_MANUF, 0)
        soc.watch(lambda soc: soc.ready(soc_regs.READY_FOR_FW))
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 0)

    def test_csr_after_a_protocol_error(self):
        """ROM unlocks a mailbox that the SoC drove into its error state."""
        soc = self.soc
        self.start(manuf=soc_regs.GENERATE_IDEVID_CSR)
        soc.watch(lambda soc: soc.ready(soc_regs.CSR_READY))
        soc.write32(soc_regs.MBOX_CMD, 1)
        self.assertEqual(soc.read32(soc_regs.MBOX_STATUS) >> 6 & 7, 7)
        soc.write32(soc_regs.DBG_MANUF, 0)
        soc.watch(lambda soc: soc.ready(soc_regs.READY_FOR_FW))
        self.assertEqual(soc.read32(soc_regs.MBOX_STATUS) >> 6 & 7, 0)
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 0)

    def test_warm(self):
        soc = self.soc
        self.runtime(debug_locked=True)
        soc.warm_reset()
        self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0x08000000)
        soc.draws = 0
        soc.wait_ready_for_runtime()
        soc.run_until(soc_regs.FW_ERROR_NON_FATAL, 0xffffffff, 0x000e002b)
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0x600)
        self.assertEqual(soc.draws, CFI_SEED + KATS + FMC_WARM_DRAWS +
                         CFI_SEED + DISABLE_ATTESTATION_DRAWS)

    def test_warm_debug_unlocked(self):
        """The key vault is overwritten: FMC's signature does not verify."""
        self.runtime()
        self.soc.statuses = []
        self.soc.warm_reset()
        self.soc.watch(Soc.fatal)
        self.assertEqual(self.soc.fatal(), 0x01040055)
        self.assertEqual(self.soc.statuses,
                         ROM_ENTRY + FMC[:FMC.index(0x404) + 1])

    def test_warm_after_a_fatal_error_of_runtime(self):
        soc = self.soc
        self.runtime(debug_locked=True)
        soc.command(0x46505344)
        try:
            soc.command(0x46505652)
        except soc_regs.CommandFailed as e:
            self.assertEqual(e.fatal, 0x000e0008)
        # sticky, until the next one
        soc.write32(soc_regs.FW_ERROR_FATAL, 0)
        soc.warm_reset()
        self.assertEqual(soc.fatal(), 0)

    def test_update(self):
        soc = self.soc
        self.runtime()
        soc.statuses, soc.flows, soc.draws = [], [], 0
        self.load(env.bundle(rt=bytes(64)))
        soc.watch(lambda soc: 0x146 in soc.statuses)
        soc.write32(soc_regs.MBOX_EXECUTE, 0)
        soc.watch(lambda soc: soc.statuses[-1:] == [0x600] and
                  len(soc.statuses) > 1)
        statuses = soc.statuses[1:] if soc.statuses[0] == 0x600 else \
            soc.statuses
        self.assertEqual(['%x' % s for s in statuses],
                         ['%x' % s for s in ROM_ENTRY + UPDATE + FMC +
                          RUNTIME])
        self.assertTrue(all(f & soc_regs.READY_FOR_RUNTIME
                            for f in soc.flows))
        self.assertEqual(soc.draws, CFI_SEED + KATS + FMC_WARM_DRAWS +
                         CFI_SEED)

    # ---- random numbers ----

    @soc_regs.needs_modelled_time
    def test_trng_time_out_at_the_start(self):
        soc = self.soc
        self.start()
        soc.clock_step(180 * 1000 * 1000)
        self.assertEqual(soc.fatal(), 0)
        soc.poll32(soc_regs.FW_ERROR_FATAL, 0xffffffff, 0x0104005b,
                   step_ns=20 * 1000 * 1000, tries=2)
        self.assertEqual(soc.read32(soc_regs.TRNG_STATUS),
                         soc_regs.TRNG_DATA_REQ)

    def test_trng_time_out_later(self):
        """Whoever draws says what has become of it."""
        soc = self.soc
        for draws, error, status in (
                (CFI_SEED, KAT_ECC384_KEY_PAIR_GENERATE_FAILURE, 0x182),
                (CFI_SEED + 1, KAT_ECC384_KEY_PAIR_GENERATE_FAILURE, 0x182),
                (CFI_SEED + 2, KAT_HMAC384_FAILURE, 0x182),
                (CFI_SEED + KATS, DRIVER_TRNG_EXT_TIMEOUT, 0x003),
                (CFI_SEED + KATS + 1, DRIVER_TRNG_EXT_TIMEOUT, 0x004),
                (CFI_SEED + KATS + 2, DRIVER_TRNG_EXT_TIMEOUT, 0x004),
                (CFI_SEED + KATS + 3,
                 DRIVER_ECC384_KEYGEN_PAIRWISE_CONSISTENCY_FAILURE, 0x004)):
            with self.subTest(draws=draws):
                soc.most_draws = draws
                self.start()
                self.assertEqual(hex(soc.wait_fatal()), hex(error))
                self.assertEqual(soc.draws, draws)
                self.assertEqual(hex(soc.read32(soc_regs.BOOT_STATUS)),
                                 hex(status))

    @soc_regs.needs_modelled_time
    def test_trng_answers_late(self):
        """The AST2700's software looks every 100 ms."""
        soc = self.soc
        self.start()
        soc.clock_step(110 * 1000 * 1000)
        soc.watch(lambda soc: soc.draws == CFI_SEED + KATS)
        self.assertEqual(soc.fatal(), 0)

    def test_trng_handshake(self):
        """A request is dropped before the next one is made."""
        soc = self.soc
        self.start()
        soc.wait_trng_request()
        soc.writes32([(soc_regs.TRNG_DATA + 4 * i, i + 1)
                      for i in range(12)] + [(soc_regs.TRNG_STATUS, 2)])
        self.assertEqual(soc.read32(soc_regs.TRNG_STATUS), 3)
        soc.wait_trng_request()

    def test_zero_random_numbers(self):
        """The CFI counter's generator takes no state of zeros."""
        soc = self.soc
        self.start()
        for _ in range(8):
            soc.wait_trng_request()
            soc.writes32([(soc_regs.TRNG_DATA + 4 * i, 0)
                          for i in range(12)] + [(soc_regs.TRNG_STATUS, 2)])
        soc.wait_trng_request()
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0)
        # one that is not zero is enough for all three times
        for word in (1, 0, 0):
            soc.wait_trng_request()
            soc.writes32([(soc_regs.TRNG_DATA, word)] +
                         [(soc_regs.TRNG_DATA + 4 * i, 0)
                          for i in range(1, 12)] +
                         [(soc_regs.TRNG_STATUS, 2)])
        soc.poll32(soc_regs.BOOT_STATUS, 0xffffffff, 0x182,
                   step_ns=1000 * 1000, tries=2)

    def test_fake_random_numbers(self):
        """No request when the SoC says that it has none to give."""
        self.runtime(manuf=RNG_UNAVAILABLE)
        self.assertEqual(self.soc.draws, 0)

    def test_fake_random_numbers_debug_locked(self):
        self.runtime(debug_locked=True, manuf=RNG_UNAVAILABLE)
        self.assertEqual(self.soc.draws, COLD_DRAWS)

    def test_trng_kind_changes(self):
        soc = self.soc
        self.start()
        soc.watch(lambda soc: soc.draws == 1)
        soc.write32(soc_regs.DBG_MANUF, RNG_UNAVAILABLE)
        soc.watch(Soc.fatal)
        self.assertEqual(soc.fatal(), 0x01040055)

    # ---- watchdog ----

    def start_with_watchdog(self, cycles):
        soc = self.soc
        soc.power_on()
        soc.write_fuses(env.FUSES)
        soc.writes32([(soc_regs.MBOX_VALID_PAUSER, soc_regs.DEFAULT_PAUSER),
                      (soc_regs.MBOX_PAUSER_LOCK, 1),
                      (soc_regs.WDT_CFG, cycles),
                      (soc_regs.WDT_CFG + 4, 0),
                      (soc_regs.FUSE_WR_DONE, 1)])

    def expired(self, code):
        soc = self.soc
        self.assertEqual(hex(soc.wait_fatal()), hex(code))
        self.assertEqual(soc.read32(soc_regs.HW_ERROR_FATAL), 1 << 2)
        self.assertEqual(soc.read32(soc_regs.FW_EXTENDED_ERROR_INFO + 16),
                         1 << 6)

    def test_watchdog_of_zero(self):
        """ROM takes it for one cycle."""
        self.start_with_watchdog(0)
        self.expired(0x0105000c)

    @soc_regs.needs_modelled_time
    def test_watchdog_in_rom(self):
        self.start_with_watchdog(10 * 1000 * 1000)
        self.soc.wait_ready_for_fw()
        self.soc.clock_step(100 * 1000 * 1000)
        self.expired(0x0105000c)

    def test_watchdog_stops_in_runtime(self):
        self.start_with_watchdog(100 * 1000 * 1000)
        soc = self.soc
        soc.wait_ready_for_fw()
        soc.load_firmware(env.bundle())
        soc.wait_ready_for_runtime()
        soc.clock_step(10 * 1000 * 1000 * 1000)
        self.assertEqual(soc.fatal(), 0)
        soc.command(0x46505652)

    def test_watchdog_in_runtime(self):
        """A command that takes too long."""
        soc = self.soc
        self.runtime(debug_locked=True)
        self.assertEqual(soc.read32(soc_regs.SHA_ACC), 0)
        soc.mailbox_send(0x46505344, b'\xd3\xfe\xff\xff')
        soc.clock_step(110 * 1000 * 1000)
        self.expired(0x000e001b)

    def test_no_watchdog_debug_unlocked(self):
        soc = self.soc
        soc.power_on(debug_locked=False)
        soc.start(env.FUSES)
        soc.write32(soc_regs.WDT_CFG, 0)
        soc.watch(lambda soc: soc.ready(soc_regs.READY_FOR_FW))
        self.assertEqual(soc.read32(soc_regs.SOC_IFC + 0xe4), 0)


class SmallSteps(Soc):
    """For firmware that runs between two accesses: never far ahead."""

    def step(self, ns=100):
        super().step(ns)


class LatencyTests(unittest.TestCase):
    """The scale of the modelled latencies changes no result."""

    def boot(self, percent, kind=Soc):
        with kind(args=['-global', 'caliptra-native-fw.firmware-latency=%u' %
                        percent]) as soc:
            soc.boot(env.bundle(), env.FUSES)
            self.assertEqual(soc.draws, COLD_DRAWS)
            soc.command(0x46505652)

    def test_at_once(self):
        """Without a latency a step still runs later, not in the access."""
        self.boot(0, SmallSteps)

    def test_slow(self):
        self.boot(100000)


# RomInfo's place in a ROM image, and what is in it
def rom_image(code=bytes(range(256)) * 16, version=0x0881,
              revision=bytes(range(1, 21)), size=48 * 1024):
    """An image as the ROM's builder makes it: code, RomInfo, zeros."""
    swapped = b''.join(code[i:i + 4][::-1] for i in range(0, len(code), 4))
    digest = hashlib.sha256(swapped).digest()
    info = (struct.pack('<8I', *struct.unpack('>8I', digest)) + revision +
            struct.pack('<IHH', 0, version, 0))
    image = code + info
    return image + bytes(size - len(image)), info


@soc_regs.needs_native
class RomTests(unittest.TestCase):
    """The identity of a genuine ROM image."""

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)

    def file(self, data):
        path = os.path.join(self.dir, 'rom.bin')
        with open(path, 'wb') as f:
            f.write(data)
        return path

    def test_identity(self):
        image, info = rom_image()
        with Soc(rom=self.file(image)) as soc:
            soc.boot(env.bundle(), env.FUSES)
            version = soc.command(0x46505652)
            self.assertEqual(version[8:12], struct.pack('<HH', 0x0881, 0x0880))
            answer = soc.command(0x494e464f)
            self.assertEqual(answer[0x14:0x28], info[32:52])
            self.assertEqual(answer[0x50:0x70], info[:32])
            # and the self test holds the code against that digest
            soc.command(0x46504c54)
            soc.run_until(soc_regs.MBOX_STATUS, 7 << 6, 1 << 6)
            soc.run_until(soc_regs.MBOX_STATUS, 7 << 6, 0)
            soc.command(0x46504c67)

    def refused(self, path, text):
        with self.assertRaises(QTestError) as caught:
            Soc(rom=path).close()
        self.assertIn(text, str(caught.exception))

    def test_refused(self):
        image, _ = rom_image()
        changed = bytes([image[0] ^ 1]) + image[1:]
        for case, data in (('changed code', changed),
                           ('zeros', bytes(48 * 1024)),
                           ('cut off', image[:4096 + 59]),
                           ('text', b'not a ROM\n' * 400)):
            with self.subTest(case=case):
                self.refused(self.file(data), 'no RomInfo')
        for data in (b'', bytes(48 * 1024 + 1)):
            self.refused(self.file(data), 'must have 1 to 49152')
        self.refused(os.path.join(self.dir, 'none'), 'none')


if __name__ == '__main__':
    unittest.main()
