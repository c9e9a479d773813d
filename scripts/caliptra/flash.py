#!/usr/bin/env python3
#
# Make and examine boot flashes of the AST27x0
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Make, sign and examine boot flashes of the ASPEED AST27x0.

A boot flash holds Caliptra's firmware bundle and, in an FLSH container, the
signed SoC manifest and the images that it lists.  "create" signs with the
public development keys of caliptra-sw unless it is given key files: the
firmware keys must be those of the bundle.  Names of images:
{names}

Layouts: a1 (bundle at 0, container at 0x100000), a2 (all in one container),
container (that alone, without bundle).

Examples:
    flash.py create -o flash.img --bundle fw.bin --image atf=bl31.bin \\
        --image u-boot=u-boot.bin
    flash.py show flash.img
    flash.py verify flash.img --otp otp.image
"""

import argparse

import caliptra_keys as keys
import manifest as man
from caliptra_common import (LIFECYCLES, ToolError, check_output,
                             describe_error, hw_words, kind_of_file, le32,
                             load_fuses, no_fuses, number, read_file,
                             run_tool)
from caliptra_flash import (A1_BUNDLE_SIZE, A1_CONTAINER, BY_IDENTIFIER,
                            BY_OPTION, CALIPTRA, FLASH_SIZE, IMAGE_MAX, KINDS,
                            MANIFEST, MCU_FMC, MCU_FMC_FW_ID, NAMES,
                            STAGE_BOOTMCU, STAGE_SHIFT, SVN_SIGNATURES, Flash,
                            build_container, from_stored, pad4, svn_signed,
                            swap_q, to_stored)
from caliptra_image import (MANIFEST_SIZE, Bundle, Refused, find_bundle,
                            verify as verify_bundle)
from caliptra_otp import BadImage, load_otp

from cryptography.hazmat.primitives.asymmetric import utils

READ_LIMIT = 256 << 20
__doc__ = __doc__.format(names='    ' + ', '.join(BY_OPTION))


class GivenSignatures:
    """Stands for a key pair whose signatures somebody else has made"""

    def __init__(self, signatures):
        self.signatures = signatures

    def sign(self, _digest):
        return self.signatures


def load_signatures(ecc_path, lms_path):
    """An ECDSA signature in DER and, unless None, an LMS signature"""
    try:
        r, s = utils.decode_dss_signature(read_file(ecc_path))
        ecc = hw_words(r.to_bytes(48, 'big')) + hw_words(s.to_bytes(48, 'big'))
    except (ValueError, OverflowError):
        raise ToolError(f'{ecc_path}: not an ECDSA P-384 signature in '
                        'DER') from None
    lms = read_file(lms_path) if lms_path else bytes(keys.LMS_SIG_SIZE)
    if len(lms) != keys.LMS_SIG_SIZE:
        raise ToolError(f'{lms_path}: {len(lms)} bytes; an LMS signature has '
                        f'{keys.LMS_SIG_SIZE}')
    return GivenSignatures(ecc + lms)


def read_images(args):
    """Identifier -> content of the images of the command line"""
    images = {}
    for text in args.image:
        name, path = man.split_text(text, '--image', 'NAME=FILE')
        kind = BY_OPTION.get(name)
        if not kind:
            raise ToolError(f'no image is called {name!r}; there are '
                            f'{", ".join(BY_OPTION)}')
        if kind.identifier in images:
            raise ToolError(f'two images {name}')
        content = pad4(read_file(path))
        limit = image_limit(kind)
        if kind.address is not None and len(content) > limit:
            raise ToolError(f'{path}: {len(content)} bytes; {kind.name} has '
                            f'room for {limit}')
        images[kind.identifier] = content
    return images


def image_limit(kind):
    return min(kind.room or IMAGE_MAX, IMAGE_MAX)


def manifest_entries(fmc, images, skipped=()):
    """The list that ASPEED's tool makes: the MCU FMC and all SoC images,
    those that are missing as empty ones"""
    entries = [(MCU_FMC_FW_ID, man.SOURCE_IN_REQUEST, keys.sha384(fmc))]
    for kind in KINDS:
        stage = 0 if kind.address is None else STAGE_BOOTMCU
        if kind.option not in skipped:
            entries.append((kind.fw_id,
                            man.SOURCE_IN_REQUEST | stage << STAGE_SHIFT,
                            keys.sha384(images.get(kind.identifier, b''))))
    return entries


def build(bundle, fmc, images, stored_manifest):
    """A container, with the table that ASPEED's tool makes"""
    return build_container(
        [(CALIPTRA, bundle), (MANIFEST, stored_manifest), (MCU_FMC, fmc)] +
        [(kind.identifier, images.get(kind.identifier, b''))
         for kind in KINDS])


