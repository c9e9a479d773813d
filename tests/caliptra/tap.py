#!/usr/bin/env python3
#
# Run one unittest module of this directory, and report in TAP
#
#     tap.py MODULE
#
# Each subtest is a case of its own; a test that has some is none.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""TAP for unittest: class TapResult."""

import sys
import unittest


class TapResult(unittest.TestResult):
    """Reports each case as it ends; plan() comes last."""

    def __init__(self):
        super().__init__()
        self.cases = 0
        self.bad = 0
        self.parents = set()

    def case(self, test, directive='', err=None):
        """One line, and what went wrong as comments behind it."""
        self.cases += 1
        self.bad += err is not None
        # the number sign begins a directive
        name = ' '.join(test.id().split()).replace('#', '/')
        print(f'{"not ok" if err else "ok"} {self.cases} - {name}{directive}')
        if err:
            # the traceback that unittest has just written down
            for line in err.rstrip('\n').split('\n'):
                print('#', line)
        sys.stdout.flush()

    def plan(self):
        print(f'1..{self.cases}', flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        if test.id() not in self.parents:
            self.case(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.case(test, err=self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.case(test, err=self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.case(test, directive=f' # SKIP {" ".join(reason.split())}')

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        self.parents.add(test.id())
        if err is None:
            self.case(subtest)
        else:
            found = (self.failures if issubclass(err[0], test.failureException)
                     else self.errors)
            self.case(subtest, err=found[-1][1])

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.case(test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.case(test, err='unexpected success')


def main():
    """Run the module that the command line names."""
    if len(sys.argv) != 2:
        sys.exit('usage: tap.py MODULE')
    result = TapResult()
    unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])(result)
    result.plan()
    return 1 if result.bad else 0


if __name__ == '__main__':
    sys.exit(main())
