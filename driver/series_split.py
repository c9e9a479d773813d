"""
What a file looks like at a point of the series.

Most files come whole, with one patch.  Those that name what other patches
bring (lists of files, tables of blocks) grow: each patch adds the lines which
name what it brings.  What a line names decides when it comes, so that there
is nothing to maintain when a file or a table grows.

Text is looked at as C, or as meson.build, as far as that takes: items with
their blocks, lists with their elements.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import difflib
from pathlib import PurePath
import re


class Trouble(Exception):
    """Something to tell in one line"""


ID = re.compile(r'[A-Za-z_]\w*')


# --- spans of text, and what remains without them ---

def without(text, spans):
    """text without these spans of items, and with no more empty lines"""
    out, at = '', 0
    for a, b in sorted(spans):
        if b <= at:
            continue
        out += text[at:max(a, at)]
        at = b
        if not out or out.endswith(('\n\n', '{\n')):
            while text.startswith('\n', at):
                at += 1
        if out.endswith('\n\n') and re.compile(r'[ \t]*\}').match(text, at):
            out = out[:-1]
    return out + text[at:]


def line_of(text, pos):
    return text.rfind('\n', 0, pos) + 1


def line_end(text, pos):
    end = text.find('\n', pos)
    return len(text) if end < 0 else end + 1


def added_lines(base, final):
    """
    (final's lines that are new, [(lines of base, first and end in final)]):
    the latter for what takes the place of other lines, or removes them
    """
    old, new = base.splitlines(True), final.splitlines(True)
    added, swaps = set(), []
    for op, i, j, k, l in difflib.SequenceMatcher(
            None, old, new, autojunk=False).get_opcodes():
        pairs = []
        if op == 'replace':
            at = k
            for n in range(i, j):
                like = [m for m in range(at, l) if difflib.SequenceMatcher(
                    None, old[n].strip(), new[m].strip()).ratio() > 0.8]
                if like:
                    pairs.append((n, like[0]))
                    at = like[0] + 1
        if op == 'insert' or len(pairs) == j - i > 0:
            # new lines, and changed ones among them
            added |= set(range(k, l)) - {m for _, m in pairs}
            swaps += [([old[n]], m, m + 1) for n, m in pairs]
        elif op != 'equal':
            swaps.append((old[i:j], k, l))
    return added, swaps


# --- C ---

def mask_c(text):
    """Comments and what is in quotes become blanks"""
    def blank(m):
        return re.sub(r'[^\n]', ' ', m[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
                  r"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


CLOSING = {'(': ')', '[': ']', '{': '}'}


def match(mask, pos):
    """The place of the bracket that closes the one at pos"""
    depth = 0
    for m in re.compile(r'[()\[\]{}]').finditer(mask, pos):
        depth += 1 if m[0] in CLOSING else -1
        if depth == 0:
            return m.start()
    raise Trouble('brackets do not match')


class Item:
    """A definition, a statement, or an element: text[start:end]"""

    def __init__(self, mask, start, end, code, blocks):
        self.mask = mask
        self.start = start          # with the comment in front
        self.code = code            # without
        self.end = end
        self.blocks = blocks        # (first, end, kind)

    def head(self, text=None):
        """What is not in its blocks"""
        text = text or self.mask
        out, at = [], self.code
        for a, b, _ in self.blocks:
            out.append(text[at:a])
            at = b
        return ''.join(out) + text[at:self.end]

    def all(self, text=None):
        return (text or self.mask)[self.code:self.end]


class CText:
    def __init__(self, text):
        self.text = text
        self.mask = mask_c(text)

    def _span(self, first, code, end):
        """(start, end): comments in front and behind, whole lines"""
        start = code
        line = line_of(self.text, code)
        if not self.text[line:code].strip():
            start = line
            while start > first:
                above = line_of(self.text, start - 1)
                if above < first or self.mask[above:start].strip() or \
                   not self.text[above:start].strip():
                    break
                start = above
        rest = line_end(self.text, end)
        if not self.mask[end:rest].strip():
            end = rest
        return start, end

    def _body_kind(self, head):
        if re.search(r'=\s*(\([^()]*\)\s*)?$', head):
            return 'list'
        if re.match(r'\s*((typedef|static|const)\s+)*(struct|union)\b[^()=]*$',
                    head):
            return 'fields'
        if re.match(r'\s*(typedef\s+)?enum\b', head):
            return 'list'
        return 'body'

    def items(self, a, b, top=False):
        pos = a
        while True:
            m = re.compile(r'\S').search(self.mask, pos, b)
            if not m:
                return
            code = m.start()
            end, blocks = self._item(code, b, top)
            start, whole = self._span(pos, code, end)
            yield Item(self.mask, max(start, a), min(whole, b), code, blocks)
            pos = min(whole, b)

    def _item(self, s, b, top):
        mask = self.mask
        if mask[s] == '#':
            end = s
            while True:
                end = line_end(mask, end)
                if not mask[:end].rstrip('\n').endswith('\\'):
                    return end, []
        label = re.compile(r'(case\b[^:?]*|[A-Za-z_]\w*)\s*:(?!:)').match(
            mask, s, b)
        if label:
            return label.end(), []
        blocks, i, depth = [], s, 0
        while i < b:
            c = mask[i]
            if c in '([':
                i = match(mask, i)
                if top and c == '(' and re.fullmatch(
                        r'[A-Z][A-Z0-9_]*\s*', mask[s:i][:mask[s:i].find(
                            '(')]) and not re.compile(r'\s*[;{=]').match(
                                mask, i + 1):
                    return i + 1, []
            elif c == ';':
                return i + 1, blocks
            elif c == '{':
                kind = self._body_kind(mask[s:i])
                j = match(mask, i)
                blocks.append((i + 1, j, kind))
                i = j
                if kind == 'body':
                    follow = re.compile(r'\s*(else\b|while\b)').match(
                        mask, j + 1)
                    if follow and follow[1] == 'else':
                        i = follow.end()
                        continue
                    if not re.match(r'do\b', mask[s:]):
                        return j + 1, blocks
            i += 1
        return b, blocks

    def elements(self, a, b):
        """Of an initializer or an enum"""
        pos = first = a
        while pos < b:
            m = re.compile(r'\S').search(self.mask, pos, b)
            if not m:
                return
            code = m.start()
            if self.mask[code] == '#':
                pos = first = line_end(self.mask, code)
                continue
            i, blocks = code, []
            while i < b and self.mask[i] != ',':
                if self.mask[i] in '([':
                    i = match(self.mask, i)
                elif self.mask[i] == '{':
                    j = match(self.mask, i)
                    # a row stays or goes; members with names do so by ones
                    row = i == code and \
                        not re.match(r'\s*\.', self.mask[i + 1:j])
                    blocks.append((i + 1, j, 'row' if row else 'list'))
                    i = j
                i += 1
            end = min(i + 1, b)
            start, end = self._span(first, code, end)
            yield Item(self.mask, max(start, a), min(end, b), code, blocks)
            pos = first = min(end, b)


def function_name(head):
    m = re.search(r'([A-Za-z_]\w*)\s*\(', head)
    return m[1] if m else None


def declared(code):
    """Names that a statement declares, as QEMU writes declarations"""
    m = re.match(r'(?:static |const |g_autofree |g_autoptr\(\w+\) |struct |'
                 r'unsigned |volatile )*\w+(?:\([^()]*\))?[ *]+(?:const )?'
                 r'(?=[A-Za-z_]\w*\s*(?:[=;,]|\[))', code)
    if not m or re.match(r'(return|goto|else|case|break|continue)\b', code):
        return set()
    names, depth = set(), 0
    for part in re.split(r'(,)(?![^(\[{]*[)\]}])', code[m.end():]):
        name = re.match(r'[\s*]*([A-Za-z_]\w*)', part)
        if name:
            names.add(name[1])
    return names


def c_symbols(name, text):
    """What others can name of what a file defines"""
    mask = mask_c(text)
    symbols = set()
    if name.endswith('.h'):
        symbols |= set(re.findall(r'^#define (\w+)', mask, re.M))
        symbols |= set(re.findall(r'^\}\s*(\w+);', mask, re.M))
        symbols |= set(re.findall(r'^typedef (?:struct|enum) \w+ (\w+);',
                                  mask, re.M))
        symbols |= set(re.findall(r'^(?:typedef )?(?:struct|enum) (\w+) \{',
                                  mask, re.M))
        for args in re.findall(r'^OBJECT_DECLARE_\w+\(([^)]*)\)', mask, re.M):
            symbols |= set(ID.findall(args))
        for body in re.findall(r'^(?:typedef )?enum[^{;]*\{([^}]*)\}', mask,
                               re.M):
            symbols |= set(re.findall(r'(?:^|,)\s*([A-Z]\w*)', body))
        for head in re.findall(r'^static inline ([^{;]*)\{', mask, re.M):
            symbols.add(function_name(head))
        return symbols - {'QEMU_PACKED', None}
    text = CText(text)
    for item in text.items(0, len(text.text), True):
        head = item.head()
        if re.match(r'(static|typedef|extern|#)', head):
            continue
        if item.blocks or '=' in head:
            symbols.add(item_name(item))
        else:
            symbols |= set(re.findall(r'(\w+)\s*\[[^]]*\]\s*;$', head))
    return symbols - {None}


class Grow:
    """
    A C file at a point: without what names what comes later.

    late(word): does what this identifier or "header" stands for come later?
    fixed(a, b): is some of this text QEMU's own, and stays?
    part(code, nested): does this item come later by a rule?
    """

    def __init__(self, text, late, fixed=None, part=None):
        self.c = CText(text)
        self.late_word = late
        self.fixed = fixed or (lambda a, b: False)
        self.part = part or (lambda code, nested: False)
        self.lost = set()           # names in the file that have gone

    def late(self, item, local, nested):
        """Judged by its head, if it has blocks that can grow"""
        if self.fixed(item.start, item.end):
            return False
        grows = any(kind != 'row' for _, _, kind in item.blocks)
        get = item.head if grows else item.all
        include = re.match(r'#include ("[^"]+")', get(self.c.text))
        return bool(include and self.late_word(include[1])) or \
            self.part(get(self.c.text), nested) or any(
                w in self.lost or w in local or self.late_word(w)
                for w in ID.findall(get()))

    def blocks(self, item, spans, local, nested):
        """
        What goes within an item: (is something left in one of its blocks,
        has a value that is returned gone)
        """
        left = broken = False
        fixed = self.fixed(item.start, item.end)
        for a, b, kind in item.blocks:
            if kind == 'row' and not fixed:
                left = True
            elif kind in ('row', 'list'):
                left |= self.elements(a, b, spans, local, nested)
            else:
                one, lost = self.statements(a, b, spans, local, nested)
                left, broken = left | one, broken | lost
        return left, broken

    def elements(self, a, b, spans, local, nested):
        left = False
        for item in self.c.elements(a, b):
            if self.late(item, local, nested):
                spans.append((item.start, item.end))
            else:
                left = True
                self.blocks(item, spans, local, nested)
        return left

    def statements(self, a, b, spans, local, nested):
        left = broken = False
        for item in self.c.items(a, b):
            code = item.all()
            if self.late(item, local, nested):
                spans.append((item.start, item.end))
                local |= declared(code)
                broken |= bool(re.match(r'return\b\s*[^;\s]', code))
                continue
            inner = []
            some, lost = self.blocks(item, inner, local, nested)
            broken |= lost
            if inner and not some and not self.fixed(item.start, item.end):
                spans.append((item.start, item.end))
            else:
                spans += inner
                left |= not re.match(r'#', code)
        return left, broken

    def _pass(self):
        spans, lost = [], set()
        for item in self.c.items(0, len(self.c.text), True):
            head = item.head()
            name = item_name(item)
            fixed = self.fixed(item.start, item.end)
            if not fixed and (name in self.lost or
                              self.late(item, (), False)):
                spans.append((item.start, item.end))
                lost |= {name} - {None}
                continue
            inner = []
            left, broken = self.blocks(item, inner, set(), not fixed)
            if not fixed and (broken or inner and not left and
                              head.startswith('static')):
                spans.append((item.start, item.end))
                lost |= {name} - {None}
            else:
                spans += inner
        return spans, lost

    def result(self, whole, base=''):
        """
        whole: the text at the end, in which all is used
        base: QEMU's own, which is not looked at for what is unused
        """
        while True:
            spans, lost = self._pass()
            if lost <= self.lost:
                break
            self.lost |= lost
        if self.c.text == whole and not spans:
            return whole
        return drop_unused(without(self.c.text, spans), mask_c(whole),
                           mask_c(base))


def item_name(item):
    """What a top-level item defines"""
    head = item.head()
    if head.startswith('#'):
        m = re.match(r'#define (\w+)', head)
        return m[1] if m else None
    if any(kind == 'body' for _, _, kind in item.blocks):
        return function_name(head)
    m = re.search(r'(\w+)\s*(\[[^\]]*\]\s*)*=(?!=)', head) or \
        re.search(r'(\w+)\s*(\([^()]*\))?\s*;\s*$', head)
    return m[1] if m else None


def drop_unused(text, whole, base):
    """static functions, tables and variables that nobody names any more"""
    while True:
        c = CText(text)
        spans = []
        for item in c.items(0, len(text), True):
            head = item.head()
            name = item_name(item)
            word = re.compile(r'\b%s\b' % name)
            if name and re.match(r'static|#define', head) and \
               not word.search(c.mask[:item.start] + c.mask[item.end:]) and \
               len(word.findall(whole)) > 1 and not word.search(base):
                spans.append((item.start, item.end))
                continue
            if name and word.search(base):
                continue
            for a, b, kind in item.blocks:
                if kind == 'body':
                    spans += unused_locals(c, a, b)
        if not spans:
            return text
        text = without(text, spans)


def unused_locals(c, a, b, inner=None):
    for item in c.items(*(inner or (a, b))):
        for first, end, kind in item.blocks:
            if kind == 'body':
                yield from unused_locals(c, a, b, (first, end))
        names = declared(item.all())
        rest = c.mask[a:item.start] + c.mask[item.end:b]
        if names and not any(re.search(r'\b%s\b' % n, rest) for n in names) \
           and 'g_auto' not in item.all():
            yield item.start, item.end


# --- meson.build ---

def mask_meson(text):
    """Comments become blanks, and strings plain: letters between quotes"""
    def blank(m):
        if m[0].startswith("#"):
            return ' ' * len(m[0])
        if m[0].startswith("'''"):
            return re.sub(r'[^\n]', ' ', m[0])
        return "'" + re.sub(r'[^\w/.-]', '.', m[0][1:-1]) + "'"
    return re.sub(r"'''.*?'''|'(?:\\.|[^'\\\n])*'|#[^\n]*", blank, text,
                  flags=re.S)


class Meson:
    """
    A meson.build at a point: without what names files to come.

    late, fixed: as for Grow; new(a, b): is some of this text not QEMU's own?
    """

    def __init__(self, name, text, late, fixed, new):
        self.dir = PurePath(name).parent
        self.text = text
        self.late_word = late
        self.fixed = fixed
        self.new = new
        self.mask = mask_meson(text)
        self.lost = set()
        self.all = list(self.statements())

    def late(self, a, b):
        part = self.mask[a:b]
        for quoted in re.findall(r"'([^'\n]*)'", part):
            if any(self.late_word(n) for n in self.candidates(quoted)):
                return True
        bare = re.sub(r"'[^'\n]*'", '', part)
        return any(w in self.lost or self.late_word(w)
                   for w in ID.findall(bare))

    def candidates(self, quoted):
        here = [str(self.dir / quoted), quoted]
        stem = self.dir / quoted
        here += [f'{stem}.c', f'{stem}.py',
                 str(stem.parent / f'test_{stem.name}.py'), f'{stem}/']
        if re.fullmatch(r'CONFIG_\w+', quoted):
            here.append(quoted)
        return here

    def elements(self, a, b):
        """(start, end) of what commas divide"""
        pos = a
        i = a
        while i <= b:
            c = self.mask[i] if i < b else ','
            if c == "'":
                i = self.mask.index("'", i + 1)
            elif c in CLOSING and i < b:
                i = self._match(i)
            elif c == ',':
                if self.mask[pos:i].strip():
                    yield pos, min(i + 1, b)
                pos = i + 1
            i += 1

    def _match(self, pos):
        depth, i = 0, pos
        while True:
            c = self.mask[i]
            if c == "'":
                i = self.mask.index("'", i + 1)
            elif c in CLOSING:
                depth += 1
            elif c in ')]}':
                depth -= 1
                if depth == 0:
                    return i
            i += 1

    def brackets(self, a, b):
        i = a
        while i < b:
            if self.mask[i] == "'":
                i = self.mask.index("'", i + 1)
            elif self.mask[i] in CLOSING:
                j = self._match(i)
                yield i + 1, j
                i = j
            i += 1

    def list(self, a, b, spans):
        """(elements that name a file and stay, those that went)"""
        stay = gone = 0
        last = None
        cut = False
        for x, y in self.elements(a, b):
            part = self.mask[x:y].strip()
            inner = list(self.brackets(x, y))
            atomic = part.startswith("'") or not inner
            if self.fixed(x, y):
                stay += 1
                for p, q in inner:
                    s, g = self.list(p, q, spans)
                    gone += g
                last = (x, y)
                cut = False
                continue
            if atomic:
                if self.late(x, y):
                    spans.append(self._whole(x, y))
                    gone += 1
                    cut = True
                    continue
                if part.startswith("'"):
                    stay += 1
            else:
                s = g = 0
                mine = []
                for p, q in inner:
                    one = self.list(p, q, mine)
                    s, g = s + one[0], g + one[1]
                if g and not s:
                    spans.append(self._whole(x, y))
                    gone += g
                    cut = True
                    continue
                spans += mine
                stay, gone = stay + s, gone + g
            last = (x, y)
            cut = False
        if cut and last:
            # the last one has gone: so has the comma before it
            x, y = last
            if self.mask[y - 1] == ',':
                spans.append((y - 1, y))
        return stay, gone

    def _whole(self, x, y):
        """An element with the white space and the comment before it"""
        lead = re.compile(r'\s*').match(self.text, x).end()
        if '\n' in self.text[x:lead]:
            return x, y
        return x, y

    def statements(self):
        """(start, end) of statements"""
        pos = 0
        while pos < len(self.text):
            i = pos
            while i < len(self.text):
                c = self.mask[i]
                if c == "'":
                    i = self.mask.index("'", i + 1)
                elif c in CLOSING:
                    i = self._match(i)
                elif c == '\n' and self.mask[i - 1:i] != '\\':
                    break
                i += 1
            yield pos, min(i + 1, len(self.text))
            pos = i + 1

    def result(self):
        while True:
            spans, lost = self._pass()
            if lost <= self.lost:
                return without(self.text, spans)
            self.lost |= lost

    def _pass(self):
        spans, lost = [], set()
        opened = []             # if ... endif: [start, spans before, left]
        lead = None
        for a, b in self.all:
            code = self.mask[a:b].strip()
            if not code:
                lead = lead if lead is not None and \
                    self.text[a:b].strip() else None
                if self.text[a:b].strip() and lead is None:
                    lead = a
                continue
            start, lead = (a if lead is None else lead), None
            if self.fixed(start, a):
                start = a
            fixed = self.fixed(a, b)
            word = ID.match(code)
            word = word[0] if word else ''
            if word in ('if', 'foreach'):
                opened.append([start, len(spans), False, fixed,
                               not fixed and self.late(a, b)])
                continue
            if word in ('endif', 'endforeach'):
                first, n, left, was_fixed, late = opened.pop()
                if not was_fixed and (late or not left):
                    del spans[n:]
                    spans.append((first, b))
                elif opened:
                    opened[-1][2] = True
                continue
            if word in ('elif', 'else'):
                continue
            if not self.new(a, b):
                if opened:
                    opened[-1][2] = True
                continue
            mine, stay, gone = [], 0, 0
            for p, q in self.brackets(a, b):
                one = self.list(p, q, mine)
                stay, gone = stay + one[0], gone + one[1]
            name = re.match(r'(\w+)\s*=', code)
            bare = not gone and not stay or not mine
            if not fixed and (gone and not stay or
                              bare and self.late(a, b)):
                spans.append((start, b))
                if name:
                    lost.add(name[1])
                continue
            spans += mine
            spans += self._terms(a, b) if fixed else []
            if opened:
                opened[-1][2] = True
        return spans, lost

    def _terms(self, a, b):
        """New lines within a statement of QEMU's own"""
        at = a
        while at < b:
            end = line_end(self.text, at)
            if not self.fixed(at, end) and self.mask[at:end].strip() and \
               re.search(r'\\$', self.mask[at:end].rstrip()) and \
               self.late(at, end):
                yield at, end
            at = end


# --- Kconfig, trace-events, MAINTAINERS, index.rst ---

def paragraphs(lines):
    """[first, end) of runs without an empty line"""
    first = None
    for i, line in enumerate(lines + ['\n']):
        if line.strip():
            first = i if first is None else first
        elif first is not None:
            yield first, i
            first = None


def grow_lines(text, new, late_line, late_paragraph):
    """
    Lines that go one by one, or as a paragraph.

    new: numbers of the lines that are not QEMU's own; late_line(line),
    late_paragraph(lines): do they come later?
    """
    lines = text.splitlines(True)
    drop = set()
    for a, b in paragraphs(lines):
        if all(i in new for i in range(a, b)) and \
           late_paragraph([lines[i] for i in range(a, b)]):
            drop |= set(range(a, b))
            drop |= {b} if b in new else {a - 1} if a - 1 in new else set()
        else:
            drop |= {i for i in range(a, b)
                     if i in new and late_line(lines[i])}
    return ''.join(line for i, line in enumerate(lines) if i not in drop)
