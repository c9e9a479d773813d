#!/usr/bin/env python3
#
# What the AST2700's software relies on, habit by habit
#
# The drivers of the BootMCU's Zephyr, of U-Boot and of a Rust firmware differ
# from each other and from Caliptra's own client library.  All of them work
# on silicon, so each of their habits has a test here.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Deviations of the AST2700's clients, and libcaliptra's order."""

import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import caliptra_soc as soc_regs  # noqa: E402
import command_env as env  # noqa: E402
import test_commands as cmds  # noqa: E402
from caliptra_soc import checksum  # noqa: E402

FW_INFO = 0x494e464f
VERSION = 0x46505652
EXTEND_PCR = 0x50435245
INCREMENT_PCR_RESET_COUNTER = 0x50435252
INVALID_CHECKSUM = 0x000e0005

HW_ERROR_NON_FATAL = soc_regs.SOC_IFC + 0x04
TRNG_PAUSER_LOCK = soc_regs.SOC_IFC + 0x74
FUSE_PAUSER_LOCK = soc_regs.SOC_IFC + 0x10c
PROT_NO_LOCK = 1 << 0

SOC_HAS_LOCK = 1 << 9
RDY_FOR_CMD = 1
EXECUTE_SOC = 4
RDY_FOR_RT = 1 << 18

OTHER_USER = 0x0badcafe


def request(code, payload=b''):
    return struct.pack('<I', checksum(code, payload)) + payload


class Machine(unittest.TestCase):
    def setUp(self):
        self.soc = cmds.Soc()
        self.addCleanup(self.soc.close)

    def status(self):
        return self.soc.read32(soc_regs.MBOX_STATUS)

    def fw_info(self):
        """A command with an answer that is known, as any client sends it."""
        status, rsp = self.soc.execute(FW_INFO, request(FW_INFO))
        self.assertEqual(status, soc_regs.DATA_READY)
        self.assertEqual(rsp[8:], env.fw_info())


