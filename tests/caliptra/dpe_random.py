#
# Random dialogues with DPE
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Good and bad commands for DPE, chosen by a seed: class Chooser."""

import struct

import dpe_model as m

PL0 = 1
USERS = (1, 2, 3)

# what DeriveContext may be asked for; several at once now and then
FLAGS = (m.INTERNAL_INFO, m.INTERNAL_DICE, m.RETAIN_PARENT, m.MAKE_DEFAULT,
         m.CHANGE_LOCALITY, m.ALLOW_CA, m.ALLOW_X509, m.RECURSIVE,
         m.EXPORT_CDI, m.CREATE_CERT)


class Chooser:
    """Makes up commands that mostly fit the state of a model."""

    def __init__(self, rand, users=USERS, pl0=PL0):
        self.rand = rand
        self.users = users
        self.pl0 = pl0
        self.handles = [m.ZERO_HANDLE, m.DEAD_HANDLE]
        self.exported = [bytes(32)]
        self.tags = [0]

    def learn(self, cmd, rsp):
        """Remember handles of a response (from its checksum on)."""
        if rsp is None or cmd != m.CMD_INVOKE_DPE:
            return
        if len(rsp) in (12 + 28, 12 + 44, 12 + 124, 12 + 6272):
            self.handles.append(rsp[24:40])
        if len(rsp) == 12 + 44:
            self.handles.append(rsp[40:56])
        if len(rsp) == 12 + 6224:
            self.exported.append(rsp[56:88])

    def _handle(self, dpe):
        r = self.rand
        if r.random() < 0.85:
            live = [(s.locality, s.handle) for s in dpe.slots
                    if s.state == 'active' and s.locality in self.users]
            if live:
                return r.choice(live)
        return r.choice(self.users), r.choice(self.handles)

    def _bytes(self, n):
        return self.rand.randbytes(n)

    def _label(self):
        return self.rand.choice((bytes(48), b'\0' + self._bytes(47),
                                 self._bytes(48)))

    def _derive_flags(self, dpe):
        r = self.rand
        kind = r.random()
        if kind < 0.3:      # a child beside others
            flags = m.RETAIN_PARENT
        elif kind < 0.45:   # the next of a chain
            flags = m.MAKE_DEFAULT
        elif kind < 0.6:
            flags = m.RECURSIVE
        elif kind < 0.7:
            flags = m.EXPORT_CDI | m.CREATE_CERT
            # or the parent goes, and soon all is gone
            if dpe.release >= 1 and r.random() < 0.8:
                flags |= m.RETAIN_PARENT
        else:
            flags = 0
        if r.random() < 0.7:
            flags |= m.ALLOW_CA | m.ALLOW_X509
        if r.random() < 0.2:
            flags |= m.CHANGE_LOCALITY
        for _ in range(r.choice((0, 0, 1, 3))):
            flags ^= r.choice(FLAGS)
        if r.random() < 0.1:
            flags |= r.getrandbits(22)      # bits without a meaning
        return flags

    def _derive(self, dpe):
        r = self.rand
        user, handle = self._handle(dpe)
        node = [s for s in dpe.slots if s.state == 'active' and
                (s.locality, s.handle) == (user, handle)]
        tci_type = r.choice((0, 0x41424344, node[0].type if node else 5))
        req = m.derive(handle, self._bytes(48), self._derive_flags(dpe),
                       tci_type, r.choice(self.users + (0xFFFFFFFF, 77)))
        return user, m.CMD_INVOKE_DPE, req

    def _bad_frame(self, dpe):
        """A DPE command with something wrong about its frame."""
        r = self.rand
        user, handle = self._handle(dpe)
        body = handle + bytes(r.randrange(0, 110))
        kind = r.randrange(4)
        data = struct.pack('<III',
                           0x44504552 if kind == 0 else 0x44504543,
                           r.choice((0, 2, 0x0B, 0x12, 0xFFFFFFFF))
                           if kind == 1 else r.choice(list(m.BODY_LEN)),
                           3 if kind == 2 else 4) + body
        size = len(data)
        if kind == 3:
            data = data[:r.randrange(0, 60)]
            size = len(data) + r.choice((0, 0, 4, 500, 600))
        req = m.request(m.CMD_INVOKE_DPE, struct.pack('<I', size) + data)
        return user, m.CMD_INVOKE_DPE, req

    def next(self, dpe):
        """(user, command, request) for the state that a model is in."""
        r = self.rand
        kind = r.random()
        user, handle = self._handle(dpe)
        if kind < 0.38:
            return self._derive(dpe)
        if kind < 0.50:
            fmt = r.choice((0, 0, 1, 1, 2))
            req = m.certify(handle, fmt, self._label(), r.getrandbits(32))
            return user, m.CMD_INVOKE_DPE, req
        if kind < 0.58:
            req = m.sign(handle, self._label(), self._bytes(48),
                         r.getrandbits(32))
            return user, m.CMD_INVOKE_DPE, req
        if kind < 0.66:
            req = m.rotate(handle, r.choice((0, 0, m.TARGET_IS_DEFAULT)))
            return user, m.CMD_INVOKE_DPE, req
        if kind < 0.71:
            # seldom down to the root, or the dialogue is over
            if handle == m.ZERO_HANDLE and r.random() < 0.9:
                handle = self._bytes(16)
            return user, m.CMD_INVOKE_DPE, m.destroy(handle)
        if kind < 0.75:
            req = m.initialize(r.choice((m.SIMULATION, m.SIMULATION,
                                         m.DEFAULT, 0,
                                         m.SIMULATION | m.DEFAULT)))
            return user, m.CMD_INVOKE_DPE, req
        if kind < 0.78:
            req = m.cert_chain(r.choice((0, 700, 2047, 5000)),
                               r.choice((0, 1, 2048, 2049)))
            return user, m.CMD_INVOKE_DPE, req
        if kind < 0.79:
            return user, m.CMD_INVOKE_DPE, m.invoke(m.GET_PROFILE,
                                                    profile=r.choice((3, 4)))
        if kind < 0.82:
            return self._bad_frame(dpe)
        if kind < 0.86:
            if r.random() < 0.7:
                user = self.pl0
            req = m.stash(self._bytes(4), self._bytes(48), self._bytes(48))
            return user, m.CMD_STASH_MEASUREMENT, req[:r.choice((108, 108,
                                                                 107))]
        if kind < 0.89:
            tag = r.choice(self.tags + [r.getrandbits(32)])
            self.tags.append(tag)
            return user, m.CMD_TAG_TCI, m.tag_tci(handle, tag)
        if kind < 0.92:
            return user, m.CMD_GET_TAGGED_TCI, \
                m.get_tagged_tci(r.choice(self.tags))
        if kind < 0.925:
            if r.random() < 0.8:
                user = self.pl0
            if r.random() < 0.5:
                return user, m.CMD_REVOKE_EXPORTED, \
                    m.revoke(r.choice(self.exported))
            return user, m.CMD_REALLOCATE, \
                m.reallocate(r.choice((0, 2, 8, 16, 24, 30, 33)))
        if kind < 0.94:
            if r.random() < 0.7:
                user = self.pl0
            return user, m.CMD_SIGN_WITH_EXPORTED_ECDSA, \
                m.sign_exported(r.choice(self.exported), self._bytes(48))
        if kind < 0.96:
            info = r.choice((b'A:B:C', b'', b'::' + b'x' * 126,
                             b'no colons', b'\xe9:a:b', b'a:b:c:d'))
            size = r.choice((None, None, None, 129))
            return user, m.CMD_ADD_SUBJECT_ALT_NAME, m.add_san(info, size)
        if kind < 0.99:
            if r.random() < 0.7:
                user = self.pl0
            req = m.certify_extended(handle, r.choice((0, 1, 2)),
                                     self._label(),
                                     r.choice((0, m.DMTF_OTHER_NAME)))
            return user, m.CMD_CERTIFY_KEY_EXTENDED, req
        return user, m.CMD_DISABLE_ATTESTATION, \
            m.request(m.CMD_DISABLE_ATTESTATION, b'')
