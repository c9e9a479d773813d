#
# A Caliptra whose every answer is compared with the model of DPE
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A device and its model side by side: class Bench."""

import hashlib
import os
import struct

import caliptra_soc as cs
import dpe_model as m
import identity_model
from dev_bundle import image, key_hashes, make_bundle
from qtestlib import QTestError

PL0 = 1
USERS = (1, 2, 3)

# random blocks of a warm or update reset, apart from what DPE needs: counters
# of control flow integrity in ROM, FMC and runtime, ROM's known-answer tests,
# alias key and certificate of runtime
RESTART_DRAWS = 3 * 3 + 3 + 5

POPULATE_IDEV_CERT = 0x49444550
QUOTE_PCRS = 0x50435251
STASH_MEASUREMENT = m.CMD_STASH_MEASUREMENT


def words(data):
    return list(struct.unpack('>%dI' % (len(data) // 4), data))


def default_part(**kwargs):
    """A part in production that takes the bundles made here."""
    vendor, owner = key_hashes()
    attr = [0] * 24
    # the UEID 01 02 .. 11, as the known answers of DPE have it
    attr[6] = 0x01
    attr[7:11] = struct.unpack('<4I', bytes(range(2, 18)))
    return identity_model.Part(vendor_pk_hash=words(vendor),
                               owner_pk_hash=words(owner), idevid_attr=attr,
                               **kwargs)


def fuses(part):
    return {0x200: part.uds_seed, 0x230: part.field_entropy,
            0x250: part.vendor_pk_hash, 0x284: part.owner_pk_hash,
            0x2cc: part.idevid_attr, 0x340: int(part.lms_verify)}


class Soc(cs.CaliptraSoc):
    """The SoC's side, with random numbers that a seed repeats."""

    def __init__(self, max_handles=None, args=(), **kwargs):
        """max_handles: the device's property; None: left as it is"""
        self.seed = 0
        self.user = cs.DEFAULT_PAUSER
        self.withhold = None
        self.max_handles = max_handles
        if max_handles is not None:
            args = [*args, '-global',
                    'caliptra-native-fw.dpe-max-handles=%d' % max_handles]
        super().__init__(qmp=True, args=args, **kwargs)

    def block(self, i):
        """The 48 bytes of the i-th draw since power on."""
        return hashlib.sha384(struct.pack('>QQ', self.seed, i)).digest()

    def trng_words(self):
        if self.withhold is not None and self.draws >= self.withhold:
            return None
        return struct.unpack('>12I', self.block(self.draws))

    def set_user(self, user):
        if user != self.user:
            self.be(user)
            self.user = user

    def start(self, fuses=None, manuf=0, pauser=USERS):
        """Like that of all tests, but with several mailbox users."""
        self.writes32([(cs.MBOX_VALID_PAUSER + 4 * i, user)
                       for i, user in enumerate(pauser)] +
                      [(cs.MBOX_PAUSER_LOCK + 4 * i, 1)
                       for i in range(1, len(pauser))])
        super().start(fuses, manuf, pauser[0])

    def save(self):
        """(saved bytes, virtual time); then this QEMU ends."""
        path = os.path.join(self.dir, 'state')
        self.qmp('migrate', uri='file:' + path)
        self.wait_migrated()
        now = self.clock_step(1)
        with open(path, 'rb') as f:
            state = f.read()
        self.close()
        return state, now

    def resume(self, state, now, **kwargs):
        """A QEMU from saved bytes, to take the place of this one."""
        kwargs.setdefault('max_handles', self.max_handles)
        dst = type(self)(args=['-incoming', 'defer'], **kwargs)
        try:
            path = os.path.join(dst.dir, 'state')
            with open(path, 'wb') as f:
                f.write(state)
            dst.clock_set(now)
            dst.qmp('migrate-incoming', uri='file:' + path)
            dst.wait_migrated()
            dst.seed, dst.draws = self.seed, self.draws
            dst.set_user(self.user)
        except (QTestError, OSError) as e:
            text = dst.stderr()
            dst.close()
            raise QTestError('%s\n%s' % (e, text)) from None
        return dst


