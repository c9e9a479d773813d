#!/usr/bin/env python3
#
# Make and examine Caliptra 1.2 firmware bundles
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Make, sign and examine Caliptra 1.2 firmware bundles.

Without options, "create" wraps two built-in dummy images and signs them
with the public development keys of caliptra-sw: for tests, never for a
product.  The same input always gives the same bytes.

Examples:
    bundle.py create -o fw.bin --fuses fuses.json
    bundle.py create -o fw.bin --fmc fmc.elf --rt rt.elf --rt-svn 3
    bundle.py show fw.bin
    bundle.py verify fw.bin --fuses fuses.json --lifecycle production
    bundle.py keygen-lms owner          # owner.prv, owner.pub; takes 10 s
"""

import argparse

import caliptra_keys as keys
from caliptra_common import (FUSE_BITS, FUSE_WORDS, LIFECYCLES, ToolError,
                             check_fuse, describe_error, fuses_text,
                             hex_bytes, load_fuses, number, number_words,
                             read_file, run_tool, write_file)
from caliptra_image import (ECC_KEYS, FLAG_PL0_PAUSER_VALID, LAYOUT, LMS_KEYS,
                            MANIFEST_SIZE, MAX_SIZE, OWNER_HEADER, OWNER_KEYS,
                            TOC, VENDOR_HEADER, VENDOR_KEYS, Bundle, Refused,
                            assemble, load_elf, verify)

DUMMY_IMAGES = {'fmc': bytes(range(0x00, 0x40)),
                'rt': bytes(range(0x40, 0x80))}
# Where FMC and runtime of 1.2 are linked, and how they number 1.2.0
LOAD_ADDR = {'fmc': 0x40000000, 'rt': 0x40005400}
VERSION = {'fmc': 0x00000880, 'rt': 0x01020000}
REVISION = {'fmc': b'\x11' * 20, 'rt': b'\x22' * 20}
# The bus user of the AST2700's BootMCU
PL0_PAUSER = 0x21212121


def key_set(files, load, count, dev_key, what):
    """Public keys of a row of @count slots, from files or built in"""
    if not files:
        return [dev_key(slot % ECC_KEYS) for slot in range(count)]
    if len(files) > count:
        raise ToolError(f'{what}: at most {count} files')
    loaded = [load(path) for path in files]
    return [loaded[slot % len(loaded)] for slot in range(count)]


def load_any_lms_key(path):
    """A private key file is known by its name: .pub files are public."""
    return keys.load_lms_key(path, private=not path.endswith('.pub'))


def signer(key, private, what):
    if not isinstance(key, private):
        raise ToolError(f'{what}: signing needs the private key')
    return key


def put_image(bundle, args, name):
    for field in ('version', 'svn'):
        bundle[f'{name}.{field}'] = getattr(args, f'{name}_{field}')
    bundle[f'{name}.revision'] = getattr(args, f'{name}_rev')
    bundle[f'{name}.load_addr'] = getattr(args, f'{name}_load')
    bundle[f'{name}.entry_point'] = getattr(args, f'{name}_entry')


def read_image(args, name):
    """The image's bytes; settles load address and entry point in @args"""
    path = getattr(args, name)
    image, load, entry = DUMMY_IMAGES[name], LOAD_ADDR[name], None
    if path:
        image = read_file(path)
        if image[:4] == b'\x7fELF' and len(image) > 64:
            image, load, entry = load_elf(image, path)
    if getattr(args, f'{name}_load') is None:
        setattr(args, f'{name}_load', load)
    if getattr(args, f'{name}_entry') is None:
        setattr(args, f'{name}_entry',
                getattr(args, f'{name}_load') if entry is None else entry)
    return image


def date(text):
    if not text.endswith('Z'):
        text += 'Z'
    if len(text) != 15 or not text[:14].isdigit():
        raise ToolError(f'{text!r} is not a date of the form YYYYMMDDHHMMSSZ')
    return text.encode()


