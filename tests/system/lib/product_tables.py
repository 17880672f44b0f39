# SPDX-License-Identifier: MIT
"""Tables of products, as far as the queries of conf/stores/ go, with people: 1 is a usual member, 2 an administrator
(without a picture of its own), those from 3 on may not chat, each for another reason."""
import dataclasses


@dataclasses.dataclass
class Product:
    tables: str
    barred: list  # their ids; a string is one of ids of a digit
    name: str = "Ann"
    avatar: str = None  # of person 1
    admin: str = "admin"
    other_avatar: str = None  # of person 2


GRAVATAR = "https://www.gravatar.com/avatar/71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476?d=mp"


PRODUCTS = {
    "wordpress": Product(barred="345", name="Ann & <&lt;", avatar=GRAVATAR, tables="""
        CREATE TABLE wp_users (ID bigint unsigned PRIMARY KEY, display_name varchar(250), user_email varchar(100));
        CREATE TABLE wp_usermeta (user_id bigint unsigned, meta_key varchar(255), meta_value longtext);
        INSERT INTO wp_users VALUES (1, 'Ann &amp; &lt;&amp;lt;', 'Ann@Example.com '), (2, 'Bob', ''),
            (3, 'Cid', ''), (4, 'D', ''), (5, 'E', '');
        INSERT INTO wp_usermeta VALUES (1, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}'), (1, 'x', 'y'),
            (2, 'wp_capabilities', 'a:1:{s:13:"administrator";b:1;}'), (3, 'wp_capabilities', 'a:0:{}'),
            (4, 'wp_capabilities', ''), (5, 'wp_2_capabilities', 'a:1:{s:10:"subscriber";b:1;}')"""),
    "phpbb": Product(barred="3456", name='"Ann" & <&quot;>',
                     avatar="https://forum.example.com/download/file.php?avatar=1_7.png", other_avatar=GRAVATAR, tables="""
        CREATE TABLE phpbb_users (user_id int unsigned, username varchar(255), user_type tinyint, group_id int,
            user_avatar varchar(255) NOT NULL DEFAULT '', user_avatar_type varchar(255) NOT NULL DEFAULT '');
        CREATE TABLE phpbb_user_group (group_id int, user_id int unsigned, user_pending tinyint);
        CREATE TABLE phpbb_groups (group_id int, group_name varchar(255));
        CREATE TABLE phpbb_banlist (ban_userid int, ban_exclude tinyint, ban_end int unsigned);
        INSERT INTO phpbb_groups VALUES (2, 'REGISTERED'), (5, 'ADMINISTRATORS'), (6, 'BOTS');
        INSERT INTO phpbb_users VALUES (1, '&quot;Ann&quot; &amp; &lt;&amp;quot;&gt;', 0, 2, '1_7.png', 'avatar.driver.upload'),
            (2, 'Bob', 3, 2, 'Ann@Example.com', 'avatar.driver.gravatar'),
            (3, 'Cid', 0, 2, '', ''), (4, 'New', 1, 2, '', ''), (5, 'Bot', 2, 6, '', ''), (6, 'F', 0, 2, '', '');
        INSERT INTO phpbb_user_group VALUES (2, 1, 0), (5, 1, 1), (2, 2, 0), (5, 2, 0), (6, 5, 0);
        INSERT INTO phpbb_banlist VALUES (1, 0, 1), (1, 1, 0), (3, 0, 0), (6, 0, 4000000000)"""),
    "drupal": Product(barred="034", avatar="https://www.example.com/sites/default/files/pictures/1%20a.jpg", tables="""
        CREATE TABLE users_field_data (uid int unsigned, name varchar(60), status tinyint, langcode varchar(12),
            default_langcode tinyint);
        CREATE TABLE user__roles (entity_id int unsigned, deleted tinyint, roles_target_id varchar(255));
        CREATE TABLE user__user_picture (entity_id int unsigned, deleted tinyint, user_picture_target_id int unsigned);
        CREATE TABLE file_managed (fid int unsigned, uri varchar(255));
        INSERT INTO users_field_data VALUES (0, '', 1, 'en', 1), (1, 'Ann', 1, 'en', 1), (1, 'Anna', 1, 'de', 0),
            (2, 'Bob', 1, 'en', 1), (3, 'Cid', 0, 'en', 1), (4, NULL, NULL, 'en', 1);
        INSERT INTO user__roles VALUES (1, 1, 'administrator'), (2, 0, 'content_editor'), (2, 0, 'administrator');
        INSERT INTO user__user_picture VALUES (1, 0, 7), (2, 1, 7), (2, 0, 8);
        INSERT INTO file_managed VALUES (7, 'public://pictures/1 a.jpg'), (8, 'private://pictures/2.jpg')"""),
    "joomla": Product(barred="345", tables="""
        CREATE TABLE jos_users (id int, name varchar(400), username varchar(150), block tinyint, activation varchar(100));
        CREATE TABLE jos_user_usergroup_map (user_id int, group_id int);
        CREATE TABLE jos_usergroups (id int, title varchar(100));
        INSERT INTO jos_users VALUES (1, 'Ann', 'ann', 0, ''), (2, 'Bob', 'bob', 0, '$2y$10$asked.to.reset'),
            (3, 'Cid', 'cid', 1, ''), (4, 'D', 'd', 0, '8d1f0c'), (5, 'E', 'e', 1, '8d1f0c');
        INSERT INTO jos_usergroups VALUES (2, 'Registered'), (8, 'Super Users');
        INSERT INTO jos_user_usergroup_map VALUES (1, 2), (2, 2), (2, 8)"""),
    "mediawiki": Product(barred="34", tables="""
        CREATE TABLE user (user_id int unsigned, user_name varbinary(255), user_real_name varbinary(255));
        CREATE TABLE user_groups (ug_user int unsigned, ug_group varbinary(255), ug_expiry varbinary(14));
        CREATE TABLE ipblocks (ipb_user int unsigned, ipb_sitewide tinyint, ipb_expiry varbinary(14));
        INSERT INTO user VALUES (1, 'Ann', ''), (2, 'Bob', ''), (3, 'Cid', ''), (4, 'D', '');
        INSERT INTO user_groups VALUES (1, 'sysop', '20200101000000'), (2, 'bureaucrat', NULL), (2, 'sysop', NULL);
        INSERT INTO ipblocks VALUES (1, 1, '20200101000000'), (1, 0, 'infinity'), (0, 1, 'infinity'), (3, 1, 'infinity'),
            (4, 1, '29990101000000')"""),
    "moodle": Product(barred="34567", name="Ann Smith", admin=None,
                      avatar="https://moodle.example.com/user/pix.php/1/f1.jpg",
                      other_avatar="https://moodle.example.com/user/pix.php/2/f1.jpg", tables="""
        CREATE TABLE mdl_user (id bigint, username varchar(100), auth varchar(20), firstname varchar(100), lastname varchar(100),
            deleted tinyint, suspended tinyint, confirmed tinyint);
        INSERT INTO mdl_user VALUES (1, 'ann', 'manual', 'Ann', 'Smith', 0, 0, 1), (2, 'bob', 'oauth2', 'Bob', 'Jones', 0, 0, 1),
            (3, 'c', 'manual', 'C', 'D', 0, 1, 1), (4, 'e', 'manual', 'E', 'F', 1, 0, 1), (5, 'g', 'email', 'G', 'H', 0, 0, 0),
            (6, 'guest', 'manual', 'Guest user', ' ', 0, 0, 1), (7, 'i', 'nologin', 'I', 'J', 0, 0, 1)"""),
    "discourse": Product(barred=[*"345689", "-7"], tables="""
        ALTER DATABASE site SET timezone = 'Asia/Tokyo';
        CREATE TABLE users (id int, name text, username text, admin bool, moderator bool, active bool, staged bool,
            suspended_till timestamp, silenced_till timestamp, uploaded_avatar_id int, approved bool, trust_level int);
        INSERT INTO users VALUES (1, '', 'Ann', false, false, true, false, '2020-01-01', '2020-01-01', 7),
            (2, 'Bob', 'bob', true, true, true, false, NULL, NULL, NULL),
            (3, 'Cid', 'cid', false, false, true, false, '2999-01-01', NULL, NULL),
            (4, 'D', 'd', false, false, true, false, NULL, '2999-01-01', NULL),
            (5, 'E', 'e', false, false, false, false, NULL, NULL, NULL),
            (6, 'F', 'f', false, false, true, true, NULL, NULL, NULL),
            (8, 'H', 'h', false, false, true, false, now() AT TIME ZONE 'UTC' + '1 hour', NULL, NULL),
            (9, 'I', 'i', false, false, true, false, NULL, now() AT TIME ZONE 'UTC' + '1 hour', NULL),
            (-7, 'System', 'system', true, true, true, false, NULL, NULL, NULL)""",
                         avatar="https://forum.example.com/user_avatar/forum.example.com/ann/120/7_2.png"),
    "flarum": Product(barred="34", avatar="https://forum.example.com/assets/avatars/a.png", tables="""
        CREATE TABLE users (id int unsigned, username varchar(100), is_email_confirmed tinyint, suspended_until datetime,
            avatar_url varchar(100));
        CREATE TABLE group_user (user_id int unsigned, group_id int unsigned);
        CREATE TABLE `groups` (id int unsigned, name_singular varchar(100));
        INSERT INTO users VALUES (1, 'Ann', 1, '2020-01-01', 'a.png'), (2, 'Bob', 1, NULL, NULL),
            (3, 'Cid', 1, '2999-01-01', NULL), (4, 'D', 0, NULL, NULL);
        INSERT INTO `groups` VALUES (1, 'Admin'), (4, 'Mod');
        INSERT INTO group_user VALUES (2, 4), (2, 1)"""),
    "smf": Product(barred="345", name="Ann O'Neil & <\"&#039;\">", avatar="https://img.example.com/a.png?b&c",
                   other_avatar=GRAVATAR, tables="""
        CREATE TABLE smf_members (id_member int unsigned, real_name varchar(255), id_group smallint, is_activated tinyint,
            additional_groups varchar(255) NOT NULL DEFAULT '', email_address varchar(255),
            avatar varchar(255) NOT NULL DEFAULT '');
        CREATE TABLE smf_membergroups (id_group smallint, group_name varchar(80));
        INSERT INTO smf_members VALUES
            (1, 'Ann O&#039;Neil &amp; &lt;&quot;&amp;#039;&quot;&gt;', 0, 1, '', '', 'https://img.example.com/a.png?b&amp;c'),
            (2, 'Bob', 0, 1, '9,1', 'ann@example.com', 'gravatar://'),
            (3, 'Cid', 0, 11, '', '', ''), (4, 'D', 0, 0, '', '', ''), (5, 'E', 0, 3, '', '', '');
        INSERT INTO smf_membergroups VALUES (1, 'Administrator'), (9, 'Helpers')"""),
    "mybb": Product(barred="34567", avatar="https://forum.example.com/uploads/avatars/avatar_1.png?dateline=7", tables="""
        CREATE TABLE mybb_users (uid int unsigned, username varchar(120), usergroup smallint, additionalgroups varchar(200),
            avatar varchar(200));
        CREATE TABLE mybb_usergroups (gid smallint, title varchar(120), isbannedgroup tinyint);
        CREATE TABLE mybb_banned (uid int unsigned, lifted int unsigned);
        INSERT INTO mybb_users VALUES (1, 'Ann', 2, '', './uploads/avatars/avatar_1.png?dateline=7'), (2, 'Bob', 2, '3,4', ''),
            (3, 'Cid', 2, '', ''), (4, 'D', 7, '', ''), (5, 'E', 2, '', ''), (6, 'F', 2, '7', ''), (7, 'G', 5, '', '');
        INSERT INTO mybb_usergroups VALUES (2, 'Registered', 0), (3, 'Super Moderators', 0), (4, 'Administrators', 0),
            (5, 'Awaiting Activation', 0), (7, 'Banned', 1);
        INSERT INTO mybb_banned VALUES (1, 1), (3, 0), (5, 4000000000)"""),
}
