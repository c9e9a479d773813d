#!/usr/bin/env python3
#
# The internal engines and vaults as the microcontroller sees them
#
# Published vectors through the registers, the rules of the vaults, and
# snapshots in the middle of operations.  Expected values are the vectors' or
# are computed by Python's own hashlib and hmac.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Engines and vaults through their registers."""

import hashlib

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from caliptra_soc import CaliptraSoc  # noqa: E402
import identity_model as model  # noqa: E402
import replay  # noqa: E402
import test_snapshot  # noqa: E402

DOE = replay.BUS + 0x10000000
ECC = replay.BUS + 0x10008000
HMAC = replay.BUS + 0x10010000
KV = replay.BUS + 0x10018000
PV = replay.BUS + 0x1001a000
DV = replay.BUS + 0x1001c000
SHA512 = replay.BUS + 0x10020000
SHA256 = replay.BUS + 0x10028000
CSRNG = replay.BUS + 0x20002000
ENTROPY_SRC = replay.BUS + 0x20003000
HW_ERROR_FATAL = replay.BUS + 0x30030000

# the same offsets in all engines
CTRL = 0x010
STATUS = 0x018
READY = 1
VALID = 2
# of DOE alone
DOE_STATUS = 0x014

ECC_SEED, ECC_MSG, ECC_PRIVKEY_OUT = 0x080, 0x100, 0x180
ECC_X, ECC_Y, ECC_R, ECC_S = 0x200, 0x280, 0x300, 0x380
ECC_VERIFY_R, ECC_NONCE, ECC_PRIVKEY_IN = 0x400, 0x500, 0x580
ECC_RD_PKEY, ECC_RD_SEED, ECC_WR_PKEY = 0x600, 0x608, 0x610
KEYGEN, SIGN, VERIFY, ECC_ZEROIZE, PCR_SIGN = 1, 2, 3, 4, 8

HMAC_KEY, HMAC_BLOCK, HMAC_TAG = 0x040, 0x080, 0x100
HMAC_RD_KEY, HMAC_RD_BLOCK, HMAC_WR = 0x600, 0x608, 0x610

SHA_BLOCK, SHA_DIGEST = 0x080, 0x100
SHA512_VAULT_RD = 0x600
SHA512_NONCE, SHA512_START, SHA512_QSTATUS, SHA512_QUOTE = (
    0x610, 0x630, 0x634, 0x638)

INIT, NEXT = 1, 2
SHA512_MODES = {'sha512_224': 0, 'sha512_256': 1, 'sha384': 2, 'sha512': 3}
SHA512_LAST = 0x20

ERROR_INTERNAL = 0x814
NOTIF_INTERNAL = 0x818

CSRNG_CTRL, CSRNG_CMD, CSRNG_STS, CSRNG_VLD, CSRNG_GENBITS = (
    0x014, 0x018, 0x01c, 0x020, 0x024)
ES_REGWEN, ES_MODULE_ENABLE, ES_CONF, ES_REPCNT, ES_ADAPTP_LO, ES_STATE = (
    0x018, 0x020, 0x024, 0x034, 0x040, 0x0e0)

HMAC_KEY_USE, HMAC_BLOCK_USE, ECC_PKEY_USE, ECC_SEED_USE = 1, 2, 8, 16


def words(data):
    """Register words of a natural byte string (or of its hex digits)."""
    if isinstance(data, str):
        data = bytes.fromhex(data)
    return [int.from_bytes(data[i:i + 4], 'big')
            for i in range(0, len(data), 4)]


def octets(values):
    return b''.join(v.to_bytes(4, 'big') for v in values)


def padded(data, block, length_bytes, before=0):
    """SHA-2 padding of a message that follows `before` other bytes."""
    out = data + b'\x80'
    out += bytes(-(len(out) + length_bytes) % block)
    return out + (8 * (before + len(data))).to_bytes(length_bytes, 'big')