def put_keys(bundle, args):
    """Public keys into the bundle; returns vendor ECC, vendor LMS, owner
    ECC, owner LMS key to sign with (LMS: None if not wanted)"""
    vendor_ecc = key_set(args.vendor_ecc_key, keys.load_ecc_key, ECC_KEYS,
                         keys.dev_ecc_key, '--vendor-ecc-key')
    vendor_lms = key_set(args.vendor_lms_key, load_any_lms_key, LMS_KEYS,
                         keys.dev_lms_key, '--vendor-lms-key')
    owner_ecc = keys.load_ecc_key(args.owner_ecc_key) \
        if args.owner_ecc_key else keys.dev_ecc_key(keys.DEV_OWNER)
    owner_lms = load_any_lms_key(args.owner_lms_key) \
        if args.owner_lms_key else keys.dev_lms_key(keys.DEV_OWNER)
    for slot, key in enumerate(vendor_ecc):
        bundle.put_ecc_key(f'vendor_ecc_key{slot}', key)
    bundle.put_ecc_key('owner_ecc_key', owner_ecc)
    if args.lms != 'off':
        for slot, key in enumerate(vendor_lms):
            bundle[f'vendor_lms_key{slot}'] = key.public
        bundle['owner_lms_key'] = owner_lms.public
    signers = [signer(vendor_ecc[args.ecc_index], keys.EccPrivateKey,
                      f'vendor ECC key {args.ecc_index}'),
               None,
               signer(owner_ecc, keys.EccPrivateKey, 'owner ECC key'),
               None]
    if args.lms == 'on':
        signers[1] = signer(vendor_lms[args.lms_index], keys.LmsPrivateKey,
                            f'vendor LMS key {args.lms_index}')
        signers[3] = signer(owner_lms, keys.LmsPrivateKey, 'owner LMS key')
    return signers


def do_create(args):
    if args.ecc_index >= ECC_KEYS or args.lms_index >= LMS_KEYS:
        raise ToolError(f'key indexes end at {ECC_KEYS - 1} (ECC) and '
                        f'{LMS_KEYS - 1} (LMS)')
    bundle = assemble(*(read_image(args, name) for name in DUMMY_IMAGES))
    for name in DUMMY_IMAGES:
        put_image(bundle, args, name)
    vendor_ecc, vendor_lms, owner_ecc, owner_lms = put_keys(bundle, args)
    for place in ('', 'header.'):
        bundle[f'{place}vendor_ecc_index'] = args.ecc_index
        bundle[f'{place}vendor_lms_index'] = args.lms_index
    bundle['header.flags'] = args.flags if args.flags is not None else \
        0 if args.no_pl0 else FLAG_PL0_PAUSER_VALID
    bundle['header.pl0_pauser'] = 0 if args.no_pl0 else args.pl0_pauser
    for party in ('vendor', 'owner'):
        dates = getattr(args, f'{party}_dates')
        if dates:
            bundle[f'header.{party}_not_before'] = date(dates[0])
            bundle[f'header.{party}_not_after'] = date(dates[1])
    bundle['header.owner_epoch'] = args.epoch
    bundle.seal_images()
    bundle.seal_toc()
    bundle.sign_party('vendor', vendor_ecc, vendor_lms, args.vendor_lms_leaf)
    bundle.sign_party('owner', owner_ecc, owner_lms, args.owner_lms_leaf)

    fuses = bundle.required_fuses()
    fuses.update(args.fuse)
    everything = {name: bytes(4 * words)
                  for name, words in FUSE_WORDS.items()}
    everything.update({name: 0 for name in FUSE_BITS})
    everything.update(fuses)
    try:
        verify(bundle.data, everything, LIFECYCLES[args.lifecycle])
    except Refused as e:
        raise ToolError('Caliptra would refuse this bundle: '
                        f'{describe_error(e.code)}') from None
    write_file(args.output, bundle.data)
    if args.fuses:
        write_file(args.fuses, fuses_text(fuses).encode())
    return 0


def verdict(good):
    return 'good' if good else 'BAD'


def lms_state(bundle, party, digest, key_name):
    signature = bundle[f'{party}_lms_sig']
    if not any(signature):
        return 'not signed'
    why = bundle.lms_key(key_name).verify(digest, signature)
    return f'BAD ({why})' if why else 'good'


