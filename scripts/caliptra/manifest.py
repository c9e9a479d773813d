#!/usr/bin/env python3
#
# Make and examine SoC authorization manifests for Caliptra 1.2
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Make, sign and examine SoC authorization manifests (SET_AUTH_MANIFEST).

"create" signs with the public development keys of caliptra-sw unless it is
given key files: the firmware keys (those in the firmware bundle that runs)
endorse the manifest keys, and these sign the list of images.

Besides Caliptra's own form, of 14284 bytes, there is the one that the flash
of an AST27x0 holds ("stored", 16004 bytes: with a security version).  "show"
and "verify" know both, and find the manifest in an FLSH container, too.

Examples:
    manifest.py create -o man.bin --image 1=zImage --image 2=tee.bin
    manifest.py create -o man.bin --digest 7=SHA384HEX --ignore 8 --request
    manifest.py create -o man.bin --image 10=bl31.bin --stage 10=1 --stored
    manifest.py show man.bin
    manifest.py verify man.bin --bundle fw.bin --fuses fuses.json
"""

import argparse

import caliptra_flash
import caliptra_keys as keys
from caliptra_common import (ToolError, describe_error, hex_bytes,
                             le32, load_fuses, number, read_file, run_tool,
                             write_file)
from caliptra_image import MANIFEST_SIZE, Bundle

MARKER = 0x41544D4E
PREAMBLE_SIZE = 0x1C00
MAX_SIZE = 14336        # what a mailbox request holds
MAX_ENTRIES = 127
ENTRY_SIZE = 56
LIST_SIZE = 4 + MAX_ENTRIES * ENTRY_SIZE
FLAG_VENDOR_SIGNATURE_REQUIRED = 1
UNUSED_ID = 0xFFFFFFFF
SOURCE_IN_REQUEST = 1
ENTRY_IGNORE_AUTH_CHECK = 4

KEYS_SIZE = keys.ECC_KEY_SIZE + keys.LMS_KEY_SIZE
SIGS_SIZE = keys.ECC_SIG_SIZE + keys.LMS_SIG_SIZE
VENDOR_KEYS = 0x0010
VENDOR_ENDORSEMENT = VENDOR_KEYS + KEYS_SIZE
OWNER_KEYS = VENDOR_ENDORSEMENT + SIGS_SIZE
OWNER_ENDORSEMENT = OWNER_KEYS + KEYS_SIZE
VENDOR_SIGNATURE = OWNER_ENDORSEMENT + SIGS_SIZE
OWNER_SIGNATURE = VENDOR_SIGNATURE + SIGS_SIZE
assert OWNER_SIGNATURE + SIGS_SIZE == PREAMBLE_SIZE

# Ranges that the endorsements sign: (first byte, byte after the last)
VENDOR_SIGNED = (0x0008, VENDOR_ENDORSEMENT)
OWNER_SIGNED = (OWNER_KEYS, OWNER_ENDORSEMENT)

ERR_SIZE = 0x000E0009
ERR_MARKER = 0x000E0045
ERR_PREAMBLE_SIZE = 0x000E0046
ERR_PREAMBLE_SHORT = 0x000E004B
ERR_LIST_SIZE = 0x000E004C
ERR_ENTRY_COUNT = 0x000E004D
ERR_DUPLICATE = 0x000E0053
# ECDSA, LMS
ERR_SIGNATURE = {'vendor': (0x000E0047, 0x000E0048),
                 'owner': (0x000E0049, 0x000E004A)}


class KeyPair:
    """An ECDSA and an LMS key that sign together; @lms may be None: zeros
    stand for key and signature"""

    def __init__(self, ecc, lms, leaf=None):
        self.ecc = ecc
        self.lms = lms
        self.leaf = leaf

    @classmethod
    def stored(cls, data, offset):
        end = offset + keys.ECC_KEY_SIZE
        return cls(keys.EccKey(data[offset:end]),
                   keys.LmsKey(data[end:end + keys.LMS_KEY_SIZE]))

    def public(self):
        return self.ecc.public + (self.lms.public if self.lms
                                  else bytes(keys.LMS_KEY_SIZE))

    def sign(self, digest):
        if not isinstance(self.ecc, keys.EccPrivateKey) or \
                self.lms and not isinstance(self.lms, keys.LmsPrivateKey):
            raise ToolError('signing needs private keys')
        return self.ecc.sign(digest) + (self.lms.sign(digest, self.leaf)
                                        if self.lms
                                        else bytes(keys.LMS_SIG_SIZE))

    def verify(self, digest, signatures):
        """What is wrong with the ECDSA and with the LMS signature"""
        ecc, lms = (signatures[:keys.ECC_SIG_SIZE],
                    signatures[keys.ECC_SIG_SIZE:])
        return self.ecc.verify(digest, ecc), self.lms.verify(digest, lms)


def image_list(entries):
    """The image list: entries are (fw_id, flags, digest)"""
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise ToolError(f'{len(entries)} images; a manifest has 1 to '
                        f'{MAX_ENTRIES}')
    if len({entry[0] for entry in entries}) != len(entries):
        raise ToolError('two images have the same id')
    unused = (UNUSED_ID, 0, bytes(48))
    rows = list(entries) + [unused] * (MAX_ENTRIES - len(entries))
    return len(entries).to_bytes(4, 'little') + b''.join(
        fw_id.to_bytes(4, 'little') + flags.to_bytes(4, 'little') + digest
        for fw_id, flags, digest in rows)


def sign(manifest, vendor_fw, vendor_man, owner_fw, owner_man):
    """Put keys and signatures into a bytearray that has all the rest"""
    flags = le32(manifest, 0x0C)

    def put(offset, data):
        manifest[offset:offset + len(data)] = data

    put(VENDOR_KEYS, vendor_man.public() if vendor_man else bytes(KEYS_SIZE))
    put(VENDOR_ENDORSEMENT,
        vendor_fw.sign(keys.sha384(manifest[slice(*VENDOR_SIGNED)])))
    put(OWNER_KEYS, owner_man.public())
    put(OWNER_ENDORSEMENT,
        owner_fw.sign(keys.sha384(manifest[slice(*OWNER_SIGNED)])))
    digest = keys.sha384(manifest[PREAMBLE_SIZE:])
    if flags & FLAG_VENDOR_SIGNATURE_REQUIRED:
        put(VENDOR_SIGNATURE, vendor_man.sign(digest))
    put(OWNER_SIGNATURE, owner_man.sign(digest))


def unsigned(version, flags, entries):
    """A manifest without keys and signatures"""
    manifest = bytearray(PREAMBLE_SIZE) + image_list(entries)
    for i, word in enumerate((MARKER, PREAMBLE_SIZE, version, flags)):
        manifest[4 * i:4 * i + 4] = word.to_bytes(4, 'little')
    return manifest


def build(version, flags, entries, *signers):
    """A whole manifest; @signers as for sign()"""
    manifest = unsigned(version, flags, entries)
    sign(manifest, *signers)
    return bytes(manifest)


def stored(manifest, sec_version, owner_fw):
    """The form that the AST27x0's flash holds, from Caliptra's"""
    data = caliptra_flash.to_stored(manifest, sec_version, bytes(SIGS_SIZE))
    signatures = caliptra_flash.swap_q(owner_fw.sign(
        keys.sha384(caliptra_flash.svn_signed(data))))
    return caliptra_flash.to_stored(manifest, sec_version, signatures)


def request(manifest):
    """SET_AUTH_MANIFEST request, without its checksum word"""
    return len(manifest).to_bytes(4, 'little') + manifest


def checks(manifest, vendor_fw, owner_fw):
    """The signature checks in their order: (name, error numbers, what is
    wrong with ECDSA, with LMS)"""
    def check(what, party, pair, offset, digest):
        return (f'{party} {what}', ERR_SIGNATURE[party],
                *pair.verify(digest, manifest[offset:offset + SIGS_SIZE]))

    yield check('endorsement', 'vendor', vendor_fw, VENDOR_ENDORSEMENT,
                keys.sha384(manifest[slice(*VENDOR_SIGNED)]))
    yield check('endorsement', 'owner', owner_fw, OWNER_ENDORSEMENT,
                keys.sha384(manifest[slice(*OWNER_SIGNED)]))
    digest = keys.sha384(manifest[PREAMBLE_SIZE:PREAMBLE_SIZE + LIST_SIZE])
    if le32(manifest, 0x0C) & FLAG_VENDOR_SIGNATURE_REQUIRED:
        yield check('signature', 'vendor',
                    KeyPair.stored(manifest, VENDOR_KEYS), VENDOR_SIGNATURE,
                    digest)
    yield check('signature', 'owner', KeyPair.stored(manifest, OWNER_KEYS),
                OWNER_SIGNATURE, digest)


def list_error(manifest):
    """Error number of the image list's shape, or 0"""
    size = min(len(manifest) - PREAMBLE_SIZE, LIST_SIZE)
    if size < 4:
        return ERR_LIST_SIZE
    count = le32(manifest, PREAMBLE_SIZE)
    if not 1 <= count <= MAX_ENTRIES:
        return ERR_ENTRY_COUNT
    return ERR_LIST_SIZE if size < 4 + count * ENTRY_SIZE else 0


