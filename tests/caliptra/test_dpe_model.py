#!/usr/bin/env python3
#
# The model of DPE against known answers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What test_dpe.py measures the device with is itself measured here."""

import hashlib
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dpe_known as k
import dpe_model as m
import dpe_vectors as v


class VectorDpe(m.Dpe):
    """Counts random numbers as the vectors do: only those for handles."""

    def _draws(self, n):
        pass


def vector_dpe(release=0, max_handles=m.MAX_HANDLES_LATER):
    calls = iter(range(1, 100))
    return VectorDpe(k.RT_CDI,
                     m.Key.from_seed(m.kdf(k.RT_CDI, b'rt_alias_keygen')),
                     k.PCR3, [1], 1, bytes(2000), k.UEID,
                     lambda: k.handle(next(calls)),
                     max_handles=max_handles, release=release, pcr2=v.PCR2,
                     manifest=v.MANIFEST)


class TestModel(unittest.TestCase):
    def setUp(self):
        self.dpe = vector_dpe()

    def ask(self, req, cmd):
        rsp = self.dpe.command(1, cmd, req)
        return None if rsp is None else m.response(rsp)

    def test_alias_key(self):
        key = self.dpe.rt_key
        self.assertEqual(key.d, int.from_bytes(v.RT_PRIV, 'big'))
        self.assertEqual((key.x, key.y), (v.RT_X, v.RT_Y))
        self.assertEqual(self.dpe._aki(), v.RT_KEY_ID)

    def test_keygen_of_zero_seed(self):
        """The known-answer test of Caliptra's ECC engine."""
        d = '%096x' % m.Key.from_seed(bytes(48)).d
        self.assertTrue(d.startswith('feeef554'))
        self.assertTrue(d.endswith('ab8946d6'))

    def test_initial_contexts(self):
        self.assertEqual(m.sha384(b'\1\0\0\0'), v.PAUSER_HASH)
        self.assertEqual(m.valid_pauser_measurement([1]), v.MBVP)
        self.assertEqual(m.valid_pauser_measurement([]), v.MBVP_NONE)
        root, leaf = self.dpe.slots[:2]
        self.assertEqual(root.cumulative, v.RTJM_CUMULATIVE)
        self.assertEqual(root.handle, b'\xff' * 16)
        self.assertEqual(root.state, 'retired')
        self.assertEqual(leaf.cumulative, v.MBVP_CUMULATIVE)
        self.assertEqual(leaf.current, v.MBVP)
        self.assertEqual(leaf.locality, 1)
        self.assertEqual(leaf.handle, bytes(16))

    def test_derivations(self):
        leaf = self.dpe.slots[1]
        self.assertEqual(self.dpe.measurement_hash(leaf), v.H)
        self.assertEqual(m.sha384(v.H, b'DPE'), v.C1_LEAF)
        self.assertEqual(self.dpe.cdi(leaf, b'DPE'), v.CDI_LEAF)
        self.assertEqual(m.kdf(v.CDI_LEAF, k.LABEL, b'ECC'), v.SEED_LEAF)
        key = self.dpe.leaf_key(leaf, k.LABEL)
        self.assertEqual(key.d, int.from_bytes(v.PRIV_LEAF, 'big'))
        self.assertEqual((key.x, key.y), (v.X_LEAF, v.Y_LEAF))
        self.assertEqual((key.x, key.y), (v.X_LEAF, v.Y_LEAF))
        self.assertEqual(m.sha384(v.H, b'Exported CDI'), v.C1_EXPORTED)
        self.assertEqual(self.dpe.cdi(leaf, b'Exported CDI'), v.CDI_EXPORTED)
        key = self.dpe._key(v.CDI_EXPORTED, b'Exported ECC', b'Exported ECC')
        self.assertEqual(key.d, int.from_bytes(v.PRIV_EXPORTED, 'big'))
        self.assertEqual((key.x, key.y), (v.X_EXPORTED, v.Y_EXPORTED))
        # the signed part of the certificate, whose header says 82 03 6c
        self.assertEqual(m.sha384(v.LEAF_CERT[4:8 + 0x36c]), v.TBS_LEAF_HASH)
        leaf.info = True
        self.assertEqual(self.dpe.measurement_hash(leaf), v.H_INFO)

    def test_disabled(self):
        self.dpe.disable_attestation()
        key = self.dpe.rt_key
        self.assertEqual(self.dpe.rt_cdi, v.DISABLED_CDI)
        self.assertEqual(key.d, int.from_bytes(v.DISABLED_PRIV, 'big'))
        self.assertEqual((key.x, key.y), (v.DISABLED_X, v.DISABLED_Y))

    def test_dialogue(self):
        k.check(self, self.ask)

    def test_replace_default(self):
        k.check_replace(self, self.ask)

    def test_three_ways_to_measure(self):
        """ROM's log, STASH_MEASUREMENT and DeriveContext are the same."""
        k.check_replace(self, self.ask)
        derived = self.ask(m.certify(label=k.LABEL), m.CMD_INVOKE_DPE)
        self.setUp()
        self.ask(m.stash(b'efgh', k.COUNT_UP), m.CMD_STASH_MEASUREMENT)
        stashed = self.ask(m.certify(label=k.LABEL), m.CMD_INVOKE_DPE)
        self.assertEqual(derived, stashed)


