# Firmware bundles for tests, signed with the development keys
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""make_bundle(): a bundle in a few microseconds, without files."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'scripts', 'caliptra'))

import genuine                      # noqa: E402
import caliptra_image as image      # noqa: E402
import caliptra_keys as keys        # noqa: E402
from caliptra_releases import RELEASES      # noqa: E402

# with the firmware that is modelled the bytes of an image do not matter
EXECUTED = os.environ.get('CALIPTRA_TARGET') == 'veer'


def make_bundle(fmc=None, rt=None, fmc_svn=0, rt_svn=0, fmc_version=0x0880,
                rt_version=0x01020000, ecc_index=0, lms_index=0,
                vendor_dates=None, owner_dates=None, pl0_pauser=1,
                rt_load=0x40005400, release=None, fmc_release=None):
    """A bundle that a part with key_hashes() in its fuses takes.

    fmc, rt: their bytes.  If the firmware is to be executed, genuine ones,
    with these bytes behind them
    release: '1.2.0' ... '1.2.5': of what the images' entries say they are
    fmc_release: of FMC alone

    dates: (not_before, not_after), 15 characters each, as bytes
    pl0_pauser: None for a header that names none
    """
    parts = {'fmc': bytes(range(0x40)) if fmc is None else fmc,
             'rt': bytes(range(0x40, 0x80)) if rt is None else rt}
    executed = genuine.images() if EXECUTED else None
    if executed:
        parts = {'fmc': executed.fmc + (fmc or b''),
                 'rt': executed.rt + (rt or b'')}
    bundle = image.assemble(parts['fmc'], parts['rt'])
    for name, load, version, svn, revision in (
            ('fmc', 0x40000000, fmc_version, fmc_svn, b'\x11' * 20),
            ('rt', rt_load, rt_version, rt_svn, b'\x22' * 20)):
        fields = {'load_addr': load, 'version': version,
                  'revision': revision}
        of = fmc_release if fmc_release and name == 'fmc' else release
        if of:
            fields = RELEASES[of].fields(name)
        fields['entry_point'] = fields['load_addr']
        if executed:
            for field in 'load_addr', 'entry_point':
                fields[field] = executed.bundle['%s.%s' % (name, field)]
        for field, value in fields.items():
            bundle['%s.%s' % (name, field)] = value
        bundle[name + '.svn'] = svn
    _put_keys(bundle)
    for place in ('', 'header.'):
        bundle[place + 'vendor_ecc_index'] = ecc_index
        bundle[place + 'vendor_lms_index'] = lms_index
    if pl0_pauser is not None:
        bundle['header.flags'] = image.FLAG_PL0_PAUSER_VALID
        bundle['header.pl0_pauser'] = pl0_pauser
    for party, dates in (('vendor', vendor_dates), ('owner', owner_dates)):
        if dates:
            bundle['header.%s_not_before' % party] = dates[0]
            bundle['header.%s_not_after' % party] = dates[1]
    bundle.seal_images()
    bundle.seal_toc()
    bundle.sign_party('vendor', keys.dev_ecc_key(ecc_index),
                      keys.dev_lms_key(lms_index % image.ECC_KEYS))
    bundle.sign_party('owner', keys.dev_ecc_key(keys.DEV_OWNER),
                      keys.dev_lms_key(keys.DEV_OWNER))
    return bytes(bundle.data)


def _put_keys(bundle):
    for slot in range(image.ECC_KEYS):
        bundle.put_ecc_key('vendor_ecc_key%d' % slot, keys.dev_ecc_key(slot))
    for slot in range(image.LMS_KEYS):
        bundle['vendor_lms_key%d' % slot] = \
            keys.dev_lms_key(slot % image.ECC_KEYS).public
    bundle.put_ecc_key('owner_ecc_key', keys.dev_ecc_key(keys.DEV_OWNER))
    bundle['owner_lms_key'] = keys.dev_lms_key(keys.DEV_OWNER).public


def key_hashes():
    """SHA-384 of the vendor's and the owner's public keys, for fuses."""
    bundle = image.Bundle(bytes(image.MANIFEST_SIZE))
    _put_keys(bundle)
    return (bundle.digest(image.VENDOR_KEYS), bundle.digest(image.OWNER_KEYS))
