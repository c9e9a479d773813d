#!/usr/bin/env python3
#
# The DICE Protection Environment across resets and snapshots, and by chance
#
# As in test_dpe.py, every answer is compared with that of dpe_model.py.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""DPE over the mailbox: resets, snapshots, saved states, random dialogues."""

import os
import random
import struct
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from cryptography import x509                                # noqa: E402

import caliptra_soc as cs                                    # noqa: E402
from dpe_case import CHILD, EXPORT, NEXT, DeviceTest, der    # noqa: E402
from dpe_case import digest_of, verify, walk                 # noqa: E402
import dpe_known as k                                        # noqa: E402
import dpe_model as m                                        # noqa: E402
import dpe_random                                            # noqa: E402
from qtestlib import QTestError                              # noqa: E402

# more of them when looking for trouble
SEEDS = int(os.environ.get('CALIPTRA_SEEDS', '50'))
STEPS = 48


# ---- resets ----

class Resets(DeviceTest):
    RT2 = bytes(range(128, 192))

    def family(self):
        """Some contexts: (PL0's, user 2's default, a retired one's tag)."""
        base = self.give(2)
        child = self.derive(base, m.ALLOW_CA | m.ALLOW_X509)[0]
        self.ask(m.tag_tci(child, 77), m.CMD_TAG_TCI)
        return child

    def check_family(self, child):
        child = self.status(0, m.certify(child, label=k.LABEL))[:16]
        self.status(0, m.sign(), user=2)
        self.ask(m.get_tagged_tci(77), m.CMD_GET_TAGGED_TCI)
        return child

    def test_update(self):
        """Contexts stay, keys change with the firmware."""
        child = self.family()
        self.assertTrue(self.bench.update(self.RT2))
        self.assertEqual(self.bench.dpe.non_fatal, 0)
        self.check_family(child)

    def test_update_keys(self):
        key = self.status(0, m.certify())[16:112]
        self.assertTrue(self.bench.update(self.RT2))
        self.assertNotEqual(self.status(0, m.certify())[16:112], key)

    def test_update_path(self):
        """Certificates go on to verify."""
        self.assertTrue(self.bench.update(self.RT2))
        leaf = self.certificate(self.status(0, m.certify()))
        alias = x509.load_der_x509_certificate(
            self.bench.identity.rt_alias_cert).public_key()
        verify(alias, der(walk(leaf, 2))[1][1:], m.sha384(walk(leaf, 0)))

    def test_warm(self):
        """Each one disables attestation; contexts stay."""
        child = self.family()
        self.assertTrue(self.bench.warm_reset())
        self.assertTrue(self.bench.dpe.attestation_disabled)
        child = self.check_family(child)
        # again and again; an update does not help either
        self.assertTrue(self.bench.warm_reset())
        child = self.check_family(child)
        self.assertTrue(self.bench.update(self.RT2))
        self.check_family(child)
        # but power does
        self.bench.cold_boot()
        self.assertFalse(self.bench.dpe.attestation_disabled)
        self.status(0, m.certify())

    def test_destroyed_context(self):
        """Its slot keeps its locality: the next validation fails."""
        base = self.rotate()
        child, base = self.derive(base, CHILD)
        self.status(0, m.destroy(child))
        self.assertTrue(self.bench.update(self.RT2))
        self.assertEqual(self.bench.dpe.ext_error, 0x0300000F)
        self.assertEqual(self.bench.dpe.non_fatal, m.DPE_VALIDATION_FAILED)
        self.assertTrue(self.bench.dpe.attestation_disabled)
        self.status(0, m.certify(base))

    def test_destroyed_context_reused(self):
        """... unless another context has come there meanwhile."""
        base = self.rotate()
        child, base = self.derive(base, CHILD)
        self.status(0, m.destroy(child))
        child, base = self.derive(base, CHILD)
        self.assertTrue(self.bench.update(self.RT2))
        self.assertFalse(self.bench.dpe.attestation_disabled)
        self.status(0, m.certify(base))

    def test_mixed_locality(self):
        """A simulation context beside a default one."""
        self.status(0, m.initialize(m.SIMULATION))
        self.assertTrue(self.bench.update(self.RT2))
        self.assertEqual(self.bench.dpe.ext_error, 0x03000007)
        self.assertTrue(self.bench.dpe.attestation_disabled)

    def test_mixed_locality_warm(self):
        self.status(0, m.initialize(m.SIMULATION))
        self.assertTrue(self.bench.warm_reset())
        self.assertEqual(self.bench.dpe.ext_error, 0x03000007)

    def test_simulation_elsewhere(self):
        self.status(0, m.initialize(m.SIMULATION), user=2)
        self.assertTrue(self.bench.update(self.RT2))
        self.assertFalse(self.bench.dpe.attestation_disabled)

    def test_full_house(self):
        """16 contexts, which are legal, disable attestation at an update
        that the same level asks for."""
        for i in range(15):
            self.derive(flags=NEXT)
        self.assertTrue(self.bench.update(self.RT2, user=2))
        self.assertFalse(self.bench.dpe.attestation_disabled)
        self.assertTrue(self.bench.update(bytes(64)))
        self.assertTrue(self.bench.dpe.attestation_disabled)
        self.assertEqual(self.bench.dpe.non_fatal, m.PL0_REACHED)
        self.status(0, m.certify())

    def test_full_house_pl1(self):
        for i in range(15):
            self.derive(flags=CHILD | m.CHANGE_LOCALITY, target=2)
        self.assertTrue(self.bench.update(self.RT2, user=2))
        self.assertEqual(self.bench.dpe.non_fatal, m.PL1_REACHED)
        self.bench.cold_boot()
        for i in range(16):
            self.derive(flags=CHILD | m.CHANGE_LOCALITY, target=2)
        self.assertTrue(self.bench.update(self.RT2, user=2))
        self.assertEqual(self.bench.dpe.non_fatal, m.PL1_EXCEEDED)

    def test_memory_of_runtime(self):
        """Exports and the name of the device are forgotten."""
        for reset in (lambda: self.bench.update(self.RT2),
                      self.bench.warm_reset):
            self.bench.cold_boot()
            handle = self.status(0, m.derive(flags=EXPORT))[32:64]
            self.ask(m.add_san(k.SAN), m.CMD_ADD_SUBJECT_ALT_NAME)
            self.assertTrue(reset())
            self.fails(m.EXPORTED_KEY_FAILED,
                       m.sign_exported(handle, bytes(48)),
                       m.CMD_SIGN_WITH_EXPORTED_ECDSA)
            self.ask(m.certify_extended(flags=m.DMTF_OTHER_NAME),
                     m.CMD_CERTIFY_KEY_EXTENDED)
            self.status(0, m.derive(flags=EXPORT))

    def test_pl0_moves(self):
        """Another header, another level 0; contexts stay where they are."""
        self.give(2)
        self.bench.pl0 = self.bench.dpe.pl0_pauser = 2
        self.assertTrue(self.bench.update(self.RT2))
        self.status(0, m.certify(), user=2)
        handle = self.bench.dpe.slots[1].handle
        self.fails(m.BAD_PRIVILEGE, m.certify(handle), user=1)
        self.status(0, m.certify(handle, 1), user=1)