class Bench:
    """The microcontroller's side of a core without firmware."""

    def __init__(self, qtest):
        self.q = qtest

    def write(self, addr, data):
        self.q.write32(addr, data)

    def read(self, addr):
        return self.q.read32(addr)

    def put(self, addr, data):
        self.q.writes32([(addr + 4 * i, w)
                         for i, w in enumerate(words(data))])

    def get(self, addr, size):
        return octets(self.q.reads32(range(addr, addr + size, 4)))

    def finish(self):
        """Let the running commands end."""
        self.q.clock_step(replay.WAIT_NS)

    def command(self, engine, ctrl):
        self.write(engine + CTRL, ctrl)
        self.finish()
        return self.read(engine + STATUS)

    # ---- core ----

    def power_cycle(self, debug_locked=True, obf_key=bytes(32),
                    uds=bytes(48), fe=bytes(32)):
        self.write(replay.LINES, 0)
        self.put(replay.OBF_KEY_PINS, obf_key)
        self.write(replay.SECURITY_STATE,
                   debug_locked << 2 | replay.LIFECYCLE_PRODUCTION)
        self.write(replay.RESET, replay.RESET_COLD)
        self.write(replay.PAUSER, replay.ANY_USER)
        self.put(replay.SOC_WINDOW + replay.UDS_SEED, uds)
        self.put(replay.SOC_WINDOW + replay.FIELD_ENTROPY, fe)
        self.write(replay.SOC_WINDOW + replay.FUSE_WR_DONE, 1)

    def warm_reset(self):
        self.write(replay.RESET, replay.RESET_WARM)
        self.write(replay.PAUSER, replay.ANY_USER)
        self.write(replay.SOC_WINDOW + replay.FUSE_WR_DONE, 1)

    def fw_update_reset(self):
        self.write(replay.BUS + replay.FW_UPDATE_RESET, 1)

    # ---- engines ----

    def sha512(self, name, data):
        mode = SHA512_MODES[name] << 2
        msg = padded(data, 128, 16)
        for i in range(0, len(msg), 128):
            self.put(SHA512 + SHA_BLOCK, msg[i:i + 128])
            self.command(SHA512, mode | (NEXT if i else INIT))
        return self.get(SHA512 + SHA_DIGEST, 64)

    def sha256(self, data, mode=4):
        msg = padded(data, 64, 8)
        for i in range(0, len(msg), 64):
            self.put(SHA256 + SHA_BLOCK, msg[i:i + 64])
            self.command(SHA256, mode | (NEXT if i else INIT))
        return self.get(SHA256 + SHA_DIGEST, 32)

    def kv_ctrl(self, slot, use=0):
        return 1 | slot << 1 | use << 6

    def hmac(self, data, key=None, key_slot=None, dest=None, use=0):
        """A MAC; its tag, or the status of the write to the slot."""
        msg = padded(data, 128, 16, 128)
        for i in range(0, len(msg), 128):
            if key is not None:
                self.put(HMAC + HMAC_KEY, key)
            else:
                self.write(HMAC + HMAC_RD_KEY, self.kv_ctrl(key_slot))
            if dest is not None:
                self.write(HMAC + HMAC_WR, self.kv_ctrl(dest, use))
            self.put(HMAC + HMAC_BLOCK, msg[i:i + 128])
            self.command(HMAC, NEXT if i else INIT)
        if dest is not None:
            return self.read(HMAC + HMAC_WR + 4) >> 2
        return self.get(HMAC + HMAC_TAG, 48)

    def keygen(self, seed, nonce=bytes(48)):
        self.put(ECC + ECC_SEED, seed)
        self.put(ECC + ECC_NONCE, nonce)
        self.command(ECC, KEYGEN)
        return [self.get(ECC + reg, 48)
                for reg in (ECC_PRIVKEY_OUT, ECC_X, ECC_Y)]

    def sign(self, msg, priv):
        self.put(ECC + ECC_MSG, msg)
        self.put(ECC + ECC_PRIVKEY_IN, priv)
        self.command(ECC, SIGN)
        return [self.get(ECC + reg, 48) for reg in (ECC_R, ECC_S)]

    def verify(self, x, y, msg, r, s):
        for reg, value in ((ECC_X, x), (ECC_Y, y), (ECC_MSG, msg),
                           (ECC_R, r), (ECC_S, s)):
            self.put(ECC + reg, value)
        status = self.command(ECC, VERIFY)
        return status, self.get(ECC + ECC_VERIFY_R, 48)

    def slot_key(self, slot):
        """
        What is in a slot shows in its use only: a MAC with it as key goes to
        a slot that KEYGEN takes its seed from; the public key is returned.
        """
        self.hmac(b'show', key_slot=slot, dest=31, use=ECC_SEED_USE)
        self.write(ECC + ECC_RD_SEED, self.kv_ctrl(31))
        self.put(ECC + ECC_NONCE, bytes(48))
        self.command(ECC, KEYGEN)
        return self.get(ECC + ECC_X, 48)

    @staticmethod
    def key_seen(key):
        """What slot_key() returns for this content."""
        key = bytes.fromhex(key) if isinstance(key, str) else key
        return model.Key.generate(model.hmac(key, b'show')).x


class EngineTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.qtest = replay.bench_qtest()
        cls.b = Bench(cls.qtest)

    @classmethod
    def tearDownClass(cls):
        cls.qtest.close()

    def setUp(self):
        self.b.power_cycle()

    def hexes(self, data, text):
        self.assertEqual(data.hex(), text.replace(' ', '').lower())


