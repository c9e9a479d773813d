# Caliptra 1.2 firmware bundle: layout, signing, the verifier's rules
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The firmware bundle, as image/types of caliptra-sw (1.2) defines it."""

import struct

import caliptra_keys as keys
from caliptra_common import (LIFECYCLES, ToolError, fuse_svn, hw_words,
                             no_fuses, words_number)
from caliptra_keys import sha384

MARKER = 0x4E414D43
MANIFEST_SIZE = 0x16FC
MAX_SIZE = 0x20000
ICCM = range(0x40000000, 0x40020000)
ECC_KEYS = 4
LMS_KEYS = 32
TOC_ENTRIES = 2
TOC_EXECUTABLE = 1
FLAG_PL0_PAUSER_VALID = 1
MAX_FMC_SVN = 32
MAX_RT_SVN = 128

# Ranges that are hashed: (first byte, byte after the last)
VENDOR_KEYS = (0x0008, 0x0788)
OWNER_KEYS = (0x0E44, 0x0ED4)
VENDOR_HEADER = (0x1590, 0x1604)
OWNER_HEADER = (0x1590, 0x162C)
TOC = (0x162C, 0x16FC)


def _layout():
    """Name -> (offset, size, form), in the order of the file.

    Forms: le32 (number), hw (big-endian number or digest in hardware
    words), raw (bytes), text (bytes that are ASCII), lms (LMS key or
    signature).
    """
    table = {}
    offset = 0

    def add(name, size, form):
        nonlocal offset
        table[name] = (offset, size, form)
        offset += size

    add('marker', 4, 'le32')
    add('size', 4, 'le32')
    for k in range(ECC_KEYS):
        add(f'vendor_ecc_key{k}.x', 48, 'hw')
        add(f'vendor_ecc_key{k}.y', 48, 'hw')
    for k in range(LMS_KEYS):
        add(f'vendor_lms_key{k}', keys.LMS_KEY_SIZE, 'lms')
    add('vendor_ecc_index', 4, 'le32')
    add('vendor_lms_index', 4, 'le32')
    for party in ('vendor', 'owner'):
        if party == 'owner':
            add('owner_ecc_key.x', 48, 'hw')
            add('owner_ecc_key.y', 48, 'hw')
            add('owner_lms_key', keys.LMS_KEY_SIZE, 'lms')
        add(f'{party}_ecc_sig.r', 48, 'hw')
        add(f'{party}_ecc_sig.s', 48, 'hw')
        add(f'{party}_lms_sig', keys.LMS_SIG_SIZE, 'lms')
    add('reserved', 8, 'raw')
    add('header.revision', 8, 'raw')
    add('header.vendor_ecc_index', 4, 'le32')
    add('header.vendor_lms_index', 4, 'le32')
    add('header.flags', 4, 'le32')
    add('header.toc_count', 4, 'le32')
    add('header.pl0_pauser', 4, 'le32')
    add('header.toc_digest', 48, 'hw')
    add('header.vendor_not_before', 15, 'text')
    add('header.vendor_not_after', 15, 'text')
    add('header.vendor_reserved', 10, 'raw')
    add('header.owner_not_before', 15, 'text')
    add('header.owner_not_after', 15, 'text')
    add('header.owner_epoch', 2, 'raw')
    add('header.owner_reserved', 8, 'raw')
    for image in ('fmc', 'rt'):
        add(f'{image}.id', 4, 'le32')
        add(f'{image}.type', 4, 'le32')
        add(f'{image}.revision', 20, 'raw')
        for name in ('version', 'svn', 'reserved', 'load_addr', 'entry_point',
                     'offset', 'size'):
            add(f'{image}.{name}', 4, 'le32')
        add(f'{image}.digest', 48, 'hw')
    assert offset == MANIFEST_SIZE
    return table


LAYOUT = _layout()


class Bundle:
    """A bundle in memory.  bundle['name'] reads and writes a field:
    numbers for le32, bytes in natural order for all other forms."""

    def __init__(self, data):
        self.data = bytearray(data)

    def __getitem__(self, name):
        offset, size, form = LAYOUT[name]
        value = bytes(self.data[offset:offset + size])
        if form == 'le32':
            return int.from_bytes(value, 'little')
        return hw_words(value) if form == 'hw' else value

    def __setitem__(self, name, value):
        offset, size, form = LAYOUT[name]
        if form == 'le32':
            value = value.to_bytes(4, 'little')
        elif form == 'hw':
            value = hw_words(value)
        if len(value) != size:
            raise ToolError(f'{name}: {size} bytes expected')
        self.data[offset:offset + size] = value

    def stored(self, first, last):
        """Stored bytes from field @first to the end of field @last"""
        offset, size, _ = LAYOUT[last]
        return bytes(self.data[LAYOUT[first][0]:offset + size])

    def digest(self, span):
        return sha384(self.data[span[0]:span[1]])

    def ecc_key(self, name):
        return keys.EccKey(self.stored(f'{name}.x', f'{name}.y'))

    def lms_key(self, name):
        return keys.LmsKey(self[name])

    def image(self, which):
        start = self[f'{which}.offset']
        return bytes(self.data[start:start + self[f'{which}.size']])

    # Signing, step by step; sign() does all of it in order

    def seal_images(self):
        """Image digests, from the images where the TOC says they are"""
        for image in ('fmc', 'rt'):
            self[f'{image}.digest'] = sha384(self.image(image))

    def seal_toc(self):
        self['header.toc_digest'] = self.digest(TOC)

    def sign_party(self, party, ecc_key, lms_key=None, lms_leaf=None):
        """Sign the header for 'vendor' or 'owner'.  A key that is None
        leaves that signature alone."""
        digest = self.digest(VENDOR_HEADER if party == 'vendor'
                             else OWNER_HEADER)
        if ecc_key:
            signature = ecc_key.sign(digest)
            self[f'{party}_ecc_sig.r'] = hw_words(signature[:48])
            self[f'{party}_ecc_sig.s'] = hw_words(signature[48:])
        if lms_key:
            self[f'{party}_lms_sig'] = lms_key.sign(digest, lms_leaf)

    def put_ecc_key(self, name, key):
        self[f'{name}.x'] = hw_words(key.public[:48])
        self[f'{name}.y'] = hw_words(key.public[48:])

    def end(self):
        """Where the last image ends: what follows is not the bundle's"""
        return max(self[f'{image}.offset'] + self[f'{image}.size']
                   for image in ('fmc', 'rt'))

    def required_fuses(self):
        """The fuses without which Caliptra refuses this bundle"""
        return {
            'key_manifest_pk_hash': self.digest(VENDOR_KEYS),
            'owner_pk_hash': self.digest(OWNER_KEYS),
            'lms_verify': int(any(self['vendor_lms_sig']) and
                              any(self['owner_lms_sig'])),
        }