def make_manifest(args, fmc, images):
    entries = manifest_entries(fmc, images, args.unlisted)
    if args.unsigned:
        # as ASPEED's default configuration, which names no keys
        unsigned = man.unsigned(args.version, 0, entries)
        return to_stored(bytes(unsigned), args.sec_version,
                         bytes(man.SIGS_SIZE))
    pairs = man.load_pairs(args)
    flags = man.FLAG_VENDOR_SIGNATURE_REQUIRED
    if args.no_vendor or args.vendor_ecc_signature:
        pairs['vendor_man'], flags = None, 0
    if args.vendor_ecc_signature:
        pairs['vendor_fw'] = load_signatures(args.vendor_ecc_signature,
                                             args.vendor_lms_signature)
    if args.no_lms:
        for pair in pairs.values():
            if isinstance(pair, man.KeyPair):
                pair.lms = None
    return man.stored(man.build(args.version, flags, entries,
                                *pairs.values()),
                      args.sec_version, pairs['owner_fw'])


def write_sparse(path, parts, size):
    """@parts: (offset, bytes); the rest, up to @size, are zeros"""
    end = max(offset + len(data) for offset, data in parts)
    if size and end > size:
        raise ToolError(f'the flash would have {end} bytes; it may have '
                        f'{size}')
    check_output(path)
    try:
        with open(path, 'wb') as f:
            for offset, data in parts:
                f.seek(offset)
                f.write(data)
            f.truncate(max(size, end))
    except OSError as e:
        raise ToolError(f'{path}: {e.strerror}') from None


def load_bundle(path):
    """A firmware bundle, whole, that may be a bad one"""
    data = read_file(path)
    if find_bundle(data) != 0:
        raise ToolError(f'{path}: not a firmware bundle but '
                        f'{kind_of_file(data)}')
    if len(data) < MANIFEST_SIZE or Bundle(data).end() > len(data):
        raise ToolError(f'{path}: firmware bundle that is cut off')
    if len(data) > A1_BUNDLE_SIZE:
        raise ToolError(f'{path}: {len(data)} bytes; Caliptra takes '
                        f'{A1_BUNDLE_SIZE}')
    return data


def do_create(args):
    if (args.bundle is None) != (args.layout == 'container'):
        raise ToolError('--bundle is needed, but not with --layout container')
    if args.vendor_lms_signature and not args.vendor_ecc_signature:
        raise ToolError('--vendor-lms-signature needs --vendor-ecc-signature')
    bundle = load_bundle(args.bundle) if args.bundle else b''
    fmc = pad4(read_file(args.mcu_fmc)) if args.mcu_fmc else b''
    images = read_images(args)
    stored = make_manifest(args, fmc, images)
    if args.layout == 'a1':
        parts = [(0, bundle),
                 (A1_CONTAINER, build(b'', fmc, images, stored))]
    else:
        parts = [(0, build(bundle, fmc, images, stored))]
    size = args.size
    if size is None:
        size = 0 if args.layout == 'container' else FLASH_SIZE
    write_sparse(args.output, parts, size)
    return 0


def load_flash(path):
    data = read_file(path, READ_LIMIT)
    try:
        return Flash(memoryview(data))
    except ToolError as e:
        raise ToolError(f'{path}: {e}') from None


class SocManifest:
    """The SoC manifest of a container"""

    def __init__(self, container):
        image = container.find(MANIFEST)
        if not image or not image.size:
            raise ToolError('no SoC manifest in the FLSH container')
        self.stored = container.content(image)
        self.converted = from_stored(self.stored)

    @property
    def entries(self):
        """fw_id -> (flags, digest); empty if there is no list to read"""
        if man.list_error(self.converted):
            return {}
        return {fw_id: (flags, digest) for fw_id, flags, digest
                in man.list_entries(self.converted)}

    def loads(self, kind):
        flags, _ = self.entries.get(kind.fw_id, (0, None))
        return kind.address is not None and \
            flags >> STAGE_SHIFT == STAGE_BOOTMCU

    def svn_state(self, owner_fw):
        """Of the security version's signatures"""
        signatures = swap_q(self.stored[SVN_SIGNATURES:
                                        SVN_SIGNATURES + man.SIGS_SIZE])
        return owner_fw.verify(keys.sha384(svn_signed(self.stored)),
                               signatures)


def state(wrong, signature):
    if not any(signature):
        return 'not signed'
    return f'BAD ({wrong})' if wrong else 'good'