class Bench:
    """One device after the other, each with its model.

    test:        the unittest.TestCase that compares
    max_handles: the device's property; None: left as it is
    release:     n of the firmware's release 1.2.n; cold_boot() may change it
    """

    def __init__(self, test, max_handles=None, release=0):
        self.test = test
        self.max_handles = max_handles
        self.release = self.fmc_release = release
        self.soc = Soc(max_handles)
        self.part = default_part()

    def close(self):
        self.soc.close()

    def renew(self):
        """Another device, after one that a test has spoilt."""
        self.close()
        self.soc = Soc(self.max_handles)

    # ---- life of the device ----

    def cold_boot(self, seed=1, pl0=PL0, pl0_valid=True, users=USERS,
                  stashed=(), rt=bytes(range(64, 128)), release=None,
                  fmc_release=None):
        """Power on, load firmware; the model starts with it."""
        soc = self.soc
        if release is not None:
            self.release = self.fmc_release = release
        if fmc_release is not None:
            self.fmc_release = fmc_release
        self.users = users
        self.pl0 = pl0
        self.pl0_valid = pl0_valid
        soc.seed = seed
        soc.set_user(users[0])
        soc.power_on(self.part.obf_key, self.part.lifecycle,
                     self.part.debug_locked)
        soc.start(fuses(self.part), pauser=users)
        soc.wait_ready_for_fw()
        for metadata, measurement in stashed:
            soc.command(STASH_MEASUREMENT,
                        metadata + measurement + bytes(52))
        bundle = self.bundle(rt)
        soc.load_firmware(bundle)
        soc.wait_ready_for_runtime()
        self.identity = identity_model.Identity(
            self.part, bundle, [s[1] for s in stashed], self.fmc_release,
            self.release)
        self.stashed = stashed
        self.next_draw = soc.draws
        self.dpe = m.Dpe(trng=self._trng, stashed=stashed, locked=users,
                         pl0_pauser=pl0, pl0_valid=pl0_valid,
                         ueid=self.part.ueid, pcr3=self.identity.pcrs[3],
                         chain=self.identity.chain,
                         max_handles=self.max_handles, release=self.release,
                         pcr2=self.identity.pcrs[2],
                         manifest=self._manifest(bundle),
                         **self._runtime_keys())
        self.check_draws()

    def bundle(self, rt):
        return make_bundle(rt=rt, pl0_pauser=self.pl0 if self.pl0_valid
                           else None, release='1.2.%d' % self.release,
                           fmc_release='1.2.%d' % self.fmc_release)

    @staticmethod
    def _manifest(bundle):
        """What is measured of it, see dpe_model."""
        b = image.Bundle(bundle)
        return [b[field] for field in (
            'header.pl0_pauser', 'header.flags', 'fmc.load_addr',
            'fmc.entry_point', 'rt.load_addr', 'rt.entry_point')]

    def _trng(self):
        block = self.soc.block(self.next_draw)
        self.next_draw += 1
        return block

    def _runtime_keys(self):
        """CDI and key that FMC hands over, whatever runtime does to them."""
        cdi = self.identity.rt_cdi
        return {'rt_cdi': cdi,
                'rt_key': m.Key.from_seed(m.kdf(cdi, b'rt_alias_keygen'))}

    def update(self, rt, user=None):
        """A firmware update, and what it does to contexts."""
        soc = self.soc
        soc.set_user(self.users[0] if user is None else user)
        bundle = self.bundle(rt)
        soc.load_firmware(bundle)
        self.identity.update(bundle)
        # as with every command; a reset alone leaves what the last one left
        self.dpe.non_fatal = 0
        return self._restarted('update_reset', soc.user,
                               manifest=self._manifest(bundle))

    def warm_reset(self, busy=False):
        """A reset with the power on.  busy: it will hit a command."""
        self.soc.set_user(self.users[0])
        if not busy:
            # from the end of a command to where runtime waits again
            self.soc.clock_step(1000 * 1000)
        self.soc.assert_reset()
        self.soc.release_reset()
        self.soc.poll32(cs.FLOW_STATUS, 7 << 25, 1 << 25)
        self.soc.start(fuses(self.part), pauser=self.users)
        return self._restarted('warm_reset', 0, busy=busy)

    def _restarted(self, what, mbox_user, **kwargs):
        """Runtime starts again; False if it stops with a fatal error."""
        soc = self.soc
        alive = getattr(self.dpe, what)(
            chain=self.identity.chain, pcr3=self.identity.pcrs[3],
            pcr2=self.identity.pcrs[2], mbox_user=mbox_user,
            **self._runtime_keys(), **kwargs)
        if not alive:
            self.test.assertEqual(soc.wait_fatal(), self.dpe.non_fatal)
            return False
        soc.run_until(cs.FLOW_STATUS, cs.READY_FOR_RUNTIME,
                      cs.READY_FOR_RUNTIME)
        self.settle()
        self.test.assertEqual(soc.read32(cs.FW_ERROR_NON_FATAL),
                              self.dpe.non_fatal)
        self.check_ext_error()
        self.next_draw += RESTART_DRAWS
        self.check_draws()
        return True

    def settle(self):
        """Let runtime get to where it waits for commands: for longer than
        any of its steps takes nothing has been asked for."""
        quiet = 0
        while quiet < 20:
            draws = self.soc.draws
            self.soc.serve_trng()
            self.soc.clock_step(100000)
            quiet = quiet + 1 if self.soc.draws == draws else 0

    def snapshot(self):
        """Go on in another QEMU: save this one, load that one."""
        self.soc = self.soc.resume(*self.soc.save())

    # ---- commands ----

    def ask(self, req, cmd=m.CMD_INVOKE_DPE, user=None):
        """A command; its response from the checksum on, or None."""
        test, soc = self.test, self.soc
        user = self.pl0 if user is None else user
        want = self.dpe.command(user, cmd, req)
        soc.set_user(user)
        soc.mailbox_send(cmd, req)
        status, got = soc.mailbox_finish()
        info = 'user %d command 0x%08x request %s' % (user, cmd, req.hex())
        test.assertEqual(soc.read32(cs.FW_ERROR_NON_FATAL),
                         self.dpe.non_fatal, info)
        if want is None:
            test.assertEqual(status, cs.CMD_FAILURE, info)
        else:
            test.assertEqual(status, cs.DATA_READY, info)
            test.assertEqual(got.hex(), m.response(want).hex(), info)
        self.check_draws(info)
        return None if want is None else got

    def fails(self, error, req, cmd=m.CMD_INVOKE_DPE, user=None):
        """A command that must fail with a mailbox error."""
        self.test.assertIsNone(self.ask(req, cmd, user))
        self.test.assertEqual(self.dpe.non_fatal, error)

    def status(self, status, req, user=None):
        """A DPE command that must end with a status; what follows it."""
        rsp = self.ask(req, user=user)
        self.test.assertEqual(struct.unpack_from('<I', rsp, 16)[0], status)
        if status:
            self.test.assertEqual(len(rsp), 24)
        return rsp[24:]

    def check_draws(self, info=None):
        self.test.assertEqual(self.soc.draws, self.next_draw, info)

    def check_ext_error(self):
        self.test.assertEqual(self.soc.read32(cs.FW_EXTENDED_ERROR_INFO),
                              self.dpe.ext_error)

    def pcrs(self):
        """All PCRs, as QUOTE_PCRS shows them."""
        self.soc.set_user(self.pl0)
        rsp = self.soc.command(QUOTE_PCRS, bytes(32))
        self.next_draw += 1
        return [rsp[48 * i:48 * i + 48] for i in range(32)]

    def check_pcr31(self):
        self.test.assertEqual(self.pcrs()[31], self.dpe.pcr31)