class RuntimeTests(Machine):
    """Section by section of what the drivers do once runtime serves them."""

    def setUp(self):
        super().setUp()
        self.soc.boot(env.bundle(), env.FUSES)

    def test_dlen_kept_and_dataout_zero_after_the_end(self):
        self.fw_info()
        self.assertEqual(self.soc.read32(soc_regs.MBOX_DLEN), 264)
        self.assertEqual(self.soc.read32(soc_regs.MBOX_DATAOUT), 0)
        self.fw_info()

    def test_response_never_read(self):
        """The signature drivers look at the status only."""
        soc = self.soc
        soc.begin(FW_INFO, request(FW_INFO))
        self.assertEqual(soc.wait(), soc_regs.DATA_READY)
        soc.write32(soc_regs.MBOX_EXECUTE, 0)
        self.assertEqual(cmds.fsm(self.status()), cmds.FSM_IDLE)
        self.fw_info()

    def test_response_read_in_part(self):
        soc = self.soc
        soc.begin(FW_INFO, request(FW_INFO))
        soc.wait()
        soc.reads32([soc_regs.MBOX_DATAOUT] * 5)
        soc.write32(soc_regs.MBOX_EXECUTE, 0)
        self.fw_info()

    def test_execute_cleared_in_idle(self):
        soc = self.soc
        soc.write32(soc_regs.MBOX_EXECUTE, 0)
        self.assertEqual(cmds.fsm(self.status()), cmds.FSM_IDLE)
        self.assertEqual(soc.read32(HW_ERROR_NON_FATAL), PROT_NO_LOCK)
        self.fw_info()

    def test_lock_read_by_its_holder(self):
        """It reads 1; bit 9 of the status tells whose it is."""
        soc = self.soc
        self.assertEqual(self.status() & SOC_HAS_LOCK, 0)
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 0)
        for _ in range(3):
            self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 1)
            self.assertEqual(self.status() & SOC_HAS_LOCK, SOC_HAS_LOCK)
            self.assertEqual(cmds.fsm(self.status()), RDY_FOR_CMD)

    def test_lock_left_behind_by_another_driver(self):
        """The next one takes it for its own and carries on."""
        soc = self.soc
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 0)
        soc.idle()
        self.assertEqual(self.status() & SOC_HAS_LOCK, SOC_HAS_LOCK)
        self.assertEqual(cmds.fsm(self.status()), RDY_FOR_CMD)
        data = request(FW_INFO)
        soc.writes32([(soc_regs.MBOX_CMD, FW_INFO),
                      (soc_regs.MBOX_DLEN, len(data)),
                      (soc_regs.MBOX_DATAIN, struct.unpack('<I', data)[0]),
                      (soc_regs.MBOX_EXECUTE, 1)])
        self.assertEqual(soc.wait(), soc_regs.DATA_READY)
        self.assertEqual(soc.end(soc_regs.DATA_READY)[8:], env.fw_info())

    def test_tail_bytes_announced_but_not_written(self):
        """They count as 0; the checksum decides whether that is right."""
        soc = self.soc
        for last, error in ((0, 0), (1, INVALID_CHECKSUM)):
            with self.subTest(last=last):
                data = request(EXTEND_PCR, struct.pack('<I', 4) +
                               bytes(range(44)) + struct.pack('<I', last))
                soc.begin(EXTEND_PCR, data[:-4], len(data))
                status = soc.wait()
                soc.end(status)
                self.assertEqual(status, soc_regs.CMD_FAILURE if error
                                 else soc_regs.DATA_READY)
                self.assertEqual(soc.errors(), (0, error))

    def test_success_without_data_is_data_ready(self):
        """Zephyr takes CMD_COMPLETE for a failure."""
        status, rsp = self.soc.execute(
            INCREMENT_PCR_RESET_COUNTER,
            request(INCREMENT_PCR_RESET_COUNTER, struct.pack('<I', 7)))
        self.assertEqual((status, rsp), (soc_regs.DATA_READY, bytes(8)))

    @soc_regs.needs_ast2700
    def test_registers_at_the_first_mutable_code(self):
        """What was read on A1 silicon when the FMC starts."""
        self.assertEqual(self.soc.read32(soc_regs.FLOW_STATUS), 0x28000000)
        self.fw_info()
        self.assertEqual(self.soc.read32(soc_regs.BOOT_STATUS), 0x600)
        self.assertEqual(self.soc.read32(soc_regs.SCU_CPTRA_CTRL) &
                         RDY_FOR_RT, RDY_FOR_RT)

    @soc_regs.needs_ast2700
    def test_scu_registers(self):
        """Bit 18 is a level; bits 0 and 10:8 are written, and act."""
        soc = self.soc
        ctrl = soc.read32(soc_regs.SCU_CPTRA_CTRL)
        soc.write32(soc_regs.SCU_CPTRA_CTRL, ctrl & ~RDY_FOR_RT)
        self.assertEqual(soc.read32(soc_regs.SCU_CPTRA_CTRL), ctrl)
        soc.write32(HW_ERROR_NON_FATAL + 8, 0x1234)
        soc.warm_reset()
        self.assertEqual(soc.read32(soc_regs.SCU_CPTRA_CTRL),
                         ctrl & ~RDY_FOR_RT)
        self.assertEqual(soc.read32(HW_ERROR_NON_FATAL + 8), 0x1234)
        soc.write32(soc_regs.SCU_CPTRA_CTRL, 5 << 8)
        self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0)
        soc.write32(soc_regs.SCU_CPTRA_CTRL, 5 << 8 | 1)
        self.assertEqual(soc.read32(soc_regs.SCU_CPTRA_CTRL), 5 << 8 | 1)
        self.assertEqual(soc.read32(HW_ERROR_NON_FATAL + 8), 0)
        self.assertEqual(soc.read32(soc_regs.SOC_IFC + 0x44), 5)