# ---- snapshots ----

class Snapshots(DeviceTest):
    def test_between_commands(self):
        """Contexts, handles, tags, exports, names: all of it goes along."""
        b = self.bench
        handle = self.rotate()
        child, handle = self.derive(handle, CHILD | m.INTERNAL_INFO |
                                    m.INTERNAL_DICE)
        simulation = self.status(0, m.initialize(m.SIMULATION), user=2)
        b.snapshot()
        handle = self.status(0, m.certify(handle, 1))[:16]
        child = self.status(0, m.certify(child))[:16]
        self.ask(m.tag_tci(child, 3), m.CMD_TAG_TCI)
        exported = self.status(0, m.derive(child, flags=EXPORT))[32:64]
        self.ask(m.add_san(k.SAN), m.CMD_ADD_SUBJECT_ALT_NAME)
        b.snapshot()
        self.ask(m.get_tagged_tci(3), m.CMD_GET_TAGGED_TCI)
        self.ask(m.sign_exported(exported, digest_of('x')),
                 m.CMD_SIGN_WITH_EXPORTED_ECDSA)
        self.ask(m.certify_extended(child, flags=m.DMTF_OTHER_NAME),
                 m.CMD_CERTIFY_KEY_EXTENDED)
        self.status(0, m.certify(simulation, 1), user=2)
        self.ask(m.request(m.CMD_DISABLE_ATTESTATION, b''),
                 m.CMD_DISABLE_ATTESTATION)
        b.snapshot()
        self.status(0, m.sign(handle))
        self.assertTrue(b.update(bytes(64)))
        b.snapshot()
        self.status(0, m.initialize(m.SIMULATION), user=3)

    def test_within_a_command(self):
        """While the device waits for each of its random blocks."""
        b = self.bench
        soc = b.soc
        handle = self.rotate()
        req = m.sign(handle, k.LABEL, digest_of('x'))
        want = b.dpe.command(1, m.CMD_INVOKE_DPE, req)
        soc.mailbox_send(m.CMD_INVOKE_DPE, req)
        for _ in range(6):
            soc.run_until(cs.TRNG_STATUS, 3, 1)
            b.snapshot()
            soc = b.soc
            soc.serve_trng()
        status, rsp = soc.mailbox_finish()
        self.assertEqual(status, cs.DATA_READY)
        self.assertEqual(rsp, m.response(want))
        b.check_draws()


