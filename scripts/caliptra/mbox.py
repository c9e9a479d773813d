#!/usr/bin/env python3
#
# Send mailbox commands to the Caliptra of a running QEMU
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Send a mailbox command to the Caliptra of a running machine, and decode
what it answers.

COMMAND is the name of a mailbox command, or of a DPE command, which is sent
in an INVOKE_DPE_COMMAND; "list" names them all, "list COMMAND" tells the
fields of one.  FIELD=VALUE, or a JSON object instead, fill the request:

  numbers    decimal or 0x...; flags also by name: MAKE_DEFAULT+EXPORT_CDI
  bytes      hexadecimal; text:WORDS; @FILE, the contents of a file;
             sha384:FILE, its digest

The guest is not disturbed: the client waits for the mailbox like any other
bus master, and gives it back.  QEMU needs -qmp, as "./qemu-caliptra run"
has it, or -qtest.

Examples:
    mbox.py --qmp build/qmp.sock FW_INFO
    mbox.py --qmp build/qmp.sock QUOTE_PCRS nonce=$(openssl rand -hex 32)
    mbox.py --qmp build/qmp.sock STASH_MEASUREMENT metadata=text:BLOB \\
        measurement=sha384:blob
    mbox.py --qmp build/qmp.sock --output out CertifyKey label=text:mine
    mbox.py --qmp build/qmp.sock --message file \\
        ECDSA384_SIGNATURE_VERIFY @sig.json