def verify(manifest, vendor_fw, owner_fw, lms):
    """Error number of SET_AUTH_MANIFEST for a manifest, 0 if it is good.

    @vendor_fw, @owner_fw: key pairs of the running firmware, @lms: whether
    LMS is checked (fuse lms_verify).
    """
    if len(manifest) > MAX_SIZE:
        return ERR_SIZE
    if len(manifest) < PREAMBLE_SIZE:
        return ERR_PREAMBLE_SHORT
    if le32(manifest, 0) != MARKER:
        return ERR_MARKER
    if le32(manifest, 4) != PREAMBLE_SIZE:
        return ERR_PREAMBLE_SIZE
    for done, (_, errors, ecc_wrong, lms_wrong) in enumerate(
            checks(manifest, vendor_fw, owner_fw)):
        # the list is looked at between endorsements and signatures
        if done == 2 and list_error(manifest):
            return list_error(manifest)
        if ecc_wrong:
            return errors[0]
        if lms and lms_wrong:
            return errors[1]
    ids = [entry[0] for entry in list_entries(manifest)]
    return 0 if len(set(ids)) == len(ids) else ERR_DUPLICATE


def list_entries(manifest):
    """(fw_id, flags, digest) of the entries that count"""
    for i in range(le32(manifest, PREAMBLE_SIZE)):
        offset = PREAMBLE_SIZE + 4 + ENTRY_SIZE * i
        yield (le32(manifest, offset), le32(manifest, offset + 4),
               manifest[offset + 8:offset + ENTRY_SIZE])