def show_signatures(soc_manifest, vendor_fw, owner_fw):
    def line(name, wrong, signatures):
        for kind, why, signature in zip(
                ('ECDSA', 'LMS'), wrong,
                (signatures[:keys.ECC_SIG_SIZE],
                 signatures[keys.ECC_SIG_SIZE:])):
            print(f'{name + " " + kind:36} {state(why, signature)}')

    offsets = iter((man.VENDOR_ENDORSEMENT, man.OWNER_ENDORSEMENT) +
                   ((man.VENDOR_SIGNATURE,) if
                    le32(soc_manifest.converted, 0x0C) &
                    man.FLAG_VENDOR_SIGNATURE_REQUIRED else ()) +
                   (man.OWNER_SIGNATURE,))
    for name, _, *wrong in man.checks(soc_manifest.converted, vendor_fw,
                                      owner_fw):
        offset = next(offsets)
        line(name, wrong,
             soc_manifest.converted[offset:offset + man.SIGS_SIZE])
    line('owner security version', soc_manifest.svn_state(owner_fw),
         soc_manifest.stored[SVN_SIGNATURES:SVN_SIGNATURES + man.SIGS_SIZE])


def show_table(container, entries):
    print(f'{"image":24} {"fw id":>5} {"offset":>10} {"size":>9}  '
          'load address  SHA-384')
    for image in container.images:
        kind = BY_IDENTIFIER.get(image.identifier)
        fw_id = kind.fw_id if kind else \
            MCU_FMC_FW_ID if image.identifier == MCU_FMC else None
        digest = keys.sha384(container.content(image))
        note = ''
        if fw_id in entries:
            note = ' as in the manifest' if entries[fw_id][1] == digest \
                else ' NOT THE MANIFEST\'S'
        elif fw_id is not None:
            note = ' not in the manifest'
        print(f'{NAMES.get(image.identifier, hex(image.identifier)):24} '
              f'{"-" if fw_id is None else fw_id:>5} '
              f'{image.offset:#10x} {image.size:#9x}  '
              f'{hex(kind.address) if kind and kind.address else "-":12}  '
              f'{digest.hex()}{note}')


def do_show(args):
    flash = load_flash(args.flash)
    container = flash.container
    print(f'{"layout":28} {flash.layout}')
    if container:
        print(f'{"container at":28} {flash.offset:#x}\n'
              f'{"version":28} {container.version}\n'
              f'{"images":28} {len(container.images)}\n'
              f'{"size":28} {container.size}\n'
              f'{"header CRC":28} 0x{container.header_crc:08x}\n'
              f'{"payload CRC":28} 0x{container.payload_crc:08x} ' +
              ('good' if container.payload_good else
               'BAD (the BootMCU does not look at it)'))
        try:
            soc_manifest = SocManifest(container)
            entries = soc_manifest.entries
        except ToolError as e:
            print(f'{"SoC manifest":28} {e}')
            soc_manifest, entries = None, {}
        show_table(container, entries)
        if soc_manifest:
            print('\nSoC manifest')
            man.show(soc_manifest.converted, soc_manifest.stored)
            if entries:
                man.show_entries(soc_manifest.converted)
            else:
                print(describe_error(man.list_error(soc_manifest.converted)))
    else:
        print('no FLSH container')
        soc_manifest = None
    if flash.bundle and soc_manifest:
        print("\nSignatures, with the bundle's keys")
        show_signatures(soc_manifest, *man.firmware_keys(flash.bundle,
                                                         args.flash))
    return 0


class Held(Exception):
    """The CA35 cores stay held; the reason is one line"""


def check_bundle(bundle, fuses, lifecycle):
    try:
        verify_bundle(bundle, fuses, lifecycle)
    except Refused as e:
        raise Held(f'firmware refused: {describe_error(e.code)}') from None


def check_image(kind, content, entries):
    """As AUTHORIZE_AND_STASH does"""
    what = f'{kind.name} (fw id {kind.fw_id})'
    flags, digest = entries[kind.fw_id]
    if not flags & man.ENTRY_IGNORE_AUTH_CHECK and \
            keys.sha384(pad4(content)) != digest:
        raise Held(f"{what}: its digest is not the SoC manifest's")


def check_container(flash, bundle, secure, lms):
    """Names of the images that are loaded; Held if the cores stay so

    @bundle is None when Caliptra does not run.
    """
    container = flash.container
    if not container:
        raise Held('no FLSH container')
    try:
        soc_manifest = SocManifest(container)
    except ToolError as e:
        if secure:
            raise Held(str(e)) from None
        soc_manifest = None
    if secure:
        error = man.verify(soc_manifest.converted,
                           *man.firmware_keys(bundle, 'bundle'), lms)
        if error:
            raise Held(f'SoC manifest refused: {describe_error(error)}')
    elif soc_manifest and (not bundle or not soc_manifest.entries or
                           le32(soc_manifest.stored, 0) != man.MARKER):
        soc_manifest = None             # nobody looks any further
    loaded = []
    for image in container.images:
        kind = BY_IDENTIFIER.get(image.identifier)
        if not kind or kind.address is None or \
                soc_manifest and not soc_manifest.loads(kind):
            continue
        if image.size > image_limit(kind):
            raise Held(f'{kind.name} (fw id {kind.fw_id}): {image.size} '
                       f'bytes, must have at most {image_limit(kind)}')
        if not image.size:
            continue
        if secure:
            check_image(kind, container.content(image), soc_manifest.entries)
        loaded.append(kind)
    if not any(kind.option == 'atf' for kind in loaded):
        raise Held('no ATF among the images: nothing to start the CA35 '
                   'cores with')
    return loaded


