# Clients of the BootMCU's Caliptra service in the ast2700fc machine
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The SoC that the BootMCU boots, and software that sends it requests."""

import json
import os
import shutil
import struct
import tempfile

import command_env as env
from qtestlib import QTest, QTestError

IPC1 = 0x14c39000
TRIG, ENABLE, STATUS = 0x00, 0x04, 0x08
CHANNEL = 1
DATA = 0x10 + 0x20 * CHANNEL
CHANNEL_BIT = 1 << CHANNEL

# DRAM as the BootMCU and as the CA35 cores see it
MCU_DRAM = 0x80000000
CA35_DRAM = 0x400000000

OK, REFUSED, IO, BUSY, NODEV, INVAL = 0, -1, -5, -16, -19, -22

SHA_384, SHA_512 = 3, 4

# index, bytes of request and response
COMMANDS = {
    'ECDSA384_SIGNATURE_VERIFY': (0, 40, 0),
    'SHA384_DIGEST': (1, 20, 48),
    'SHA384_INIT': (2, 20, 0),
    'SHA384_UPDATE': (3, 20, 0),
    'SHA384_FINAL': (4, 20, 48),
    'LMS_SIGNATURE_VERIFY': (5, 48, 0),
    'FW_LOAD': (6, 0, 0),
    'STASH_MEASUREMENT': (7, 104, 12),
    'QUOTE_PCRS': (8, 32, 1848),
    'GET_IDEV_CERT': (9, 1016, 1036),
    'GET_IDEV_INFO': (10, 0, 104),
    'POPULATE_IDEV_CERT': (11, 1028, 8),
    'GET_LDEV_CERT': (12, 0, 1036),
    'GET_FMC_ALIAS_CERT': (13, 0, 1036),
    'GET_RT_ALIAS_CERT': (14, 0, 1036),
    'INVOKE_DPE_COMMAND': (15, 260, 8204),
    'DISABLE_ATTESTATION': (16, 0, 8),
    'FW_INFO': (17, 0, 264),
    'DPE_TAG_TCI': (18, 20, 8),
    'DPE_GET_TAGGED_TCI': (19, 4, 104),
    'INCREMENT_PCR_RESET_COUNTER': (20, 4, 8),
    'EXTEND_PCR': (21, 52, 8),
    'ADD_SUBJECT_ALT_NAME': (22, 132, 8),
    'CERTIFY_KEY_EXTENDED': (23, 76, 2184),
    'VERSION': (24, 0, 36),
    'SHUTDOWN': (25, 0, 8),
    'CAPABILITIES': (26, 0, 24),
    'SET_AUTH_MANIFEST': (27, 14288, 8),
    'AUTHORIZE_AND_STASH': (28, 112, 12),
    'GET_FMC_ALIAS_CSR': (29, 0, 524),
    'SIGN_WITH_EXPORTED_ECDSA': (30, 80, 192),
    'REVOKE_EXPORTED_CDI_HANDLE': (31, 32, 8),
}

FIRMWARE_SIZE = 0x20000

# how far time goes between two looks
BOOT_STEP_NS = 2 * 1000 * 1000
POLL_NS = 50 * 1000


class BootedSoc(QTest):
    """QEMU whose BootMCU boots Caliptra with a bundle, or fails to."""

    def __init__(self, bundle=None, options='', args=(), **kwargs):
        self.files = tempfile.mkdtemp(prefix='ipc-')
        firmware = os.path.join(self.files, 'fw.bin')
        fuses = os.path.join(self.files, 'fuses.json')
        with open(firmware, 'wb') as f:
            f.write(bundle or env.bundle())
        with open(fuses, 'w', encoding='utf-8') as f:
            json.dump({name: ''.join('%08x' % w for w in words)
                       for name, words in (
                           ('key_manifest_pk_hash',
                            env.FUSES[env.FUSE_KEY_MANIFEST_PK_HASH]),
                           ('owner_pk_hash',
                            env.FUSES[env.FUSE_OWNER_PK_HASH]))}, f)
        try:
            super().__init__(
                machine='ast2700fc,caliptra-firmware=%s,caliptra-fuses=%s%s' %
                (firmware, fuses, options),
                args=['-seed', '1', *args], qmp=True, **kwargs)
        except BaseException:
            shutil.rmtree(self.files, ignore_errors=True)
            raise

    def dram_end(self):
        """Behind the DRAM, as the BootMCU sees it: 4 GiB at most."""
        size = self.qom_get('/machine/bootmcu', 'dram-size')
        return MCU_DRAM + min(size, 2 << 30)

    def stage(self):
        return self.qom_get('/machine/bootmcu', 'stage')

    def held(self):
        return self.qom_get('/machine', 'ca35-held')

    def run_boot(self):
        """Until the CA35 cores are released, or never will be."""
        while self.held() and self.stage() != 'failed':
            self.clock_step(BOOT_STEP_NS)
        return self

    def close(self):
        super().close()
        shutil.rmtree(self.files, ignore_errors=True)


class Client:
    """Software on one of the cores that has a slot with the BootMCU."""

    def __init__(self, soc, slot, in_addr, out_addr):
        self.soc = soc
        self.tx = IPC1 + 0x200 * slot
        self.rx = self.tx + 0x100
        # as the BootMCU sees them
        self.in_addr = in_addr
        self.out_addr = out_addr

    # ---- memory ----

    @staticmethod
    def bus(addr):
        return addr - MCU_DRAM + CA35_DRAM

    def write(self, addr, data):
        if data:
            self.soc.memwrite(self.bus(addr), data)

    def read(self, addr, size):
        return self.soc.memread(self.bus(addr), size)

    # ---- messages ----

    def listening(self):
        """Does the BootMCU listen to the channel?"""
        return bool(self.soc.read32(self.tx + ENABLE) & CHANNEL_BIT)

    def send(self, index, arg1=0, arg2=0):
        soc = self.soc
        soc.write32(self.rx + ENABLE, CHANNEL_BIT)
        if soc.read32(self.tx + STATUS) & CHANNEL_BIT:
            raise QTestError('the last request is still there')
        soc.writes32([(self.tx + DATA, index), (self.tx + DATA + 4, arg1),
                      (self.tx + DATA + 8, arg2)] +
                     [(self.tx + DATA + 4 * i, 0x5a1e5a1e)
                      for i in range(3, 8)] +
                     [(self.tx + TRIG, CHANNEL_BIT)])

    def answered(self):
        return bool(self.soc.read32(self.rx + STATUS) & CHANNEL_BIT)

    def receive(self, limit_ns=10 ** 10):
        """Let time pass until the answer is there; its signed result."""
        for _ in range(limit_ns // POLL_NS):
            if self.answered():
                break
            self.soc.clock_step(POLL_NS)
        else:
            raise QTestError('no answer')
        result = self.soc.read32(self.rx + DATA)
        self.soc.write32(self.rx + STATUS, CHANNEL_BIT)
        if self.soc.read32(self.tx + STATUS) & CHANNEL_BIT:
            raise QTestError('the request is not acknowledged')
        return result - (1 << 32) if result >> 31 else result

    def request(self, index, arg1=0, arg2=0):
        self.send(index, arg1, arg2)
        return self.receive()

    # ---- the service ----

    def start(self, name, payload=b''):
        """Send a command whose request and response are plain."""
        index, _, out = COMMANDS[name]
        self.write(self.in_addr, payload)
        self.write(self.out_addr, bytes(out))
        self.send(index, self.in_addr, self.out_addr)

    def finish(self, name):
        """(result, output) of a command that start() has sent."""
        result = self.receive()
        return result, self.read(self.out_addr, COMMANDS[name][2])

    def call(self, name, payload=b''):
        self.start(name, payload)
        return self.finish(name)

    def sha_context(self, data=b'', algo=SHA_384, junk=0x55555555):
        """A context, data behind it; what a step does not use is junk."""
        return struct.pack('<5I', algo, len(data), self.in_addr + 20, junk,
                           self.out_addr) + data

    def sha(self, name, data=b'', algo=SHA_384, size=48):
        """One SHA command: result, and what is in the output area."""
        self.write(self.in_addr, self.sha_context(data, algo))
        result = self.request(COMMANDS[name][0], self.in_addr, self.out_addr)
        return result, self.read(self.out_addr, size)

    def digest(self, data, algo=SHA_384, size=48):
        return self.sha('SHA384_DIGEST', data, algo, size)

    def ecdsa(self, x, y, r, s):
        addr = self.in_addr + 40
        context = b''.join(struct.pack('<2I', 48, addr + 48 * i)
                           for i in range(5))
        self.write(self.in_addr, context + x + y + r + s + bytes(48))
        return self.request(COMMANDS['ECDSA384_SIGNATURE_VERIFY'][0],
                            self.in_addr)

    def lms(self, public, signature):
        """A public key and a signature as RFC 8554 has them."""
        addr = self.in_addr + 48
        fields = (public[8:24], public[24:48], signature[4:1256],
                  signature[1260:])
        at, addresses = addr, []
        for field in fields:
            addresses.append(at)
            at += len(field)
        self.write(self.in_addr, struct.pack(
            '<12I', *struct.unpack('<2I', public[:8]),
            16, addresses[0], 24, addresses[1],
            *struct.unpack('>I', signature[:4]),
            1252, addresses[2],
            *struct.unpack('>I', signature[1256:1260]), 360,
            addresses[3]) + b''.join(fields))
        return self.request(COMMANDS['LMS_SIGNATURE_VERIFY'][0],
                            self.in_addr)

    def start_load(self, bundle):
        self.write(self.in_addr,
                   bundle + b'\xff' * (FIRMWARE_SIZE - len(bundle)))
        self.send(COMMANDS['FW_LOAD'][0], self.in_addr, FIRMWARE_SIZE)

    def load(self, bundle):
        self.start_load(bundle)
        return self.receive()


def ca35(soc):
    """Linux or U-Boot."""
    return Client(soc, 1, 0xb1880000, 0xb1980000)


def ssp(soc):
    """Zephyr on the SSP: its addresses 0x1200000 and 0x1300000."""
    return Client(soc, 2, 0xad200000, 0xad300000)