def find_bundle(data, start=0):
    """Where in @data a bundle begins, -1 if there is none"""
    head = struct.pack('<II', MARKER, MANIFEST_SIZE)
    at = data.find(head, start)
    return at if at < 0 or at + MANIFEST_SIZE <= len(data) else -1


def pad(image):
    """Whole words: what follows the last one is never loaded."""
    return image + bytes(-len(image) % 4)


def assemble(fmc, rt):
    """A bundle around two images, with everything filled in that follows
    from them alone."""
    fmc, rt = pad(fmc), pad(rt)
    total = MANIFEST_SIZE + len(fmc) + len(rt)
    if not fmc or not rt:
        raise ToolError('an image is empty')
    if total > MAX_SIZE:
        raise ToolError(f'the bundle would have {total} bytes; Caliptra '
                        f'takes {MAX_SIZE}')
    bundle = Bundle(bytes(MANIFEST_SIZE) + fmc + rt)
    bundle['marker'] = MARKER
    bundle['size'] = MANIFEST_SIZE
    bundle['header.toc_count'] = TOC_ENTRIES
    offset = MANIFEST_SIZE
    for ident, (name, image) in enumerate((('fmc', fmc), ('rt', rt)), 1):
        bundle[f'{name}.id'] = ident
        bundle[f'{name}.type'] = TOC_EXECUTABLE
        bundle[f'{name}.offset'] = offset
        bundle[f'{name}.size'] = len(image)
        offset += len(image)
    return bundle


def load_elf(data, what):
    """Flat image of an ELF file: (image, load address, entry point)"""
    wide = data[4] == 2
    head, segment = ('<QQ', '<IIQQQQQ') if wide else ('<II', '<IIIIIII')
    if data[5] != 1:
        raise ToolError(f'{what}: not a little-endian ELF file')
    try:
        entry, table = struct.unpack_from(head, data, 24)
        size, count = struct.unpack_from('<HH', data, 54 if wide else 42)
        chunks, lowest = [], None
        for i in range(count):
            kind, *rest = struct.unpack_from(segment, data, table + i * size)
            if wide:
                _, offset, _, paddr, filesz, _ = rest
            else:
                offset, _, paddr, filesz, _, _ = rest
            # what is in no file, stacks in the DCCM, is in no bundle
            if kind == 1 and filesz:
                lowest = paddr if lowest is None else min(lowest, paddr)
                chunks.append((paddr, data[offset:offset + filesz]))
    except struct.error:
        raise ToolError(f'{what}: truncated ELF file') from None
    end = max((paddr + len(chunk) for paddr, chunk in chunks), default=0)
    if not chunks or end - lowest > MAX_SIZE:
        raise ToolError(f'{what}: no segments that fit into {MAX_SIZE} bytes')
    image = bytearray(end - lowest)
    for paddr, chunk in chunks:
        image[paddr - lowest:paddr - lowest + len(chunk)] = chunk
    return bytes(image), lowest, entry