def split_text(text, what, form='ID=...'):
    name, equals, rest = text.partition('=')
    if not equals or not rest:
        raise ToolError(f'{what} takes {form}; {text!r} is not that')
    return name, rest


def split_id(text, what):
    ident, rest = split_text(text, what)
    return number(ident), rest


def read_entries(args):
    stages = {ident: number(stage, 2) for ident, stage in
              (split_id(text, '--stage') for text in args.stage)}
    entries = [(ident, flags | stages.pop(ident, 0) <<
                caliptra_flash.STAGE_SHIFT, digest)
               for ident, flags, digest in read_images(args)]
    if stages:
        raise ToolError(f'--stage: no image has the id {min(stages)}')
    return entries


def read_images(args):
    entries = []
    for text in args.image:
        ident, path = split_id(text, '--image')
        entries.append((ident, SOURCE_IN_REQUEST,
                        keys.sha384(read_file(path, 1 << 30))))
    for text in args.digest:
        ident, digest = split_id(text, '--digest')
        entries.append((ident, SOURCE_IN_REQUEST,
                        hex_bytes(digest, 48, 'digest')))
    for ident in args.ignore:
        entries.append((number(ident),
                        SOURCE_IN_REQUEST | ENTRY_IGNORE_AUTH_CHECK,
                        bytes(48)))
    return entries