class Vectors(EngineTest):
    """Published vectors."""

    # caliptra-rtl smoke_test_ecc; caliptra-sw kat/src/ecc384_kat.rs;
    # caliptra-rtl ecc/tb/secp384_testvector.hex
    ECC_VECTORS = (
        ('8fa8541c82a392ca74f23ed1dbfd73541c5966391b97ea73'
         'd744b0e34b9df59ed0158063e39c09a5a055371edf7a5441',
         '1b7ec5e548e8aaa92ec77097ca9551c9783ce682ca18fb1e'
         'dbd9f1e50bc382db8ab39496c8ee423f8ca105cbba7b6588',
         'f274f69d163b0c9f1fc3ebf4292ad1c4eb3cec1c5a7dde6f'
         '80c14292934c2055e087748d0a169c772483adee5ee70e17',
         'd79c6d972b34a1dfc916a7b6e0a99b6b5387b34da2187607'
         'c1ad0a4d1a8c2e4172ab5fa5d9ab58fe45e43f56bbb66ba4',
         '5a7363932b06b4f223bef0b60a6390265112dbbd0aae67fe'
         'f26b465be935b48e451e68d16f1118f2b32b4c28608749ed',
         'c8f518d4f3aa1bd46ed56c1c3c9e16fb800af504db988435'
         '48c5f623ee115f73d4c62abc06d303b5d90d9a175087290d',
         '871e6ea4ddc5432cddaa60fd7f055472d3c4dd41a5bfb267'
         '09e88c311a97093599a7c8f55b3974c19e4f5a7bfc1dd2ac',
         '3e5552de6403350ee70ad74e4b854d2dc4126bbf9c153a5d'
         '7a07bd4b85d06e45f850920e898fb7d34f80796dae29365c'),
        ('00' * 48, '00' * 48,
         'feeef5544a76564990128ad189e873f21f0dfd5ad7e2fa86'
         '1127ee6e394ca784871c1aec032c7a8b10b93e0eab8946d6',
         'd7dd94e0bffc4cade9902b7fdb154260d5ec5dfd57950e83'
         '59015a302c8bf7bba7e5f6dffc1685162bdd35f9f5c1b0ff',
         'bb9c3a2f061e8d7014278dd51e66a918a6b6f9f1c1937312'
         'd4e7a921b18ef0f41fdd401d9e7718509f8731e9eec9c31d',
         '00' * 48,
         '93799d551226362834f60f7b945290b7cce6e99601fb7ebd'
         '026c2e3c445d3cd9b65068dac0a848be9f0560aa758fda27',
         'e548e535a1cc600e133b5591aebaad78054006d752d0e1df'
         '94fbfa95d78f0b3f8e81b9119c2be008bf6d6f4e4185f87d'),
        ('ff' * 48, 'ff' * 48,
         '7f68a6d896ea5da62e78dedb46f6662bc141f2f0b9e641ac'
         'c7342663fd51444e380fea1dabbca55f18987c0cfc10df77',
         '787d82654607cd1d5a1b11f25c7df90541380e497cb0560e'
         '1489bf7f71b6596300cc9d19335c4827a9bc6148b342f5ec',
         'a321b7c112eee7227631066cdb556f0d6c66ca87ae912eb4'
         'dc412f2f108b27e2beccba94f0d844bd7872106ef25c9f25',
         'ff' * 48,
         'f3132cf17d965f02e7bf2fda8755bf54b31b72053d3c3503'
         '1aa28ab7689c046af863db63d04d4810cd042f3b07a860fc',
         '01a6fdb4efc82cc544b06fe7741cf9c6e8d8189c14a250fb'
         'afcb3fdc5290f30e5e7092fcd1b1a54e60e4f37750bbfe7d'),
    )

    def test_ecc(self):
        for seed, nonce, priv, x, y, msg, r, s in self.ECC_VECTORS:
            with self.subTest(seed=seed):
                self.assertEqual([v.hex() for v in self.b.keygen(seed, nonce)],
                                 [priv, x, y])
                self.assertEqual([v.hex() for v in self.b.sign(msg, priv)],
                                 [r, s])
                status, verify_r = self.b.verify(x, y, msg, r, s)
                self.assertEqual(status, READY | VALID)
                self.assertEqual(verify_r.hex(), r)

    def test_hmac(self):
        # caliptra-sw drivers/test-fw hmac384_tests.rs, kat hmac384kdf_kat.rs
        self.hexes(self.b.hmac(b'Hi There', key=b'\x0b' * 48),
                   'b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973'
                   '7a959796489bddbc4c5df61d5b3297b4fb68dab9f1b582c2')
        self.hexes(self.b.hmac(b'what do ya want for nothing?',
                               key=b'Jefe' * 12),
                   '2c7353974f1842fd66d53c452ca42122b28c0b594cfb184d'
                   'a86a368e9b8e16f5349524ca4e82400cbde0686d403371c9')
        self.hexes(self.b.hmac(
            bytes.fromhex('00000001'
                          '17e641909dedfee4968bb95d7f770e4557ca347a46614cb3'
                          '71423f0d91df3b58b536ed54531fd2a2eb0b8b2a1634c23c'
                          '88fad9706c45db4411a23b89'),
            key='b57dc52354afee11edb4c9052a528344348b2c6b6c39f321'
                '33ed3bb72035a4ab55d6648c1529ef7a9170fec9ef26a81e')[:40],
                   '5949acf9635a77297928c1e155d43a4e4bca61b1369a5ef5'
                   '0530888550ba270e26be4a421cdf80b7')

    def test_kdf_through_the_vault(self):
        # caliptra-sw drivers/test-fw hmac384_tests.rs: key, KDF key, KEYGEN
        b = self.b
        self.assertEqual(b.hmac(
            bytes.fromhex('2c60da7cd6fc8899583ef7a810e74bb1377baa726638b415'
                          '7c7241610693cbc9b178a78561eba75d0e65991049d95793'),
            key='9e2ccec700161e42ff0e138c4889e4d6a0888d131d58cb44'
                'f5e292475964ac6a8c63ff7c0c95e7da0b4e17df67a55cb6',
            dest=4, use=HMAC_KEY_USE), 0)
        self.assertEqual(b.hmac(
            bytes.fromhex('00000001' '2dd23886' '00'
                          '9a819ef0c967b2138841721ed9de2fd41cb9a77e784e385b'
                          '9036262ae281f621935585f6f759eb16cced7f651304d79d'),
            key_slot=4, dest=5, use=ECC_SEED_USE), 0)
        b.write(ECC + ECC_RD_SEED, b.kv_ctrl(5))
        b.put(ECC + ECC_NONCE, bytes(48))
        b.write(ECC + ECC_WR_PKEY, b.kv_ctrl(6, ECC_PKEY_USE))
        self.assertEqual(b.command(ECC, KEYGEN), READY | VALID)
        self.hexes(b.get(ECC + ECC_X, 48),
                   '673e4d0d4a7b15178a875a283aa498808499f69176deaa52'
                   '9f44b2db6c2cacd368e68fdcdc7afdef3f7f96ef950e080a')
        # the private key is in the slot alone, and signs from there
        self.assertEqual(b.get(ECC + ECC_PRIVKEY_OUT, 48), bytes(48))
        b.write(ECC + ECC_RD_PKEY, b.kv_ctrl(6))
        b.put(ECC + ECC_MSG, b'm' * 48)
        b.command(ECC, SIGN)
        key = model.Key(int('1d8bd9b9dce9f9e39dea1b16b903d9959a27f6ed4584101c'
                            'b88118dc0e0d54ff803ff91d0ca0aaea995f6cbf3941ea7f',
                            16))
        self.assertEqual(
            tuple(int.from_bytes(b.get(ECC + reg, 48), 'big')
                  for reg in (ECC_R, ECC_S)), key.sign(b'm' * 48))

    def test_sha512(self):
        for name in SHA512_MODES:
            for msg in (b'', b'abc', bytes(range(111)), bytes(range(112)),
                        bytes(300)):
                with self.subTest(mode=name, length=len(msg)):
                    want = hashlib.new(name, msg).digest()
                    self.assertEqual(self.b.sha512(name, msg),
                                     want.ljust(64, b'\0'))

    def test_sha256(self):
        for msg in (b'', b'abc', bytes(range(55)), bytes(range(56)),
                    bytes(200)):
            with self.subTest(length=len(msg)):
                self.assertEqual(self.b.sha256(msg),
                                 hashlib.sha256(msg).digest())
                self.assertEqual(self.b.sha256(msg, mode=0),
                                 hashlib.sha224(msg).digest().ljust(32, b'\0'))

    def test_winternitz(self):
        # caliptra-rtl smoke_test_sha256_wntz
        vectors = (
            (32, 1, 'ba7816bf8f01cfea414140de5dae2223'
                    'b00361a396177a9cb410ff61f20015ad'),
            (32, 2, '1abdf6856e4cdf18146c6177cd5968ab'
                    'd20795da2a787c726bc7734618fa944c'),
            (32, 4, '878c3a9760a60fc252a91561dba6f179'
                    'c9dc0292aa1733c660c4a96503780f5f'),
            (32, 8, 'c625ea1597b6d15acaf48a1706dfaa5c'
                    'e6efee3605d68e7a83f90d364020542e'),
            (24, 1, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9c'),
            (24, 2, '084016e3e81ec95f86c87e8165d76ed5857e1b4479b63cc3'),
            (24, 4, '70f3088456d633074ec504600db5e4ed1676111480a15717'),
            (24, 8, '04a8e0b8c9ab79eee186636e6144157156c442040278a626'))
        for n, w, digest in vectors:
            with self.subTest(n=n, w=w):
                self.b.put(SHA256 + SHA_BLOCK, padded(b'abc', 64, 8))
                self.b.command(SHA256, INIT | 4 | 1 << 4 | w << 5 |
                               (n == 32) << 9)
                self.hexes(self.b.get(SHA256 + SHA_DIGEST, 32),
                           digest.ljust(64, '0'))

    def test_pcr(self):
        # caliptra-rtl pv_hash_and_sign
        b = self.b
        for value in ('f57bb7ed82c6ae4a29e6c9879338c592c7d42a39135583e8'
                      'ccbe3940f2344b0eb6eb8503db0ffd6a39ddd00cd07d8317',
                      '11143121beb365e63826e7de89f9c76ae1100411fb9643d1'
                      '98e730b7603a83a4977c76eee6ddf74fa0b43fbf49897978'):
            self.extend(31, bytes(48))
            self.hexes(b.get(PV + 0x600 + 31 * 48, 48), value)
        b.put(SHA512 + SHA512_NONCE,
              '01234567' + ''.join('%x' % i * 8 for i in range(1, 8)))
        b.write(SHA512 + SHA512_START, 1)
        self.assertEqual(b.read(SHA512 + SHA512_QSTATUS), 0)
        b.finish()
        self.assertEqual(b.read(SHA512 + SHA512_QSTATUS), READY | VALID)
        self.hexes(b.get(SHA512 + SHA512_QUOTE, 48),
                   '2ab50775dab80928b8de848cabbdfa56897ed7b145be930e'
                   '1e340ce08c5bfc731d9971440c43f5a5aa48ac998dbe6bb9')

    def extend(self, pcr, data):
        b = self.b
        b.write(SHA512 + SHA512_VAULT_RD, 1 | pcr << 1 | 1 << 6)
        # words 0..11 are locked: what is written there is dropped
        b.put(SHA512 + SHA_BLOCK, padded(b'\xff' * 48 + data, 128, 16))
        b.command(SHA512, SHA512_MODES['sha384'] << 2 | INIT | SHA512_LAST)

    def test_pcr_sign(self):
        b = self.b
        key = model.Key.generate(b's' * 48)
        b.put(ECC + ECC_SEED, b's' * 48)
        b.put(ECC + ECC_NONCE, bytes(48))
        b.write(ECC + ECC_WR_PKEY, b.kv_ctrl(7, 0))
        b.command(ECC, KEYGEN)
        b.write(KV + 4 * 7, 3)
        b.write(SHA512 + SHA512_START, 1)
        b.finish()
        digest = b.get(SHA512 + SHA512_QUOTE, 48)
        self.assertEqual(digest, hashlib.sha384(bytes(32 * 48 + 32)).digest())
        # slot 7, although it is locked and has no usage
        self.assertEqual(b.command(ECC, SIGN | PCR_SIGN), READY | VALID)
        self.assertEqual(
            tuple(int.from_bytes(b.get(ECC + reg, 48), 'big')
                  for reg in (ECC_R, ECC_S)), key.sign(digest))

    # secrets of caliptra-sw test/src/derive.rs
    OBF_KEY = ('4f0b1c83b231c2587759c92bf22ac83f'
               '97c4e1623580ca0fb79529c28a340dfd')
    IV = '455ba82545e16ca6f97d1f86b3718021'
    UDS = ('86c65f4004d4541350 41da9a8580ec9ac7007ee6ceb4a4b8'
           'ce485f47bf6976b8c906de7bb0cd2dce8d2b8eeda537255f').replace(' ', '')
    FE = '8531a3dbc1725f0705f5a301047c1e27d0f18efa6a33e9d23827ead4690aaee2'
    UDS_PLAIN = ('92121902befa44973d36f1db485a3ed62d7b2eb353929c34'
                 '879e64ef6b25eaee0029fa1792f7f8da3b2ac8db21411551')
    FE_PLAIN = ('1a11fd24182c8d6439f97fe7a118d411'
                '057c9b496c9e5b66119bcff5e82d50e0')

    def doe(self, cmd, slot, iv=None):
        if iv:
            self.b.put(DOE, iv)
        self.b.write(DOE + CTRL, cmd | slot << 2)
        self.b.finish()
        return self.b.read(DOE + DOE_STATUS)

    def test_doe(self):
        b = self.b
        b.power_cycle(obf_key=self.OBF_KEY, uds=self.UDS, fe=self.FE)
        self.assertEqual(self.doe(1, 0, self.IV), 0x07)
        self.assertEqual(self.doe(2, 1, self.IV), 0x0f)
        self.assertEqual(self.doe(3, 0), 0x1f)
        self.assertEqual(b.slot_key(0), b.key_seen(self.UDS_PLAIN))
        # the client takes all 12 words; the last 4 were never written
        self.assertEqual(b.slot_key(1), b.key_seen(self.FE_PLAIN + '00' * 16))
        # field entropy as a message: 8 words and padding
        b.put(HMAC + HMAC_KEY, b'k' * 48)
        b.write(HMAC + HMAC_RD_BLOCK, b.kv_ctrl(1))
        b.write(HMAC + HMAC_WR, b.kv_ctrl(2, HMAC_KEY_USE))
        b.command(HMAC, INIT)
        self.assertEqual(b.slot_key(2), b.key_seen(
            model.hmac(b'k' * 48, bytes.fromhex(self.FE_PLAIN))))
        # once per power-on; a warm reset does not count
        b.warm_reset()
        self.assertEqual(b.read(DOE + DOE_STATUS), 0x1d)
        self.assertEqual(self.doe(1, 3, self.IV), 0x1f)
        self.assertEqual(b.read(KV + 4 * 3), 0)

    def test_doe_debug_unlocked(self):
        # caliptra-sw drivers/tests: key, UDS and field entropy all ones
        b = self.b
        b.power_cycle(debug_locked=False, obf_key=self.OBF_KEY, uds=self.UDS,
                      fe=self.FE)
        iv = 'c6b407a2d119a37db7a5bdeb26214aed'
        block0 = '34aa667c0a52c71f977a1de2701ef611'
        rest = '0de19e2124b49b9ddf205ff6a9c04303'
        self.doe(1, 0, iv)
        self.doe(2, 1, iv)
        self.assertEqual(b.slot_key(0), b.key_seen(block0 + rest * 2))
        self.assertEqual(b.slot_key(1),
                         b.key_seen(block0 + rest + 'aa' * 16))


class Rules(EngineTest):
    """What vaults and engines refuse."""

    def test_key_vault_locks(self):
        b = self.b
        for slot in (1, 2, 3):
            self.assertEqual(b.hmac(b'%d' % slot, key=b'k' * 48, dest=slot,
                                    use=HMAC_KEY_USE), 0)
        content = [model.hmac(b'k' * 48, b'%d' % slot) for slot in (1, 2, 3)]
        b.write(KV + 4 * 2, 1)              # lock_wr
        b.write(KV + 4 * 3, 2)              # lock_use
        self.assertEqual(b.read(KV + 4 * 2), 0x00160201)
        # writes are refused by either lock
        self.assertEqual(b.hmac(b'x', key=b'k' * 48, dest=2), 2)
        self.assertEqual(b.hmac(b'x', key=b'k' * 48, dest=3), 2)
        # reads by lock_use
        self.assertEqual(b.slot_key(2), b.key_seen(content[1]))
        b.write(HMAC + HMAC_RD_KEY, b.kv_ctrl(3))
        self.assertEqual(b.read(HMAC + HMAC_RD_KEY + 4), 1 << 2 | 3)
        # and clears by either; a lock in the same write counts
        for slot in (2, 3):
            b.write(KV + 4 * slot, 4)
        b.write(KV + 4, 5)
        self.assertEqual(b.read(KV + 4), 0x00160201)
        b.fw_update_reset()
        for slot in (1, 2, 3):
            self.assertEqual(b.read(KV + 4 * slot), 0x00160200)
            b.write(HMAC + CTRL, 4)
            self.assertEqual(b.slot_key(slot), b.key_seen(content[slot - 1]))
        b.write(KV + 4, 4)
        self.assertEqual(b.read(KV + 4), 0)
        # software sees no key, and writes none
        b.write(KV + 0x600 + 48 * 2, 0x12345678)
        self.assertEqual(b.get(KV + 0x600, 32 * 48), bytes(32 * 48))
        self.assertEqual(b.slot_key(2), b.key_seen(content[1]))

    def test_usage(self):
        b = self.b
        uses = {'hmac key': (HMAC + HMAC_RD_KEY, HMAC_KEY_USE),
                'hmac block': (HMAC + HMAC_RD_BLOCK, HMAC_BLOCK_USE),
                'ecc key': (ECC + ECC_RD_PKEY, ECC_PKEY_USE),
                'ecc seed': (ECC + ECC_RD_SEED, ECC_SEED_USE)}
        for name, (_, use) in uses.items():
            b.hmac(b'x', key=b'k' * 48, dest=4, use=use)
            for other, (client, needed) in uses.items():
                with self.subTest(slot_for=name, used_as=other):
                    b.write(client, b.kv_ctrl(4))
                    self.assertEqual(b.read(client + 4),
                                     3 if use == needed else 3 | 1 << 2)
            b.write(HMAC + CTRL, 4)
            b.write(ECC + CTRL, ECC_ZEROIZE)

    def test_pcr_vault(self):
        b = self.b
        b.write(SHA512 + SHA512_VAULT_RD, 1 | 4 << 1 | 1 << 6)
        b.command(SHA512, SHA512_MODES['sha384'] << 2 | INIT | SHA512_LAST)
        value = b.get(PV + 0x600 + 4 * 48, 48)
        self.assertNotEqual(value, bytes(48))
        b.write(PV + 0x600 + 4 * 48, 0)
        b.write(PV + 4 * 4, 1)
        b.write(PV + 4 * 4, 2)
        self.assertEqual(b.get(PV + 0x600 + 4 * 48, 48), value)
        # extend does not ask for the lock
        b.write(SHA512 + SHA512_VAULT_RD, 1 | 4 << 1 | 1 << 6)
        b.command(SHA512, SHA512_MODES['sha384'] << 2 | INIT | SHA512_LAST)
        self.assertNotEqual(b.get(PV + 0x600 + 4 * 48, 48), value)
        b.warm_reset()
        self.assertNotEqual(b.get(PV + 0x600 + 4 * 48, 48), bytes(48))
        # a lock in the same write is too late for a clear
        b.write(PV + 4 * 4, 3)
        self.assertEqual(b.get(PV + 0x600 + 4 * 48, 48), bytes(48))
        self.assertEqual(b.read(PV + 4 * 4), 1)

    def test_data_vault(self):
        b = self.b
        # data, lock, entries, words an entry; what survives a reset:
        # (data warm, lock warm, lock update)
        regions = ((0x028, 0x000, 10, 12, True, True),
                   (0x230, 0x208, 10, 12, True, False),
                   (0x438, 0x410, 10, 1, True, False),
                   (0x460, None, 8, 1, False, False),
                   (0x4a0, 0x480, 8, 1, True, True))
        for data, lock, n, size, keep, keep_lock in regions:
            with self.subTest(region=hex(data)):
                addr = DV + data + 4 * size * (n - 1) + 4 * (size - 1)
                b.write(addr, 0x11)
                if lock is not None:
                    b.write(DV + lock + 4 * (n - 1), 1)
                    b.write(DV + lock + 4 * (n - 1), 0)
                    b.write(addr, 0x22)
                    self.assertEqual(b.read(addr), 0x11)
                for reset in (b.fw_update_reset, b.warm_reset):
                    reset()
                    if lock is not None:
                        self.assertEqual(b.read(DV + lock + 4 * (n - 1)),
                                         keep_lock)
                self.assertEqual(b.read(addr), 0x11 if keep else 0)
                b.power_cycle()
                self.assertEqual(b.read(addr), 0)

    def test_busy(self):
        """Commands take time; two at once are a fatal error."""
        b = self.b
        b.put(ECC + ECC_SEED, bytes(48))
        b.write(ECC + CTRL, KEYGEN)
        self.assertEqual(b.read(ECC + STATUS), 0)
        b.write(ECC + ECC_SEED, 0xffffffff)         # dropped
        b.write(ECC + CTRL, VERIFY)                 # dropped
        b.write(SHA256 + CTRL, INIT | 4)            # may run beside
        b.finish()
        self.assertEqual(b.read(ECC + STATUS), READY | VALID)
        self.hexes(b.get(ECC + ECC_PRIVKEY_OUT, 48),
                   Vectors.ECC_VECTORS[1][2])
        self.assertEqual(b.read(HW_ERROR_FATAL), 0)
        b.write(HMAC + CTRL, INIT)
        b.write(ECC + CTRL, KEYGEN)
        self.assertEqual(b.read(HW_ERROR_FATAL), 8)
        for status in (HMAC, ECC, SHA512, SHA256):
            self.assertEqual(b.read(status + STATUS), 0)
        b.finish()
        self.assertEqual(b.read(ECC + STATUS), 0)
        b.write(ECC + ECC_X, 1)
        self.assertEqual(b.get(ECC + ECC_X, 48), bytes(48))
        b.warm_reset()
        self.assertEqual(b.read(ECC + STATUS), READY)
        self.hexes(b.keygen(bytes(48), bytes(48))[0],
                   Vectors.ECC_VECTORS[1][2])

    def test_zeroize_aborts(self):
        b = self.b
        for engine, start, zeroize in ((ECC, KEYGEN, 4), (HMAC, INIT, 4),
                                       (SHA512, INIT | 8, 0x18),
                                       (SHA256, INIT | 4, 0xc)):
            with self.subTest(engine=hex(engine)):
                b.write(engine + CTRL, start)
                b.write(engine + CTRL, zeroize)
                self.assertEqual(b.read(engine + STATUS), READY)
                b.finish()
                self.assertEqual(b.read(engine + STATUS), READY)
                self.assertEqual(b.read(engine + NOTIF_INTERNAL), 0)

    def test_ecc_errors(self):
        b = self.b
        _, _, priv, x, y, msg, r, s = Vectors.ECC_VECTORS[0]
        n = '%096x' % model.N
        zero = '00' * 48
        self.assertEqual(b.verify(x, y, msg, r, s)[0], READY | VALID)
        for bad in ((x, y, msg, zero, s), (x, y, msg, r, zero),
                    (x, y, msg, n, s), (x, y, msg, r, n),
                    ('ff' * 48, y, msg, r, s), (x, 'ff' * 48, msg, r, s)):
            with self.subTest(bad=bad):
                b.write(ECC + ERROR_INTERNAL, 1)
                self.assertEqual(b.verify(*bad)[0], READY)
                self.assertEqual(b.read(ECC + ERROR_INTERNAL), 1)
                # no after-effect
                self.assertEqual(b.verify(x, y, msg, r, s)[0], READY | VALID)
        for bad in (zero, n):
            b.put(ECC + ECC_PRIVKEY_IN, bad)
            self.assertEqual(b.command(ECC, SIGN), READY)
        # off the curve: every later VERIFY fails too, until ZEROIZE
        self.assertEqual(b.verify(y, x, msg, r, s)[0], READY)
        self.assertEqual(b.verify(x, y, msg, r, s)[0], READY)
        b.put(ECC + ECC_PRIVKEY_IN, priv)
        self.assertEqual(b.command(ECC, SIGN), READY | VALID)
        self.assertEqual(b.verify(x, y, msg, r, s)[0], READY)
        b.write(ECC + CTRL, ECC_ZEROIZE)
        self.assertEqual(b.verify(x, y, msg, r, s)[0], READY | VALID)

    def test_scan_mode_flush(self):
        b = self.b
        b.hmac(b'x', key=b'k' * 48, dest=1, use=HMAC_KEY_USE)
        b.write(KV + 4, 3)
        b.write(replay.LINES, 1 | 2 | 8)
        b.write(replay.LINES, 1 | 2)
        self.assertEqual(b.read(KV + 4), 0x00160203)
        b.fw_update_reset()
        self.assertEqual(b.slot_key(1), b.key_seen('aa' * 48))


class Trng(EngineTest):
    """CSRNG and entropy source: there with the internal TRNG only."""

    # caliptra-rtl smoke_test_trng, caliptra-sw csrng_tests.rs
    SEED = (0x73bec010, 0x9262474c, 0x16a30f76, 0x531b51de, 0x2ee494e5,
            0xdfec9db3, 0xcb7a879d, 0x5600419c, 0xca79b0b0, 0xdda33b5c,
            0xa468649e, 0xdf5d73fa)
    FIRST = '378fca1ecf763d0817166e900b165308'
    SECOND = ('725eda90c79b4a14e43b74ac9d9a938bc395a6104c5a1483'
              'a45f15e82708cbef89eb63a970cdc6bc710daba1ed39808c')

    def setUp(self):
        self.b.write(replay.LINES, 16)
        super().setUp()
        self.b.write(replay.LINES, 1 | 2 | 16)

    def tearDown(self):
        self.b.write(replay.LINES, 1 | 2)

    def command(self, *data):
        for word in data:
            self.b.write(CSRNG + CSRNG_CMD, word)

    def genbits(self, n):
        out = []
        for _ in range(n):
            self.assertEqual(self.b.read(CSRNG + CSRNG_VLD) & 1, 1)
            out.append(self.b.read(CSRNG + CSRNG_GENBITS))
        return octets(out).hex()

    def test_absent(self):
        self.b.write(replay.LINES, 1 | 2)
        for addr in (CSRNG, ENTROPY_SRC):
            self.b.read(addr + 0x10)
            self.assertEqual(self.b.read(replay.STATE) & replay.STATE_ERROR,
                             1)
        self.b.write(replay.LINES, 1 | 2 | 16)
        for addr in (CSRNG, ENTROPY_SRC):
            self.assertEqual(self.b.read(addr + 0x10), 1)
            self.assertEqual(self.b.read(replay.STATE) & replay.STATE_ERROR,
                             0)

    def test_constant_seed(self):
        self.b.write(CSRNG + CSRNG_CTRL, 0x666)
        self.command(0x905)
        self.command(0x6c1, *self.SEED)
        self.assertEqual(self.b.read(CSRNG + CSRNG_STS), 1)
        self.command(0x3903)
        self.assertEqual(self.genbits(4), self.FIRST)
        self.genbits(8)
        self.assertEqual(self.b.read(CSRNG + CSRNG_VLD), 0)
        self.command(0x3903)
        self.assertEqual(self.genbits(12), self.SECOND)
        # it is the same again only with the same seed
        self.command(0x905)
        self.command(0x6c1, *self.SEED)
        self.command(0x1903)
        self.assertEqual(self.genbits(4), self.FIRST)

    def test_as_firmware_does(self):
        b = self.b
        self.assertEqual(b.read(ENTROPY_SRC + ES_MODULE_ENABLE), 9)
        self.assertEqual(b.read(ENTROPY_SRC + ES_STATE), 0xf5)
        b.write(ENTROPY_SRC + ES_REPCNT, 0xffff0029)
        b.write(ENTROPY_SRC + ES_REPCNT, 0xffff0100)    # only stricter
        b.write(ENTROPY_SRC + ES_ADAPTP_LO, 0x200)
        b.write(ENTROPY_SRC + ES_ADAPTP_LO, 0x100)
        b.write(ENTROPY_SRC + ES_CONF, 0x906096)
        b.write(CSRNG + CSRNG_CTRL, 0x666)
        self.command(0x905)
        self.command(0x901)
        # no seed before the source runs
        self.assertEqual(b.read(CSRNG + CSRNG_STS), 0)
        b.write(ENTROPY_SRC + ES_MODULE_ENABLE, 6)
        self.assertEqual(b.read(CSRNG + CSRNG_STS), 1)
        self.assertEqual(b.read(ENTROPY_SRC + ES_STATE), 0x1a2)
        self.assertEqual(b.read(ENTROPY_SRC + ES_REPCNT), 0xffff0029)
        self.assertEqual(b.read(ENTROPY_SRC + ES_ADAPTP_LO), 0x200)
        self.assertEqual(b.read(ENTROPY_SRC + ES_REGWEN), 0)
        b.write(ENTROPY_SRC + ES_CONF, 0)               # locked
        self.assertEqual(b.read(ENTROPY_SRC + ES_CONF), 0x906096)
        self.command(0x3903)
        self.assertEqual(b.read(CSRNG + CSRNG_VLD), 3)
        first = self.genbits(12)
        self.command(0x901)
        self.command(0x3903)
        self.assertNotEqual(self.genbits(12), first)


class Wake(unittest.TestCase):
    """Whoever plays the microcontroller hears of each interrupt line."""

    GLOBAL_EN, NOTIF_EN, NOTIF_INTERNAL = 0x800, 0x808, 0x818
    SOC_IFC = replay.BUS + 0x30030000
    NOTIF_TRIG = 0x820

    def setUp(self):
        self.soc = CaliptraSoc(args=[*replay.TESTDEV, '-trace',
                                     'caliptra_fw_event'])
        self.addCleanup(self.soc.close)
        self.soc.power_on()
        self.soc.start()
        self.soc.wait_ready_for_fw()
        self.wakes()

    def wakes(self):
        """How many times since the last question."""
        lines = self.soc.stderr().splitlines()
        found = sum(bool(re.search(r'caliptra_fw_event .*: 2 ', line))
                    for line in lines)
        new = found - getattr(self, 'found', 0)
        self.found = found
        return new

    def test_engine(self):
        soc = self.soc
        for base in (SHA256, SHA512, HMAC, ECC):
            with self.subTest(engine=hex(base)):
                # those of the known-answer tests
                soc.write32(base + self.NOTIF_INTERNAL, 1)
                soc.writes32([(base + self.GLOBAL_EN, 2),
                              (base + self.NOTIF_EN, 1),
                              (base + CTRL, INIT)])
                self.assertEqual(self.wakes(), 0)
                soc.clock_step(1000000)
                self.assertEqual(self.wakes(), 1)
                soc.write32(base + self.NOTIF_INTERNAL, 1)
                self.assertEqual(self.wakes(), 1)

    def test_not_enabled(self):
        self.soc.write32(SHA256 + CTRL, INIT)
        self.soc.clock_step(1000000)
        self.assertEqual(self.soc.read32(SHA256 + STATUS), READY | VALID)
        self.assertEqual(self.wakes(), 0)

    def test_soc_ifc(self):
        soc = self.soc
        soc.writes32([(self.SOC_IFC + self.GLOBAL_EN, 2),
                      (self.SOC_IFC + self.NOTIF_EN, 0x20)])
        self.assertEqual(self.wakes(), 0)
        soc.write32(self.SOC_IFC + self.NOTIF_TRIG, 0x20)
        self.assertEqual(self.wakes(), 1)
        soc.write32(self.SOC_IFC + self.NOTIF_INTERNAL, 0x20)
        self.assertEqual(self.wakes(), 1)


class Snapshots(unittest.TestCase):
    """An operation of several blocks goes on in another QEMU."""

    def setUp(self):
        self.src = replay.bench_qtest(qmp=True)
        self.dst = None
        self.addCleanup(self.close)
        self.b = Bench(self.src)
        self.b.power_cycle()

    def close(self):
        self.src.close()
        if self.dst:
            self.dst.close()

    def snapshot(self):
        self.dst = test_snapshot.migrate(
            self.src, os.path.join(self.src.dir, 'state'))
        self.b = Bench(self.dst)

    def blocks(self, engine, msg, size, mode, cut_running):
        """Blocks of a message, with a cut after, or in, the first."""
        for i in range(0, len(msg), size):
            self.b.put(engine + 0x80, msg[i:i + size])
            self.b.write(engine + CTRL, mode | (NEXT if i else INIT))
            if i == 0 and cut_running:
                self.snapshot()
                self.assertEqual(self.b.read(engine + STATUS) & READY, 0)
            self.b.finish()
            if i == 0 and not cut_running:
                self.snapshot()
            self.assertEqual(self.b.read(engine + STATUS), READY | VALID)

    def test_sha512(self):
        self.blocks(SHA512, padded(b'a' * 300, 128, 16), 128, 8, False)
        self.assertEqual(self.b.get(SHA512 + SHA_DIGEST, 48),
                         hashlib.sha384(b'a' * 300).digest())

    def test_sha512_running(self):
        self.blocks(SHA512, padded(b'a' * 300, 128, 16), 128, 12, True)
        self.assertEqual(self.b.get(SHA512 + SHA_DIGEST, 64),
                         hashlib.sha512(b'a' * 300).digest())

    def test_sha256(self):
        self.blocks(SHA256, padded(b'a' * 300, 64, 8), 64, 4, False)
        self.assertEqual(self.b.get(SHA256 + SHA_DIGEST, 32),
                         hashlib.sha256(b'a' * 300).digest())

    def test_sha256_running(self):
        self.blocks(SHA256, padded(b'a' * 300, 64, 8), 64, 4, True)
        self.assertEqual(self.b.get(SHA256 + SHA_DIGEST, 32),
                         hashlib.sha256(b'a' * 300).digest())

    def hmac_blocks(self, cut_running):
        self.b.put(HMAC + HMAC_KEY, b'k' * 48)
        self.blocks(HMAC, padded(b'a' * 300, 128, 16, 128), 128, 0,
                    cut_running)
        self.assertEqual(self.b.get(HMAC + HMAC_TAG, 48),
                         model.hmac(b'k' * 48, b'a' * 300))

    def test_hmac(self):
        self.hmac_blocks(False)

    def test_hmac_running(self):
        self.hmac_blocks(True)

    def test_hmac_loaded_from_the_vault(self):
        self.b.hmac(b'x', key=b'k' * 48, dest=3,
                    use=HMAC_KEY_USE | HMAC_BLOCK_USE)
        content = model.hmac(b'k' * 48, b'x')
        self.b.write(HMAC + HMAC_RD_KEY, self.b.kv_ctrl(3))
        self.b.write(HMAC + HMAC_RD_BLOCK, self.b.kv_ctrl(3))
        self.b.write(HMAC + HMAC_WR, self.b.kv_ctrl(4, HMAC_KEY_USE))
        self.snapshot()
        self.b.put(HMAC + HMAC_KEY, bytes(48))      # locked
        self.b.command(HMAC, INIT)
        self.assertEqual(self.b.slot_key(4),
                         Bench.key_seen(model.hmac(content, content)))

    def test_ecc_running(self):
        seed, nonce, priv, x, y = Vectors.ECC_VECTORS[0][:5]
        self.b.put(ECC + ECC_SEED, seed)
        self.b.put(ECC + ECC_NONCE, nonce)
        self.b.write(ECC + CTRL, KEYGEN)
        self.snapshot()
        self.assertEqual(self.b.read(ECC + STATUS), 0)
        self.b.finish()
        for reg, value in ((ECC_PRIVKEY_OUT, priv), (ECC_X, x), (ECC_Y, y)):
            self.assertEqual(self.b.get(ECC + reg, 48).hex(), value)

    def doe_flows(self, cut_running):
        self.b.power_cycle(obf_key=Vectors.OBF_KEY, uds=Vectors.UDS,
                           fe=Vectors.FE)
        self.b.put(DOE, Vectors.IV)
        self.b.write(DOE + CTRL, 1)
        if cut_running:
            self.snapshot()
            self.assertEqual(self.b.read(DOE + DOE_STATUS), 0)
        self.b.finish()
        if not cut_running:
            self.snapshot()
        self.assertEqual(self.b.slot_key(0),
                         Bench.key_seen(Vectors.UDS_PLAIN))
        # no IV for the second flow: the chain of the first goes on
        self.b.write(DOE + CTRL, 2 | 1 << 2)
        self.b.finish()
        last = bytes.fromhex(Vectors.UDS)[-16:]
        block0 = bytes(a ^ b ^ c for a, b, c in zip(
            bytes.fromhex(Vectors.FE_PLAIN), bytes.fromhex(Vectors.IV), last))
        self.assertEqual(self.b.slot_key(1), Bench.key_seen(
            block0 + bytes.fromhex(Vectors.FE_PLAIN)[16:] + bytes(16)))

    def test_doe_between_flows(self):
        self.doe_flows(False)

    def test_doe_running(self):
        self.doe_flows(True)

    def test_csrng_between_words(self):
        self.b.write(replay.LINES, 1 | 2 | 16)
        self.b.write(CSRNG + CSRNG_CTRL, 0x666)
        for word in (0x6c1, *Trng.SEED, 0x3903):
            self.b.write(CSRNG + CSRNG_CMD, word)
        got = [self.b.read(CSRNG + CSRNG_GENBITS) for _ in range(2)]
        self.snapshot()
        got += [self.b.read(CSRNG + CSRNG_GENBITS) for _ in range(10)]
        self.assertEqual(octets(got[:4]).hex(), Trng.FIRST)
        self.b.write(CSRNG + CSRNG_CMD, 0x3903)
        got = [self.b.read(CSRNG + CSRNG_GENBITS) for _ in range(12)]
        self.assertEqual(octets(got).hex(), Trng.SECOND)

    def test_pcr_extend_of_two_blocks(self):
        data = bytes(range(79))
        msg = padded(bytes(48) + data, 128, 16)
        self.assertEqual(len(msg), 256)
        self.b.write(SHA512 + SHA512_VAULT_RD, 1 | 9 << 1 | 1 << 6)
        self.b.put(SHA512 + SHA_BLOCK, msg[:128])
        self.b.command(SHA512, 8 | INIT)
        self.snapshot()
        self.b.put(SHA512 + SHA_BLOCK, msg[128:])
        self.b.command(SHA512, 8 | NEXT | SHA512_LAST)
        self.assertEqual(self.b.get(PV + 0x600 + 9 * 48, 48),
                         hashlib.sha384(bytes(48) + data).digest())

    def test_quote_running(self):
        self.b.put(SHA512 + SHA512_NONCE, bytes(range(32)))
        self.b.write(SHA512 + SHA512_START, 1)
        self.snapshot()
        self.assertEqual(self.b.read(SHA512 + SHA512_QSTATUS), 0)
        self.b.finish()
        nonce = b''.join(bytes(range(i, i + 4)) for i in range(28, -4, -4))
        self.assertEqual(self.b.get(SHA512 + SHA512_QUOTE, 48),
                         hashlib.sha384(bytes(32 * 48) + nonce).digest())


if __name__ == '__main__':
    unittest.main()