def show_signatures(bundle):
    """Lines on digests and signatures; True if all are good"""
    lines = []
    good = True

    def line(name, state):
        nonlocal good
        good = good and state in ('good', 'not signed')
        lines.append(f'{name:28} {state}')

    line('toc digest',
         verdict(bundle.digest(TOC) == bundle['header.toc_digest']))
    for name in ('fmc', 'rt'):
        line(f'{name} digest', verdict(
            bundle[f'{name}.offset'] + bundle[f'{name}.size'] <=
            len(bundle.data) and
            keys.sha384(bundle.image(name)) == bundle[f'{name}.digest']))
    ecc_index, lms_index = (bundle['vendor_ecc_index'],
                            bundle['vendor_lms_index'])
    for party, ecc_name, lms_name, span in (
            ('vendor', f'vendor_ecc_key{ecc_index}',
             f'vendor_lms_key{lms_index}', VENDOR_HEADER),
            ('owner', 'owner_ecc_key', 'owner_lms_key', OWNER_HEADER)):
        digest = bundle.digest(span)
        if f'{ecc_name}.x' in LAYOUT:
            why = bundle.ecc_key(ecc_name).verify(digest, bundle.stored(
                f'{party}_ecc_sig.r', f'{party}_ecc_sig.s'))
            line(f'{party} ECDSA signature', f'BAD ({why})' if why else 'good')
        else:
            line(f'{party} ECDSA signature', f'BAD (no key {ecc_index})')
        if lms_name in LAYOUT:
            line(f'{party} LMS signature',
                 lms_state(bundle, party, digest, lms_name))
        else:
            line(f'{party} LMS signature', f'BAD (no key {lms_index})')
    return lines, good


def show_value(bundle, name):
    value, form = bundle[name], LAYOUT[name][2]
    if form == 'le32':
        return f'0x{value:08x}'
    if not any(value):
        return '0'
    if form == 'text' and value.isascii() and value.decode().isprintable():
        return value.decode()
    if len(value) > 48:
        return f'{value[:32].hex()}... ({len(value)} bytes)'
    return value.hex()


def do_show(args):
    data = read_file(args.bundle)
    if len(data) < MANIFEST_SIZE:
        raise ToolError(f'{args.bundle}: {len(data)} bytes, shorter than a '
                        f'manifest ({MANIFEST_SIZE})')
    bundle = Bundle(data)
    for name, (offset, _, _) in LAYOUT.items():
        print(f'{offset:#06x} {name:27} {show_value(bundle, name)}')
    end = max(bundle[f'{name}.offset'] + bundle[f'{name}.size']
              for name in DUMMY_IMAGES)
    print(f'\n{"file size":28} {len(data)}')
    print(f'{"end of images":28} {end}')
    if len(data) > MAX_SIZE:
        print(f'{"":28} too big: Caliptra takes {MAX_SIZE}')
    for title, span in (('vendor key hash', VENDOR_KEYS),
                        ('owner key hash', OWNER_KEYS),
                        ('header digest (vendor)', VENDOR_HEADER),
                        ('header digest (owner)', OWNER_HEADER),
                        ('manifest digest', (0, MANIFEST_SIZE))):
        print(f'{title:28} {bundle.digest(span).hex()}')
    lines, good = show_signatures(bundle)
    print('\n'.join(lines))
    print('\nFuses that accept it:\n' +
          fuses_text(bundle.required_fuses()), end='')
    return 0 if good else 1


def do_verify(args):
    fuses = load_fuses(args.fuses)
    data = read_file(args.bundle)
    try:
        verify(data, fuses, LIFECYCLES[args.lifecycle])
    except Refused as e:
        print(f'{args.bundle}: refused: {describe_error(e.code)}' +
              (f', {describe_error(e.ext)}' if e.ext else ''))
        return 1
    print(f'{args.bundle}: accepted')
    return 0


def do_keygen_lms(args):
    private, public = keys.generate_lms_key()
    write_file(args.name + '.prv', private)
    write_file(args.name + '.pub', public)
    return 0


class FuseOption(argparse.Action):
    """--fuse NAME=VALUE"""

    def __call__(self, parser, namespace, values, option_string=None):
        name, _, value = values.partition('=')
        fuses = dict(getattr(namespace, self.dest))
        fuses[name] = check_fuse(name, value)
        setattr(namespace, self.dest, fuses)


def thermometer(name, words):
    """--fuse-fmc-svn, --fuse-rt-svn: a minimum SVN as fuses hold it"""

    class SvnOption(argparse.Action):
        def __call__(self, parser, namespace, values, option_string=None):
            bits = (1 << values) - 1
            namespace.fuse = dict(namespace.fuse)
            namespace.fuse[name] = number_words(bits, words) if words > 1 \
                else bits
    return SvnOption


