#
# The known answers of dpe_vectors.py as a dialogue
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Run DPE's known answers against the model or the device."""

import hashlib
import struct

import dpe_model as m
import dpe_vectors as v

RT_CDI = bytes(range(48))
PCR3 = b'\x11' * 48
LABEL = bytes(range(48, 0, -1))
COUNT_UP = bytes(range(1, 49))
UEID = bytes(range(1, 18))
TYPE = 0x68676665
SAN = b'ChipsAlliance:Caliptra:0123456789'


def handle(k):
    """The first 48 random bytes of the k-th call."""
    return bytes((k * 0x10 + i) & 0xFF for i in range(48))


def cert_of(body, offset):
    """(certificate, padding) of a response with its size at an offset."""
    size, = struct.unpack_from('<I', body, offset)
    return body[offset + 4:offset + 4 + size], body[offset + 4 + size:]


def check(test, ask):
    """The dialogue, from a cold boot of a DPE with 32 contexts.

    test: a unittest.TestCase
    ask:  function of (request, command) that returns the response from its
          checksum on, or None for a failed command
    """
    def dpe(req, req_sum, rsp_sum, size, status=0):
        """One command of DPE; what follows the response header."""
        test.assertEqual(req[:4].hex(), req_sum.lower())
        rsp = ask(req, m.CMD_INVOKE_DPE)
        test.assertEqual(rsp[4:12], struct.pack('<II', 0, size))
        test.assertEqual(rsp[12:24],
                         struct.pack('<III', 0x44504552, status, 4))
        test.assertEqual(len(rsp), 12 + size)
        test.assertEqual(rsp[:4].hex(), rsp_sum.lower())
        return rsp[24:]

    # GetProfile
    body = dpe(m.invoke(m.GET_PROFILE), 'B7FDFFFF', 'D7FAFFFF', 32)
    test.assertEqual(body, bytes.fromhex(
        '00000C00' '41525443' '41525443' '20000000' '00006CEE'))

    # InitializeContext: there is a default context already
    dpe(m.initialize(m.DEFAULT), '6DFDFFFF', 'C1FEFFFF', 12, 4)

    # CertifyKey and Sign
    body = dpe(m.certify(label=LABEL), 'CFF8FFFF', '16A1FEFF', 6272)
    test.assertEqual(body[:112], bytes(16) + v.X_LEAF + v.Y_LEAF)
    cert, rest = cert_of(body, 112)
    test.assertEqual(cert, v.LEAF_CERT)
    test.assertFalse(any(rest))

    body = dpe(m.certify(fmt=1, label=LABEL), 'CEF8FFFF', '567BFEFF', 6272)
    cert, rest = cert_of(body, 112)
    test.assertEqual(cert, v.CMS_CSR)
    test.assertFalse(any(rest))

    body = dpe(m.sign(label=LABEL, digest=COUNT_UP), '0AF4FFFF', '47CEFFFF',
               124)
    test.assertEqual(body, bytes(16) + v.SIGN_R + v.SIGN_S)

    # with the name of a device
    test.assertIsNotNone(ask(m.add_san(SAN), m.CMD_ADD_SUBJECT_ALT_NAME))
    rsp = ask(m.certify_extended(label=LABEL, flags=m.DMTF_OTHER_NAME),
              m.CMD_CERTIFY_KEY_EXTENDED)
    cert, rest = cert_of(rsp, 8 + 12 + 112)
    test.assertEqual(len(cert), 1066)
    test.assertEqual(hashlib.sha256(cert).hexdigest(),
                     '2d29b7de4d4229c5953a944a160365fc'
                     '19f1a2d9117b176cdf4c676eb37f3b0c')
    test.assertIn(bytes.fromhex('303f0603551d1101010004353033a031060a2b06'
                                '010401831c821201a0230c21') + SAN, cert)

    # export
    body = dpe(m.derive(flags=m.EXPORT_CDI | m.CREATE_CERT), 'A4FCFFFF',
               'D7DEFEFF', 6224)
    test.assertEqual(body[:64], b'\xff' * 32 + handle(1)[:32])
    cert, rest = cert_of(body, 64)
    test.assertEqual(cert, v.EXPORTED_CERT)
    test.assertFalse(any(rest))

    # contexts come and go
    body = dpe(m.rotate(), '96FDFFFF', '3DFCFFFF', 28)
    test.assertEqual(body, handle(2)[:16])
    body = dpe(m.derive(handle(2)[:16], COUNT_UP, m.RETAIN_PARENT, TYPE),
               '9AF4FFFF', 'B5F6FFFF', 44)
    test.assertEqual(body, handle(3)[:16] + handle(4)[:16])
    dpe(m.destroy(handle(3)[:16]), '21FAFFFF', 'C5FEFFFF', 12)

    # certificate chain
    rsp = ask(m.cert_chain(1 << 20, 1), m.CMD_INVOKE_DPE)
    test.assertEqual(rsp[8:24], struct.pack('<IIII', 12, 0x44504552,
                                            0x01000001, 4))
    rsp = ask(m.cert_chain(0, 2049), m.CMD_INVOKE_DPE)
    test.assertEqual(rsp[8:24], struct.pack('<IIII', 12, 0x44504552, 3, 4))


def check_replace(test, ask):
    """A default context takes the place of the default context."""
    flags = m.MAKE_DEFAULT | m.ALLOW_CA | m.ALLOW_X509
    req = m.derive(bytes(16), COUNT_UP, flags, TYPE)
    test.assertEqual(req[:8].hex(), '1cf7ffff58000000')
    rsp = ask(req, m.CMD_INVOKE_DPE)
    test.assertEqual(rsp.hex(), 'b5eeffff' '00000000' '2c000000'
                     '52455044' '00000000' '04000000' +
                     '00' * 16 + 'ff' * 16)