"""

import argparse
import base64
import functools
import hashlib
import json
import os
import signal
import struct
import sys
import textwrap
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

import caliptra_commands as table
from caliptra_commands import COMMANDS, DPE_COMMANDS, FLAGS, FIRMWARE_LOAD
from caliptra_common import (ToolError, describe_error, number, read_file,
                             run_tool, write_file)
from caliptra_qmp import Qmp, Qtest, qtest_of

# The AST2700's window: mailbox, SHA accelerator, SoC interface
# (caliptra-rtl mbox_csr.rdl, sha512_acc_csr.rdl, soc_ifc_external_reg.rdl)
WINDOW = 0x14C60000
# that of the machine "caliptra", where its core cannot reach it
CALIPTRA_MACHINE, CALIPTRA_WINDOW = 'caliptra-machine', 0x200020000
(LOCK, USER, CMD, DLEN, DATAIN, DATAOUT, EXECUTE, STATUS) = range(0, 0x20, 4)
SHA = 0x1000
SHA_MODE, SHA_DLEN, SHA_DATAIN, SHA_EXECUTE, SHA_STATUS = (
    SHA + offset for offset in (0x08, 0x10, 0x14, 0x18, 0x1C))
IFC = 0x10000
FW_ERROR_FATAL, FW_ERROR_NON_FATAL, FW_EXTENDED_ERROR, FLOW_STATUS = (
    IFC + offset for offset in (0x08, 0x0C, 0x18, 0x3C))

READY_FOR_FW = 1 << 28
READY_FOR_RUNTIME = 1 << 29
READY_FOR_FUSES = 1 << 30
CSR_READY = 1 << 24

CMD_BUSY, DATA_READY, CMD_COMPLETE, CMD_FAILURE = range(4)
FSM_IDLE, FSM_ERROR = 0, 7
MAX_REQUEST = 0x20000
PL0_NEEDED = 0x000E0016


class Refused(Exception):
    """Caliptra has answered, with an error; the message is one line."""


class Mailbox:
    """The mailbox as one more bus master sees it.

    @bus: a Qtest connection; @window: where the mailbox is; @timeout:
    seconds to wait for the lock, and again for an answer.
    """

    POLL_SECONDS = 0.002
    # with the machine's clock in our hand: what a poll lets pass
    POLL_NS = 100000

    def __init__(self, bus, window=WINDOW, timeout=30):
        self.bus = bus
        self.window = window
        self.timeout = timeout
        self.own_clock = None

    def read(self, offset):
        return self.bus.read32(self.window + offset)

    def write(self, offset, data):
        self.bus.write32(self.window + offset, data)

    def pass_time(self):
        """Under "-accel qtest" time passes only when a client says so"""
        if self.own_clock is None:
            try:
                self.bus.command('clock_step 0')
                self.own_clock = True
            except ToolError:
                self.own_clock = False
        if self.own_clock:
            self.bus.command(f'clock_step {self.POLL_NS}')
        else:
            time.sleep(self.POLL_SECONDS)

    def wait(self, condition, what):
        end = time.monotonic() + self.timeout
        while True:
            value = condition()
            if value is not None:
                return value
            if time.monotonic() > end:
                raise ToolError(f'{what} (waited {self.timeout} s; is the '
                                'machine stopped?)')
            self.pass_time()

    def stage(self):
        """'rom', 'runtime'; an error tells why there is neither"""
        flow = self.read(FLOW_STATUS)
        if flow & READY_FOR_RUNTIME:
            return 'runtime'
        if flow & READY_FOR_FW:
            return 'rom'
        fatal = self.read(FW_ERROR_FATAL)
        if fatal:
            raise ToolError(f'Caliptra has stopped: {describe_error(fatal)}')
        if flow & CSR_READY:
            raise ToolError('the mailbox holds the IDevID CSR, and Caliptra '
                            'waits until it is fetched')
        raise ToolError(
            'Caliptra waits for its fuses' if flow & READY_FOR_FUSES else
            'Caliptra has no power, or is in reset' if not flow >> 25 & 7 else
            'Caliptra is starting')

    def lock(self, offset, what):
        def free():
            return None if self.read(offset) & 1 else True

        if offset == LOCK and \
                self.read(STATUS) >> 6 & 7 == FSM_ERROR:
            raise ToolError('the mailbox is in its error state: somebody '
                            'broke the order of accesses; a reset of '
                            'Caliptra ends that')
        self.wait(free, f'{what} stays taken')

    def errors(self):
        return self.bus.reads32([self.window + offset for offset in (
            FW_ERROR_FATAL, FW_ERROR_NON_FATAL, FW_EXTENDED_ERROR)])

    def transfer(self, code, data):
        """A request, whole; returns the response, whole, None without one.
        Raises Refused."""
        words = struct.unpack(f'<{(len(data) + 3) // 4}I',
                              data + bytes(-len(data) % 4))
        self.lock(LOCK, 'the mailbox')
        # a mailbox that is given back half-way is in its error state
        stops = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, stops)
        try:
            self.bus.writes32(
                [(self.window + CMD, code), (self.window + DLEN, len(data))] +
                [(self.window + DATAIN, word) for word in words] +
                [(self.window + EXECUTE, 1)])
            status = self.wait(lambda: self.read(STATUS) & 15 or None,
                               'no answer')
            try:
                if status == CMD_FAILURE:
                    # before others can overwrite it
                    raise Refused(self.refusal())
                return self.fetch() if status == DATA_READY else None
            finally:
                self.write(EXECUTE, 0)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, stops)

    def fetch(self):
        size = self.read(DLEN)
        words = self.bus.reads32([self.window + DATAOUT] * ((size + 3) // 4))
        return struct.pack(f'<{len(words)}I', *words)[:size]

    def refusal(self):
        fatal, non_fatal, extended = self.errors()
        code = fatal or non_fatal
        text = describe_error(code) if code else 'no error number'
        if extended:
            text += f', extended error 0x{extended:08X}'
        if code == PL0_NEEDED:
            text += ': only the user with privilege level 0 may do this'
        return text + (' (fatal: Caliptra has stopped)' if fatal else '')

    def command(self, code, payload):
        """Request and response without their headers"""
        request = struct.pack('<I', table.checksum(code, payload)) + payload
        response = self.transfer(code, request)
        if response is None:
            return b''
        if len(response) < table.RESPONSE_HEADER or \
                struct.unpack_from('<I', response)[0] != \
                table.checksum(0, response[4:]):
            raise ToolError('the checksum of the response is wrong')
        return response[table.RESPONSE_HEADER:]

    def hash_message(self, message):
        """SHA-384 of a message in the accelerator; it stays locked"""
        self.lock(SHA, 'the SHA accelerator')
        words = struct.unpack(f'>{(len(message) + 3) // 4}I',
                              message + bytes(-len(message) % 4))
        self.bus.writes32(
            [(self.window + SHA_MODE, 0), (self.window + SHA_DLEN,
                                           len(message))] +
            [(self.window + SHA_DATAIN, word) for word in words or (0,)] +
            [(self.window + SHA_EXECUTE, 1)])
        self.wait(lambda: self.read(SHA_STATUS) & 1 or None,
                  'the SHA accelerator does not finish')

    def release_sha(self):
        self.write(SHA, 1)


# ---- values from people ----

def parse_bytes(text, what):
    kind, _, rest = text.partition(':')
    if text.startswith('@'):
        return read_file(text[1:])
    if kind == 'text':
        return rest.encode()
    if kind == 'sha384':
        return hashlib.sha384(read_file(rest, 1 << 30)).digest()
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ToolError(f'{what}: {text!r} is neither hexadecimal nor '
                        'text:..., @FILE, sha384:FILE') from None


def parse_flags(text, names, what):
    value = 0
    for part in text.split('+'):
        if part in names:
            value |= names[part]
        elif part[:1].isdigit():
            value |= number(part)
        else:
            raise ToolError(f'{what}: no flag is called {part!r}; there are: '
                            + (' '.join(names) or 'none'))
    return value


def parse_value(name, field, value):
    """@value: text, or what JSON had"""
    if isinstance(value, bool):
        value = int(value)
    if field.form in ('u16', 'u32', 'flags'):
        if isinstance(value, list):
            value = '+'.join(map(str, value))
        if isinstance(value, str):
            if field.form == 'flags':
                value = parse_flags(value, FLAGS.get(name, {}), field.name)
            else:
                value = number(value, 8 * field.size)
        if isinstance(value, int) and 0 <= value < 1 << 8 * field.size:
            return value
        raise ToolError(f'{field.name}: a number of {8 * field.size} bits is '
                        'expected')
    if not isinstance(value, str):
        raise ToolError(f'{field.name}: hexadecimal digits are expected')
    return parse_bytes(value, field.name)


def parse_fields(name, fields, words):
    given = {}
    for word in words:
        field, equals, value = word.partition('=')
        if equals and field.isidentifier():
            given[field] = value
            continue
        text = word
        if word.startswith('@') or word == '-':
            text = sys.stdin.read() if word == '-' else \
                read_file(word[1:]).decode(errors='replace')
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise ToolError(f'{word!r} is neither FIELD=VALUE nor JSON')
        given.update(values)
    known = {field.name: field for field in fields}
    for field in given:
        if field not in known:
            raise ToolError(f'{name} has no field {field}; it has: ' +
                            (' '.join(known) or 'none'))
    return {field: parse_value(name, known[field], value)
            for field, value in given.items()}


# ---- values for people ----

def pem(der, label):
    body = '\n'.join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f'-----BEGIN {label}-----\n{body}\n-----END {label}-----\n'


def split_chain(der):
    """Certificates that stand one behind the other"""
    while len(der) > 4 and der[:2] == b'\x30\x82':
        size = 4 + int.from_bytes(der[2:4], 'big')
        yield der[:size]
        der = der[size:]


LABELS = {'cert': 'CERTIFICATE', 'csr': 'CERTIFICATE REQUEST',
          'chain': 'CERTIFICATE'}


def pem_of(field, value):
    """A field as PEM, None if it is none; a CSR may be wrapped in CMS"""
    label = LABELS.get(field.form)
    if not label or not value:
        return None
    if field.form == 'cert' and b'\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07' \
            in value[:32]:
        label = 'CMS'
    parts = split_chain(value) if field.form == 'chain' else [value]
    return ''.join(pem(part, label) for part in parts)


def printable(value):
    text = value.rstrip(b'\0')
    return text.decode() if text and text.isascii() and \
        text.decode().isprintable() else None


def plain(name, field, value):
    """A value for JSON"""
    if field.form == 'flags':
        return [flag for flag, bit in FLAGS.get(name, {}).items()
                if value & bit] or value
    if isinstance(value, int):
        return value
    if field.form == 'text':
        return printable(value) or value.hex()
    return pem_of(field, value) or value.hex()


NUMBERS_IN_DECIMAL = ('svn', 'size', 'index', 'disabled', 'version', 'nodes',
                      'limit', 'ctr')


def show(name, fields, values, out):
    for field in fields:
        if field.name not in values or field.name == f'{field.name}_size':
            continue
        value = plain(name, field, values[field.name])
        if isinstance(value, list):
            value = ' '.join(value)
        if isinstance(value, int):
            if field.name == 'auth_req_result':
                value = f'0x{value:08x} {table.AUTH_RESULTS.get(value, "?")}'
            elif not any(word in field.name for word in NUMBERS_IN_DECIMAL):
                value = f'0x{value:0{2 * field.size}x}'
        text = str(value)
        if '\n' in text:
            print(f'{field.name}:\n{text}', end='', file=out)
        else:
            print(f'{field.name:24} {text}', file=out)


def save(directory, name, fields, values):
    """Certificates as PEM, a signature as openssl wants it, and the rest
    that is bytes as it is"""
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as e:
        raise ToolError(f'{directory}: {e.strerror}') from None

    def put(file, content):
        path = os.path.join(directory, file)
        write_file(path, content)
        print(f'{path}: {len(content)} bytes')

    stem = name.lower()
    for field in fields:
        value = values.get(field.name)
        text = pem_of(field, value) if isinstance(value, bytes) else None
        if text:
            put(f'{stem}.pem', text.encode())
    if 'signature_r' in values:
        put(f'{stem}.sig', utils.encode_dss_signature(
            *(int.from_bytes(values[f'signature_{part}'], 'big')
              for part in 'rs')))


def verify_quote(mailbox, values):
    """What is wrong with a quote, None if nothing is.

    The hardware hashes the PCRs, then the nonce with its eight words in
    reverse (caliptra-rtl pv_gen_hash.sv).
    """
    nonce = values['nonce']
    message = b''.join(values[f'pcr{i}'] for i in range(32)) + \
        b''.join(nonce[i:i + 4] for i in range(28, -1, -4))
    if hashlib.sha384(message).digest() != values['digest']:
        return 'the digest is not that of the PCRs and the nonce'
    command = COMMANDS['GET_FMC_ALIAS_CERT']
    cert = table.decode(command.response,
                        mailbox.command(command.code, b''))['cert']
    signature = utils.encode_dss_signature(
        *(int.from_bytes(values[f'signature_{part}'], 'big')
          for part in 'rs'))
    try:
        x509.load_der_x509_certificate(cert).public_key().verify(
            signature, values['digest'],
            ec.ECDSA(utils.Prehashed(hashes.SHA384())))
    except InvalidSignature:
        return 'the signature is not by the FMC alias key'
    return None


# ---- commands ----

def requirement(command):
    words = []
    if command.rom:
        words.append('ROM too')
    if command.pl0:
        words.append('privilege level 0')
    if command.since:
        words.append(f'from release 1.2.{command.since} on')
    return ', '.join(words)


def describe_fields(title, fields):
    for field in fields:
        size = f'up to {field.size}' if field.variable else field.size
        print(f'  {title:9} {field.name:24} {field.form.rstrip("0123456789"):6}'
              f' {size} bytes' + (', must be given' if field.required else ''))


def do_list(words):
    for word in words:
        if word in COMMANDS:
            command = COMMANDS[word]
            print(f'{word}: 0x{command.code:08x}, request {command.size} '
                  f'bytes, {requirement(command) or "runtime"}')
        elif word in DPE_COMMANDS:
            command = DPE_COMMANDS[word]
            print(f'{word}: DPE command {command.ident}, in '
                  'INVOKE_DPE_COMMAND')
        else:
            raise ToolError(unknown(word))
        describe_fields('request', command.request)
        if word in FLAGS and any(f.form == 'flags' for f in command.request):
            print(f'  {"flags":9} {" ".join(FLAGS[word])}')
        describe_fields('response', command.response)
    if words:
        return 0
    print('FIRMWARE_LOAD                    0x46574c44  ROM too')
    for name, command in COMMANDS.items():
        print(f'{name:32} 0x{command.code:08x}  '
              f'{requirement(command)}'.rstrip())
    for name, command in DPE_COMMANDS.items():
        print(f'{name:32} {command.ident:10}  in INVOKE_DPE_COMMAND')
    return 0


def unknown(word):
    return f'no command is called {word} ("list" names them)'


def connect(args):
    if args.qtest:
        return Qtest(args.qtest)
    qmp = Qmp(args.qmp)
    try:
        state = qmp.command('query-status')
        if not state['running']:
            raise ToolError(f'the machine does not run ({state["status"]}); '
                            '"cont" in the monitor lets it go on')
        if args.window is None and \
           qmp.get('/machine', 'type') == CALIPTRA_MACHINE:
            args.window = CALIPTRA_WINDOW
        return qtest_of(qmp)
    finally:
        qmp.close()


def send_dpe(mailbox, name, request):
    """A whole DPE command: as send()"""
    command = COMMANDS['INVOKE_DPE_COMMAND']
    payload = table.encode(command.request, {'data': request})
    data = table.decode(command.response,
                        mailbox.command(command.code, payload))['data']
    status, answer = table.dpe_response(name, data)
    if status:
        raise Refused('DPE: ' + table.DPE_ERRORS.get(status, 'error') +
                      f' (0x{status:08X})')
    return name, DPE_COMMANDS[name].response, answer


def send(mailbox, name, values, message):
    """Whose response it is (of a command in INVOKE_DPE_COMMAND, too), its
    fields and values; Refused tells why there is none"""
    if name in DPE_COMMANDS:
        return send_dpe(mailbox, name, table.dpe_request(name, values))
    if name == 'INVOKE_DPE_COMMAND':
        for dpe_name, dpe in DPE_COMMANDS.items():
            if values['data'][4:8] == dpe.ident.to_bytes(4, 'little'):
                return send_dpe(mailbox, dpe_name, values['data'])
    command = COMMANDS[name]
    payload = table.encode(command.request, values)
    if message is None:
        answer = mailbox.command(command.code, payload)
    else:
        mailbox.hash_message(message)
        try:
            answer = mailbox.command(command.code, payload)
        finally:
            mailbox.release_sha()
    return name, command.response, table.decode(command.response, answer)


def do_command(args):
    name = args.command
    if name == 'FIRMWARE_LOAD':
        if len(args.fields) != 1 or '=' in args.fields[0]:
            raise ToolError('FIRMWARE_LOAD takes one file, a bundle')
        firmware = read_file(args.fields[0].lstrip('@'))
        if not 0 < len(firmware) <= MAX_REQUEST:
            raise ToolError(f'{args.fields[0]}: {len(firmware)} bytes; '
                            f'Caliptra takes 1 to {MAX_REQUEST}')
    elif name in DPE_COMMANDS or name in COMMANDS:
        fields = (DPE_COMMANDS if name in DPE_COMMANDS
                  else COMMANDS)[name].request
        values = parse_fields(name, fields, args.fields)
        # what is wrong with the fields is known before anything is locked
        table.encode(fields, values)
    else:
        raise ToolError(unknown(name))
    message = read_file(args.message) if args.message else None

    bus = connect(args)
    try:
        mailbox = Mailbox(bus, WINDOW if args.window is None else args.window,
                          args.timeout)
        check_stage(mailbox, name, args.force)
        if name == 'FIRMWARE_LOAD':
            mailbox.transfer(FIRMWARE_LOAD, firmware)
            print('FIRMWARE_LOAD: accepted')
            return 0
        return tell(mailbox, args, *send(mailbox, name, values, message))
    finally:
        bus.close()


def check_stage(mailbox, name, force):
    if mailbox.stage() == 'rom' and name != 'FIRMWARE_LOAD' and \
            not (name in COMMANDS and COMMANDS[name].rom) and not force:
        raise ToolError(f'ROM is waiting for firmware and does not know '
                        f'{name}: it would stop for good (--force sends it)')


def tell(mailbox, args, name, fields, answer):
    """Print a response; returns the exit status"""
    if args.json:
        print(json.dumps({field.name: plain(name, field, answer[field.name])
                          for field in fields if field.name in answer},
                         indent=4))
    elif answer:
        show(name, fields, answer, sys.stdout)
    else:
        print(f'{name}: done')
    if args.output:
        save(args.output, name, fields, answer)
    if answer.get('dpe_result'):
        print(f'{name}: DPE: ' +
              table.DPE_ERRORS.get(answer['dpe_result'], 'error') +
              f' (0x{answer["dpe_result"]:08X})', file=sys.stderr)
        return 1
    if name == 'QUOTE_PCRS':
        wrong = verify_quote(mailbox, answer)
        print('quote: ' + (wrong or 'verified with the FMC alias '
                           'certificate'),
              file=sys.stderr if args.json else sys.stdout)
        return 1 if wrong else 0
    return 0


def parser():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    where = p.add_mutually_exclusive_group()
    where.add_argument('--qmp', metavar='ADDRESS',
                       help='QMP socket: a path, or host:port')
    where.add_argument('--qtest', metavar='ADDRESS',
                       help='qtest socket (-qtest unix:...,server=on)')
    p.add_argument('--json', action='store_true',
                   help='print the response as JSON')
    p.add_argument('--output', metavar='DIRECTORY',
                   help='write certificates (PEM) and signatures (DER) there')
    p.add_argument('--message', metavar='FILE', help='have the SHA '
                   'accelerator hash this first, for ..._SIGNATURE_VERIFY')
    p.add_argument('--timeout', type=float, default=30, metavar='SECONDS',
                   help='how long to wait for the mailbox, and for an answer')
    p.add_argument('--window', type=functools.partial(number, bits=64),
                   metavar='ADDR', help=f'where the mailbox is (default: '
                   f'{WINDOW:#x}; machine "caliptra": {CALIPTRA_WINDOW:#x})')
    p.add_argument('--force', action='store_true',
                   help='send to ROM what it does not know')
    p.add_argument('command', metavar='COMMAND')
    p.add_argument('fields', nargs='*', metavar='FIELD=VALUE')
    return p


def main(argv):
    args = parser().parse_args(argv)
    if args.command == 'list':
        return do_list(args.fields)
    if not args.qmp and not args.qtest:
        raise ToolError('--qmp or --qtest says where QEMU is')
    try:
        return do_command(args)
    except Refused as e:
        print(f'{args.command}: refused: {e}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    run_tool('mbox.py', main)