def load_pair(args, name, dev_number):
    ecc, lms = (getattr(args, f'{name}_{kind}_key') for kind in
                ('ecc', 'lms'))
    return KeyPair(keys.load_ecc_key(ecc) if ecc
                   else keys.dev_ecc_key(dev_number),
                   keys.load_lms_key(lms, private=True) if lms
                   else keys.dev_lms_key(dev_number),
                   getattr(args, f'{name}_lms_leaf'))


def load_pairs(args):
    """The key pairs of the command line, as sign() takes them"""
    return {name: load_pair(args, name, dev) for name, dev in PAIRS.items()}


def add_key_options(parser):
    for name in PAIRS:
        option = '--' + name.replace('_', '-')
        parser.add_argument(f'{option}-ecc-key', metavar='PEM')
        parser.add_argument(f'{option}-lms-key', metavar='FILE')
        parser.add_argument(f'{option}-lms-leaf', type=number, metavar='Q',
                            help='leaf that signs; use each only once')


# key pairs on the command line -> development key that stands for them
PAIRS = {'vendor_fw': 0, 'vendor_man': 1, 'owner_fw': keys.DEV_OWNER,
         'owner_man': keys.DEV_OWNER}


def do_create(args):
    if args.stored and args.request:
        raise ToolError('a request holds no stored manifest')
    pairs = load_pairs(args)
    flags = FLAG_VENDOR_SIGNATURE_REQUIRED
    if args.no_vendor:
        pairs['vendor_man'], flags = None, 0
    manifest = build(args.version, flags, read_entries(args),
                     *pairs.values())
    if args.stored:
        manifest = stored(manifest, args.sec_version, pairs['owner_fw'])
    write_file(args.output,
               request(manifest) if args.request else manifest)
    return 0


def find_stored(data):
    """The stored manifest in @data, or None: @data is one, or a container or
    a flash that has one"""
    if data[:4] == caliptra_flash.MAGIC or \
            data[caliptra_flash.A1_CONTAINER:
                 caliptra_flash.A1_CONTAINER + 4] == caliptra_flash.MAGIC:
        container = caliptra_flash.Flash(data).container
        image = container.find(caliptra_flash.MANIFEST)
        if not image:
            raise ToolError('no SoC manifest in this FLSH container')
        return container.content(image)
    return data if caliptra_flash.is_stored(data) else None


def read_manifest(path):
    """A manifest and, or None, its stored form: from a file of either, from
    a container, or from a request that begins with the manifest's size"""
    data = read_file(path, 1 << 28)
    try:
        whole = find_stored(data)
        if whole is not None:
            return caliptra_flash.from_stored(whole), whole
    except ToolError as e:
        raise ToolError(f'{path}: {e}') from None
    if len(data) >= 8 and le32(data, 0) != MARKER and \
            le32(data, 4) == MARKER and le32(data, 0) <= len(data) - 4:
        data = data[4:4 + le32(data, 0)]
    return data, None


def do_show(args):
    manifest, whole = read_manifest(args.manifest)
    if len(manifest) < PREAMBLE_SIZE + 4:
        raise ToolError(f'{args.manifest}: {len(manifest)} bytes, too short '
                        'for a manifest')
    show(manifest, whole)
    error = list_error(manifest)
    if error:
        raise ToolError(f'{args.manifest}: {describe_error(error)}')
    show_entries(manifest)
    return 0


def show(manifest, whole):
    """@whole: the stored form, or None"""
    print(f'{"form":28} ' + ('as stored in the flash of an AST27x0'
                             if whole else 'as Caliptra takes it'))
    for i, name in enumerate(('marker', 'preamble size', 'version', 'flags')):
        print(f'{name:28} 0x{le32(manifest, 4 * i):08x}')
    if whole:
        version = le32(whole, caliptra_flash.SEC_VERSION)
        digest = keys.sha384(caliptra_flash.svn_signed(whole))
        print(f'{"security version":28} {version}\n'
              f'{"security version digest":28} {digest.hex()}')
    for party, offset in (('vendor', VENDOR_KEYS), ('owner', OWNER_KEYS)):
        pair = KeyPair.stored(manifest, offset)
        for kind, key in (('ECC', pair.ecc), ('LMS', pair.lms)):
            print(f'{party} manifest {kind + " key":13} {key.public.hex()}')
    for title, span in (('vendor endorsement digest', VENDOR_SIGNED),
                        ('owner endorsement digest', OWNER_SIGNED),
                        ('list digest',
                         (PREAMBLE_SIZE, PREAMBLE_SIZE + LIST_SIZE))):
        print(f'{title:28} {keys.sha384(manifest[slice(*span)]).hex()}')
    print(f'{"entry count":28} {le32(manifest, PREAMBLE_SIZE)}')