# The verifier of ROM 1.2 (image/verify), rule by rule in its order

class Refused(Exception):
    """@code: the Caliptra error; @ext: the driver's error behind it"""

    def __init__(self, code, ext=None):
        super().__init__()
        self.code = code
        self.ext = ext


ECC_EXT = {'range': 0x0005000F, 'key': 0x00050011}
LMS_EXT = {'ots mismatch': 0x000C000D, 'tree type': 0x000C0001,
           'height': 0x000C0006, 'q': 0x000C0007, 'ots type': 0x000C0002,
           'p': 0x000C0004}
DIGEST_OUT_OF_BOUNDS = 0x000B0041

# Of the signature checks: bad key argument, bad signature argument, ECDSA
# could not run, ECDSA failed, LMS could not run, LMS failed
SIGNATURE_CODES = {
    'vendor': (0x000B001B, 0x000B001C, 0x000B000B, 0x000B000C,
               0x000B0031, 0x000B0033),
    'owner': (0x000B0019, 0x000B001A, 0x000B000E, 0x000B000F,
              0x000B0036, 0x000B0038),
}

# Of one image: digest could not be computed, digest, load address outside
# ICCM, unaligned, entry point outside ICCM, unaligned, SVN above the
# maximum, SVN below the fuse
IMAGE_CODES = {
    'fmc': (0x000B0013, 0x000B0014, 0x000B0021, 0x000B0022,
            0x000B0023, 0x000B0024, 0x000B0025, 0x000B0027),
    'rt': (0x000B0015, 0x000B0016, 0x000B0028, 0x000B0029,
           0x000B002A, 0x000B002B, 0x000B002C, 0x000B002E),
}


def refuse_if(condition, code, ext=None):
    if condition:
        raise Refused(code, ext)


def _verify_signatures(bundle, party, ecc_name, lms_name, lms):
    (bad_key, bad_sig, ecc_error, ecc_mismatch,
     lms_error, lms_mismatch) = SIGNATURE_CODES[party]
    digest = bundle.digest(VENDOR_HEADER if party == 'vendor'
                           else OWNER_HEADER)
    refuse_if(not any(bundle[f'{ecc_name}.x']) or
              not any(bundle[f'{ecc_name}.y']), bad_key)
    refuse_if(not any(bundle[f'{party}_ecc_sig.r']) or
              not any(bundle[f'{party}_ecc_sig.s']), bad_sig)
    why = bundle.ecc_key(ecc_name).verify(
        digest, bundle.stored(f'{party}_ecc_sig.r', f'{party}_ecc_sig.s'))
    refuse_if(why in ECC_EXT, ecc_error, ECC_EXT.get(why))
    refuse_if(why, ecc_mismatch)
    if lms:
        why = bundle.lms_key(lms_name).verify(digest,
                                              bundle[f'{party}_lms_sig'])
        refuse_if(why in LMS_EXT, lms_error, LMS_EXT.get(why))
        refuse_if(why, lms_mismatch)


def _verify_toc(bundle, dlen):
    refuse_if(bundle['header.toc_count'] != TOC_ENTRIES, 0x000B0010)
    refuse_if(bundle.digest(TOC) != bundle['header.toc_digest'], 0x000B0012)
    fmc, fmc_size, fmc_load = (bundle[f'fmc.{name}'] for name in (
        'offset', 'size', 'load_addr'))
    rt, rt_size, rt_load = (bundle[f'rt.{name}'] for name in (
        'offset', 'size', 'load_addr'))
    refuse_if(not fmc_size, 0x000B003B)
    refuse_if(not rt_size, 0x000B003C)
    refuse_if(MANIFEST_SIZE + fmc_size + rt_size > dlen, 0x000B002F)
    refuse_if(max(fmc + fmc_size, rt + rt_size) >= 1 << 32, 0x000B0040)
    refuse_if(fmc < rt + rt_size and fmc + fmc_size > rt, 0x000B0017)
    refuse_if(fmc + fmc_size > rt, 0x000B0018)
    refuse_if(fmc_load + fmc_size - 1 >= 1 << 32, 0x000B003E)
    refuse_if(rt_load + rt_size - 1 >= 1 << 32, 0x000B003F)
    refuse_if(fmc_load < rt_load + rt_size and
              rt_load < fmc_load + fmc_size, 0x000B0034)


