/* SPDX-License-Identifier: MIT */
#include "products.h"

#include <stddef.h>

/* Names are in these tables as HTML has them; the ampersand comes last. */
#define WITHOUT(NAME, ENTITY, TEXT) "REPLACE(" NAME ", '" ENTITY "', '" TEXT "')"
#define WITHOUT_BRACKETS(NAME)      WITHOUT(WITHOUT(NAME, "&lt;", "<"), "&gt;", ">")
#define WORDPRESS_NAME              WITHOUT(WITHOUT_BRACKETS("u.display_name"), "&amp;", "&")
#define PHPBB_QUOTED                WITHOUT(WITHOUT_BRACKETS("u.username"), "&quot;", "\\\"")
#define PHPBB_NAME                  WITHOUT(PHPBB_QUOTED, "&amp;", "&")
#define PHPBB_AVATAR                WITHOUT("u.user_avatar", "&amp;", "&")

#define WORDPRESS_QUERY(MORE)                                                                      \
    "SELECT u.ID AS appUserId, " WORDPRESS_NAME " AS appUserName, u.user_email AS email, "         \
    "m.meta_value AS capabilities FROM `~users` u JOIN `~usermeta` m ON m.user_id = u.ID AND "     \
    "m.meta_key = '~capabilities' WHERE u.ID = {id} AND m.meta_value <> '' AND m.meta_value NOT "  \
    "LIKE 'a:0:%'" MORE
#define WORDPRESS_GRANTS(MORE)                                                                     \
    "(ID, display_name, user_email" MORE ") ON `@`.`~users`\n"                                     \
    "(user_id, meta_key, meta_value) ON `@`.`~usermeta`\n"

#define GRAVATAR(EMAIL)                                                                            \
    "avatar = \"https://www.gravatar.com/avatar/{" EMAIL "|trim|lower|sha256}?d=mp\"\n"
#define WORDPRESS_AVATAR GRAVATAR("email")
#define PHPBB_PICTURE    GRAVATAR("gravatar")

#define NOW "DATE_FORMAT(UTC_TIMESTAMP(), '%Y%m%d%H%i%s')"
#define MEDIAWIKI_QUERY(MORE, BLOCKS)                                                              \
    "SELECT u.user_id AS appUserId, u.user_name AS appUserName, g.ug_group AS groupName FROM "     \
    "`~user` u LEFT JOIN `~user_groups` g ON g.ug_user = u.user_id AND (g.ug_expiry IS NULL OR "   \
    "g.ug_expiry > " NOW ") WHERE u.user_id = {id}" MORE " AND NOT EXISTS (SELECT 1 FROM " BLOCKS  \
    ")"
#define MEDIAWIKI_GRANTS(MORE, BLOCKS)                                                             \
    "(user_id, user_name" MORE ") ON `@`.`~user`\n"                                                \
    "(ug_user, ug_group, ug_expiry) ON `@`.`~user_groups`\n" BLOCKS

const struct product products[] = {
    {.name = "wordpress",
     .file = "wp-config.php",
     .constants = true,
     .database = "DB_NAME",
     .host = "DB_HOST",
     .prefix = "table_prefix",
     .network = "MULTISITE",
     .others = {"CUSTOM_USER_TABLE", "CUSTOM_USER_META_TABLE"},
     .harmless = {"'wp-settings.php", "\"wp-settings.php", "/wp-settings.php"},
     .member = WORDPRESS_AVATAR
     "roles = ( { field = \"capabilities\"; contains = \"\\\"administrator\\\"\"; "
     "role = \"admin\" },\n"
     "          { field = \"capabilities\"; contains = \"\\\"editor\\\"\"; role = "
     "\"moderator\" } )\n",
     .usual = {WORDPRESS_QUERY(""), WORDPRESS_GRANTS("")},
     .of_network = {WORDPRESS_QUERY(" AND u.spam = 0 AND u.deleted = 0"),
                    WORDPRESS_GRANTS(", spam, deleted")}},
    {.name = "mediawiki",
     .file = "LocalSettings.php",
     .database = "wgDBname",
     .host = "wgDBserver",
     .prefix = "wgDBprefix",
     .kind = "wgDBtype",
     .others = {"wgSharedDB", "wgDBservers", "wgLBFactoryConf"},
     .harmless = {"/extensions/", "/skins/", "/DefaultSettings.php", "/PlatformSettings.php"},
     .member = "roles = ( { field = \"groupName\"; is = \"sysop\"; role = \"admin\" } )\n",
     .usual = {MEDIAWIKI_QUERY("",
                               "`~ipblocks` b WHERE b.ipb_user = u.user_id AND b.ipb_sitewide = 1 "
                               "AND (b.ipb_expiry = 'infinity' OR b.ipb_expiry > " NOW ")"),
               MEDIAWIKI_GRANTS("", "(ipb_user, ipb_sitewide, ipb_expiry) ON `@`.`~ipblocks`\n")},
     .later = {MEDIAWIKI_QUERY(" AND u.user_is_temp = 0",
                               "`~block_target` t JOIN `~block` b ON b.bl_target = t.bt_id WHERE "
                               "t.bt_user = u.user_id AND b.bl_sitewide = 1 AND (b.bl_expiry = "
                               "'infinity' OR b.bl_expiry > " NOW ")"),
               MEDIAWIKI_GRANTS(", user_is_temp",
                                "(bt_id, bt_user) ON `@`.`~block_target`\n"
                                "(bl_target, bl_sitewide, bl_expiry) ON `@`.`~block`\n")},
     .version_file = "includes/Defines.php",
     .version = "MW_VERSION",
     .since = 1042,
     .unknown_version =
         "# This is for MediaWiki before 1.42; stores/mediawiki.conf says what later "
         "ones have.\n"},
    {.name = "phpbb",
     .file = "config.php",
     .database = "dbname",
     .host = "dbhost",
     .port = "dbport",
     .prefix = "table_prefix",
     .kind = "dbms",
     .member = PHPBB_PICTURE
     "roles = ( { field = \"groupName\"; is = \"ADMINISTRATORS\"; role = \"admin\" "
     "},\n"
     "          { field = \"groupName\"; is = \"GLOBAL_MODERATORS\"; role = "
     "\"moderator\" } )\n",
     .usual = {"SELECT u.user_id AS appUserId, " PHPBB_NAME " AS appUserName, g.group_name AS "
               "groupName, CASE WHEN u.user_avatar_type IN ('avatar.driver.remote', '2') "
               "THEN " PHPBB_AVATAR " END AS appUserProfileImgUrl, CASE WHEN u.user_avatar_type = "
               "'avatar.driver.gravatar' THEN u.user_avatar END AS gravatar FROM `~users` u LEFT "
               "JOIN `~user_group` m ON m.user_id = u.user_id AND m.user_pending = 0 LEFT JOIN "
               "`~groups` g ON g.group_id = m.group_id WHERE "
               "u.user_id = {id} AND u.user_type NOT IN (1, 2) AND NOT EXISTS (SELECT 1 FROM "
               "`~banlist` b WHERE b.ban_userid = u.user_id AND b.ban_exclude = 0 AND (b.ban_end = "
               "0 OR b.ban_end > UNIX_TIMESTAMP()))",
               "(user_id, username, user_type, user_avatar, user_avatar_type) ON `@`.`~users`\n"
               "(user_id, group_id, user_pending) ON `@`.`~user_group`\n"
               "(group_id, group_name) ON `@`.`~groups`\n"
               "(ban_userid, ban_exclude, ban_end) ON `@`.`~banlist`\n"}},
    {.name = NULL},
};
