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
    bundle.py show fw.bin                   # --all: every field
    bundle.py resign fw.bin -o own.bin --owner-ecc-key owner.pem \\
        --fuses own.json                    # other owner, same firmware
    bundle.py extract fw.bin parts
    bundle.py verify fw.bin --fuses fuses.json --lifecycle production
    bundle.py keygen-lms owner          # owner.prv, owner.pub; takes 10 s
"""

import argparse
import os

import caliptra_keys as keys
from caliptra_common import (LIFECYCLES, ToolError, check_fuse,
                             describe_error, fuses_text, hex_bytes,
                             kind_of_file, load_fuses, no_fuses, number,
                             number_words, read_file, run_tool, write_file)
from caliptra_image import (ECC_KEYS, FLAG_PL0_PAUSER_VALID, LAYOUT, LMS_KEYS,
                            MANIFEST_SIZE, MAX_SIZE, OWNER_HEADER, OWNER_KEYS,
                            TOC, VENDOR_HEADER, VENDOR_KEYS, Bundle, Refused,
                            accepting_fuses, assemble, find_bundle, load_elf,
                            verify)
from caliptra_releases import RELEASES

DUMMY_IMAGES = {'fmc': bytes(range(0x00, 0x40)),
                'rt': bytes(range(0x40, 0x80))}
# What images say of themselves that are of no release in particular
RELEASE = '1.2.0'
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
    fields = RELEASES[args.release or RELEASE].fields(name)
    if not args.release:
        fields['revision'] = REVISION[name]
    for field, given in (('version', f'{name}_version'),
                         ('revision', f'{name}_rev')):
        value = getattr(args, given)
        bundle[f'{name}.{field}'] = fields[field] if value is None else value
    bundle[f'{name}.svn'] = getattr(args, f'{name}_svn')
    bundle[f'{name}.load_addr'] = getattr(args, f'{name}_load')
    bundle[f'{name}.entry_point'] = getattr(args, f'{name}_entry')


def read_image(args, name):
    """The image's bytes; settles load address and entry point in @args"""
    path = getattr(args, name)
    load = RELEASES[args.release or RELEASE].fields(name)['load_addr']
    image, entry = DUMMY_IMAGES[name], None
    if path:
        image = read_file(path)
        # with a load address it is flat, whatever it begins with
        if image[:4] == b'\x7fELF' and len(image) > 64 and \
                getattr(args, f'{name}_load') is None:
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
    try:
        verify(bundle.data, {**no_fuses(), **fuses},
               LIFECYCLES[args.lifecycle])
    except Refused as e:
        raise ToolError('Caliptra would refuse this bundle: '
                        f'{describe_error(e.code)}') from None
    write_file(args.output, bundle.data)
    if args.fuses:
        write_file(args.fuses, fuses_text(fuses).encode())
    return 0


