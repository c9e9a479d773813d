#!/usr/bin/env python3
#
# Firmware bundles that break one rule each, and neighbours that break none
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""badbundles.py DIRECTORY writes one file for each case, and "index", with
one line for each case:

    name file lifecycle dlen code ext boot-status offset=words...

code is what CPTRA_FW_ERROR_FATAL shall hold (0: the firmware boots), ext
what CPTRA_FW_EXTENDED_ERROR_INFO[0] shall hold, boot-status what
CPTRA_BOOT_STATUS shall hold after a refusal; the rest are fuses: register
offset, and hex words to write from there on.

The codes in the table are written down by hand from the order of checks in
the ROM (image/verify, rom/dev fw_processor.rs and drivers of caliptra-sw
1.2), not computed.  Whatever lies in front of the rule in that order is in
order: signatures are made after the change where the rule comes after them.
"""

import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'scripts', 'caliptra'))
import caliptra_image as image      # noqa: E402
import caliptra_keys as keys        # noqa: E402
from caliptra_common import (FUSE_WORDS, hw_words,      # noqa: E402
                             number_words)

ACCEPTED = 0
MANIFEST_LOADED = 0x82      # FwProcessorManifestLoadComplete
LDEVID_COMPLETE = 0x46      # LDevIdDerivationComplete
SIZE_ERROR = 0x01020002

FUSE_OFFSETS = {
    'key_manifest_pk_hash': 0x250,
    'key_manifest_pk_hash_mask': 0x280,
    'owner_pk_hash': 0x284,
    'fmc_key_manifest_svn': 0x2B4,
    'runtime_svn': 0x2B8,
    'anti_rollback_disable': 0x2C8,
    'lms_verify': 0x340,
    'lms_revocation': 0x344,
}

FMC = bytes(range(0x40))
RT = bytes(range(0x40, 0x80))
FMC_LOAD = 0x40000000
RT_LOAD = 0x40005400
FMC_OFFSET = image.MANIFEST_SIZE
RT_OFFSET = FMC_OFFSET + len(FMC)
SIZE = RT_OFFSET + len(RT)

ZERO48 = bytes(48)
ONES48 = b'\xff' * 48
P = keys.P384_P.to_bytes(48, 'big')
N = keys.P384_N.to_bytes(48, 'big')


def be32(value):
    return value.to_bytes(4, 'big')


class Patch:
    """Bytes at an offset within a field"""

    def __init__(self, offset, data=None, flip=None):
        self.offset = offset
        self.data = data
        self.flip = flip

    def apply(self, value):
        value = bytearray(value)
        if self.flip:
            value[self.offset] ^= self.flip
        else:
            value[self.offset:self.offset + len(self.data)] = self.data
        return bytes(value)


FLIP_LAST = Patch(-1, flip=1)


class Case:
    """A bundle and what becomes of it.

    Changes, each {field: value or Patch}, by the moment when they are made:
    toc before the TOC is hashed, header before it is signed, final after
    all signatures.  at: {file offset: mask to flip}, after all that.
    keys: changes that are made last, but in front of the hashing of fuses,
    so that the key hashes are right.  fuses: {name: number or bytes}
    instead of the right ones.  signers: development keys in place of vendor
    key 0 and the owner's.
    """

    def __init__(self, name, code, ext=0, *, toc=None, header=None,
                 final=None, keys=None, at=None, fuses=None,
                 lifecycle='production', dlen=None, cut=None, pad=None,
                 signers=(0, keys.DEV_OWNER), lms=True):
        self.name = name
        self.code = code
        self.ext = ext
        self.toc = toc or {}
        self.header = header or {}
        self.final = final or {}
        self.keys = keys or {}
        self.at = at or {}
        self.fuses = fuses or {}
        self.lifecycle = lifecycle
        self.dlen = dlen
        self.cut = cut
        self.pad = pad
        self.signers = signers
        self.lms = lms

    @property
    def boot_status(self):
        return LDEVID_COMPLETE if self.code == SIZE_ERROR else MANIFEST_LOADED

    @staticmethod
    def change(bundle, changes):
        for field, value in changes.items():
            if isinstance(value, Patch):
                value = value.apply(bundle[field])
            bundle[field] = value

    def make(self):
        """(file contents, fuses)"""
        bundle = image.assemble(FMC, RT)
        for name, load in (('fmc', FMC_LOAD), ('rt', RT_LOAD)):
            bundle[f'{name}.load_addr'] = load
            bundle[f'{name}.entry_point'] = load
        for slot in range(image.ECC_KEYS):
            bundle.put_ecc_key(f'vendor_ecc_key{slot}',
                               keys.dev_ecc_key(slot))
        for slot in range(image.LMS_KEYS):
            bundle[f'vendor_lms_key{slot}'] = \
                keys.dev_lms_key(slot % image.ECC_KEYS).public
        bundle.put_ecc_key('owner_ecc_key', keys.dev_ecc_key(keys.DEV_OWNER))
        bundle['owner_lms_key'] = keys.dev_lms_key(keys.DEV_OWNER).public
        bundle['header.flags'] = image.FLAG_PL0_PAUSER_VALID
        bundle['header.pl0_pauser'] = 0x21212121
        bundle.seal_images()
        self.change(bundle, self.toc)
        bundle.seal_toc()
        self.change(bundle, self.header)
        for party, number in zip(('vendor', 'owner'), self.signers):
            bundle.sign_party(party, keys.dev_ecc_key(number),
                              keys.dev_lms_key(number))
        fuses = {'anti_rollback_disable': 0}
        fuses.update(bundle.required_fuses())
        self.change(bundle, self.final)
        self.change(bundle, self.keys)
        if self.keys:
            fuses.update(bundle.required_fuses())
        fuses['lms_verify'] = int(self.lms)
        fuses.update(self.fuses)
        data = bundle.data
        for offset, mask in self.at.items():
            data[offset] ^= mask
        if self.cut is not None:
            del data[self.cut:]
        if self.pad is not None:
            data.extend(b'\xff' * (self.pad - len(data)))
        return bytes(data), fuses


def sizes():
    yield Case('good', ACCEPTED)
    yield Case('good-manufacturing', ACCEPTED, lifecycle='manufacturing')
    yield Case('good-unprovisioned', ACCEPTED, lifecycle='unprovisioned')
    yield Case('good-without-lms', ACCEPTED, lms=False)
    yield Case('dlen-zero', SIZE_ERROR, dlen=0, cut=0)
    yield Case('dlen-one-too-many', SIZE_ERROR, dlen=0x20001)
    yield Case('dlen-huge', SIZE_ERROR, dlen=0xFFFFFFFF)
    yield Case('dlen-zero-unprovisioned', SIZE_ERROR, dlen=0, cut=0,
               lifecycle='unprovisioned')
    yield Case('padded-to-128k', ACCEPTED, pad=0x20000)
    yield Case('dlen-128k-data-short', ACCEPTED, dlen=0x20000)
    yield Case('cut-to-marker', 0x000B0002, cut=4)
    yield Case('cut-to-three-bytes', 0x000B0001, cut=3)
    # what is hashed is the mailbox, whatever it held before: never this
    yield Case('cut-to-marker-and-size', 0x000B0005, cut=8,
               fuses={'key_manifest_pk_hash': ONES48})
    yield Case('cut-before-runtime', 0x000B002F, cut=RT_OFFSET)
    yield Case('cut-by-a-byte', 0x000B002F, cut=SIZE - 1)
    yield Case('marker-bit', 0x000B0001, at={0: 1})
    yield Case('marker-order', 0x000B0001, final={'marker': 0x434D414E})
    yield Case('marker-unprovisioned', 0x000B0001, at={3: 0x80},
               lifecycle='unprovisioned')
    yield Case('size-less', 0x000B0002, final={'size': 0x16FB})
    yield Case('size-more', 0x000B0002, final={'size': 0x16FD})
    yield Case('size-zero', 0x000B0002, final={'size': 0})


def key_hashes():
    no_vendor = {'key_manifest_pk_hash': ZERO48}
    wrong_vendor = {'key_manifest_pk_hash': bytes(47) + b'\1'}
    wrong_owner = {'owner_pk_hash': b'\1' + bytes(47)}
    yield Case('vendor-hash-zero', 0x000B0003, fuses=no_vendor)
    yield Case('vendor-hash-zero-manufacturing', 0x000B0003, fuses=no_vendor,
               lifecycle='manufacturing')
    yield Case('vendor-hash-zero-unprovisioned', ACCEPTED, fuses=no_vendor,
               lifecycle='unprovisioned')
    yield Case('vendor-hash-wrong', 0x000B0005, fuses=wrong_vendor)
    yield Case('vendor-hash-wrong-manufacturing', 0x000B0005,
               fuses=wrong_vendor, lifecycle='manufacturing')
    yield Case('vendor-hash-wrong-unprovisioned', ACCEPTED,
               fuses=wrong_vendor, lifecycle='unprovisioned')
    yield Case('vendor-ecc-key-not-hashed', 0x000B0005,
               final={'vendor_ecc_key3.y': FLIP_LAST})
    yield Case('vendor-lms-key-not-hashed', 0x000B0005,
               final={'vendor_lms_key31': FLIP_LAST})
    yield Case('vendor-lms-key-not-hashed-lms-off', 0x000B0005, lms=False,
               final={'vendor_lms_key31': FLIP_LAST})
    yield Case('owner-hash-wrong', 0x000B0007, fuses=wrong_owner)
    yield Case('owner-hash-wrong-unprovisioned', 0x000B0007,
               fuses=wrong_owner, lifecycle='unprovisioned')
    yield Case('owner-hash-zero', ACCEPTED, fuses={'owner_pk_hash': ZERO48})
    yield Case('owner-ecc-key-not-hashed', 0x000B0007,
               final={'owner_ecc_key.x': FLIP_LAST})
    yield Case('owner-lms-key-not-hashed', 0x000B0007, lms=False,
               final={'owner_lms_key': FLIP_LAST})


def index(kind, number):
    """Index in preamble and signed header"""
    return {f'vendor_{kind}_index': number,
            f'header.vendor_{kind}_index': number}


def indexes():
    def mask(bits):
        return {'key_manifest_pk_hash_mask': bits}

    def revoke(bits):
        return {'lms_revocation': bits}

    for k in range(4):
        bad = 0x000B0009 if k < 3 else ACCEPTED
        one = {'header': index('ecc', k), 'lms': False,
               'signers': (k, keys.DEV_OWNER)}
        yield Case(f'ecc-key-{k}', ACCEPTED, fuses=mask(0xF & ~(1 << k)),
                   **one)
        yield Case(f'ecc-key-{k}-revoked', bad, fuses=mask(1 << k), **one)
    yield Case('ecc-key-revoked-unprovisioned', 0x000B0009, fuses=mask(1),
               lifecycle='unprovisioned')
    yield Case('ecc-index-4', 0x000B0008, header=index('ecc', 4))
    yield Case('ecc-index-4-all-revoked', 0x000B0008,
               header=index('ecc', 4), fuses=mask(0xF))
    yield Case('ecc-index-huge', 0x000B0008,
               header=index('ecc', 0xFFFFFFFF))
    for k in (0, 4, 30, 31):        # all of them hold vendor key k % 4
        one = {'header': index('lms', k),
               'signers': (k % 4, keys.DEV_OWNER)}
        if k % 4:
            one['header'].update(index('ecc', k % 4))
        yield Case(f'lms-key-{k}', ACCEPTED,
                   fuses=revoke(0xFFFFFFFF & ~(1 << k)), **one)
        yield Case(f'lms-key-{k}-revoked',
                   0x00B0003A if k < 31 else ACCEPTED,
                   fuses=revoke(1 << k), **one)
    yield Case('lms-key-revoked-lms-off', ACCEPTED, fuses=revoke(1),
               lms=False)
    yield Case('lms-key-revoked-unprovisioned', 0x00B0003A, fuses=revoke(1),
               lifecycle='unprovisioned')
    yield Case('lms-index-32', 0x000B0032, header=index('lms', 32))
    yield Case('lms-index-32-all-revoked', 0x000B0032,
               header=index('lms', 32), fuses=revoke(0xFFFFFFFF))
    yield Case('lms-index-huge', 0x000B0032,
               header=index('lms', 0xFFFFFFFF))
    yield Case('lms-index-huge-lms-off', ACCEPTED, lms=False,
               header=index('lms', 0xFFFFFFFF))


# Of each signer: bad key, bad signature, ECDSA did not run, ECDSA mismatch,
# LMS did not run, LMS mismatch
SIGNER_CODES = {
    'vendor': (0x000B001B, 0x000B001C, 0x000B000B, 0x000B000C,
               0x000B0031, 0x000B0033),
    'owner': (0x000B0019, 0x000B001A, 0x000B000E, 0x000B000F,
              0x000B0036, 0x000B0038),
}
SCALAR_RANGE = 0x0005000F
HW_ERROR = 0x00050011


def ecdsa(party, ecc_key):
    bad_key, bad_sig, not_run, mismatch, _, _ = SIGNER_CODES[party]
    r, s = f'{party}_ecc_sig.r', f'{party}_ecc_sig.s'
    x, y = f'{ecc_key}.x', f'{ecc_key}.y'
    for name, change in (('x', {x: ZERO48}), ('y', {y: ZERO48}),
                         ('xy', {x: ZERO48, y: ZERO48})):
        yield Case(f'{party}-key-{name}-zero', bad_key, keys=change)
    # the key is looked at before the signature
    yield Case(f'{party}-all-zero', bad_key,
               keys={x: ZERO48, y: ZERO48, r: ZERO48, s: ZERO48})
    for name, change in (('r', {r: ZERO48}), ('s', {s: ZERO48}),
                         ('rs', {r: ZERO48, s: ZERO48})):
        yield Case(f'{party}-sig-{name}-zero', bad_sig, final=change)
    for name, change in (('r-n', {r: N}), ('s-n', {s: N}),
                         ('r-ones', {r: ONES48}), ('s-ones', {s: ONES48})):
        yield Case(f'{party}-sig-{name}', not_run, SCALAR_RANGE,
                   final=change)
    for name, change in (('x-p', {x: P}), ('y-p', {y: P}),
                         ('x-ones', {x: ONES48}), ('y-ones', {y: ONES48}),
                         ('off-curve', {y: FLIP_LAST})):
        yield Case(f'{party}-key-{name}', not_run, HW_ERROR, keys=change)
    yield Case(f'{party}-sig-r-changed', mismatch, final={r: FLIP_LAST})
    yield Case(f'{party}-sig-s-changed', mismatch, final={s: FLIP_LAST})
    yield Case(f'{party}-sig-n-less-1', mismatch, final={
        r: (keys.P384_N - 1).to_bytes(48, 'big')})
    # a point of the curve, but another
    other = keys.dev_ecc_key(2).public
    yield Case(f'{party}-key-other', mismatch, keys={
        x: hw_words(other[:48]), y: hw_words(other[48:])})
    yield Case(f'{party}-ecdsa-bad-unprovisioned', mismatch,
               final={s: FLIP_LAST}, lifecycle='unprovisioned')


def lms(party, lms_key):
    *_, not_run, mismatch = SIGNER_CODES[party]
    sig = f'{party}_lms_sig'
    ots, tree = 4, 1256         # offsets of the type codes

    def both_ots(number):
        return {sig: Patch(ots, be32(number)),
                lms_key: Patch(4, be32(number))}

    for name, ext, change in (
            ('sig-ots-other', 0x000C000D, {sig: Patch(ots, be32(6))}),
            ('key-ots-other', 0x000C000D, {lms_key: Patch(4, be32(8))}),
            ('tree-0', 0x000C0001, {sig: Patch(tree, be32(0))}),
            ('tree-4', 0x000C0001, {sig: Patch(tree, be32(4))}),
            ('tree-15', 0x000C0001, {sig: Patch(tree, be32(15))}),
            ('tree-11', 0x000C0006, {sig: Patch(tree, be32(11))}),
            ('tree-5', 0x000C0006, {sig: Patch(tree, be32(5))}),
            ('q-32768', 0x000C0007, {sig: Patch(0, be32(32768))}),
            ('q-huge', 0x000C0007, {sig: Patch(0, be32(0xFFFFFFFF))}),
            ('ots-9', 0x000C0002, both_ots(9)),
            ('ots-0', 0x000C0004, both_ots(0)),
            ('ots-6', 0x000C0004, both_ots(6)),
            ('ots-3', 0x000C0004, both_ots(3)),
            ('all-zero', 0x000C0001, {
                sig: bytes(keys.LMS_SIG_SIZE),
                lms_key: bytes(keys.LMS_KEY_SIZE)})):
        yield Case(f'{party}-lms-{name}', not_run, ext, keys=change)
    for name, change in (
            ('q-changed', {sig: Patch(0, be32(4))}),
            ('nonce', {sig: Patch(8, flip=0x80)}),
            ('y0', {sig: Patch(32, flip=1)}),
            ('y50', {sig: Patch(1255, flip=1)}),
            ('path0', {sig: Patch(1260, flip=1)}),
            ('path14', {sig: Patch(1619, flip=1)}),
            ('key-id', {lms_key: Patch(8, flip=1)}),
            ('root', {lms_key: Patch(47, flip=1)})):
        yield Case(f'{party}-lms-{name}', mismatch, keys=change)
    # what nobody looks at
    yield Case(f'{party}-lms-tree-7', ACCEPTED,
               keys={sig: Patch(tree, be32(7))})
    yield Case(f'{party}-lms-key-tree-other', ACCEPTED,
               keys={lms_key: Patch(0, be32(10))})
    yield Case(f'{party}-lms-bad-lms-off', ACCEPTED, lms=False,
               final={sig: Patch(32, flip=1)})
    yield Case(f'{party}-lms-zero-lms-off', ACCEPTED, lms=False,
               keys={sig: bytes(keys.LMS_SIG_SIZE)})


def signatures():
    yield from ecdsa('vendor', 'vendor_ecc_key0')
    yield from lms('vendor', 'vendor_lms_key0')
    yield from ecdsa('owner', 'owner_ecc_key')
    yield from lms('owner', 'owner_lms_key')
    yield Case('signed-by-another-vendor-key', 0x000B000C,
               signers=(1, keys.DEV_OWNER))
    yield Case('signed-by-another-owner', 0x000B000F, signers=(0, 1))
    # the vendor signs 116 bytes of the header, the owner all 156
    yield Case('header-pauser-changed', 0x000B000C,
               final={'header.pl0_pauser': 1})
    yield Case('header-vendor-date-changed', 0x000B000C,
               final={'header.vendor_reserved': FLIP_LAST})
    yield Case('header-owner-date-changed', 0x000B000F,
               final={'header.owner_not_before': FLIP_LAST})
    yield Case('header-owner-reserved-changed', 0x000B000F,
               final={'header.owner_reserved': FLIP_LAST})
    yield Case('ecc-index-differs', 0x000B000D,
               header={'header.vendor_ecc_index': 1})
    yield Case('ecc-index-differs-lms-off', 0x000B000D, lms=False,
               header={'header.vendor_ecc_index': 3})
    yield Case('lms-index-differs', 0x000B0030,
               header={'header.vendor_lms_index': 4})
    yield Case('lms-index-differs-lms-off', ACCEPTED, lms=False,
               header={'header.vendor_lms_index': 4})


def toc():
    yield Case('toc-count-0', 0x000B0010, header={'header.toc_count': 0})
    yield Case('toc-count-1', 0x000B0010, header={'header.toc_count': 1})
    yield Case('toc-count-3', 0x000B0010, header={'header.toc_count': 3})
    yield Case('toc-digest-wrong', 0x000B0012,
               header={'header.toc_digest': FLIP_LAST})
    yield Case('toc-changed', 0x000B0012, final={'rt.version': 1})
    yield Case('toc-id-changed', 0x000B0012, final={'fmc.id': 3})
    for name, code, change in (
            ('fmc-size-0', 0x000B003B, {'fmc.size': 0}),
            ('both-sizes-0', 0x000B003B, {'fmc.size': 0, 'rt.size': 0}),
            ('rt-size-0', 0x000B003C, {'rt.size': 0}),
            ('fmc-size-more', 0x000B002F, {'fmc.size': len(FMC) + 1}),
            ('rt-size-more', 0x000B002F, {'rt.size': len(RT) + 4}),
            ('sizes-huge', 0x000B002F, {'fmc.size': 0xFFFFFFFF,
                                        'rt.size': 0xFFFFFFFF}),
            # in 32 bits the sum would be small
            ('sizes-wrap', 0x000B002F, {'fmc.size': 0x80000000,
                                        'rt.size': 0x80000000}),
            ('fmc-offset-wraps', 0x000B0040, {'fmc.offset': 0xFFFFFFF0}),
            ('fmc-offset-ends-at-4g', 0x000B0040,
             {'fmc.offset': 0x100000000 - len(FMC)}),
            ('rt-offset-wraps', 0x000B0040, {'rt.offset': 0xFFFFFFFF}),
            ('ranges-same', 0x000B0017, {'rt.offset': FMC_OFFSET}),
            ('ranges-overlap', 0x000B0017, {'rt.offset': RT_OFFSET - 1}),
            ('ranges-overlap-swapped', 0x000B0017,
             {'fmc.offset': RT_OFFSET, 'rt.offset': FMC_OFFSET + 1}),
            ('ranges-swapped', 0x000B0018,
             {'fmc.offset': RT_OFFSET, 'rt.offset': FMC_OFFSET}),
            ('fmc-load-wraps', 0x000B003E, {'fmc.load_addr': 0xFFFFFFF0}),
            ('fmc-load-wraps-by-a-byte', 0x000B003E,
             {'fmc.load_addr': 0x100000000 - len(FMC) + 1}),
            ('rt-load-wraps', 0x000B003F, {'rt.load_addr': 0xFFFFFFFF}),
            ('load-same', 0x000B0034, {'rt.load_addr': FMC_LOAD}),
            ('load-overlap', 0x000B0034,
             {'rt.load_addr': FMC_LOAD + len(FMC) - 1}),
            ('load-overlap-below', 0x000B0034,
             {'fmc.load_addr': RT_LOAD + len(RT) - 1})):
        yield Case(name, code, toc=change)


OUT_OF_BOUNDS = 0x000B0041

# Of each image: digest not computed, digest wrong, load address, its
# alignment, entry point, its alignment, SVN too big, SVN below the fuse
IMAGE_CODES = {
    'fmc': (0x000B0013, 0x000B0014, 0x000B0021, 0x000B0022,
            0x000B0023, 0x000B0024, 0x000B0025, 0x000B0027),
    'rt': (0x000B0015, 0x000B0016, 0x000B0028, 0x000B0029,
           0x000B002A, 0x000B002B, 0x000B002C, 0x000B002E),
}


def one_image(which, at, load, size, far):
    (not_computed, mismatch, load_range, load_align,
     entry_range, entry_align, _, _) = IMAGE_CODES[which]
    for place, change in far.items():
        yield Case(f'{which}-{place}', not_computed, OUT_OF_BOUNDS,
                   toc=change)
    yield Case(f'{which}-digest-wrong', mismatch,
               toc={f'{which}.digest': FLIP_LAST})
    yield Case(f'{which}-first-byte', mismatch, at={at: 1})
    yield Case(f'{which}-last-byte', mismatch, at={at + size - 1: 0x80})
    for name, code, field, value in (
            ('load-below', load_range, 'load_addr', 0x40000000 - size),
            ('load-above', load_range, 'load_addr', 0x40020000),
            ('load-end-above', load_range, 'load_addr',
             0x40020000 - size + 4),
            ('load-at-4g', load_range, 'load_addr', 0x100000000 - size),
            ('load-unaligned', load_align, 'load_addr', load + 2),
            ('load-last', ACCEPTED, 'load_addr', 0x40020000 - size),
            ('entry-below', entry_range, 'entry_point', 0x3FFFFFFC),
            ('entry-above', entry_range, 'entry_point', 0x40020000),
            ('entry-zero', entry_range, 'entry_point', 0),
            ('entry-unaligned', entry_align, 'entry_point', load + 1),
            ('entry-elsewhere', ACCEPTED, 'entry_point', 0x4001FFFC)):
        yield Case(f'{which}-{name}', code, toc={f'{which}.{field}': value})
    # names, versions and reserved words are free
    yield Case(f'{which}-free-fields', ACCEPTED, toc={
        f'{which}.id': 9, f'{which}.type': 9, f'{which}.reserved': 0xFFFFFFFF,
        f'{which}.version': 0xFFFFFFFF, f'{which}.revision': b'\xff' * 20})


def svns(which, fuse, maximum, words):
    *_, too_big, below = IMAGE_CODES[which]
    field = f'{which}.svn'

    def fuses(bits, **more):
        return {fuse: number_words(bits, words) if words > 1 else bits,
                **more}

    top = 1 << maximum - 1      # the fuses' highest bit: SVN maximum
    for name, code, svn, bits in (
            ('max', ACCEPTED, maximum, 0),
            ('above-max', too_big, maximum + 1, 0),
            ('huge', too_big, 0xFFFFFFFF, top),
            ('equals-fuse', ACCEPTED, 3, 0b100),
            ('below-fuse', below, 2, 0b100),
            ('below-fuse-thermometer', below, 2, 0b111),
            ('zero-below-fuse', below, 0, 1),
            ('equals-top-fuse', ACCEPTED, maximum, top),
            ('below-top-fuse', below, maximum - 1, top)):
        yield Case(f'{which}-svn-{name}', code, toc={field: svn},
                   fuses=fuses(bits))
    for name, more in (
            ('unprovisioned', {'lifecycle': 'unprovisioned',
                               'fuses': fuses(top)}),
            ('anti-rollback-off', {'fuses': fuses(top,
                                                  anti_rollback_disable=1)})):
        yield Case(f'{which}-svn-below-fuse-{name}', ACCEPTED,
                   toc={field: 0}, **more)
        yield Case(f'{which}-svn-huge-{name}', ACCEPTED,
                   toc={field: 0xFFFFFFFF}, **more)
    yield Case(f'{which}-svn-below-fuse-manufacturing', below,
               toc={field: 2}, fuses=fuses(0b100), lifecycle='manufacturing')


def images():
    end = 0x20000       # of the mailbox
    yield from one_image('fmc', FMC_OFFSET, FMC_LOAD, len(FMC), {
        'behind-mailbox': {'fmc.offset': end, 'rt.offset': end + len(FMC)},
        'ends-behind-mailbox': {'fmc.offset': end - len(FMC) + 4,
                                'rt.offset': end + 4}})
    yield from svns('fmc', 'fmc_key_manifest_svn', 32, 1)
    yield from one_image('rt', RT_OFFSET, RT_LOAD, len(RT), {
        'behind-mailbox': {'rt.offset': end},
        'ends-behind-mailbox': {'rt.offset': end - len(RT) + 4}})
    yield from svns('rt', 'runtime_svn', 128, 4)
    for word in range(1, 4):
        bits = 1 << 32 * word       # SVN 32 * word + 1
        fuses = {'runtime_svn': number_words(bits, 4)}
        yield Case(f'rt-svn-fuse-word-{word}', ACCEPTED, fuses=fuses,
                   toc={'rt.svn': 32 * word + 1})
        yield Case(f'rt-svn-below-fuse-word-{word}', 0x000B002E, fuses=fuses,
                   toc={'rt.svn': 32 * word})
    # FMC is looked at completely before the runtime
    yield Case('fmc-svn-before-rt-digest', 0x000B0025,
               toc={'fmc.svn': 33, 'rt.digest': FLIP_LAST})


def flipped_bits():
    """A bit somewhere in each part that something signs or hashes"""
    somewhere = random.Random(20240229)
    for name, code, first, last in (
            ('vendor-keys', 0x000B0005, 0x0008, 0x0787),
            ('owner-keys', 0x000B0007, 0x0E44, 0x0ED3),
            ('vendor-ecc-sig', 0x000B000C, 0x0794, 0x07BF),
            ('vendor-lms-sig-y', 0x000B0033, 0x0810, 0x0CD7),
            ('vendor-lms-sig-path', 0x000B0033, 0x0CDC, 0x0E43),
            ('header-vendor-part', 0x000B000C, 0x1590, 0x1603),
            ('header-owner-part', 0x000B000F, 0x1604, 0x162B),
            ('owner-ecc-sig', 0x000B000F, 0x0F08, 0x0F33),
            ('owner-lms-sig-y', 0x000B0038, 0x0F54, 0x141B),
            ('owner-lms-sig-path', 0x000B0038, 0x1420, 0x1587),
            ('fmc-toc', 0x000B0012, 0x162C, 0x1693),
            ('rt-toc', 0x000B0012, 0x1694, 0x16FB),
            ('fmc-image', 0x000B0014, FMC_OFFSET, RT_OFFSET - 1),
            ('rt-image', 0x000B0016, RT_OFFSET, SIZE - 1)):
        for turn in range(3):
            yield Case(f'bit-in-{name}-{turn}', code,
                       at={somewhere.randint(first, last):
                           1 << somewhere.randrange(8)})
    # nobody signs these
    yield Case('bit-in-reserved', ACCEPTED, at={0x158B: 0x10})


def cases():
    for group in (sizes, key_hashes, indexes, signatures, toc, images,
                  flipped_bits):
        for case in group():
            yield group.__name__, case


def fuse_words(fuses):
    for name, value in fuses.items():
        data = value if name in FUSE_WORDS else be32(value)
        if any(data):
            yield f'{FUSE_OFFSETS[name]:#x}={data.hex()}'


def main(argv):
    if len(argv) != 1:
        sys.exit('usage: badbundles.py DIRECTORY')
    lines = []
    for group, case in cases():
        data, fuses = case.make()
        path = os.path.join(argv[0], case.name)
        with open(path, 'wb') as f:
            f.write(data)
        dlen = len(data) if case.dlen is None else case.dlen
        lines.append(' '.join((
            f'{group}/{case.name}', case.name, case.lifecycle, f'{dlen:#x}',
            f'{case.code:#010x}', f'{case.ext:#010x}',
            f'{case.boot_status:#x}', *fuse_words(fuses))))
    with open(os.path.join(argv[0], 'index'), 'w', encoding='ascii') as f:
        f.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main(sys.argv[1:])