def security(args):
    """Fuses, life cycle, secure boot and whether there is no Caliptra: of the
    command line, or of the OTP image that it names"""
    fuses = no_fuses()
    lifecycle, secure = LIFECYCLES['unprovisioned'], True
    disabled = False
    if args.otp:
        try:
            otp = load_otp(args.otp)
        except BadImage as e:
            raise ToolError(str(e)) from None
        fuses = otp.fuses()
        lifecycle, secure = otp.lifecycle(), bool(otp.secure_boot())
        disabled = otp.caliptra_disabled()
    elif args.fuses:
        fuses = load_fuses(args.fuses)
        lifecycle = LIFECYCLES['production']
    if args.lifecycle:
        lifecycle = LIFECYCLES[args.lifecycle]
    if args.secure_boot:
        secure = args.secure_boot == 'on'
    return fuses, lifecycle, secure, disabled


def do_verify(args):
    flash = load_flash(args.flash)
    fuses, lifecycle, secure, disabled = security(args)
    bundle = read_file(args.bundle) if args.bundle else flash.bundle
    try:
        if disabled and secure:
            raise Held('secure boot is on: Caliptra is disabled by a strap: '
                       'nobody can check the images')
        if disabled:
            bundle = None
        elif not bundle:
            raise Held('no firmware bundle')
        else:
            check_bundle(bundle, fuses, lifecycle)
        loaded = check_container(flash, bundle, secure, fuses['lms_verify'])
    except Held as e:
        print(f'{args.flash}: held: {e}')
        return 1
    print(f'{args.flash}: boots: '
          f'{", ".join(kind.name for kind in loaded)}')
    return 0


def parser():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest='command', required=True, metavar='COMMAND')

    c = sub.add_parser('create', help='make and sign a boot flash')
    c.set_defaults(run=do_create)
    c.add_argument('-o', '--output', required=True, metavar='FILE')
    c.add_argument('--layout', choices=('a1', 'a2', 'container'),
                   default='a1')
    c.add_argument('--bundle', metavar='FILE', help='firmware bundle')
    c.add_argument('--image', action='append', default=[],
                   metavar='NAME=FILE', help='those not given are empty')
    c.add_argument('--mcu-fmc', metavar='FILE',
                   help='firmware of the BootMCU (default: empty)')
    c.add_argument('--unlisted', action='append', default=[],
                   choices=list(BY_OPTION), metavar='NAME',
                   help='leave this image out of the manifest')
    c.add_argument('--size', type=number, metavar='BYTES',
                   help='of the flash; 0: up to the last image (default: '
                   '128 MiB, which is what ast2700fc has)')
    c.add_argument('--version', type=number, default=1, metavar='N')
    c.add_argument('--sec-version', type=number, default=1, metavar='N')
    c.add_argument('--unsigned', action='store_true',
                   help='neither keys nor signatures')
    c.add_argument('--no-vendor', action='store_true',
                   help='no vendor manifest keys, no vendor signature of the '
                   'list')
    c.add_argument('--no-lms', action='store_true', help='ECDSA only')
    c.add_argument('--vendor-ecc-signature', metavar='DER',
                   help="the vendor's endorsement, made elsewhere, for a "
                   'manifest with --version, flags 0 and no vendor keys')
    c.add_argument('--vendor-lms-signature', metavar='FILE')
    man.add_key_options(c)

    s = sub.add_parser('show', help='print what is in a boot flash')
    s.set_defaults(run=do_show)
    s.add_argument('flash')

    v = sub.add_parser('verify', help='check as the boot does')
    v.set_defaults(run=do_verify)
    v.add_argument('flash')
    v.add_argument('--bundle', metavar='FILE',
                   help="firmware bundle, instead of the flash's")
    given = v.add_mutually_exclusive_group()
    given.add_argument('--otp', metavar='FILE',
                       help='OTP image: fuses, life cycle, secure boot')
    given.add_argument('--fuses', metavar='FILE', help='default: all zero')
    v.add_argument('--lifecycle', choices=LIFECYCLES,
                   help="default: the OTP image's; production with --fuses; "
                   'else unprovisioned')
    v.add_argument('--secure-boot', choices=('on', 'off'),
                   help="default: as the OTP image has it, on without one")
    return p


def main(argv):
    args = parser().parse_args(argv)
    return args.run(args)


if __name__ == '__main__':
    run_tool('flash.py', main)