def sign_again(bundle, args):
    """Keys of --owner-..., --vendor-... into @bundle; what they sign is
    signed again.  What no key is given for stays as it is."""
    indexes = (bundle['vendor_ecc_index'], bundle['vendor_lms_index'])
    for given, name, count in ((args.ecc_index, 'ecc', ECC_KEYS),
                               (args.lms_index, 'lms', LMS_KEYS)):
        if given is not None and given >= count:
            raise ToolError(f'--{name}-index: the last key is {count - 1}')
        if given is not None:
            for place in ('', 'header.'):
                bundle[f'{place}vendor_{name}_index'] = given
    ecc, lms = bundle['vendor_ecc_index'], bundle['vendor_lms_index']
    files = {'vendor ECC': args.vendor_ecc_key,
             'vendor LMS': args.vendor_lms_key,
             'owner ECC': args.owner_ecc_key, 'owner LMS': args.owner_lms_key}
    if not any(files.values()):
        raise ToolError('resign: no key is given to sign with')
    signed = {'vendor ECC', 'owner ECC'} | {
        f'{party} LMS' for party in ('vendor', 'owner')
        if any(bundle[f'{party}_lms_sig'])}
    if (ecc, lms) != indexes:
        # the header says who signs, and all signatures are of the header
        for what in sorted(signed):
            if not files[what]:
                raise ToolError(f'resign: with another key index the {what} '
                                'key has to sign again, too')
    signers = dict.fromkeys(files)
    if args.vendor_ecc_key:
        row = key_set(args.vendor_ecc_key, keys.load_ecc_key, ECC_KEYS,
                      None, '--vendor-ecc-key')
        for slot, key in enumerate(row):
            bundle.put_ecc_key(f'vendor_ecc_key{slot}', key)
        signers['vendor ECC'] = signer(row[ecc], keys.EccPrivateKey,
                                       f'vendor ECC key {ecc}')
    if args.vendor_lms_key:
        row = key_set(args.vendor_lms_key, load_any_lms_key, LMS_KEYS,
                      None, '--vendor-lms-key')
        for slot, key in enumerate(row):
            bundle[f'vendor_lms_key{slot}'] = key.public
        signers['vendor LMS'] = signer(row[lms], keys.LmsPrivateKey,
                                       f'vendor LMS key {lms}')
    if args.owner_ecc_key:
        key = keys.load_ecc_key(args.owner_ecc_key)
        bundle.put_ecc_key('owner_ecc_key', key)
        signers['owner ECC'] = signer(key, keys.EccPrivateKey,
                                      'owner ECC key')
    if args.owner_lms_key:
        key = load_any_lms_key(args.owner_lms_key)
        bundle['owner_lms_key'] = key.public
        signers['owner LMS'] = signer(key, keys.LmsPrivateKey,
                                      'owner LMS key')
    for party in ('vendor', 'owner'):
        bundle.sign_party(party, signers[f'{party} ECC'],
                          signers[f'{party} LMS'],
                          getattr(args, f'{party}_lms_leaf'))


def do_resign(args):
    bundle = Bundle(read_bundle(args.bundle)[0])
    before = bytes(bundle.data[MANIFEST_SIZE:])
    sign_again(bundle, args)
    assert bundle.data[MANIFEST_SIZE:] == before
    fuses, why = accepting_fuses(bundle)
    if not fuses:
        raise ToolError('Caliptra would refuse the outcome: '
                        f'{describe_error(why.code)}')
    write_file(args.output, bundle.data)
    if args.fuses:
        write_file(args.fuses, fuses_text(fuses).encode())
    return 0


def read_bundle(path):
    """A bundle without what follows it, and what follows it"""
    data = read_file(path)
    if find_bundle(data) != 0:
        raise ToolError(f'{path}: {not_a_bundle(data)}')
    end = max(MANIFEST_SIZE, Bundle(data).end())
    return data[:end], data[end:]


def do_extract(args):
    data, _ = read_bundle(args.bundle)
    bundle = Bundle(data)
    try:
        os.makedirs(args.directory, exist_ok=True)
    except OSError as e:
        raise ToolError(f'{args.directory}: {e.strerror}') from None

    def put(name, content):
        path = os.path.join(args.directory, name)
        write_file(path, content)
        print(f'{path}: {len(content)} bytes')

    put('bundle.bin', data)
    status = 0
    for name in DUMMY_IMAGES:
        image = bundle.image(name)
        put(f'{name}.bin', image)
        if keys.sha384(image) != bundle[f'{name}.digest']:
            print(f'{args.bundle}: {name}.bin does not have the digest in '
                  'the table of contents')
            status = 1
    for name in [f'vendor_ecc_key{k}' for k in range(ECC_KEYS)] + \
            ['owner_ecc_key']:
        pem = bundle.ecc_key(name).pem()
        if pem:
            put(name.replace('_', '-') + '.pem', pem)
    for name in [f'vendor_lms_key{k}' for k in range(LMS_KEYS)] + \
            ['owner_lms_key']:
        if any(bundle[name]):
            put(name.replace('_', '-') + '.pub', bundle[name])
    return status


def verdict(good):
    return 'good' if good else 'BAD'


