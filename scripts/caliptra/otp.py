#!/usr/bin/env python3
#
# Make and explain OTP images of the AST2700
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Make and explain images of the OTP memory of the ASPEED AST2700.

"create" takes a configuration file of ASPEED's otptool (AST2700A1), a fuse
file as bundle.py writes it, or both, and gives the same bytes as otptool 2.3.
The image (-o) is what U-Boot's "otp prog" and QEMU take; the flat form
(--flat) is one that QEMU can write back to, too.

Examples:
    otp.py create otp.json --key-dir keys -o otp.image --flat otp.bin
    otp.py create --fuses fuses.json --secure-boot -o otp.image
    otp.py show otp.image                   # --all: every field
    otp.py verify otp.image --bundle caliptra-fw.bin
"""

import argparse

from caliptra_common import (LIFECYCLES, ToolError, describe_error,
                             fuses_text, load_fuses, read_file, run_tool,
                             write_file)
from caliptra_image import Refused, verify as verify_bundle
from caliptra_otp import (CALIPTRA, CALIPTRA_FIELDS, CONF, CONF_FIELDS,
                          KEY_HEADERS, LIFECYCLE_NAMES, OWNER_HASH_KEY, RBP,
                          RBP_FIELDS, REGIONS, SECURE, SECURE_WORDS,
                          SOC_VERSIONS, STRAP, STRAP_FIELDS, STRAP_OPTIONS,
                          STRAPEXT, STRAPEXT_FIELDS, VENDOR_HASH_KEY, BadImage,
                          Otp, load_otp, put_config)

# What fields are for that matter to this machine or to its security
MEANINGS = {
    'otp_mem_lock_enable': 'nothing can be programmed any more',
    'wr_protect_puf': 'the PUF is programmed and protected',
    'wr_protect_caliptra': "Caliptra's region cannot be programmed",
    'wr_protect_otp_rbp': 'rollback protection cannot be programmed',
    'wr_protect_otp_strap': 'straps cannot be programmed',
    'wr_protect_otp_cfg': 'configuration cannot be programmed',
    'wr_protect_rom': 'ROM patches cannot be programmed',
    'wr_protect_otp_strap_ext': 'extended straps cannot be programmed',
    'enable_secure_boot': 'secure boot',
    'ignore_secure_boot_hw_strap': 'a pin cannot turn on secure boot',
    'en_lms_verify': "the BootMCU's firmware needs an LMS signature, too",
    'dev_life_cycle_state': 'life cycle',
    'En_SecBoot': 'secure boot',
    'DisSSP': 'SSP stays off',
    'DisTSP': 'TSP stays off',
    'Dis_Cptra': 'Caliptra stays off',
    'Dis_CptraJTag': "Caliptra's JTAG is off for ever",
    'En_Cptra_debug': 'Caliptra is not debug locked',
    'SoC_FMC_ECC_Key_Retire_bits': 'retired ECDSA keys of the SoC, by id',
    'SoC_FMC_LMS_Key_Retire_bits': 'retired LMS keys of the SoC, by id',
    'Caliptra_Owner_pk_key_hash_retire': 'retired owner key hashes, by id',
    'SoC_FMC_Hardware_SVN_0': "least SVN of the BootMCU's firmware",
    'Caliptra_FMC_Hardware_SVN': 'least SVN of the FMC, one bit each',
    'Caliptra_Runtime_Hardware_SVN_0': 'least SVN of the runtime, one bit '
                                       'each',
    'Caliptra_Manufacture_ECC_key_mask': 'revoked vendor ECC keys',
    'Caliptra_Manufacture_LMS_key_mask': 'revoked vendor LMS keys',
    'Enable_LMS_verify': 'Caliptra verifies LMS signatures, too',
    'Anti-rollback_disable': 'SVN fuses are ignored',
    'Manufacture_Key_Hash': "hash of the vendor's keys",
    'IDEVID_Cert_attr': 'attributes of the IDevID certificate',
    'IDEVID_manuf_HSM_identifier': 'what signed the IDevID certificate',
    'IDEVID_TBS': 'IDevID certificate without signature',
    'IDEVID_Cert_Signature': 'its signature',
}
# Obfuscated or not, nobody wants to find these in a log
SECRET_FIELDS = ('Field_Entropy',)
SECRET_KEYS = ('soc_vault', 'soc_vault_seed')


def hidden(data, show):
    if show or not any(data):
        return data.hex() if any(data) else '0'
    return f'set, {len(data)} bytes (--all shows them)'


def short(data):
    if not any(data):
        return '0'
    return data.hex() if len(data) <= 48 else \
        f'{data[:32].hex()}... ({len(data)} bytes)'


# ---- create ----

def do_create(args):
    if not args.config and not args.fuses:
        raise ToolError('create: a configuration or --fuses is needed')
    if not args.output and not args.flat:
        raise ToolError('create: -o or --flat is needed')
    otp = Otp()
    if args.config:
        put_config(otp, args.config, args.key_dir)
    if args.fuses:
        otp.put_fuses(load_fuses(args.fuses))
    lifecycle = args.lifecycle or \
        ('production' if args.fuses and not otp.lifecycle() else None)
    if lifecycle:
        otp.put(CONF + 2, LIFECYCLES[lifecycle], 2, 8)
        otp.regions.add('CONF')
    if args.secure_boot:
        otp.put(CONF, 1, 1, CONF_FIELDS['enable_secure_boot'][1])
        otp.regions.add('CONF')
    if args.output:
        write_file(args.output, otp.image())
    if args.flat:
        write_file(args.flat, otp.flat())
    return 0


# ---- show ----

def describe(otp):
    regions = ' '.join(r for r in REGIONS if r in otp.regions)
    if otp.form == 'image':
        return (f'OTP image for {SOC_VERSIONS[otp.soc]}, otptool '
                f'{".".join(map(str, otp.tool))}, checksum good, regions: '
                f'{regions or "none"}')
    what = 'flat OTP image (otp-all.bin)' if otp.form == 'otp-all.bin' \
        else 'dump of an OTP'
    return f'{what}, ' + (f'not empty: {regions}' if regions else 'empty')


def show_summary(otp):
    why = otp.secure_boot()
    retired = otp.words[RBP + 3]
    fuses = otp.fuses()
    header = otp.owner_header()
    if header:
        source = f'key {header.index}, id {header.id}'
    elif any(h.type == OWNER_HASH_KEY for h in otp.key_headers()):
        source = 'all retired: any owner'
    else:
        source = 'any owner'
    print(f'life cycle       {LIFECYCLE_NAMES[otp.lifecycle()]}')
    print(f'debug            {"" if otp.debug_locked() else "un"}locked')
    print(f'secure boot      {"on: " + ", ".join(why) if why else "off"}')
    print(f'vendor key hash  {short(fuses["key_manifest_pk_hash"])}')
    print(f'owner key hash   {short(fuses["owner_pk_hash"])} ({source}' +
          (f'; retired ids: 0x{retired:04x})' if retired else ')'))


def show_field(place, name, value, bits, everything, note=''):
    if value or note or everything:
        meaning = f'  ({MEANINGS[name]})' if name in MEANINGS else ''
        text = f'0x{value:x}' if bits > 1 else str(value)
        print(f'  {place:15} {name} = {text}{note}{meaning}')


def place_of(region, word, bit, bits):
    return f'{region}{word}[' + (f'{bit + bits - 1}:' if bits > 1 else '') + \
        f'{bit}]'


def show_number_fields(otp, region, base, fields, everything):
    for name, (word, bit, bits) in fields.items():
        show_field(place_of(region, word, bit, bits), name,
                   otp.get(base + word, bits, bit), bits, everything)


def show_straps(otp, everything):
    value, protect = otp.strap(), otp.get(STRAP, 32)
    for name, (word, bit, bits) in STRAP_FIELDS.items():
        at, mask = 16 * word + bit, (1 << bits) - 1
        show_field(place_of('STRAP', at // 16, at % 16, bits), name,
                   value >> at & mask, bits, everything,
                   ', protected' if protect >> at & mask else '')
    used = [i for i in range(1, STRAP_OPTIONS)
            if otp.get(STRAP + 2 + 2 * i, 32)]
    if used:
        print(f'  straps have been changed {len(used)} time(s)')
    for name, (word, bit, bits) in STRAPEXT_FIELDS.items():
        valid = otp.get(STRAPEXT + 8 + word, bits, bit)
        show_field(place_of('STRAPEXT', word, bit, bits), name,
                   otp.get(STRAPEXT + word, bits, bit), bits, everything,
                   '' if not valid else ', valid')


def show_caliptra(otp, everything):
    for name, (word, bits) in CALIPTRA_FIELDS.items():
        if bits == 1:
            show_field(f'CALIPTRA{word}', name, otp.get(CALIPTRA + word, 1),
                       1, everything)
            continue
        data = otp.get_bytes(CALIPTRA + word, bits // 8)
        if any(data) or everything:
            text = hidden(data, everything) if name in SECRET_FIELDS \
                else data.hex() if everything else short(data)
            meaning = f'  ({MEANINGS[name]})' if name in MEANINGS else ''
            print(f'  {f"CALIPTRA{word}":15} {name} = {text}{meaning}')


def show_keys(otp, everything):
    for header in otp.key_headers():
        print(f'  key {header.index:<2} header 0x{header.value:08x}: id '
              f'{header.id}, {header.name or "unknown type"}, from word '
              f'0x{SECURE + header.word:x}')
        if header.size and header.word + header.size // 2 <= SECURE_WORDS:
            data = otp.get_bytes(SECURE + header.word, header.size)
            print('    ' + (hidden(data, everything)
                            if header.name in SECRET_KEYS else data.hex()))


def do_show(args):
    otp = load_otp(args.image)
    print(f'{args.image}: {describe(otp)}')
    show_summary(otp)
    print('Fields:' if args.all else 'Fields that are set:')
    show_number_fields(otp, 'RBP', RBP, RBP_FIELDS, args.all)
    show_number_fields(otp, 'OTPCFG', CONF, CONF_FIELDS, args.all)
    show_straps(otp, args.all)
    show_keys(otp, args.all)
    show_caliptra(otp, args.all)
    fuses = {name: value for name, value in otp.fuses().items()
             if (any(value) if isinstance(value, bytes) else value)}
    if args.fuses:
        write_file(args.fuses, fuses_text(fuses).encode())
    if 'field_entropy' in fuses and not args.all:
        fuses['field_entropy'] = 'set'
    print('Fuses that Caliptra gets, those not zero:\n' + fuses_text(fuses),
          end='')
    problems = list(check(otp))
    for problem in problems:
        print(f'problem: {problem}')
    return 1 if problems else 0


# ---- verify ----

def check(otp):
    """What is wrong with an OTP, one line each"""
    if otp.lifecycle() == LIFECYCLE_NAMES.index('reserved'):
        yield 'life cycle 2 is reserved'
    headers = otp.key_headers()
    seen = {}
    taken = []
    for header in headers:
        where = f'key {header.index}'
        if header.name is None:
            yield (f'{where}: header 0x{header.value:08x} has no type that '
                   'is known')
            continue
        if header.word < 2 * KEY_HEADERS:
            yield (f'{where}: lies at word 0x{header.word:x}, within the '
                   'headers')
        end = header.word + (header.size or 2) // 2
        if end > SECURE_WORDS:
            yield (f'{where}: words 0x{header.word:x} to 0x{end:x} go beyond '
                   f'the region\'s 0x{SECURE_WORDS:x}')
        if (header.name, header.id) in seen:
            yield (f'{where}: has the type and id of key '
                   f'{seen[header.name, header.id]}')
        seen.setdefault((header.name, header.id), header.index)
        for index, first, last in taken:
            if header.word < last and first < end:
                yield f'{where}: overlaps key {index}'
        taken.append((header.index, header.word, end))
        if header.type in (OWNER_HASH_KEY, VENDOR_HASH_KEY) and \
                end <= SECURE_WORDS and \
                not any(otp.get_bytes(SECURE + header.word, 48)):
            yield f'{where}: the hash is zero'
    owners = [h for h in headers if h.type == OWNER_HASH_KEY]
    if owners and not otp.owner_header():
        yield 'all owner key hashes are retired: Caliptra would take any owner'
    if otp.lifecycle() and not any(otp.fuses()['key_manifest_pk_hash']):
        yield ('no vendor key hash: Caliptra refuses each bundle in life '
               f'cycle {LIFECYCLE_NAMES[otp.lifecycle()]}')


def do_verify(args):
    otp = load_otp(args.image)
    problems = list(check(otp))
    for problem in problems:
        print(f'{args.image}: {problem}')
    if args.bundle:
        try:
            verify_bundle(read_file(args.bundle), otp.fuses(),
                          otp.lifecycle())
        except Refused as e:
            problems.append(e)
            print(f'{args.bundle}: refused with {args.image}: '
                  f'{describe_error(e.code)}')
    if problems:
        return 1
    print(f'{args.image}: good' +
          (f', {args.bundle} accepted' if args.bundle else ''))
    return 0


def parser():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest='command', required=True, metavar='COMMAND')

    c = sub.add_parser('create', help='make an OTP image')
    c.set_defaults(run=do_create)
    c.add_argument('config', nargs='?', help='configuration of otptool')
    c.add_argument('--key-dir', default='.', metavar='DIR',
                   help='where the files named in it are (default: here)')
    c.add_argument('--fuses', metavar='FILE',
                   help='fuses of Caliptra; owner hash as key 0')
    c.add_argument('--lifecycle', choices=LIFECYCLES,
                   help='default: that of the configuration, production if '
                   'it gives none and there is --fuses')
    c.add_argument('--secure-boot', action='store_true',
                   help='set OTPCFG0[9]')
    c.add_argument('-o', '--output', metavar='FILE', help='the image')
    c.add_argument('--flat', metavar='FILE', help='the words in a row')

    s = sub.add_parser('show', help='print what is in an OTP image')
    s.set_defaults(run=do_show)
    s.add_argument('image')
    s.add_argument('--all', action='store_true',
                   help='fields that are zero, and secrets, too')
    s.add_argument('--fuses', metavar='FILE',
                   help='write the fuses that Caliptra gets')

    v = sub.add_parser('verify', help='check an OTP image')
    v.set_defaults(run=do_verify)
    v.add_argument('image')
    v.add_argument('--bundle', metavar='FILE',
                   help='whether Caliptra accepts this firmware bundle')
    return p


def main(argv):
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except BadImage as e:
        print(e)
        return 1


if __name__ == '__main__':
    run_tool('otp.py', main)
