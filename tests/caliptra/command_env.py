# What the tests of boot and commands share: bundles, fuses, what they give
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Bundles that FUSES accept, and the answers that follow from them."""

import functools
import hashlib
import struct

import dev_bundle
from dev_bundle import image, keys

PL0_USER = 0x21212121

FUSE_KEY_MANIFEST_PK_HASH = 0x250
FUSE_OWNER_PK_HASH = 0x284


def words(digest):
    """Register words of a digest."""
    return list(struct.unpack('>%dI' % (len(digest) // 4), digest))


VENDOR_HASH, OWNER_HASH = dev_bundle.key_hashes()
FUSES = {FUSE_KEY_MANIFEST_PK_HASH: words(VENDOR_HASH),
         FUSE_OWNER_PK_HASH: words(OWNER_HASH)}


@functools.cache
def bundle(**kwargs):
    """A bundle with PL0_USER as its PL0 user; see make_bundle()."""
    return dev_bundle.make_bundle(pl0_pauser=PL0_USER, **kwargs)


# a key of the development set, to sign with
_LMS_KEY = keys.dev_lms_key(keys.DEV_OWNER)
LMS_ID = _LMS_KEY.public[8:24]
LMS_Q = keys.SHORT_CUT_LEAF


def lms_sign(message):
    """(root, RFC 8554 signature)"""
    return _LMS_KEY.public[24:48], _LMS_KEY.sign(message)


# the ROM that has no bytes, and its digest as hash words
ROM_VERSION = 0x0880
ROM_REVISION = b'~~~~~NO_GIT_REVISION'
ROM_DIGEST = struct.pack('<8I', *words(hashlib.sha256(b'').digest()))
if dev_bundle.EXECUTED:
    ROM_VERSION, ROM_REVISION, ROM_DIGEST = dev_bundle.genuine.images().rom_info

FMC_VERSION = 0x0880


def fw_info(of=None, min_svn=None, attestation_disabled=0):
    """The response to FW_INFO behind its header, for a running bundle."""
    b = image.Bundle(of or bundle())
    svn = b['rt.svn']
    return (struct.pack('<5I', b['header.pl0_pauser'], svn,
                        svn if min_svn is None else min_svn, b['fmc.svn'],
                        attestation_disabled) +
            ROM_REVISION + b['fmc.revision'] + b['rt.revision'] +
            ROM_DIGEST + keys.hw_words(b['fmc.digest']) +
            keys.hw_words(b['rt.digest']) +
            struct.pack('<12I', *words(OWNER_HASH)))