def parser():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest='command', required=True, metavar='COMMAND')

    c = sub.add_parser('create', help='make and sign a bundle')
    c.set_defaults(run=do_create)
    c.add_argument('-o', '--output', required=True, metavar='FILE')
    c.add_argument('--fuses', metavar='FILE',
                   help='also write the fuses that accept the bundle')
    for name in DUMMY_IMAGES:
        c.add_argument(f'--{name}', metavar='FILE',
                       help='ELF or raw image (default: a dummy)')
        c.add_argument(f'--{name}-load', type=number, metavar='ADDR')
        c.add_argument(f'--{name}-entry', type=number, metavar='ADDR')
        c.add_argument(f'--{name}-version', type=number, metavar='N',
                       default=VERSION[name])
        c.add_argument(f'--{name}-svn', type=number, metavar='N', default=0)
        c.add_argument(f'--{name}-rev', metavar='HEX', default=REVISION[name],
                       type=lambda t: hex_bytes(t, 20, 'revision'))
    c.add_argument('--ecc-index', type=number, default=0, metavar='N',
                   help='vendor ECC key that signs')
    c.add_argument('--lms-index', type=number, default=0, metavar='N',
                   help='vendor LMS key that signs')
    c.add_argument('--pl0-pauser', type=number, default=PL0_PAUSER,
                   metavar='USER', help='bus user with privilege level 0 '
                   f'(default: {PL0_PAUSER:#x})')
    c.add_argument('--no-pl0', action='store_true',
                   help='no bus user has privilege level 0')
    c.add_argument('--flags', type=number, metavar='N',
                   help='header flags as they stand')
    for party in ('vendor', 'owner'):
        c.add_argument(f'--{party}-dates', nargs=2,
                       metavar=('FROM', 'TO'),
                       help='certificate validity, YYYYMMDDHHMMSSZ')
    c.add_argument('--epoch', default=bytes(2), metavar='HEX',
                   type=lambda t: hex_bytes(t, 2, 'epoch'))
    c.add_argument('--lms', choices=('on', 'placeholder', 'off'),
                   default='on', help='sign with LMS too; only put the keys '
                   'in; leave all of LMS zero')
    c.add_argument('--vendor-ecc-key', action='append', metavar='PEM',
                   help='up to 4 times: key slots 0, 1, ...')
    c.add_argument('--vendor-lms-key', action='append', metavar='FILE',
                   help='up to 32 times; *.pub is a public key')
    c.add_argument('--owner-ecc-key', metavar='PEM')
    c.add_argument('--owner-lms-key', metavar='FILE')
    for party in ('vendor', 'owner'):
        c.add_argument(f'--{party}-lms-leaf', type=number, metavar='Q',
                       help='leaf that signs; use each only once')
    c.add_argument('--fuse', action=FuseOption, default={},
                   metavar='NAME=VALUE', help='more fuses for --fuses')
    c.add_argument('--fuse-fmc-svn', type=lambda t: number(t, 5), metavar='N',
                   action=thermometer('fmc_key_manifest_svn', 1), dest='fuse',
                   help='fuses that demand this FMC SVN')
    c.add_argument('--fuse-rt-svn', type=lambda t: number(t, 7), metavar='N',
                   action=thermometer('runtime_svn', 4), dest='fuse',
                   help='fuses that demand this runtime SVN')
    c.add_argument('--lifecycle', choices=LIFECYCLES, default='production',
                   help='for the closing check (default: production)')

    s = sub.add_parser('show', help='print and check what is in a bundle')
    s.set_defaults(run=do_show)
    s.add_argument('bundle')

    v = sub.add_parser('verify', help='check a bundle as the ROM does')
    v.set_defaults(run=do_verify)
    v.add_argument('bundle')
    v.add_argument('--fuses', required=True, metavar='FILE')
    v.add_argument('--lifecycle', choices=LIFECYCLES, default='production')

    k = sub.add_parser('keygen-lms', help='make an LMS key with a real tree')
    k.set_defaults(run=do_keygen_lms)
    k.add_argument('name', help='NAME.prv and NAME.pub are written')
    return p


def main(argv):
    args = parser().parse_args(argv)
    return args.run(args)


if __name__ == '__main__':
    run_tool('bundle.py', main)