def lms_state(bundle, party, digest, key_name):
    signature = bundle[f'{party}_lms_sig']
    if not any(signature):
        return 'not signed'
    why = bundle.lms_key(key_name).verify(digest, signature)
    return f'BAD ({why})' if why else 'good'


def signature_states(bundle):
    """Digests and signatures: [(name, good, not signed, or BAD...)]"""
    states = [('toc digest',
               verdict(bundle.digest(TOC) == bundle['header.toc_digest']))]
    for name in DUMMY_IMAGES:
        states.append((f'{name} digest', verdict(
            bundle[f'{name}.offset'] + bundle[f'{name}.size'] <=
            len(bundle.data) and
            keys.sha384(bundle.image(name)) == bundle[f'{name}.digest'])))
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
            state = f'BAD ({why})' if why else 'good'
        else:
            state = f'BAD (no key {ecc_index})'
        states.append((f'{party} ECDSA signature', state))
        states.append((f'{party} LMS signature',
                       lms_state(bundle, party, digest, lms_name)
                       if lms_name in LAYOUT else f'BAD (no key {lms_index})'))
    return states


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


def not_a_bundle(data):
    """What a file is that does not begin with a bundle, for a person"""
    at = find_bundle(data)
    if at > 0:
        return f'not a firmware bundle; one begins in it at {at:#x}'
    if data[:4] == b'CMAN' and len(data) < MANIFEST_SIZE:
        return (f'a firmware bundle cut off in its manifest: {len(data)} of '
                f'{MANIFEST_SIZE} bytes')
    if data[:4] == b'CMAN':
        return ('not a firmware bundle of Caliptra 1.x: its manifest has '
                f'{int.from_bytes(data[4:8], "little")} bytes, not '
                f'{MANIFEST_SIZE}')
    return f'not a firmware bundle but {kind_of_file(data)}'


def describe(bundle, rest, bad):
    """The line that says what a file is"""
    end = len(bundle.data)
    what = f'firmware bundle of {end} bytes'
    if bundle.end() > end:
        return (f'damaged firmware bundle: {end} bytes, cut off before its '
                f'end at {bundle.end()}')
    what = f'damaged {what}: {", ".join(bad)}' if bad \
        else f'{what}, digests and signatures good'
    if not rest:
        return what
    if not rest.strip(rest[:1]):
        return (f'slot of {end + len(rest)} bytes, padded with '
                f'0x{rest[0]:02x}, with a {what}')
    return f'{what}, followed by {len(rest)} bytes of something else'


def date_text(bundle, party):
    first, last = (bundle[f'header.{party}_not_{end}']
                   for end in ('before', 'after'))
    if not any(first + last):
        return 'no dates'
    return ' to '.join(date.decode('ascii', 'replace')
                       for date in (first, last))


def packed_version(name, value):
    """How FMC and runtime number releases (caliptra-sw builder)"""
    if name == 'fmc':
        return f'{value >> 11}.{value >> 6 & 31}.{value & 63}'
    return f'{value >> 24}.{value >> 16 & 0xFF}.{value & 0xFFFF}'


def show_summary(bundle):
    for name, title in (('fmc', 'FMC'), ('rt', 'runtime')):
        print(f'{title:8} {packed_version(name, bundle[f"{name}.version"])}, '
              f'SVN {bundle[f"{name}.svn"]}, {bundle[f"{name}.size"]} bytes '
              f'at 0x{bundle[f"{name}.load_addr"]:08x}, revision '
              f'{bundle[f"{name}.revision"].hex()}')
    print(f'{"vendor":8} key {bundle["vendor_ecc_index"]} (ECC) and '
          f'{bundle["vendor_lms_index"]} (LMS), '
          f'{date_text(bundle, "vendor")}')
    print(f'{"owner":8} {date_text(bundle, "owner")}')
    print('PL0 user ' +
          (f'0x{bundle["header.pl0_pauser"]:08x}'
           if bundle['header.flags'] & FLAG_PL0_PAUSER_VALID else 'none'))