class TestReleases(unittest.TestCase):
    """Known answers of each release."""

    def each(self, table):
        """(known answers, a DPE) for every release of a table."""
        for releases, known in table.items():
            for release in releases:
                with self.subTest(release=release):
                    yield known, vector_dpe(release, None)

    def test_slots(self):
        self.assertEqual([len(vector_dpe(n, None).slots) for n in range(6)],
                         [24] * 3 + [32] * 3)

    def test_cciv(self):
        for release in (4, 5):
            root, cciv = vector_dpe(release).slots[:2]
            self.assertEqual((root.type, root.current, root.cumulative),
                             (0x52544d52, v.PCR2, k.PCR3))
            self.assertEqual((cciv.type, cciv.current, cciv.cumulative),
                             (0x43434956, v.CCIV, v.CCIV_CUMULATIVE))

    def test_cciv_of_the_chain(self):
        """With the bundle of test_identity's known answers."""
        manifest = [1, 1, 0x40000000, 0x40000000, 0x40005400, 0x40005400]
        for locked, known in (
                ([1], '58da54258cd888ad6f02c4af6dbe1c176d78a305eda8f923'
                      '7de1b780e5d0a8f2984e86f14865ce924b4bc0a0cca05d63'),
                ([], '98a262f55a158b98344df5e9ef997e2655238750542e32b6'
                     '44835968dd3c6986a9b558fea2b3694eb62fe31450a300bf')):
            self.assertEqual(m.cciv_measurement(locked, manifest).hex(),
                             known)

    def test_rt_cdi(self):
        """FMC's CDI 00 .. 2F, runtime 48 times 33, manifest 48 times 44."""
        rt, manifest, fmc = b'3' * 48, b'D' * 48, bytes(range(48))
        for parts, cdi, pcr2 in (
                ((rt, manifest), '23aec075', 'f33a3f2d'),
                ((rt,), '1be24199', '390d62ed')):
            pcr = bytes(48)
            for part in parts:
                pcr = m.sha384(pcr, part)
            self.assertEqual(
                (m.kdf(fmc, b'rt_alias_cdi', b''.join(parts))[:4].hex(),
                 pcr[:4].hex()), (cdi, pcr2))

    def test_derivations(self):
        for known, dpe in self.each(v.DERIVED):
            leaf = dpe.slots[1]
            key = dpe.leaf_key(leaf, k.LABEL)
            cdi = dpe.cdi(leaf, b'Exported CDI')
            exported = dpe._key(cdi, b'Exported ECC', b'Exported ECC')
            self.assertEqual({
                'hash': dpe.measurement_hash(leaf).hex(),
                'cdi': dpe.cdi(leaf, b'DPE').hex(), 'key': '%096x' % key.d,
                'x': key.x.hex(), 'y': key.y.hex(),
                'exported_cdi': cdi.hex(), 'exported_x': exported.x.hex(),
            }, known)

    def test_internal_info(self):
        for known, dpe in self.each(v.HASH_INFO):
            leaf = dpe.slots[1]
            leaf.info = True
            self.assertEqual(dpe.measurement_hash(leaf).hex(), known)

    def test_objects(self):
        for known, dpe in self.each(v.OBJECTS):
            leaf = dpe.slots[1]
            key = dpe.leaf_key(leaf, k.LABEL)
            exported = dpe._key(dpe.cdi(leaf, b'Exported CDI'),
                                b'Exported ECC', b'Exported ECC')
            self.assertEqual({
                name: (len(der), hashlib.sha256(der).hexdigest())
                for name, der in (
                    ('leaf', dpe.certificate(leaf, key, k.LABEL)),
                    ('named', dpe.certificate(leaf, key, k.LABEL,
                                              san=k.SAN)),
                    ('csr', dpe.csr(leaf, key, k.LABEL)),
                    ('exported', dpe.certificate(leaf, exported, k.UEID,
                                                 True)))}, known)

    def test_disabled(self):
        for release in range(2, 6):
            dpe = vector_dpe(release)
            dpe.disable_attestation()
            exported = dpe._key(dpe.exported_cdi, b'Exported ECC',
                                b'Exported ECC')
            self.assertEqual({
                'cdi': dpe.rt_cdi.hex(), 'key': '%096x' % dpe.rt_key.d,
                'x': dpe.rt_key.x.hex(), 'y': dpe.rt_key.y.hex(),
                'exported_x': exported.x.hex(),
                'exported_y': exported.y.hex()}, v.ZERO)


if __name__ == '__main__':
    unittest.main()
