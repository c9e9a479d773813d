#
# What the tests of the DICE Protection Environment share
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A booted device, derivations that work, and DER."""

import base64
import unittest

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import dpe_bench
import dpe_known as k
import dpe_model as m

CHILD = m.RETAIN_PARENT | m.ALLOW_CA | m.ALLOW_X509
NEXT = m.MAKE_DEFAULT | m.ALLOW_CA | m.ALLOW_X509
EXPORT = m.EXPORT_CDI | m.CREATE_CERT


def digest_of(text):
    return m.sha384(text.encode())


# ---- DER, as far as a verifier needs it ----

def der(data):
    """(tag, content, rest) of the element that data begins with."""
    tag, n, at = data[0], data[1], 2
    if n & 0x80:
        at += n & 0x7f
        n = int.from_bytes(data[2:at], 'big')
    return tag, data[at:at + n], data[at + n:]


def elements(content):
    """The elements in a content, each whole."""
    out = []
    while content:
        rest = der(content)[2]
        out.append(content[:len(content) - len(rest)])
        content = rest
    return out


def walk(data, *path):
    """Follow child numbers down from a whole element."""
    for i in path:
        data = elements(der(data)[1])[i]
    return data


def public_key(spki):
    return serialization.load_der_public_key(spki)


def verify(key, signature, digest):
    key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA384())))


def raw_signature(r, s):
    return utils.encode_dss_signature(int.from_bytes(r, 'big'),
                                      int.from_bytes(s, 'big'))


def point_key(x, y):
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(),
                                                        b'\x04' + x + y)


def pem(data, label='CERTIFICATE'):
    return '-----BEGIN %s-----\n%s-----END %s-----\n' % (
        label, base64.encodebytes(data).decode(), label)


class DeviceTest(unittest.TestCase):
    """A device that has booted with the users 1 (PL0), 2 and 3."""

    MAX_HANDLES = None      # the device's own
    RELEASE = 0             # n of 1.2.n

    @classmethod
    def setUpClass(cls):
        cls.bench = dpe_bench.Bench(None, cls.MAX_HANDLES, cls.RELEASE)

    @classmethod
    def tearDownClass(cls):
        cls.bench.close()

    def setUp(self):
        b = self.bench
        b.test = self
        self.ask, self.status, self.fails = b.ask, b.status, b.fails
        b.cold_boot(release=self.RELEASE)

    # what most tests do

    def derive(self, handle=m.ZERO_HANDLE, flags=0, user=None, data=None,
               tci_type=0, target=0):
        """A derivation that works: (child's handle, parent's handle)."""
        out = self.status(0, m.derive(handle, data or digest_of('blob'),
                                      flags, tci_type, target), user)
        return out[:16], out[16:32]

    def rotate(self, handle=m.ZERO_HANDLE, user=None):
        return self.status(0, m.rotate(handle), user)

    def give(self, user):
        """A default context for a user; PL0's has a random handle then."""
        base = self.rotate()
        return self.derive(base, CHILD | m.MAKE_DEFAULT | m.CHANGE_LOCALITY,
                           target=user)[1]

    def certificate(self, body):
        return k.cert_of(body, 112)[0]

    def fill(self, handle, n, user=None, flags=NEXT):
        for i in range(n):
            self.derive(handle, flags, user, digest_of(str(i)))

    def check_sizes(self, n):
        """Of the default context's certificates; it is the n-th node."""
        cert = self.certificate(self.status(0, m.certify(label=k.LABEL)))
        s = len(der(der(walk(cert, 2))[1][1:])[1])
        self.assertEqual(len(cert), 901 + 143 * (n - 2) + s)
        rsp = self.ask(m.certify_extended(label=k.LABEL,
                                          flags=m.DMTF_OTHER_NAME),
                       m.CMD_CERTIFY_KEY_EXTENDED)
        named = k.cert_of(rsp, 132)[0]
        t = len(der(der(walk(named, 2))[1][1:])[1])
        self.assertEqual(len(named) - t, len(cert) - s + 166)
