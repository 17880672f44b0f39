# SPDX-License-Identifier: MIT
"""Behind Apache with mod_fcgid."""
from lib.mount_cases import KilledCases, MountCases, MountedCase, RootMountCases
from lib.servers import MOUNT, Apache, apache_at_root, read_mount, responder_paths


def start(case, edit=None, mount=MOUNT):
    text = read_mount("apache/fcgid.conf", responder_paths(case.site), edit)
    return Apache(case.scratch, text, ["fcgid"], mount)


class Fcgid(MountCases, KilledCases, MountedCase):
    HEAD_REFUSED = (500,)  # from 64 KiB on

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web = start(cls)


class FcgidAtRoot(RootMountCases, MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web = start(cls, apache_at_root, mount="")


class FcgidWithoutAuthorization(MountedCase):
    """Without CGIPassAuth the header never arrives; the answer says that none did."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.web = start(cls, lambda text: text.replace("CGIPassAuth On", ""))

    def test_no_credentials_arrive(self):
        self.assertEqual((401, "EMPTY_APP_CREDENTIALS"), self.guest().error)


class FcgidWithSetEnvIf(MountedCase):
    """The way that works where CGIPassAuth is not allowed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        line = 'SetEnvIf Authorization "(.+)" HTTP_AUTHORIZATION=$1'
        cls.web = start(cls, lambda text: text.replace("CGIPassAuth On", line))

    def test_credentials_arrive(self):
        self.site.check(self.guest(), role="guest")