class BootTests(Machine):
    """What whoever brings Caliptra up relies on."""

    def test_firmware_slot_padded_to_128_kib(self):
        """The flash slot, not the bundle; without a checksum."""
        soc = self.soc
        soc.power_on()
        soc.start(env.FUSES)
        soc.wait_ready_for_fw()
        bundle = env.bundle()
        status, _ = soc.execute(soc_regs.FIRMWARE_LOAD,
                                bundle + bytes(0x20000 - len(bundle)))
        self.assertEqual(status, soc_regs.CMD_COMPLETE)
        soc.wait_ready_for_runtime()
        self.fw_info()

    @soc_regs.needs_modelled_time
    def test_random_numbers_ten_times_a_second(self):
        """Zephyr's thread sleeps 100 ms when there was no request."""
        soc = self.soc
        soc.power_on()
        soc.start(env.FUSES)
        for _ in range(60):
            soc.serve_trng()
            if soc.read32(soc_regs.FLOW_STATUS) & soc_regs.READY_FOR_FW and \
                    soc.draws >= 16:
                break
            soc.clock_step(100 * 1000 * 1000)
        soc.idle()
        self.assertEqual(soc.errors(), (0, 0))
        self.assertEqual(soc.draws, 16)
        # dropped after each block, or the thread would never sleep
        self.assertEqual(soc.read32(soc_regs.TRNG_STATUS), 0)

    def test_flow_status_words(self):
        soc = self.soc
        soc.power_on()
        self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0x42000000)
        soc.start(env.FUSES)
        self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0x08000000)
        soc.wait_ready_for_fw()
        self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0x18000000)

    def test_csr_taken_without_and_with_a_status(self):
        """Clearing the flag ends it, whatever became of the status."""
        soc = self.soc
        csrs = []
        for write_status in (False, True):
            soc.power_on()
            soc.start(env.FUSES, manuf=soc_regs.GENERATE_IDEVID_CSR)
            soc.run_until(soc_regs.FLOW_STATUS, soc_regs.CSR_READY,
                          soc_regs.CSR_READY)
            self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0x09000000)
            self.assertEqual(cmds.fsm(self.status()), EXECUTE_SOC)
            self.assertEqual(self.status() & (0xf | SOC_HAS_LOCK), 0)
            csrs.append(soc.mailbox_data())
            if write_status:
                soc.write32(soc_regs.MBOX_STATUS, soc_regs.CMD_COMPLETE)
            soc.write32(soc_regs.DBG_MANUF, 0)
            soc.wait_ready_for_fw()
            self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0x18000000)
            self.assertEqual(cmds.fsm(self.status()), cmds.FSM_IDLE)
        self.assertEqual(csrs[0], csrs[1])
        self.assertEqual(csrs[0][0], 0x30)

    def test_user_locks_after_each_reset(self):
        soc = self.soc
        locks = [soc_regs.MBOX_PAUSER_LOCK, TRNG_PAUSER_LOCK,
                 FUSE_PAUSER_LOCK]
        soc.power_on()
        self.assertEqual(soc.reads32(locks), [0, 0, 0])
        # for the fuses the user that all of this comes from
        soc.write32(FUSE_PAUSER_LOCK - 4, soc_regs.DEFAULT_PAUSER)
        soc.writes32([(lock, 1) for lock in locks])
        self.assertEqual(soc.reads32(locks), [1, 1, 1])
        soc.assert_reset()
        soc.release_reset()
        self.assertEqual(soc.reads32(locks), [0, 0, 1])
        soc.power_on()
        self.assertEqual(soc.reads32(locks), [0, 0, 0])

    def test_narrow_fuses(self):
        """OTP fields are wider than the registers, and are copied whole."""
        soc = self.soc
        widths = {0x280: 4, 0x2c8: 1, 0x340: 1, 0x348: 16}
        soc.power_on()
        for value in (0xffffffff, 0xfffffffe):
            soc.write_fuses({offset: value for offset in widths})
            for offset, bits in widths.items():
                self.assertEqual(soc.read32(soc_regs.SOC_IFC + offset),
                                 value & ((1 << bits) - 1))
        soc.write32(soc_regs.FUSE_WR_DONE, 1)
        soc.write_fuses({offset: 0 for offset in widths})
        for offset, bits in widths.items():
            self.assertEqual(soc.read32(soc_regs.SOC_IFC + offset),
                             0xfffffffe & ((1 << bits) - 1))

    def test_nobody_drives_power_good(self):
        """Without a BootMCU the machine itself does."""
        self.assertEqual(self.soc.read32(soc_regs.FLOW_STATUS), 0x42000000)

    def test_execute_cleared_by_another_user(self):
        soc = self.soc
        soc.power_on()
        soc.writes32([(soc_regs.MBOX_VALID_PAUSER + 4, OTHER_USER),
                      (soc_regs.MBOX_PAUSER_LOCK + 4, 1)])
        soc.start(env.FUSES)
        soc.run_until(soc_regs.MBOX_STATUS, 0, 0)
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 0)
        before = self.status()
        soc.be(OTHER_USER)
        soc.write32(soc_regs.MBOX_EXECUTE, 0)
        self.assertEqual(self.status(), before)
        self.assertEqual(soc.read32(HW_ERROR_NON_FATAL), 0)

    def test_libcaliptra(self):
        """Caliptra's own client library, step by step."""
        soc = self.soc
        soc.power_on()
        self.assertTrue(soc.read32(soc_regs.FLOW_STATUS) &
                        soc_regs.READY_FOR_FUSES)
        soc.write_fuses(env.FUSES)
        soc.writes32([(soc_regs.WDT_CFG, 0xffffffff),
                      (soc_regs.WDT_CFG + 4, 0xff)])
        # the first user slot that is free
        slot = next(i for i in range(5) if not
                    soc.read32(soc_regs.MBOX_PAUSER_LOCK + 4 * i))
        soc.write32(soc_regs.MBOX_VALID_PAUSER + 4 * slot,
                    soc_regs.DEFAULT_PAUSER)
        soc.write32(soc_regs.MBOX_PAUSER_LOCK + 4 * slot, 1)
        soc.write32(soc_regs.FUSE_WR_DONE, 1)
        # looked at once, at the very next access
        self.assertFalse(soc.read32(soc_regs.FLOW_STATUS) &
                         soc_regs.READY_FOR_FUSES)
        self.assertEqual(soc.read32(soc_regs.FUSE_WR_DONE), 1)
        soc.wait_ready_for_fw()

        # no response buffer: anything but CMD_COMPLETE would be an error
        status, _ = soc.execute(soc_regs.FIRMWARE_LOAD, env.bundle())
        self.assertEqual(status, soc_regs.CMD_COMPLETE)

        # VERSION at once: it has to wait for runtime
        data = request(VERSION)
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 0)
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 1)
        soc.writes32([(soc_regs.MBOX_CMD, VERSION),
                      (soc_regs.MBOX_DLEN, len(data)),
                      (soc_regs.MBOX_DATAIN, struct.unpack('<I', data)[0]),
                      (soc_regs.MBOX_EXECUTE, 1)])
        self.assertEqual(self.status() & 0xf, soc_regs.CMD_BUSY)
        self.assertEqual(soc.read32(soc_regs.MBOX_EXECUTE), 1)
        self.assertEqual(soc.wait(), soc_regs.DATA_READY)
        rsp = soc.mailbox_data()
        soc.write32(soc_regs.MBOX_EXECUTE, 0)
        self.assertEqual(cmds.fsm(self.status()), cmds.FSM_IDLE)
        self.assertEqual(len(rsp), 36)
        self.assertEqual(struct.unpack_from('<2I', rsp),
                         (checksum(0, rsp[4:]), 0))

        # a failure: released first, then the error registers
        soc.begin(0xdeadbeef, request(0xdeadbeef))
        self.assertEqual(soc.wait(), soc_regs.CMD_FAILURE)
        soc.write32(soc_regs.MBOX_EXECUTE, 0)
        self.assertEqual(soc.errors(), (0, 0x000e0002))


class ImpatientSoc(cmds.Soc):
    def step(self, ns=None):
        """No time passes: none is needed."""
        self.serve_trng()


class AtOnceTests(unittest.TestCase):
    @soc_regs.needs_modelled_time
    def test_answer_at_the_first_polls(self):
        """Firmware that takes no time answers without any passing."""
        soc = ImpatientSoc(args=[
            '-global', 'caliptra-native-fw.firmware-latency=0'])
        self.addCleanup(soc.close)
        soc.boot(env.bundle(), env.FUSES)
        soc.begin(FW_INFO, request(FW_INFO))
        polls = soc.reads32([soc_regs.MBOX_STATUS] * 10000)
        self.assertEqual(polls[-1] & 0xf, soc_regs.DATA_READY)
        self.assertEqual(soc.end(soc_regs.DATA_READY)[8:], env.fw_info())


if __name__ == '__main__':
    unittest.main()