def _verify_image(bundle, sram, which, max_svn, min_svn):
    (digest_failure, digest_mismatch, load_range, load_align,
     entry_range, entry_align, svn_max, svn_fuse) = IMAGE_CODES[which]
    start, size, load, entry, svn = (bundle[f'{which}.{name}'] for name in (
        'offset', 'size', 'load_addr', 'entry_point', 'svn'))
    refuse_if(start + size > MAX_SIZE, digest_failure, DIGEST_OUT_OF_BOUNDS)
    refuse_if(sha384(sram[start:start + size]) != bundle[f'{which}.digest'],
              digest_mismatch)
    refuse_if(load not in ICCM or load + size - 1 not in ICCM, load_range)
    refuse_if(load % 4, load_align)
    refuse_if(entry not in ICCM, entry_range)
    refuse_if(entry % 4, entry_align)
    if min_svn is not None:
        refuse_if(svn > max_svn, svn_max)
        refuse_if(svn < min_svn, svn_fuse)


def accepting_fuses(bundle):
    """The fuses with which a device in production accepts a bundle, and
    None; or None, and the Refused that it ends with"""
    why = None
    needed = bundle.required_fuses()
    for change in ({}, {'lms_verify': 0}, {'anti_rollback_disable': 1},
                   {'lms_verify': 0, 'anti_rollback_disable': 1}):
        fuses = {**needed, **change}
        try:
            verify(bundle.data, {**no_fuses(), **fuses},
                   LIFECYCLES['production'])
            return fuses, None
        except Refused as e:
            why = why or e
    return None, why


def verify(data, fuses, lifecycle):
    """Cold boot of a bundle: raises Refused at the first broken rule.

    @fuses as load_fuses() returns them, @lifecycle a number.  The mailbox
    is taken to hold zeros behind the bundle.
    """
    dlen = len(data)
    refuse_if(not 0 < dlen <= MAX_SIZE, 0x01020002)
    sram = bytes(data) + bytes(MAX_SIZE - dlen)
    bundle = Bundle(sram[:MANIFEST_SIZE])
    lms = fuses['lms_verify']
    refuse_if(bundle['marker'] != MARKER, 0x000B0001)
    refuse_if(bundle['size'] != MANIFEST_SIZE, 0x000B0002)
    if lifecycle:
        vendor_hash = fuses['key_manifest_pk_hash']
        refuse_if(not any(vendor_hash), 0x000B0003)
        refuse_if(bundle.digest(VENDOR_KEYS) != vendor_hash, 0x000B0005)
    owner_hash = fuses['owner_pk_hash']
    refuse_if(any(owner_hash) and bundle.digest(OWNER_KEYS) != owner_hash,
              0x000B0007)
    index = bundle['vendor_ecc_index']
    refuse_if(index < ECC_KEYS - 1 and
              fuses['key_manifest_pk_hash_mask'] >> index & 1, 0x000B0009)
    refuse_if(index >= ECC_KEYS, 0x000B0008)
    lms_index = bundle['vendor_lms_index']
    if lms:
        refuse_if(lms_index < LMS_KEYS - 1 and
                  fuses['lms_revocation'] >> lms_index & 1, 0x00B0003A)
        refuse_if(lms_index >= LMS_KEYS, 0x000B0032)
    _verify_signatures(bundle, 'vendor', f'vendor_ecc_key{index}',
                       f'vendor_lms_key{lms_index}', lms)
    refuse_if(bundle['header.vendor_ecc_index'] != index, 0x000B000D)
    refuse_if(lms and bundle['header.vendor_lms_index'] != lms_index,
              0x000B0030)
    _verify_signatures(bundle, 'owner', 'owner_ecc_key', 'owner_lms_key', lms)
    _verify_toc(bundle, dlen)
    check_svn = lifecycle and not fuses['anti_rollback_disable']
    _verify_image(bundle, sram, 'fmc', MAX_FMC_SVN,
                  fuse_svn(fuses['fmc_key_manifest_svn'])
                  if check_svn else None)
    _verify_image(bundle, sram, 'rt', MAX_RT_SVN,
                  fuse_svn(words_number(fuses['runtime_svn']))
                  if check_svn else None)
