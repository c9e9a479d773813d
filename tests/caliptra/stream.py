# Migration streams, field by field
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stream: the devices of a migration stream, by the stream's own description.

The description is JSON that QEMU puts behind the devices: names, types and
sizes of all fields that are in the stream, in their order.
"""

import json
import struct

MAGIC = b'QEVM\0\0\0\3'
EOF, FULL, SUBSECTION, DESCRIPTION = 0x00, 0x04, 0x05, 0x06
CONFIGURATION, FOOTER = 0x07, 0x7e


class Field:
    """One field of a device: a number, or bytes."""

    def __init__(self, path, type_, offset, size, count):
        self.path = path
        self.type = type_
        self.offset = offset    # of the first element in the device's data
        self.size = size        # of an element, in bytes
        self.count = count      # of elements

    def __repr__(self):
        return self.path


class Device:
    """One device of a stream: its data, and where its fields are."""

    def __init__(self, desc, raw):
        self.name = desc['name']
        self.instance = desc['instance_id']
        self.fields = []
        self.header = None
        size = self._walk(desc, '', 0)
        # section id, name, instance, version; and a footer behind the data
        name = self.name.encode()
        head = bytes([len(name)]) + name + struct.pack(
            '>2I', self.instance, desc['version'])
        pos = -1
        while True:
            pos = raw.find(head, pos + 1)
            if pos < 0:
                raise ValueError('%s is not where it should be' % self.name)
            start = pos + len(head)
            section = raw[pos - 4:pos]
            if raw[pos - 5] == FULL and raw[start + size:start + size + 5] == \
                    bytes([FOOTER]) + section:
                break
        self.header = raw[pos - 5:start]
        self.data = raw[start:start + size]
        self.footer = raw[start + size:start + size + 5]

    def _walk(self, desc, path, pos):
        """Note the fields of a description; the end of its data."""
        for field in desc.get('fields', ()):
            name = path + field['name']
            if 'index' in field:
                name += '[%d]' % field['index']
            count = field.get('array_len', 1)
            if 'struct' in field:
                for i in range(count):
                    pos = self._walk(
                        field['struct'],
                        name + ('[%d].' % i if count > 1 else '.'), pos)
            else:
                if field['size']:
                    self.fields.append(Field(name, field['type'], pos,
                                             field['size'], count))
                pos += field['size'] * count
        for sub in desc.get('subsections', ()):
            # type, name, version
            name = sub['vmsd_name']
            pos += 1 + 1 + len(name) + 4
            pos = self._walk(sub, path + name + '.', pos)
        return pos

    def section(self, data=None):
        return self.header + (self.data if data is None else data) + \
            self.footer


class Stream:
    """A stream that a machine has written, and parts of it."""

    def __init__(self, raw, wanted):
        """@wanted: does a device of this name matter?"""
        desc, start = self._description(raw)
        self.raw = raw
        self.devices = [Device(d, raw[:start]) for d in desc['devices']
                        if wanted(d['name']) and ('fields' in d or
                                                  'subsections' in d)]
        self.configuration = b''
        if raw[8] == CONFIGURATION:
            size, = struct.unpack_from('>I', raw, 9)
            self.configuration = raw[8:13 + size]
        # what belongs to the configuration may follow as subsections
        pos = 8 + len(self.configuration)
        while raw[pos] == SUBSECTION:
            raise ValueError('a configuration with subsections')
        if not raw.startswith(MAGIC):
            raise ValueError('no stream')

    @staticmethod
    def _description(raw):
        pos = raw.rfind(b'{"page_size"')
        if pos < 0:
            pos = raw.rfind(b'{"vmsd_name"')
        while pos >= 0:
            size, = struct.unpack_from('>I', raw, pos - 4)
            if raw[pos - 5] == DESCRIPTION and pos + size == len(raw):
                return json.loads(raw[pos:]), pos
            pos = raw.rfind(b'{', 0, pos)
        raise ValueError('a stream without a description')

    def with_changed(self, device, offset, data):
        """Only the devices; one of them with other bytes somewhere."""
        sections = []
        for d in self.devices:
            new = d.data
            if d is device:
                new = new[:offset] + data + new[offset + len(data):]
            sections.append(d.section(new))
        return MAGIC + self.configuration + b''.join(sections) + bytes([EOF])

    def unchanged(self):
        return self.with_changed(None, 0, b'')

    def whole_with_changed(self, device, offset, data):
        """The complete stream, with that change."""
        pos = self.raw.index(device.section()) + len(device.header) + offset
        return self.raw[:pos] + data + self.raw[pos + len(data):]


def mutations(rng, field, data):
    """Other contents of a field: (element, bytes), the telling ones first."""
    size = field.size
    picks = sorted({0, field.count - 1, rng.randrange(field.count)})
    for i in rng.sample(picks, len(picks)):
        at = field.offset + i * size
        old = data[at:at + size]
        if size > 8:
            values = [bytes(size), b'\xff' * size, rng.randbytes(size)]
        else:
            number = int.from_bytes(old, 'big')
            top = (1 << 8 * size) - 1
            values = [v.to_bytes(size, 'big') for v in
                      (top, number + 1 & top, number - 1 & top,
                       number ^ 1 << rng.randrange(8 * size),
                       top >> 1, top // 2 + 1, 0, rng.randint(0, top),
                       rng.randint(0, min(top, 0xff)))]
        for value in values:
            if value != old:
                yield i, value
