<?php
/* SPDX-License-Identifier: MIT
 * wordpress.php WP-CONFIG VERB [ARGUMENT...]: what its pages do, by WordPress' own functions. */
[, $config, $verb] = $argv;
$arguments = array_slice($argv, 3);
$_SERVER += ['HTTP_HOST' => 'localhost', 'REQUEST_URI' => '/', 'SERVER_NAME' => 'localhost', 'SERVER_PROTOCOL' => 'HTTP/1.1'];
define('ABSPATH', '/usr/share/wordpress/');
if ($verb === 'install' || $verb === 'network')
    define('WP_INSTALLING', true);
if ($verb === 'network')
    define('WP_INSTALLING_NETWORK', true);
require $config;
require_once ABSPATH . 'wp-admin/includes/admin.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
add_filter('pre_wp_mail', '__return_true'); /* no mail leaves this machine */

function must($result)
{
    if (is_wp_error($result)) {
        fwrite(STDERR, $result->get_error_message() . "\n");
        exit(1);
    }
    return $result;
}

switch ($verb) {
case 'install':
    must(wp_install('Blog', 'admin', 'admin@example.com', true, '', 'a long password'));
    break;
case 'add': /* LOGIN NAME ROLE: prints the id */
    [$login, $name, $role] = $arguments;
    echo must(wp_insert_user(['user_login' => $login, 'display_name' => $name, 'role' => $role,
        'user_email' => "$login@example.com", 'user_pass' => 'a long password'])), "\n";
    break;
case 'role': /* ID ROLE; an empty one: none on this site */
    get_user_by('id', $arguments[0])->set_role($arguments[1]);
    break;
case 'delete':
    require_once ABSPATH . 'wp-admin/includes/user.php';
    wp_delete_user($arguments[0]);
    break;
case 'network':
    require_once ABSPATH . 'wp-admin/includes/network.php';
    foreach ($wpdb->tables('ms_global') as $table => $name)
        $wpdb->$table = $name;
    install_network();
    must(populate_network(1, 'localhost', 'admin@example.com', 'Network', '/', false));
    break;
case 'status': /* ID spam|deleted 0|1 */
    update_user_status($arguments[0], $arguments[1], $arguments[2]);
    break;
default:
    exit(1);
}