def show_entries(manifest):
    for fw_id, flags, digest in list_entries(manifest):
        print(f'image 0x{fw_id:08x} flags 0x{flags:08x} {digest.hex()}' +
              (' (not checked)' if flags & ENTRY_IGNORE_AUTH_CHECK else ''))


def firmware_keys(data, what):
    """Vendor's and owner's key pair of a firmware bundle"""
    if len(data) < MANIFEST_SIZE:
        raise ToolError(f'{what}: not a firmware bundle')
    bundle = Bundle(data)
    try:
        vendor = KeyPair(
            bundle.ecc_key(f'vendor_ecc_key{bundle["vendor_ecc_index"]}'),
            bundle.lms_key(f'vendor_lms_key{bundle["vendor_lms_index"]}'))
    except KeyError:
        raise ToolError(f'{what}: key index out of range') from None
    return vendor, KeyPair(bundle.ecc_key('owner_ecc_key'),
                           bundle.lms_key('owner_lms_key'))


def do_verify(args):
    manifest, _ = read_manifest(args.manifest)
    lms = load_fuses(args.fuses)['lms_verify'] if args.fuses \
        else 1
    vendor_fw, owner_fw = (KeyPair(keys.dev_ecc_key(n), keys.dev_lms_key(n))
                           for n in (PAIRS['vendor_fw'], PAIRS['owner_fw']))
    if args.bundle:
        vendor_fw, owner_fw = firmware_keys(read_file(args.bundle),
                                            args.bundle)
    error = verify(manifest, vendor_fw, owner_fw, lms)
    print(f'{args.manifest}: ' + (f'refused: {describe_error(error)}'
                                  if error else 'accepted'))
    return 1 if error else 0


def parser():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest='command', required=True, metavar='COMMAND')

    c = sub.add_parser('create', help='make and sign a manifest')
    c.set_defaults(run=do_create)
    c.add_argument('-o', '--output', required=True, metavar='FILE')
    c.add_argument('--request', action='store_true',
                   help='write the mailbox request, its size word in front')
    c.add_argument('--version', type=number, default=1, metavar='N')
    c.add_argument('--image', action='append', default=[],
                   metavar='ID=FILE', help='authorize this file')
    c.add_argument('--digest', action='append', default=[],
                   metavar='ID=HEX', help='authorize this SHA-384 digest')
    c.add_argument('--ignore', action='append', default=[], metavar='ID',
                   help='authorize whatever comes with this id')
    c.add_argument('--stage', action='append', default=[], metavar='ID=N',
                   help='who loads the image of the AST27x0 (1: the BootMCU)')
    c.add_argument('--stored', action='store_true',
                   help="write the form that the AST27x0's flash holds")
    c.add_argument('--sec-version', type=number, default=1, metavar='N',
                   help='its security version (default: 1)')
    c.add_argument('--no-vendor', action='store_true',
                   help='no vendor manifest keys, no vendor signature')
    add_key_options(c)

    s = sub.add_parser('show', help='print what is in a manifest')
    s.set_defaults(run=do_show)
    s.add_argument('manifest')

    v = sub.add_parser('verify', help='check as SET_AUTH_MANIFEST does')
    v.set_defaults(run=do_verify)
    v.add_argument('manifest')
    v.add_argument('--bundle', metavar='FILE', help='firmware that runs '
                   '(default: its keys are the development keys)')
    v.add_argument('--fuses', metavar='FILE',
                   help='for lms_verify (default: 1)')
    return p


def main(argv):
    args = parser().parse_args(argv)
    return args.run(args)


if __name__ == '__main__':
    run_tool('manifest.py', main)
