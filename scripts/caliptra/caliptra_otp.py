# OTP memory of the AST2700: files, fields, and what Caliptra gets of it
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""OTP memory of the ASPEED AST2700.

Formats, and names and places of the fields, are those of ASPEED's otptool
(socsec) for the AST2700A1, so that its configuration files work here.  The
OTP is an array of 16-bit words; in files each is little-endian, and a field
of several words begins with the least significant.
"""

import hashlib
import json
import os
import re
import struct

import caliptra_keys as keys
from caliptra_common import (FUSE_WORDS, ToolError, hw_words, kind_of_file,
                             no_fuses, read_file)

WORDS = 0x2000
FLAT_WORDS = 0x1F80             # otp-all.bin lacks the PUF
MAGIC = b'SOCOTP\0\0'
SOC_VERSIONS = {9: 'AST2700A1', 10: 'AST2700A2'}
OTPTOOL_VERSION = (2, 3, 0)
CHECKSUM_SIZE = 48
IMAGE_MAX = 0x4000

# name -> first word, bytes in an image; in the order of an image
REGIONS = {
    'ROM': (0x0000, 1984),
    'RBP': (0x03E0, 64),
    'CONF': (0x0400, 64),
    'STRAP': (0x0420, 8),
    'STRAPEXT': (0x0430, 32),
    'SECURE': (0x1000, 6144),
    'CALIPTRA': (0x1C00, 1792),
    'USER': (0x0440, 6016),
}
RBP, CONF, STRAP, STRAPEXT, SECURE, CALIPTRA = (
    REGIONS[name][0] for name in
    ('RBP', 'CONF', 'STRAP', 'STRAPEXT', 'SECURE', 'CALIPTRA'))
STRAP_OPTIONS = 6
KEY_HEADERS = 80
SECURE_WORDS = 6144 // 2
REGION_OF_JSON = {
    'rom_region': 'ROM', 'rbp_region': 'RBP', 'config_region': 'CONF',
    'strap_region': 'STRAP', 'strap_ext_region': 'STRAPEXT',
    'secure_region': 'SECURE', 'caliptra_region': 'CALIPTRA',
}


def field_table(text):
    """Name -> (word, bit, number of bits) of "WORD.BIT NAME" or
    "WORD.LAST:FIRST NAME"; of a name that comes twice, the first"""
    fields = {}
    for line in text.split('\n'):
        if line.strip():
            place, name = line.split()
            word, bits = place.split('.')
            last, _, first = bits.partition(':')
            first = first or last
            fields.setdefault(name, (int(word), int(first),
                                     int(last) - int(first) + 1))
    return fields


RBP_FIELDS = field_table('''
0.15:0 SoC_FMC_ECC_Key_Retire_bits
1.15:0 SoC_FMC_LMS_Key_Retire_bits
3.15:0 Caliptra_Owner_pk_key_hash_retire
4.31:0 SoC_FMC_Hardware_SVN_0
6.31:0 SoC_FMC_Hardware_SVN_1
8.31:0 Caliptra_FMC_Hardware_SVN
10.31:0 Caliptra_Runtime_Hardware_SVN_0
12.31:0 Caliptra_Runtime_Hardware_SVN_1
14.31:0 Caliptra_Runtime_Hardware_SVN_2
16.31:0 Caliptra_Runtime_Hardware_SVN_3
18.3:0 Caliptra_Manufacture_ECC_key_mask
19.31:0 Caliptra_Manufacture_LMS_key_mask
''')

CONF_FIELDS = field_table('''
0.15 otp_mem_lock_enable
0.14 wr_protect_puf
0.13 dis_otp_bist
0.12 wr_protect_caliptra
0.11 rd_protect_caliptra
0.10 wr_protect_otp_rbp
0.9 enable_secure_boot
0.8 retire_mechanism_option
0.7 wr_protect_otp_strap
0.6 wr_protect_otp_cfg
0.5 wr_protect_rom
0.4 wr_protect_otp_strap_ext
0.3 rd_protect_otp_strap
0.2 rd_protect_otp_cfg
0.1 rd_protect_rom
0.0 rd_protect_otp_strap_ext
2.13 en_irot
2.12 ignore_secure_boot_hw_strap
2.11 dis_low_secure_key0
2.10 en_lms_verify
2.9:8 dev_life_cycle_state
2.7:6 Boot_From_UART_Port_Selection
2.5 en_emmc_sw_reset
2.4 dis_boot_msg
2.3 dis_recovery_mode
2.2 dis_post_rom_patch
2.1 dis_pre_rom_patch
4.10:1 Pre_OTP_Patch_Code_location
4.0 pre_otp_patch_vld
5.9:0 Pre_OTP_Patch_Size
6.10:1 Post_OTP_Patch_Code_location
6.0 post_otp_patch_vld
7.9:0 Post_OTP_Patch_Size
9.15 en_auto_load
9.14:0 CPU_SCU0C8_auto_val
10.7:0 IO_SCU0C8_auto_val
11.15 en_auto_load_usr0
11.14 rd_protect_otp_usr0
11.13 wr_protect_otp_usr0
11.11:0 usr0_region_start_offset
12.15:0 usr0_region_size
13.15 en_auto_load_secure0
13.14 rd_protect_otp_secure0
13.13 wr_protect_otp_secure0
13.11:0 secure0_region_start_offset
14.15:0 secure0_region_size
15.15:8 i3c_i2c_identify
15.4 i3c_hj_req
15.3:0 i3c_i2c_channel
16.15:0 recovery_mode_cfg_b
17.15 usb_uart6_mode_lsb
17.14 usb_uart5_tx_discard_off
17.13:12 usb_uart5_mode
17.11 usb_uart3_tx_discard_off
17.10:9 usb_uart3_mode
17.8 usb_uart2_tx_discard_off
17.7:6 usb_uart2_mode
17.5 usb_uart1_tx_discard_off
17.4:3 usb_uart1_mode
17.2 usb_uart0_tx_discard_off
17.1:0 usb_uart0_mode
18.15:14 usb_uart11_mode
18.13 usb_uart10_tx_discard_off
18.12:11 usb_uart10_mode
18.10 usb_uart9_tx_discard_off
18.9:8 usb_uart9_mode
18.7 usb_uart8_tx_discard_off
18.6:5 usb_uart8_mode
18.4 usb_uart7_tx_discard_off
18.3:2 usb_uart7_mode
18.1 usb_uart6_tx_discard_off
18.0 usb_uart6_mode_msb
19.15:13 uart_io_route
19.9 usb_uart_put_all_boot_message
19.8 usb_uart_mode3
19.7 usb_uart_hub_23ports
19.6 usb_uart15_tx_discard_off
19.5:4 usb_uart15_mode
19.3 usb_uart12_tx_discard_off
19.2:1 usb_uart12_mode
19.0 usb_uart11_tx_discard_off
20.15 en_auto_load_cptra0
20.14 rd_protect_otp_cptra0
20.13 wr_protect_otp_cptra0
20.11:0 cptra0_region_start_offset
21.15:0 cptra0_region_size
23.9 LTPI1_check_RX_LINK_SPEED_enable
23.8 LTPI0_check_RX_LINK_SPEED_enable
23.7:6 LTPI1_PHY_clock_inverse
23.5:4 LTPI0_PHY_clock_inverse
23.3:2 LTPI1_driving_strength
23.1 LTPI_Runtime_firmware_enable
23.0 LTPI_CRC_format
24.15:12 IO_SLI_TX_clock_select
24.11 IO_SLI_TX_clock_inverse
24.10:6 IO_SLI_TX_clock_delay
24.5 IO_SLI_RX_clock_inverse
24.4:0 IO_SLI_RX_clock_delay
25.15:12 CPU_SLI_TX_clock_select
25.5:0 SLI_data_latch_control
26.15:0 SLI-H_pad_delay
27.15:0 SLI-M_pad_delay_-_CPU_die
28.15:0 SLI-M_pad_delay_-_IO_die
29.15:0 SLI-V_pad_delay
30.15 LTPI0_DDR_mode_disable
30.14:0 LTPI0_speed_capability_disabling
31.15 LTPI1_DDR_mode_disable
31.14:0 LTPI1_speed_capability_disabling
''')

STRAP_FIELDS = field_table('''
0.1 BootSPI
0.3:2 HPLLFreq
0.4 CPUHPLL
0.6:5 HCLKSel
0.7 HCLKHPLL
0.8 DisDebug
0.9 TSPRsntSel
0.10 VGALinearSize[0]
0.11 VGALinearSize[1]
0.12 DisSSP
0.13 DisTSP
0.14 En_UFS_Secure
1.0 En_SecBoot
1.1 DisDebug1
1.2 Dis_WDTfull
1.3 Dis_UartDbg
1.4 UartDbgSel
1.5 Dis_CptraJTag
1.6 En_ROM_Intr
1.7 Dis_ROM
1.8 eMMC_UFS_Boot
1.9 SPI_Flash_Wait_Ready
1.10 SPI_Flash_4_Byte_Mode
1.12:11 Recovery_mode_selection
1.14:13 RecUSBSel
1.15 Dis_Cptra
''')

STRAPEXT_FIELDS = field_table('''
1.0 DisARMICE
1.2 VGA_CC
1.3 ufs_clk_sel
1.4 BooteMMCSpeed
1.5 Disable_XHCI
1.6 DisARMICE_TZ
1.9 Dis_WDTfull
1.11:10 udbg_to_sel
1.12 DAC_Src
1.13 DP_Src
1.14 Dis_RVAS
6.4 VRSize
6.7 En_PCIeVGA0
6.8 En_PCIeIPMI0
6.9 En_PCIeEHCI0
6.10 En_PCIeXHCI0
6.11 En_PCIeVGA1
6.12 En_PCIeIPMI1
6.13 En_PCIeEHCI1
6.14 En_PCIeXHCI1
2.0 ABR
2.1 ROM_Clear_SRAM
2.8:7 udbg_to_sel
2.11 En_Cptra_debug
2.12 En_ROM_WDT
2.15:13 FWSPISize
3.0 En_FWSPIAux
3.2:1 FWSPI_CRTM
3.8:7 Boot_SPI_Freq
3.9 Check_Flash_Access
3.11 ABR_RECOVERY_DIS
3.12 FMC_ABR_CS_SWAP_DIS
3.13 FMC_ABR_MODE
4.2:0 Node0_HostSPISize0
4.3 Node0_En_HSPIAux
4.5:4 Node0_HSPI0_CRTM
4.6 Node0_SIODecSel
4.7 Node0_Dis_SIODec
4.8 Node0_En_ACPI
4.9 Node0_En_LPC
4.10 Node0_En_eDAF
4.11 Node0_En_eRTC
5.2:0 Node1_HostSPISize1
5.3 Node1_En_HSPIAux
5.5:4 Node1_HSPI1_CRTM
5.6 Node1_SIODecSel
5.7 Node1_Dis_SIODec
5.8 Node1_En_ACPI
5.9 Node1_En_LPC
5.10 Node1_En_eDAF
5.11 Node1_En_eRTC
''')

# Caliptra region: name -> first word, bits
CALIPTRA_FIELDS = {
    'Enable_LMS_verify': (0, 1),
    'Anti-rollback_disable': (1, 1),
    'Field_Entropy': (2, 256),
    'Manufacture_Key_Hash': (18, 384),
    'IDEVID_Cert_attr': (42, 768),
    'IDEVID_manuf_HSM_identifier': (90, 128),
    'IDEVID_TBS': (98, 8192),
    'IDEVID_Cert_Signature': (610, 768),
}
TBS = 'IDEVID_TBS'              # its DER may be shorter than its place

# Keys of the secure region: type of otptool -> number, bytes
KEY_TYPES = {
    'soc_ecdsa_pub': (1, 96),
    'soc_lms_pub': (2, 48),
    'cal_manu_pub_hash': (3, 48),
    'cal_own_pub_hash': (4, 48),
    'soc_vault': (5, 32),
    'soc_vault_seed': (6, 32),
}
KEY_NAMES = {number: (name, size) for name, (number, size) in
             KEY_TYPES.items()}
VENDOR_HASH_KEY, OWNER_HASH_KEY = 3, 4
OEM_TYPES = 7

# Fuses of Caliptra that are fields of the OTP: fuse -> (word, number of
# words); hashes are strings of bytes in the OTP, all others numbers
FUSE_PLACES = {
    'field_entropy': (CALIPTRA + 2, 16),
    'key_manifest_pk_hash': (CALIPTRA + 18, 24),
    'key_manifest_pk_hash_mask': (RBP + 18, 1),
    'fmc_key_manifest_svn': (RBP + 8, 2),
    'runtime_svn': (RBP + 10, 8),
    'anti_rollback_disable': (CALIPTRA + 1, 1),
    'idevid_cert_attr': (CALIPTRA + 42, 48),
    'idevid_manuf_hsm_id': (CALIPTRA + 90, 8),
    'lms_verify': (CALIPTRA + 0, 1),
    'lms_revocation': (RBP + 19, 2),
}
FUSE_MASKS = {'key_manifest_pk_hash_mask': 0xF, 'anti_rollback_disable': 1,
              'lms_verify': 1}
HASHES = ('key_manifest_pk_hash', 'owner_pk_hash')
LIFECYCLE_NAMES = ('unprovisioned', 'manufacturing', 'reserved',
                   'production')


class BadImage(Exception):
    """What is wrong with an image, in one line"""


class KeyHeader:
    """One of the 80 headers at the begin of the secure region"""

    def __init__(self, index, value):
        self.index = index
        self.value = value
        self.id = value & 0xF
        self.type = value >> 4 & 7
        self.oem_type = value >> 7 & 7
        self.word = value >> 16 & 0xFFF     # within the region

    @property
    def name(self):
        if self.type in KEY_NAMES:
            return KEY_NAMES[self.type][0]
        if not self.type and self.oem_type:
            return f'oem_type{self.oem_type - 1}'
        return None

    @property
    def size(self):
        """Bytes; None: the header does not say"""
        return KEY_NAMES[self.type][1] if self.type in KEY_NAMES else None


class Otp:
    """Content of an OTP: its words, and the regions that an image has"""

    def __init__(self):
        self.words = [0] * WORDS
        self.regions = set()
        # of a file that was read
        self.form = None
        self.soc = 9
        self.tool = OTPTOOL_VERSION

    def put(self, word, value, bits=16, bit=0):
        """A number of @bits bits from bit @bit of a word on"""
        value <<= bit
        mask = ((1 << bits) - 1) << bit
        while mask:
            self.words[word] = (self.words[word] & ~mask & 0xFFFF |
                                value & 0xFFFF)
            word += 1
            mask >>= 16
            value >>= 16

    def get(self, word, bits=16, bit=0):
        count = (bit + bits + 15) // 16
        value = sum(self.words[word + i] << 16 * i for i in range(count))
        return value >> bit & (1 << bits) - 1

    def put_bytes(self, word, data):
        for i, value in enumerate(struct.unpack(f'<{len(data) // 2}H', data)):
            self.words[word + i] = value

    def get_bytes(self, word, size):
        return struct.pack(f'<{size // 2}H',
                           *self.words[word:word + size // 2])

    # ---- what the SoC makes of it ----

    def strap(self):
        """Value of the 32 straps: the XOR of their options"""
        value = 0
        for option in range(STRAP_OPTIONS):
            value ^= self.get(STRAP + 2 + 2 * option, 32)
        return value

    def strap_ext(self):
        """The extended straps that are valid, 128 bits"""
        return self.get(STRAPEXT, 128) & self.get(STRAPEXT + 8, 128)

    def lifecycle(self):
        return self.get(CONF + 2, 2, 8)

    def debug_locked(self):
        return self.lifecycle() in (1, 3) and not self.strap_ext() >> 43 & 1

    def secure_boot(self):
        """Why secure boot is on; empty: it is not"""
        return [text for text, on in
                (('OTPCFG0[9]', self.get(CONF, 1, 9)),
                 ('strap 16', self.strap() >> 16 & 1)) if on]

    def caliptra_disabled(self):
        """Strap 31 is bit 30 of SCUIO's HWSTRAP1: disable Caliptra"""
        return bool(self.strap() >> 31 & 1)

    def key_headers(self):
        return [KeyHeader(i, value) for i, value in
                enumerate(self.get(SECURE + 2 * i, 32)
                          for i in range(KEY_HEADERS)) if value]

    def key_hash(self, kind, retired):
        """First header of a kind of hash that is not retired, or None"""
        for header in self.key_headers():
            if header.type == kind and not retired >> header.id & 1 and \
                    header.word + 24 <= SECURE_WORDS:
                return header
        return None

    def owner_header(self):
        return self.key_hash(OWNER_HASH_KEY, self.words[RBP + 3])

    def vendor_header(self):
        """Stands in for a hash that is not in Caliptra's region"""
        if any(self.words[CALIPTRA + 18:CALIPTRA + 42]):
            return None
        return self.key_hash(VENDOR_HASH_KEY, self.words[RBP + 2])

    def fuses(self):
        """Fuses of Caliptra in the form of caliptra_common.load_fuses()"""
        fuses = no_fuses()
        for name, (word, count) in FUSE_PLACES.items():
            data = self.get_bytes(word, 2 * count)
            if name in FUSE_WORDS:
                fuses[name] = data if name in HASHES else hw_words(data)
            else:
                fuses[name] = (int.from_bytes(data, 'little') &
                               FUSE_MASKS.get(name, 0xFFFFFFFF))
        fuses['life_cycle'] = self.lifecycle()
        for name, header in (('owner_pk_hash', self.owner_header()),
                             ('key_manifest_pk_hash', self.vendor_header())):
            if header:
                fuses[name] = self.get_bytes(SECURE + header.word, 48)
        return fuses

    def put_fuses(self, fuses):
        """The fuses of a fuse file that have a place in the OTP; the owner's
        hash becomes key 0"""
        for name, value in fuses.items():
            if name == 'owner_pk_hash':
                if any(value):
                    self.put(SECURE, 0x05200000 | OWNER_HASH_KEY << 4, 32)
                    self.put_bytes(SECURE + 0x520, value)
            elif name == 'life_cycle':
                self.put(CONF + 2, value, 2, 8)
            elif name not in FUSE_PLACES:
                if value and any(value) if isinstance(value, bytes) else value:
                    raise ToolError(f'fuse {name} is not in the OTP')
            elif name in FUSE_WORDS:
                self.put_bytes(FUSE_PLACES[name][0],
                               value if name in HASHES
                               else hw_words(value))
            else:
                self.put(FUSE_PLACES[name][0], value,
                         16 * FUSE_PLACES[name][1])
        for name in ('RBP', 'CONF', 'SECURE', 'CALIPTRA'):
            word, size = REGIONS[name]
            if any(self.words[word:word + size // 2]):
                self.regions.add(name)

    # ---- files ----

    def region_bytes(self, name):
        word, size = REGIONS[name]
        if name == 'STRAP':
            return (struct.pack('<I', self.strap()) +
                    self.get_bytes(STRAP, 4))
        return self.get_bytes(word, size)

    def image(self):
        """The image that U-Boot's "otp prog" takes (otp-all.image)"""
        descriptors = []
        payload = b''
        info = 0
        pos = 0x14 + 4 * len(REGIONS) + 4
        for bit, name in enumerate(REGIONS):
            data = b''
            if name in self.regions:
                data = self.region_bytes(name)
                info |= 1 << 31 - bit
            descriptors.append(pos | len(data) << 16)
            pos += len(data)
            payload += data
        major, minor, patch = self.tool
        body = struct.pack(f'<8sIII{len(descriptors)}II', MAGIC, self.soc,
                           major << 24 | minor << 12 | patch, info | pos,
                           *descriptors, pos) + payload
        return body + hashlib.sha384(body).digest()

    def flat(self):
        """The words in a row (otp-all.bin).

        As otptool writes it, with the straps' value in all six options:
        QEMU, for one, takes it as one value; programmed like this into a
        chip it would be no value at all."""
        data = bytearray(self.get_bytes(0, 2 * FLAT_WORDS))
        data[2 * STRAP:2 * STRAPEXT] = \
            self.get_bytes(STRAP, 4) + \
            STRAP_OPTIONS * struct.pack('<I', self.strap()) + bytes(4)
        return bytes(data)

    @classmethod
    def parse(cls, data):
        """Content of a file of any form; BadImage if it has none"""
        otp = cls()
        if data.startswith(MAGIC):
            otp.parse_image(data)
        elif len(data) in (2 * FLAT_WORDS, 2 * WORDS):
            otp.form = 'otp-all.bin' if len(data) < 2 * WORDS else 'dump'
            otp.put_bytes(0, data)
            otp.fold_straps()
            otp.regions = {
                name for name, (word, size) in REGIONS.items()
                if any(otp.words[word:word + max(size // 2, 16)])}
        else:
            raise BadImage(f'not an OTP image but {kind_of_file(data)}; has '
                           f'{len(data)} bytes, neither {2 * FLAT_WORDS} '
                           f'(otp-all.bin) nor {2 * WORDS} (dump)')
        return otp

    def fold_straps(self):
        """Undo what flat() does; a chip is known by its PUF"""
        options = [self.get(STRAP + 2 + 2 * i, 32)
                   for i in range(STRAP_OPTIONS)]
        if len(set(options)) == 1 and not any(self.words[FLAT_WORDS:]):
            for i in range(1, STRAP_OPTIONS):
                self.put(STRAP + 2 + 2 * i, 0, 32)

    def parse_image(self, data):
        self.form = 'image'
        count = len(REGIONS)
        if len(data) < 0x14 + 4 * count + 4:
            raise BadImage(f'truncated: {len(data)} bytes, less than a '
                           'header')
        self.soc, tool, info = struct.unpack_from('<III', data, 8)
        self.tool = (tool >> 24, tool >> 12 & 0xFFF, tool & 0xFFF)
        end = info & 0xFFFF
        # older images have no descriptor for USER
        if struct.unpack_from('<I', data, 0x14 + 4 * count)[0] != end:
            count -= 1
        pos = 0x14 + 4 * count + 4
        checksum_at = struct.unpack_from('<I', data, pos - 4)[0]
        if checksum_at != end or end < pos:
            raise BadImage(f'damaged header: the checksum is at '
                           f'{checksum_at:#x}, must be at {end:#x}')
        if len(data) < end + CHECKSUM_SIZE:
            raise BadImage(f'truncated: {len(data)} bytes, must have '
                           f'{end + CHECKSUM_SIZE}')
        if hashlib.sha384(data[:end]).digest() != \
                data[end:end + CHECKSUM_SIZE]:
            raise BadImage('the SHA-384 checksum is wrong: damaged or '
                           'truncated')
        if data[end + CHECKSUM_SIZE:].strip(b'\0'):
            raise BadImage(f'{len(data) - end - CHECKSUM_SIZE} bytes follow '
                           'the image')
        if self.soc not in SOC_VERSIONS:
            raise BadImage(f'made for SoC version {self.soc}, must be 9 '
                           '(AST2700A1) or 10 (AST2700A2)')
        for i, (name, (word, size)) in enumerate(
                list(REGIONS.items())[:count]):
            descriptor = struct.unpack_from('<I', data, 0x14 + 4 * i)[0]
            at, got = descriptor & 0xFFFF, descriptor >> 16
            included = info >> 31 - i & 1
            if got != (size if included else 0):
                raise BadImage(f'region {name} has {got} bytes, must have '
                               f'{size if included else 0}')
            if not included:
                continue
            if at < pos or at + got > end:
                raise BadImage(f'region {name} is at {at:#x} to '
                               f'{at + got:#x}, must be within {pos:#x} to '
                               f'{end:#x}')
            pos = at + got
            self.regions.add(name)
            content = data[at:pos]
            if name == 'STRAP':
                self.put_bytes(STRAP + 2, content[:4])
                self.put_bytes(STRAP, content[4:])
            else:
                self.put_bytes(word, content)


def load_otp(path):
    data = read_file(path)
    try:
        return Otp.parse(data)
    except BadImage as e:
        raise BadImage(f'{path}: {e}') from None


# ---- otptool's configuration files ----

def strip_comments(text):
    """JSON with comments, as otptool reads it, to JSON"""
    text = re.sub(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/',
                  lambda m: m[0] if m[0].startswith('"') else ' ', text,
                  flags=re.DOTALL)
    return re.sub(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])',
                  lambda m: m[0] if m[0].startswith('"') else ' ', text)


def load_config(path):
    try:
        config = json.loads(strip_comments(read_file(path).decode()))
    except ValueError as e:
        raise ToolError(f'{path}: not JSON: {e}') from None
    if not isinstance(config, dict):
        raise ToolError(f'{path}: not a JSON object')
    if config.get('version') != '2700A1':
        raise ToolError(f'{path}: "version" is {config.get("version")!r}, '
                        'must be "2700A1"')
    for name, region in config.items():
        if name in ('name', 'version'):
            continue
        if name not in REGION_OF_JSON:
            raise ToolError(f'{path}: no region is called {name!r}; there '
                            f'are {", ".join(REGION_OF_JSON)}')
        if not isinstance(region, dict):
            raise ToolError(f'{path}: {name} is not a JSON object')
    return config


def hex_number(text, bits, what):
    try:
        value = int(text, 16)
    except (TypeError, ValueError):
        raise ToolError(f'{what}: {text!r} is not a hexadecimal '
                        'string') from None
    if not 0 <= value < 1 << bits:
        raise ToolError(f'{what}: {text} does not fit into {bits} bits')
    return value


def truth(value, what):
    if not isinstance(value, bool):
        raise ToolError(f'{what}: {value!r} is neither true nor false')
    return int(value)


def field_value(value, bits, what):
    return truth(value, what) if bits == 1 else hex_number(value, bits, what)


def put_fields(otp, base, fields, region, what):
    for name, value in region.items():
        if name.strip() not in fields:
            raise ToolError(f'{what}: no field is called {name!r}')
        word, bit, bits = fields[name.strip()]
        otp.put(base + word, field_value(value, bits, f'{what}: {name}'),
                bits, bit)


def put_straps(otp, base, second, fields, region, what, flag):
    """Values from word @base on, protection or validity from @second on"""
    for name, entry in region.items():
        where = f'{what}: {name}'
        if name not in fields:
            raise ToolError(f'{what}: no strap is called {name!r}')
        if not isinstance(entry, dict) or set(entry) != {'value', flag}:
            raise ToolError(f'{where}: must have "value" and "{flag}"')
        word, bit, bits = fields[name]
        value = field_value(entry['value'], bits, where)
        marked = truth(entry[flag], where)
        if name in STRAP_FIELDS and fields is STRAPEXT_FIELDS:
            # otptool drops it: it takes it for the strap of that name
            if value or marked:
                raise ToolError(f'{where}: otptool ignores this one; leave '
                                'it out')
            continue
        otp.put(base + word, value, bits, bit)
        otp.put(second + word, ((1 << bits) - 1) * marked, bits, bit)


def key_file(directory, name, what):
    if not isinstance(name, str):
        raise ToolError(f'{what}: {name!r} is not the name of a file')
    return os.path.join(directory, name)


def read_key(directory, key, what):
    """Bytes of a key as they stand in the OTP"""
    path = key_file(directory, key.get('key_file'), what)
    if key['type'] == 'soc_ecdsa_pub':
        return hw_words(keys.load_ecc_key(path).public)
    data = read_file(path, IMAGE_MAX)
    if key['type'] == 'soc_lms_pub':
        data = data[4:]         # without the number of levels
    size = KEY_TYPES.get(key['type'], (0, None))[1]
    if size is not None and len(data) != size:
        raise ToolError(f'{path}: gives {len(data)} bytes; a {key["type"]} '
                        f'has {size}')
    if len(data) % 2:
        raise ToolError(f'{path}: {len(data)} bytes, an odd number')
    return data


def key_type_bits(name, what):
    oem = re.fullmatch(r'oem_type([0-6])', str(name))
    if oem:
        return (int(oem[1]) + 1) << 7
    # otptool has no vendor hashes here: they are in Caliptra's region
    types = [known for known, (number, _) in KEY_TYPES.items()
             if number != VENDOR_HASH_KEY]
    if name not in types:
        raise ToolError(f'{what}: no key type is called {name!r}; there are '
                        f'{", ".join(types)}, oem_type0 to oem_type6, '
                        'reserved')
    return KEY_TYPES[name][0] << 4


def put_keys(otp, region, directory, what):
    entries = region.get('keys', [])
    if set(region) - {'keys'} or not isinstance(entries, list) or \
            not all(isinstance(key, dict) for key in entries):
        raise ToolError(f'{what}: must have "keys", a list of objects')
    if len(entries) > KEY_HEADERS:
        raise ToolError(f'{what}: {len(entries)} keys, can have '
                        f'{KEY_HEADERS}')
    for i, key in enumerate(entries):
        where = f'{what}: key {i}'
        if key.get('type') == 'reserved':
            continue
        header = key_type_bits(key.get('type'), where)
        word = hex_number(key.get('w_offset'), 12, f'{where}: w_offset')
        number = key.get('number_id', 0)
        if not isinstance(number, int) or not 0 <= number <= 15:
            raise ToolError(f'{where}: number_id must be 0 to 15')
        data = read_key(directory, key, where)
        if word < 2 * KEY_HEADERS or word + len(data) // 2 > SECURE_WORDS:
            raise ToolError(f'{where}: words {word:#x} to '
                            f'{word + len(data) // 2:#x} are not within '
                            f'{2 * KEY_HEADERS:#x} to {SECURE_WORDS:#x}')
        otp.put(SECURE + 2 * i, word << 16 | header | number, 32)
        otp.put_bytes(SECURE + word, data)


def put_caliptra(otp, region, directory, what):
    for name, value in region.items():
        where = f'{what}: {name}'
        if name not in CALIPTRA_FIELDS:
            raise ToolError(f'{what}: no field is called {name!r}')
        word, bits = CALIPTRA_FIELDS[name]
        if bits == 1:
            otp.put(CALIPTRA + word, truth(value, where), 1)
        elif value != '':
            path = key_file(directory, value, where)
            data = read_file(path, IMAGE_MAX)
            if len(data) > bits // 8 or \
                    len(data) < bits // 8 and name != TBS:
                raise ToolError(f'{path}: {len(data)} bytes; {name} has '
                                f'{bits // 8}')
            otp.put_bytes(CALIPTRA + word, data + bytes(len(data) % 2))


def put_rom(otp, region, directory, what):
    """Returns whether there is one"""
    if region.get('file_name') is None:
        return False
    path = key_file(directory, region['file_name'], what)
    data = read_file(path, IMAGE_MAX)
    word = hex_number(region.get('w_offset'), 16, f'{what}: w_offset')
    if 2 * word + len(data) > REGIONS['ROM'][1]:
        raise ToolError(f'{path}: {len(data)} bytes from word {word:#x} on '
                        'go beyond the ROM region')
    otp.put_bytes(word, data + bytes(len(data) % 2))
    return True


def put_config(otp, path, directory):
    """What a configuration file says; names in it are files in @directory"""
    for name, region in load_config(path).items():
        where = f'{path}: {name}'
        kind = REGION_OF_JSON.get(name)
        if kind is None:
            continue
        if kind == 'ROM':
            if not put_rom(otp, region, directory, where):
                continue
        elif kind == 'RBP':
            put_fields(otp, RBP, RBP_FIELDS, region, where)
        elif kind == 'CONF':
            put_fields(otp, CONF, CONF_FIELDS, region, where)
        elif kind == 'STRAP':
            put_straps(otp, STRAP + 2, STRAP, STRAP_FIELDS, region, where,
                       'protect')
        elif kind == 'STRAPEXT':
            put_straps(otp, STRAPEXT, STRAPEXT + 8, STRAPEXT_FIELDS, region,
                       where, 'valid')
        elif kind == 'SECURE':
            put_keys(otp, region, directory, where)
        else:
            put_caliptra(otp, region, directory, where)
        otp.regions.add(kind)