class Streams(DeviceTest):
    """Saved states that no command leads to."""

    # a context in a stream: offset and length of its fields
    HANDLE, KIND, CUMULATIVE, CURRENT = (0, 16), (16, 4), (20, 48), (68, 48)
    TCI_LOCALITY, CHILDREN, LOCALITY = (116, 4), (120, 4), (124, 4)
    PARENT, TYPE, STATE, INFO, DICE, CA, X509, HAS_TAG = \
        ((128 + i, 1) for i in range(8))
    TAG = (136, 4)
    SIZE = 140

    def setUp(self):
        super().setUp()
        self.rotate()
        base = self.bench.dpe.slots[1]
        for _ in range(2):              # slots 2 and 3
            self.derive(base.handle, CHILD)
        self.status(0, m.initialize(m.SIMULATION), user=2)  # slot 4
        self.state, self.now = self.bench.soc.save()
        root = self.bench.dpe.slots[0]
        self.base = self.state.index(
            struct.pack('>I', root.type) + root.cumulative + root.current +
            struct.pack('>I', root.tci_locality)) - self.KIND[0]

    def tearDown(self):
        self.bench.renew()

    def resume(self, *changes, max_handles=m.MAX_HANDLES):
        """Load the state with changes (slot, field, value)."""
        state = bytearray(self.state)
        for slot, (offset, size), value in changes:
            at = self.base + slot * self.SIZE + offset
            if isinstance(value, int):
                value = value.to_bytes(size, 'big')
            state[at:at + size] = value
        self.bench.soc.close()
        self.bench.soc = self.bench.soc.resume(bytes(state), self.now,
                                               max_handles=max_handles)
        return self.bench.soc

    def test_unchanged(self):
        self.resume()
        self.status(0, m.certify(self.bench.dpe.slots[1].handle))

    def test_refused(self):
        """Links, states and types that the code could not live with."""
        for changes in (
                [(5, self.PARENT, 0)], [(5, self.CHILDREN, 1)],
                [(5, self.KIND, 1)], [(5, self.CURRENT, b'\1' * 48)],
                [(5, self.TCI_LOCALITY, 1)],
                [(5, self.CA, 1)], [(5, self.INFO, 1)],
                [(1, self.STATE, 3)], [(1, self.TYPE, 2)],
                [(3, self.PARENT, 32)], [(3, self.PARENT, 5)],
                [(3, self.PARENT, 2)], [(3, self.PARENT, 0xFF)],
                [(1, self.CHILDREN, 0x2C)], [(4, self.CHILDREN, 1 << 9)],
                [(2, self.STATE, 2)], [(2, self.STATE, 0)],
                # another tree of Normal contexts; a mixed one; a loop
                [(4, self.TYPE, 0)],
                [(2, self.TYPE, 1)],
                [(0, self.CHILDREN, 0), (1, self.PARENT, 2),
                 (0, self.STATE, 1), (2, self.CHILDREN, 2)]):
            with self.subTest(changes=changes):
                with self.assertRaisesRegex(QTestError, 'caliptra-dpe'):
                    self.resume(*changes)

    def test_too_many(self):
        """Slots in use, or used once, that this part does not have."""
        context = [(self.TYPE, 1), (self.STATE, 1)]
        for changes in (context, [(self.HANDLE, b'\1' * 16)],
                        [(self.LOCALITY, 2)], [(self.TAG, 5)],
                        [(self.HAS_TAG, 1)]):
            for slot, room in ((23, 24), (24, 25)):
                with self.subTest(changes=changes, slot=slot):
                    here = [(slot, *change) for change in changes]
                    self.resume(*here, max_handles=room)
                    if room > 24:
                        with self.assertRaisesRegex(QTestError,
                                                    'caliptra-dpe'):
                            self.resume(*here, max_handles=room - 1)

    def restart(self):
        self.bench.soc.set_user(1)
        self.bench.soc.load_firmware(self.bench.bundle(bytes(64)))

    def error_after_update(self, *changes):
        soc = self.resume(*changes)
        self.restart()
        soc.run_until(cs.FW_ERROR_NON_FATAL, 0xFFFFFFFF,
                      m.DPE_VALIDATION_FAILED)
        return soc.read32(cs.FW_EXTENDED_ERROR_INFO)

    def test_two_defaults(self):
        self.assertEqual(self.error_after_update(
            (1, self.HANDLE, bytes(16)), (2, self.HANDLE, bytes(16))),
            0x03000008)

    def test_slot_before_locality(self):
        """Rules of slots come first, in the order of slots."""
        self.assertEqual(self.error_after_update(
            (2, self.HANDLE, bytes(16)), (4, self.LOCALITY, 9)), 0x0300000F)

    def test_tags_of_nobody(self):
        for changes, error in (
                ([(9, self.TAG, 5)], 0x000E0025),
                ([(9, self.TAG, 5), (9, self.HAS_TAG, 1)], 0x000E0025),
                ([(9, self.HAS_TAG, 1)], 0x000E002F)):
            soc = self.resume(*changes)
            self.restart()
            self.assertEqual(soc.wait_fatal(), error)
            soc.close()

    def test_journey(self):
        """A root that has not the journey of PCR 3, at a warm reset."""
        self.resume((0, self.CURRENT, b'\7' * 48))
        self.bench.dpe.slots[0].current = b'\7' * 48
        self.assertTrue(self.bench.warm_reset())


