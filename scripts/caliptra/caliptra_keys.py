# Signing and verifying as Caliptra firmware images need it
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""ECDSA P-384 and LMS keys of firmware bundles and manifests.

Everything written here is deterministic: ECDSA nonces are those of RFC 6979
with SHA-384, LMS is RFC 8554 with SHA-256 truncated to 24 bytes (NIST SP
800-208), of which Caliptra accepts one parameter set: tree type 12
(height 15), one-time type 7 (w = 4).
"""

import functools
import hashlib
import hmac
import multiprocessing
import os
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from caliptra_common import ToolError, hw_words, read_file

# Domain of the curve (SEC 2, secp384r1): field prime and group order
P384_P = (1 << 384) - (1 << 128) - (1 << 96) + (1 << 32) - 1
P384_N = int('ffffffffffffffffffffffffffffffffffffffffffffffff'
             'c7634d81f4372ddf581a0db248b0a77aecec196accc52973', 16)

ECC_KEY_SIZE = 96
ECC_SIG_SIZE = 96

LMS_TYPE = 12
LMOTS_TYPE = 7
LMS_N = 24
LMS_HEIGHTS = {10: 5, 11: 10, 12: 15, 13: 20, 14: 25}
# One-time type -> w, p, ls (n = 24)
LMOTS_PARAMETERS = {5: (1, 200, 8), 6: (2, 101, 6), 7: (4, 51, 4),
                    8: (8, 26, 0)}
LMS_KEY_SIZE = 48
LMS_SIG_SIZE = 1620

D_PBLC = b'\x80\x80'
D_MESG = b'\x81\x81'
D_LEAF = b'\x82\x82'
D_INTR = b'\x83\x83'

# The one leaf that upstream's development keys can sign with, and the
# value that stands for the one-time public keys of all other leaves
SHORT_CUT_LEAF = 5
SHORT_CUT_K = bytes(LMS_N)
SHORT_CUT_NONCE = b'\xa5' * LMS_N


def sha384(data):
    return hashlib.sha384(data).digest()


class EccKey:
    """A P-384 public key as stored: X, then Y, each in hardware words."""

    def __init__(self, public):
        self.public = bytes(public)

    def pem(self):
        """SubjectPublicKeyInfo, None if this is no point of the curve."""
        x, y = (int.from_bytes(hw_words(v), 'big') for v in (
            self.public[:48], self.public[48:]))
        try:
            key = ec.EllipticCurvePublicNumbers(
                x, y, ec.SECP384R1()).public_key()
        except ValueError:
            return None
        return key.public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo)

    def verify(self, digest, signature):
        """None if the signature is good, else what is wrong with it."""
        r, s, x, y = (int.from_bytes(hw_words(v), 'big') for v in (
            signature[:48], signature[48:],
            self.public[:48], self.public[48:]))
        if not (0 < r < P384_N and 0 < s < P384_N):
            return 'range'
        if x >= P384_P or y >= P384_P:
            return 'key'
        try:
            key = ec.EllipticCurvePublicNumbers(
                x, y, ec.SECP384R1()).public_key()
        except ValueError:
            return 'key'
        try:
            key.verify(utils.encode_dss_signature(r, s), digest,
                       ec.ECDSA(utils.Prehashed(hashes.SHA384())))
        except InvalidSignature:
            return 'mismatch'
        return None


class EccPrivateKey(EccKey):
    def __init__(self, scalar):
        self.scalar = scalar
        point = ec.derive_private_key(scalar, ec.SECP384R1()) \
            .public_key().public_numbers()
        super().__init__(hw_words(point.x.to_bytes(48, 'big')) +
                         hw_words(point.y.to_bytes(48, 'big')))

    def nonces(self, digest):
        """The nonces of RFC 6979 section 3.2, with SHA-384."""
        seed = self.scalar.to_bytes(48, 'big') + \
            (int.from_bytes(digest, 'big') % P384_N).to_bytes(48, 'big')
        k, v = bytes(48), b'\x01' * 48
        for tag in (b'\x00', b'\x01'):
            k = hmac.digest(k, v + tag + seed, 'sha384')
            v = hmac.digest(k, v, 'sha384')
        while True:
            v = hmac.digest(k, v, 'sha384')
            nonce = int.from_bytes(v, 'big')
            if 0 < nonce < P384_N:
                yield nonce
            k = hmac.digest(k, v + b'\x00', 'sha384')
            v = hmac.digest(k, v, 'sha384')

    def sign(self, digest):
        """Signature over a 48-byte digest: r, then s, in hardware words."""
        z = int.from_bytes(digest, 'big')
        for nonce in self.nonces(digest):
            point = ec.derive_private_key(nonce, ec.SECP384R1()) \
                .public_key().public_numbers()
            r = point.x % P384_N
            s = pow(nonce, -1, P384_N) * (z + r * self.scalar) % P384_N
            if r and s:
                return hw_words(r.to_bytes(48, 'big')) + \
                    hw_words(s.to_bytes(48, 'big'))


def lms_hash(*parts):
    return hashlib.sha256(b''.join(parts)).digest()[:LMS_N]


def lmots_digits(q_hash, ots_type):
    """Digits of a message hash and of their checksum."""
    w, p, ls = LMOTS_PARAMETERS[ots_type]

    def digits(data):
        return [byte >> shift & (1 << w) - 1 for byte in data
                for shift in range(8 - w, -1, -w)]

    message = digits(q_hash)
    checksum = sum((1 << w) - 1 - d for d in message) << ls
    return (message + digits(checksum.to_bytes(2, 'big')))[:p]


def lmots_chain(prefix, i, value, first, last):
    for j in range(first, last):
        value = lms_hash(prefix, struct.pack('>HB', i, j), value)
    return value


def lmots_secret(prefix, i, seed):
    return lms_hash(prefix, struct.pack('>HB', i, 0xFF), seed)


def lmots_public(ident, q, seed, ots_type=LMOTS_TYPE):
    """One-time public key K of leaf @q."""
    w, p, _ = LMOTS_PARAMETERS[ots_type]
    prefix = ident + struct.pack('>I', q)
    return lms_hash(prefix, D_PBLC, *(
        lmots_chain(prefix, i, lmots_secret(prefix, i, seed), 0, (1 << w) - 1)
        for i in range(p)))


def lms_leaf(ident, number, k):
    return lms_hash(ident, struct.pack('>I', number), D_LEAF, k)


def lms_node(ident, number, left, right):
    return lms_hash(ident, struct.pack('>I', number), D_INTR, left, right)


def lms_tree(ident, leaves):
    """All nodes of a tree; index 1 is the root, 0 is not used."""
    tree = [None] * len(leaves) + leaves
    for number in range(len(leaves) - 1, 0, -1):
        tree[number] = lms_node(ident, number,
                                tree[2 * number], tree[2 * number + 1])
    return tree


def real_leaf(ident, seed, height, ots_type, q):
    return lms_leaf(ident, (1 << height) + q,
                    lmots_public(ident, q, seed, ots_type))


class LmsKey:
    """An LMS public key as stored: type codes, I, root; 48 bytes."""

    def __init__(self, public):
        self.public = bytes(public)

    def verify(self, message, signature):
        """None if good, else the reason, in the order of the firmware.

        Like the firmware, this never looks at the tree type of the key and
        takes only the height from the tree type of the signature.
        """
        ots_type, = struct.unpack_from('>I', self.public, 4)
        ident, root = self.public[8:24], self.public[24:48]
        q, sig_ots = struct.unpack_from('>II', signature, 0)
        tree_type, = struct.unpack_from('>I', signature, 1256)
        if sig_ots != ots_type:
            return 'ots mismatch'
        if not 5 <= tree_type <= 14:
            return 'tree type'
        if (tree_type - 5) % 5 != 2:
            return 'height'
        if q >= 1 << 15:
            return 'q'
        if ots_type > 8:
            return 'ots type'
        if ots_type != LMOTS_TYPE:
            return 'p'
        prefix = ident + signature[0:4]
        q_hash = lms_hash(prefix, D_MESG, signature[8:32], message)
        node = lms_hash(prefix, D_PBLC, *(
            lmots_chain(prefix, i,
                        signature[32 + LMS_N * i:32 + LMS_N * (i + 1)], d, 15)
            for i, d in enumerate(lmots_digits(q_hash, ots_type))))
        number = (1 << 15) + q
        node = lms_leaf(ident, number, node)
        for i in range(15):
            other = signature[1260 + LMS_N * i:1260 + LMS_N * (i + 1)]
            pair = (other, node) if number & 1 else (node, other)
            number >>= 1
            node = lms_node(ident, number, *pair)
        return None if node == root else 'mismatch'


class LmsPrivateKey(LmsKey):
    """An LMS key that signs.

    @leaves are the leaf nodes of a real tree.  Without them the tree is
    the short cut that upstream takes for its development keys: one leaf
    can sign, all other leaves hash a one-time public key of zeros.
    """

    def __init__(self, ident, seed, leaves=None, lms_type=LMS_TYPE,
                 ots_type=LMOTS_TYPE, root=None):
        self.ident = ident
        self.seed = seed
        self.leaves = leaves
        self.lms_type = lms_type
        self.ots_type = ots_type
        self.height = LMS_HEIGHTS[lms_type]
        super().__init__(struct.pack('>II', lms_type, ots_type) + ident +
                         (root or self.tree[1]))

    @functools.cached_property
    def tree(self):
        leaves = self.leaves
        if leaves is None:
            first = 1 << self.height
            leaves = [lms_leaf(self.ident, first + q, SHORT_CUT_K)
                      for q in range(first)]
            leaves[SHORT_CUT_LEAF] = real_leaf(
                self.ident, self.seed, self.height, self.ots_type,
                SHORT_CUT_LEAF)
        return lms_tree(self.ident, leaves)

    def nonce(self, q):
        """C: the keys with the short cut have no secret to guard."""
        if self.leaves is None:
            return SHORT_CUT_NONCE
        return lms_hash(self.ident, struct.pack('>IH', q, 0xFFFD), b'\xff',
                        self.seed)

    def sign(self, message, q=None):
        """Signature with leaf @q.

        A leaf of a real key must sign one message only; which one is the
        caller's business.
        """
        if self.leaves is None:
            if q not in (None, SHORT_CUT_LEAF):
                raise ToolError('an LMS key without a tree signs with leaf '
                                f'{SHORT_CUT_LEAF} only')
            q = SHORT_CUT_LEAF
        elif q is None:
            raise ToolError('this LMS key needs the number of a leaf that '
                            'was never used')
        elif not 0 <= q < len(self.leaves):
            raise ToolError(f'this LMS key has no leaf {q}')
        prefix = self.ident + struct.pack('>I', q)
        nonce = self.nonce(q)
        q_hash = lms_hash(prefix, D_MESG, nonce, message)
        chains = b''.join(
            lmots_chain(prefix, i, lmots_secret(prefix, i, self.seed), 0, d)
            for i, d in enumerate(lmots_digits(q_hash, self.ots_type)))
        number = (1 << self.height) + q
        path = b''
        while number > 1:
            path += self.tree[number ^ 1]
            number >>= 1
        return struct.pack('>II', q, self.ots_type) + nonce + chains + \
            struct.pack('>I', self.lms_type) + path


# Key files

def load_ecc_key(path):
    """A key from a PEM file; an EccPrivateKey if the file has one."""
    data = read_file(path, 1 << 16)
    try:
        if b'PRIVATE KEY' in data:
            key = serialization.load_pem_private_key(data, None)
            if isinstance(key, ec.EllipticCurvePrivateKey) and \
                    key.curve.name == 'secp384r1':
                return EccPrivateKey(key.private_numbers().private_value)
        else:
            key = serialization.load_pem_public_key(data)
            if isinstance(key, ec.EllipticCurvePublicKey) and \
                    key.curve.name == 'secp384r1':
                point = key.public_numbers()
                return EccKey(hw_words(point.x.to_bytes(48, 'big')) +
                              hw_words(point.y.to_bytes(48, 'big')))
    except (ValueError, TypeError):
        raise ToolError(f'{path}: not an unencrypted PEM key') from None
    raise ToolError(f'{path}: not a P-384 key')


def load_lms_key(path, private):
    """A key from an LMS key file.

    A public file is the 48 bytes of the public key.  A private file is type
    codes, I and SEED, 48 bytes, which stands for a tree with upstream's
    short cut, or these followed by the 32768 leaves of a real tree.
    """
    data = read_file(path)
    tree_size = LMS_N << LMS_HEIGHTS[LMS_TYPE]
    if len(data) not in ((LMS_KEY_SIZE, LMS_KEY_SIZE + tree_size)
                         if private else (LMS_KEY_SIZE,)):
        raise ToolError(f'{path}: not an LMS '
                        f'{"private" if private else "public"} key file '
                        f'({len(data)} bytes)')
    if struct.unpack_from('>II', data) != (LMS_TYPE, LMOTS_TYPE):
        raise ToolError(f'{path}: not an LMS key of types '
                        f'{LMS_TYPE}/{LMOTS_TYPE}')
    if not private:
        return LmsKey(data)
    leaves = [data[i:i + LMS_N]
              for i in range(LMS_KEY_SIZE, len(data), LMS_N)]
    return LmsPrivateKey(data[8:24], data[24:48], leaves or None)


def generate_lms_key(random=os.urandom):
    """A key with a real tree, as bytes: (private file, public file)."""
    ident, seed = random(16), random(LMS_N)
    height = LMS_HEIGHTS[LMS_TYPE]
    leaf = functools.partial(real_leaf, ident, seed, height, LMOTS_TYPE)
    with multiprocessing.Pool() as pool:
        leaves = pool.map(leaf, range(1 << height), 256)
    key = LmsPrivateKey(ident, seed, leaves)
    return (struct.pack('>II', LMS_TYPE, LMOTS_TYPE) + ident + seed +
            b''.join(leaves), key.public)


# The public development keys of caliptra-sw (image/fake-keys): private
# scalars of the four vendor keys and the owner key; I, SEED and root of
# the four vendor LMS keys and the owner LMS key.
DEV_ECC_SCALARS = [int(d, 16) for d in (
    '29f939ea41746499d550c6fa6368b0d761e09b4c75b21922'
    '86f9624000ea1d99ace94ba67ae89b0e3f210cf19a45b6b5',
    'f2ee427b4412f46f8fb020a5c23b0154b3fcb201f93c2ee2'
    '923fd577f85320bb289eb2762b6b21d35cdb3925a57d5043',
    'af72a74cfbbacc3c7ad2f9d9c969d1c919c2d8030a53749a'
    'ee7302677c11a52dee63e4c80b5c029328d35c275f959aee',
    'afbdfc7d36b54629d12c4cb533926c302061161786b50b23'
    '6046ff9317ea0144bc900c70b8cb36ac268b8079e3aeaaaf',
    '59fdf849e39f425619342ed281d28d3d45ab32195174582c'
    'ecb4e9df9cc2e991b75f88fdfa4bc6a46b88340f05dd8890',
)]
DEV_LMS = [[bytes.fromhex(part) for part in key] for key in (
    ('4908a17bcadb18291e289058d5a8e3e8',
     '4dce1e1e775253ec07bc0790cb59b2734586b03286c76974',
     '64ad3eb8be6864f17ccda38bde35edaa6c0da527645407c6'),
    ('7cb5369d64e4281d046e977c70d4d0a3',
     '57685bb6e9462b6bd36021ebf043b7560c581ebf7b50c514',
     '8ea4701dadf7d7000564b7d61d1c95879dd6475c9c3aae0b'),
    ('2bbb4b72c5b41e05d2fabe76f41704bd',
     '73ce8c94f7c9b01cb83a4427a947b2a9444446bde286e5e6',
     'dcb53f9624d4c7b3c9ae4d4c0e41e08e3b1593960fe6a277'),
    ('42cba2e5575b52357ea7aeadef54074c',
     'ba490667173ffe67156ef261acb4bc90cb4fa1bc26bba234',
     '5aa60e27692515993ae8e21f27ccdded8ffcd3d28efbdec2'),
    ('e56d3e53a5c25beaf33a90155b273ae3',
     '65c4fbacd3aba28f77e7c51c7f39ba4d59d0b08379a9f75d',
     '47b2156ca3641cc402c0fd957972ba56086f8f8cfa05b5bb'),
)]
DEV_OWNER = 4


@functools.lru_cache(maxsize=None)
def dev_ecc_key(number):
    """Development key: vendor key 0..3, or DEV_OWNER."""
    return EccPrivateKey(DEV_ECC_SCALARS[number])


@functools.lru_cache(maxsize=None)
def dev_lms_key(number):
    ident, seed, root = DEV_LMS[number]
    return LmsPrivateKey(ident, seed, root=root)
