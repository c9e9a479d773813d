# Mailbox commands of Caliptra 1.2: numbers, lengths, fields
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The one table of mailbox commands, for the tools and the tests.

Layouts are those of api/src/mailbox.rs in caliptra-sw (1.2), and those of the
DICE Protection Environment of dpe/src/commands and dpe/src/response.rs in
caliptra-dpe.  All integers are little-endian.

A layout is text, "name:form" for each field; a name that ends in "!" must be
given in a request, other fields are zero by default.  Forms:

  u16, u32         a number
  flags            a number, whose bits have names (FLAGS below)
  hexN             N bytes; digests and coordinates most significant first
  wordsN           a digest of N bytes in hash words: every four bytes are
                   reversed (shown as a plain digest)
  textN            N bytes that often are text
  dataN, certN, csrN, chainN
                   at most N bytes; the u32 field of the same name with
                   "_size" says how many
"""

import dataclasses
import re
import struct

from caliptra_common import ToolError, hw_words

# How the runtime checks the length of a request: not at all; exactly
# (RUNTIME_INSUFFICIENT_MEMORY, or RUNTIME_MAILBOX_INVALID_PARAMS); at most
IGNORED, EXACT, EXACT_PARAMS, UP_TO = range(4)

# Words in front: checksum in a request; checksum, FIPS status in a response
REQUEST_HEADER = 4
RESPONSE_HEADER = 8

FIRMWARE_LOAD = 0x46574C44
DPE_COMMAND_MAGIC = 0x44504543
DPE_RESPONSE_MAGIC = 0x44504552
DPE_PROFILE = 4
DPE_HEADER = 12

FLAGS = {
    'InitializeContext': {'SIMULATION': 1 << 31, 'DEFAULT': 1 << 30},
    'DeriveContext': {
        'INTERNAL_INPUT_INFO': 1 << 31, 'INTERNAL_INPUT_DICE': 1 << 30,
        'RETAIN_PARENT_CONTEXT': 1 << 29, 'MAKE_DEFAULT': 1 << 28,
        'CHANGE_LOCALITY': 1 << 27, 'INPUT_ALLOW_CA': 1 << 26,
        'INPUT_ALLOW_X509': 1 << 25, 'RECURSIVE': 1 << 24,
        'EXPORT_CDI': 1 << 23, 'CREATE_CERTIFICATE': 1 << 22},
    'RotateContextHandle': {'TARGET_IS_DEFAULT': 1 << 31},
    'GetProfile': {
        'SIMULATION': 1 << 31, 'RECURSIVE': 1 << 30, 'AUTO_INIT': 1 << 29,
        'ROTATE_CONTEXT': 1 << 27, 'X509': 1 << 26, 'CSR': 1 << 25,
        'INTERNAL_INFO': 1 << 22, 'INTERNAL_DICE': 1 << 21,
        'RETAIN_PARENT_CONTEXT': 1 << 19, 'CDI_EXPORT': 1 << 18},
    'CERTIFY_KEY_EXTENDED': {'DMTF_OTHER_NAME': 1 << 31},
    'AUTHORIZE_AND_STASH': {'SKIP_STASH': 1 << 0},
}


@dataclasses.dataclass
class Field:
    name: str
    form: str
    size: int
    required: bool

    @property
    def variable(self):
        return self.form in ('data', 'cert', 'csr', 'chain')


def layout(text):
    fields = []
    for word in text.split():
        name, required, form, size = re.fullmatch(
            r'(\w+)(!?):([a-z]+)(\d*)', word).groups()
        if form in ('u', 'flags'):
            form, size = ('u32', 4) if form == 'flags' else \
                (f'u{size}', int(size) // 8)
            if word.endswith(':flags'):
                form = 'flags'
        fields.append(Field(name, form, int(size), bool(required)))
    return fields


def span(fields):
    """Bytes of a layout, variable fields at their longest"""
    return sum(field.size for field in fields)


class Command:
    """A mailbox command: layouts do not include the headers.

    @rom: ROM knows it; @pl0: only the user with privilege level 0 may send
    it; @since: the release 1.2.x of the runtime that has it first.
    """

    def __init__(self, code, length=IGNORED, request='', response='', *,
                 rom=False, pl0=False, since=0):
        self.code = code
        self.length = length
        self.request = layout(request)
        self.response = layout(response)
        self.rom = rom
        self.pl0 = pl0
        self.since = since

    @property
    def size(self):
        """Of the whole request; its maximum with UP_TO"""
        return REQUEST_HEADER + span(self.request)

    @property
    def rom_size(self):
        """What ROM demands; 0: unknown to ROM"""
        return self.size if self.rom else 0


CERTIFIED = ('new_context_handle:hex16 derived_pubkey_x:hex48 '
             'derived_pubkey_y:hex48 cert_size:u32 cert:cert6144')

COMMANDS = {
    'VERSION': Command(
        0x46505652, response='mode:text4 hw_rev:u32 fw_rev0:u32 fw_rev1:u32 '
        'name:text12', rom=True),
    'CAPABILITIES': Command(0x43415053, response='capabilities:hex16',
                            rom=True),
    'SELF_TEST_START': Command(0x46504C54, rom=True),
    'SELF_TEST_GET_RESULTS': Command(0x46504C67, rom=True),
    'SHUTDOWN': Command(0x46505344, rom=True),
    'STASH_MEASUREMENT': Command(
        0x4D454153, EXACT,
        'metadata:text4 measurement!:hex48 context:hex48 svn:u32',
        'dpe_result:u32', rom=True, pl0=True),
    'GET_IDEV_CERT': Command(
        0x49444543, UP_TO, 'tbs_size:u32 signature_r!:hex48 '
        'signature_s!:hex48 tbs!:data916', 'cert_size:u32 cert:cert1024'),
    'GET_IDEV_INFO': Command(
        0x49444549, response='idev_pub_x:hex48 idev_pub_y:hex48'),
    'GET_IDEV_CSR': Command(0x49444352, EXACT_PARAMS,
                            response='csr_size:u32 csr:csr512', rom=True),
    'POPULATE_IDEV_CERT': Command(
        0x49444550, UP_TO, 'cert_size:u32 cert!:cert1024'),
    'GET_LDEV_CERT': Command(0x4C444556,
                             response='cert_size:u32 cert:cert1024'),
    'GET_FMC_ALIAS_CERT': Command(0x43455246,
                                  response='cert_size:u32 cert:cert1024'),
    'GET_FMC_ALIAS_CSR': Command(0x464D4352,
                                 response='csr_size:u32 csr:csr768'),
    'GET_RT_ALIAS_CERT': Command(0x43455252,
                                 response='cert_size:u32 cert:cert1024'),
    'ECDSA384_SIGNATURE_VERIFY': Command(
        0x53494756, EXACT, 'pub_key_x!:hex48 pub_key_y!:hex48 '
        'signature_r!:hex48 signature_s!:hex48'),
    'LMS_SIGNATURE_VERIFY': Command(
        0x4C4D5356, EXACT, 'pub_key_tree_type!:u32 pub_key_ots_type!:u32 '
        'pub_key_id!:hex16 pub_key_digest!:hex24 signature_q!:u32 '
        'signature_ots!:hex1252 signature_tree_type!:u32 '
        'signature_tree_path!:hex360'),
    'FW_INFO': Command(
        0x494E464F, response='pl0_pauser:u32 runtime_svn:u32 '
        'min_runtime_svn:u32 fmc_manifest_svn:u32 attestation_disabled:u32 '
        'rom_revision:text20 fmc_revision:text20 runtime_revision:text20 '
        'rom_sha256_digest:words32 fmc_sha384_digest:words48 '
        'runtime_sha384_digest:words48 owner_pub_key_hash:words48 '
        'authman_sha384_digest:words48'),
    'DPE_TAG_TCI': Command(0x54514754, EXACT, 'handle:hex16 tag!:u32'),
    'DPE_GET_TAGGED_TCI': Command(
        0x47544744, EXACT, 'tag!:u32',
        'tci_cumulative:hex48 tci_current:hex48'),
    'INCREMENT_PCR_RESET_COUNTER': Command(0x50435252, EXACT, 'index!:u32'),
    'QUOTE_PCRS': Command(
        0x50435251, EXACT_PARAMS, 'nonce!:hex32',
        ' '.join(f'pcr{i}:hex48' for i in range(32)) +
        ' nonce:hex32 digest:hex48 ' +
        ' '.join(f'reset_ctr{i}:u32' for i in range(32)) +
        ' signature_r:hex48 signature_s:hex48'),
    'EXTEND_PCR': Command(0x50435245, EXACT, 'pcr_idx!:u32 data!:hex48'),
    'ADD_SUBJECT_ALT_NAME': Command(
        0x414C544E, UP_TO,
        'dmtf_device_info_size:u32 dmtf_device_info!:data128'),
    'CERTIFY_KEY_EXTENDED': Command(
        0x434B4558, EXACT,
        'flags:flags handle:hex16 key_flags:u32 format:u32 label:text48',
        'magic:u32 status:u32 profile:u32 ' + CERTIFIED, pl0=True),
    'INVOKE_DPE_COMMAND': Command(
        0x44504543, UP_TO, 'data_size:u32 data!:data512',
        'data_size:u32 data:data6272'),
    'SET_AUTH_MANIFEST': Command(
        0x41544D4E, UP_TO, 'manifest_size:u32 manifest!:data14336'),
    'AUTHORIZE_AND_STASH': Command(
        0x41545348, EXACT, 'fw_id!:u32 measurement!:hex48 context:hex48 '
        'svn:u32 flags:flags source:u32', 'auth_req_result:u32'),
    'DISABLE_ATTESTATION': Command(0x4453424C),
    'SIGN_WITH_EXPORTED_ECDSA': Command(
        0x53574545, EXACT_PARAMS, 'exported_cdi_handle!:hex32 tbs!:hex48',
        'derived_pubkey_x:hex48 derived_pubkey_y:hex48 signature_r:hex48 '
        'signature_s:hex48', pl0=True),
    'REVOKE_EXPORTED_CDI_HANDLE': Command(
        0x52564348, EXACT_PARAMS, 'exported_cdi_handle!:hex32', pl0=True,
        since=1),
    'REALLOCATE_DPE_CONTEXT_LIMITS': Command(
        0x52435458, EXACT, 'pl0_context_limit!:u32',
        'new_pl0_context_limit:u32 new_pl1_context_limit:u32', pl0=True,
        since=3),
    'GET_PCR_LOG': Command(0x504C4F47, response='log_size:u32 log:data952',
                           since=4),
}


class DpeCommand:
    """A command of the DPE: layouts do not include the headers"""

    def __init__(self, ident, request='', response=''):
        self.ident = ident
        self.request = layout(request)
        self.response = layout(response)


DPE_COMMANDS = {
    'GetProfile': DpeCommand(
        0x01, '', 'major_version:u16 minor_version:u16 vendor_id:u32 '
        'vendor_sku:u32 max_tci_nodes:u32 flags:flags'),
    'InitializeContext': DpeCommand(0x07, 'flags!:flags', 'handle:hex16'),
    'DeriveContext': DpeCommand(
        0x08, 'handle:hex16 data!:hex48 flags:flags tci_type:u32 '
        'target_locality:u32',
        'handle:hex16 parent_handle:hex16 exported_cdi:hex32 cert_size:u32 '
        'cert:cert6144'),
    'CertifyKey': DpeCommand(
        0x09, 'handle:hex16 flags:u32 format:u32 label:text48', CERTIFIED),
    'Sign': DpeCommand(
        0x0A, 'handle:hex16 label:text48 flags:u32 digest!:hex48',
        'new_context_handle:hex16 signature_r:hex48 signature_s:hex48'),
    'RotateContextHandle': DpeCommand(0x0E, 'handle:hex16 flags:flags',
                                      'handle:hex16'),
    'DestroyContext': DpeCommand(0x0F, 'handle:hex16'),
    'GetCertificateChain': DpeCommand(
        0x10, 'offset:u32 size:u32', 'chain_size:u32 chain:chain2048'),
}

# Status of a DPE response (caliptra-dpe dpe/src/response.rs)
DPE_ERRORS = {
    0x00000001: 'InternalError',
    0x00000002: 'InvalidCommand',
    0x00000003: 'InvalidArgument',
    0x00000004: 'ArgumentNotSupported',
    0x00001000: 'InvalidHandle',
    0x00001001: 'InvalidLocality',
    0x00001003: 'MaxTcis',
    0x01000001: 'Platform: CertificateChainError',
    0x02000002: 'Crypto: CryptoLibError',
    0x02000005: 'Crypto: HashError',
    0x02000007: 'Crypto: ExportedCdiHandleDuplicateCdi',
    0x02000008: 'Crypto: ExportedCdiHandleLimitExceeded',
}

# auth_req_result of AUTHORIZE_AND_STASH
AUTH_RESULTS = {
    0xDEADC0DE: 'IMAGE_AUTHORIZED',
    0x21523F21: 'IMAGE_NOT_AUTHORIZED',
    0x8BFB95CB: 'IMAGE_HASH_MISMATCH',
}


def checksum(code, payload):
    """The word that makes the bytes of command and payload sum to 0"""
    return -(sum(struct.pack('<I', code)) + sum(payload)) & 0xFFFFFFFF


def encode(fields, values):
    """Bytes of a layout.  @values: numbers, or bytes that fit (variable
    fields) or that are padded with zeros (text)"""
    unknown = set(values) - {field.name for field in fields}
    if unknown:
        raise ToolError(f'no field is called {sorted(unknown)[0]}; there are: '
                        + (' '.join(field.name for field in fields) or 'none'))
    values = dict(values)
    for field in fields:
        if field.required and field.name not in values:
            raise ToolError(f'{field.name} is missing')
        if field.variable:
            values.setdefault(f'{field.name}_size',
                              len(values.get(field.name, b'')))
    data = b''
    for field in fields:
        value = values.get(field.name)
        if field.form in ('u16', 'u32', 'flags'):
            data += (value or 0).to_bytes(field.size, 'little')
            continue
        value = value or b''
        if len(value) > field.size:
            raise ToolError(f'{field.name}: {len(value)} bytes; there is '
                            f'room for {field.size}')
        if field.variable:
            data += value
            continue
        if field.form != 'text' and value and len(value) != field.size:
            raise ToolError(f'{field.name}: {len(value)} bytes given, '
                            f'{field.size} expected')
        value = value.ljust(field.size, b'\0')
        data += hw_words(value) if field.form == 'words' else value
    return data


def decode(fields, data):
    """Values of a layout, numbers and bytes.  Later releases have more
    fields at the end than earlier ones; none is cut."""
    values = {}
    at = 0
    for field in fields:
        if at == len(data):
            break
        size = field.size
        if field.variable:
            size = values[f'{field.name}_size']
        part = data[at:at + size]
        if len(part) != size:
            raise ToolError(f'{field.name}: the response ends inside')
        at += size
        if field.form in ('u16', 'u32', 'flags'):
            values[field.name] = int.from_bytes(part, 'little')
        else:
            values[field.name] = hw_words(part) if field.form == 'words' \
                else part
    return values


def dpe_request(name, values):
    """data of INVOKE_DPE_COMMAND"""
    command = DPE_COMMANDS[name]
    return struct.pack('<III', DPE_COMMAND_MAGIC, command.ident,
                       DPE_PROFILE) + encode(command.request, values)


def dpe_response(name, data):
    """(status, values) of a DPE response"""
    magic, status, _ = struct.unpack_from('<III', data.ljust(12, b'\0'))
    if magic != DPE_RESPONSE_MAGIC:
        raise ToolError('this is no response of the DPE')
    if status:
        return status, {}
    return 0, decode(DPE_COMMANDS[name].response, data[DPE_HEADER:])
