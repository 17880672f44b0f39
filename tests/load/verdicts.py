# SPDX-License-Identifier: MIT
"""TAP lines."""


class Verdicts:
    def __init__(self, subject):
        self.subject = subject
        self.passed = self.failed = 0

    def say(self, name, good, details=()):
        self.passed += good
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.passed + self.failed} - {self.subject}: {name}")
        for line in [] if good else details:
            print(f"#   {line}")

    def attempt(self, name, function):
        try:
            function()
            self.say(name, True)
        except Exception as error:  # whatever it is, it is told
            self.say(name, False, str(error).splitlines())