def show_everything(bundle):
    for name, (offset, _, _) in LAYOUT.items():
        print(f'{offset:#06x} {name:27} {show_value(bundle, name)}')
    print()
    for title, span in (('vendor key hash', VENDOR_KEYS),
                        ('owner key hash', OWNER_KEYS),
                        ('header digest (vendor)', VENDOR_HEADER),
                        ('header digest (owner)', OWNER_HEADER),
                        ('manifest digest', (0, MANIFEST_SIZE))):
        print(f'{title:28} {bundle.digest(span).hex()}')


def do_show(args):
    data = read_file(args.bundle)
    if find_bundle(data) != 0:
        print(f'{args.bundle}: {not_a_bundle(data)}')
        return 1
    data, rest = read_bundle(args.bundle)
    bundle = Bundle(data)
    states = signature_states(bundle)
    bad = [f'{name} {state}' for name, state in states
           if state not in ('good', 'not signed')]
    print(f'{args.bundle}: {describe(bundle, rest, bad)}')
    if len(data) + len(rest) > MAX_SIZE:
        print(f'Caliptra takes {MAX_SIZE} bytes; this file has '
              f'{len(data) + len(rest)}')
    if args.all:
        show_everything(bundle)
    else:
        show_summary(bundle)
    for name, state in states:
        print(f'{name:28} {state}')
    fuses, why = accepting_fuses(bundle)
    if fuses:
        print('Fuses that accept it:\n' + fuses_text(fuses), end='')
    else:
        print('No fuses accept it in production: '
              f'{describe_error(why.code)}')
    if args.fuses and fuses:
        write_file(args.fuses, fuses_text(fuses).encode())
    return 0 if fuses and not bad else 1


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


def add_key_options(p):
    p.add_argument('--vendor-ecc-key', action='append', metavar='PEM',
                   help='up to 4 times: key slots 0, 1, ...')
    p.add_argument('--vendor-lms-key', action='append', metavar='FILE',
                   help='up to 32 times; *.pub is a public key')
    p.add_argument('--owner-ecc-key', metavar='PEM')
    p.add_argument('--owner-lms-key', metavar='FILE')
    for party in ('vendor', 'owner'):
        p.add_argument(f'--{party}-lms-leaf', type=number, metavar='Q',
                       help='leaf that signs; use each only once')


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
    c.add_argument('--release', choices=RELEASES,
                   help='of which the images say they are: version, revision '
                   'and load address of its official bundle')
    for name in DUMMY_IMAGES:
        c.add_argument(f'--{name}', metavar='FILE',
                       help='ELF file, or flat image: the latter whenever '
                       f'--{name}-load says where it goes (default: a dummy)')
        c.add_argument(f'--{name}-load', type=number, metavar='ADDR')
        c.add_argument(f'--{name}-entry', type=number, metavar='ADDR')
        c.add_argument(f'--{name}-version', type=number, metavar='N')
        c.add_argument(f'--{name}-svn', type=number, metavar='N', default=0)
        c.add_argument(f'--{name}-rev', metavar='HEX',
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
    add_key_options(c)
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
    s.add_argument('--all', action='store_true', help='every field')
    s.add_argument('--fuses', metavar='FILE',
                   help='write the fuses that accept the bundle')

    r = sub.add_parser('resign', help='other keys for a bundle that exists; '
                       'FMC and runtime stay as they are')
    r.set_defaults(run=do_resign)
    r.add_argument('bundle')
    r.add_argument('-o', '--output', required=True, metavar='FILE')
    r.add_argument('--fuses', metavar='FILE',
                   help='also write the fuses that accept the outcome')
    r.add_argument('--ecc-index', type=number, metavar='N',
                   help='vendor ECC key that signs (default: as before)')
    r.add_argument('--lms-index', type=number, metavar='N',
                   help='vendor LMS key that signs (default: as before)')
    add_key_options(r)

    e = sub.add_parser('extract', help='take a bundle apart: without its '
                       'padding, FMC, runtime, public keys')
    e.set_defaults(run=do_extract)
    e.add_argument('bundle')
    e.add_argument('directory')

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
