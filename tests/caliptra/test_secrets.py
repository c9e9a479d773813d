#!/usr/bin/env python3
#
# Secrets in the memory of QEMU
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What Caliptra keeps is in its vault, and nowhere else in QEMU's memory.

The vault holds words, computations want bytes: a key whose bytes lie there in
their natural order, or in the reverse one of a big number, has been left
behind on the stack or the heap.
"""

import array
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import caliptra_soc as soc              # noqa: E402
import identity_model as model          # noqa: E402
import replay                           # noqa: E402
import test_engines as engines          # noqa: E402
import test_identity as identity        # noqa: E402
from dev_bundle import make_bundle      # noqa: E402

# those of sanitizers are larger
REGION_MAX = 1 << 33
PAGE = os.sysconf('SC_PAGE_SIZE')
PRESENT = 1 << 63


def pages(pid, start, end):
    """Runs of pages that are there: the guest's memories mostly are not."""
    with open('/proc/%d/pagemap' % pid, 'rb', 0) as pagemap:
        pagemap.seek(start // PAGE * 8)
        entries = array.array('Q', pagemap.read((end - start) // PAGE * 8))
    first = None
    for i, entry in enumerate(entries):
        there = entry & PRESENT
        if there and first is None:
            first = i
        elif not there and first is not None:
            yield start + first * PAGE, (i - first) * PAGE
            first = None
    if first is not None:
        yield start + first * PAGE, (len(entries) - first) * PAGE


def contents(pid):
    """What is in the memory that QEMU can write to."""
    with open('/proc/%d/maps' % pid, encoding='utf-8') as maps, \
            open('/proc/%d/mem' % pid, 'rb', 0) as mem:
        for line in maps:
            span, access = line.split()[:2]
            start, end = (int(n, 16) for n in span.split('-'))
            if access[:2] == 'rw' and end - start <= REGION_MAX:
                for at, size in pages(pid, start, end):
                    mem.seek(at)
                    yield mem.read(size)


def in_words(data):
    """As the vault has it, in words of the host."""
    if sys.byteorder == 'big':
        return data
    return identity.swap_words(data)


class Secrets(unittest.TestCase):

    def assert_wiped(self, qtest, kept=None, gone=None):
        """Names and values of secrets: in the vault alone; nowhere."""
        kept = kept or {}
        gone = gone or {}
        memory = list(contents(qtest.proc.pid))

        def count(data):
            return sum(part.count(data) for part in memory)

        for name, secret in kept.items():
            self.assertGreater(count(in_words(secret)), 0,
                               '%s is not in the vault' % name)
        for name, secret in {**kept, **gone}.items():
            with self.subTest(secret=name):
                self.assertEqual(count(secret), 0, 'bytes')
                self.assertEqual(count(secret[::-1]), 0, 'big number')
        for name, secret in gone.items():
            with self.subTest(secret=name):
                self.assertEqual(count(in_words(secret)), 0, 'words')

    def test_engines(self):
        """Right behind what each engine does with a key."""
        vectors = engines.Vectors
        with replay.bench_qtest() as qtest:
            b = engines.Bench(qtest)
            b.power_cycle(obf_key=vectors.OBF_KEY, uds=vectors.UDS)
            b.put(engines.DOE, vectors.IV)
            b.command(engines.DOE, 1 | 4 << 2)
            key = bytes.fromhex(vectors.UDS_PLAIN)
            self.assert_wiped(qtest, {'UDS': key})

            b.hmac(b'seed', key_slot=4, dest=5, use=engines.ECC_SEED_USE)
            seed = model.hmac(key, b'seed')
            self.assert_wiped(qtest, {'UDS': key, 'MAC': seed})

            b.write(engines.ECC + engines.ECC_RD_SEED, b.kv_ctrl(5))
            b.write(engines.ECC + engines.ECC_WR_PKEY,
                    b.kv_ctrl(6, engines.ECC_PKEY_USE))
            b.command(engines.ECC, engines.KEYGEN)
            pair = model.Key.generate(seed)
            self.assert_wiped(qtest, {'seed': seed, 'key': pair.private})

            digest = model.sha384(b'text')
            b.put(engines.ECC + engines.ECC_MSG, digest)
            b.write(engines.ECC + engines.ECC_RD_PKEY, b.kv_ctrl(6))
            b.command(engines.ECC, engines.SIGN)
            self.assertEqual(b.get(engines.ECC + engines.ECC_R, 48),
                             pair.sign(digest)[0].to_bytes(48, 'big'))
            self.assert_wiped(
                qtest, {'key': pair.private},
                {'nonce': model.drbg(pair.private, digest)
                 .to_bytes(48, 'big')})

    def test_boot(self):
        """In runtime, with the keys that are needed no more."""
        part = identity.provisioned()
        bundle = make_bundle()
        with soc.CaliptraSoc() as dev:
            identity.cold_boot(dev, part, bundle)
            want = model.Identity(part, bundle)
            self.assertEqual(identity.get(dev, identity.GET_RT_ALIAS_CERT),
                             want.rt_alias_cert)
            identity.quote(dev, bytes(32))
            self.assert_wiped(dev, {
                'CDI of the runtime': want.rt_cdi,
                'key of the runtime': want.rt.private,
                'CDI of FMC': want.fmc_cdi,
                'key of FMC': want.fmc.private,
            }, {
                'CDI of IDevID': want.idevid_cdi,
                'key of IDevID': want.idevid.private,
                'CDI of LDevID': want.ldevid_cdi,
                'key of LDevID': want.ldevid.private,
                'seed of the runtime': model.kdf(want.rt_cdi,
                                                 b'rt_alias_keygen'),
                'seed of FMC': model.kdf(want.fmc_cdi, b'fmc_alias_keygen'),
            })


if __name__ == '__main__':
    unittest.main()