# ---- chance ----

class RandomDialogues(DeviceTest):
    """At least 2,000 commands over 50 seeds, good and bad ones mixed; the
    seeds are spread over the releases."""

    def dialogue(self, seed):
        rand = random.Random(seed)
        b = self.bench
        stashed = [(rand.randbytes(4), rand.randbytes(48))
                   for _ in range(rand.choice((0, 0, 1, 3)))]
        b.cold_boot(seed=seed, stashed=stashed, release=seed % 6)
        chooser = dpe_random.Chooser(rand)
        snapshot_at = rand.randrange(STEPS) if seed % 5 == 0 else None
        for step in range(STEPS):
            if rand.random() < 0.015:
                if rand.random() < 0.7:
                    alive = b.update(rand.randbytes(64),
                                     rand.choice(b.users))
                else:
                    alive = b.warm_reset()
                if not alive:
                    b.cold_boot(seed=seed)
            if step == snapshot_at:
                b.snapshot()
            user, cmd, req = chooser.next(b.dpe)
            chooser.learn(cmd, b.ask(req, cmd, user))
        b.check_pcr31()

    def test(self):
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                self.dialogue(seed)

    def test_model_notices(self):
        """A difference is found: the comparison is alive."""
        b = self.bench
        b.dpe.slots[0].current = bytes(48)
        with self.assertRaises(AssertionError):
            self.status(0, m.certify())
        b.cold_boot()
        b.next_draw += 1
        with self.assertRaises(AssertionError):
            self.status(0, m.sign())


if __name__ == '__main__':
    unittest.main()
