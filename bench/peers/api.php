<?php
// SPDX-License-Identifier: MIT
// The two endpoints of memberchat in plain PHP, as fast as PHP easily goes: no framework, one
// included file of settings (an array that opcache keeps compiled), members from an array that
// opcache keeps, too (some), or from SQLite (many) or MariaDB over a persistent connection.
declare(strict_types=1);

function answer(int $status, array $body, array $headers = []): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    header('X-Content-Type-Options: nosniff');
    header('X-Request-Id: ' . bin2hex(random_bytes(16)));
    foreach ($headers as $header) {
        header($header);
    }
    echo json_encode($body, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
    exit;
}

function refuse(int $status, string $code, string $message, array $headers = []): never
{
    answer($status, ['errorCode' => $code, 'errorMessage' => $message], $headers);
}

function base64url(string $bytes): string
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

// 27 characters of base 62, ordered by time.
function ksuid(): string
{
    $digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    $words = array_values(unpack('N5', pack('N', time() - 1400000000) . random_bytes(16)));
    $text = '';
    for ($digit = 0; $digit < 27; $digit++) {
        $rest = 0;
        for ($i = 0; $i < 5; $i++) {
            $value = $rest << 32 | $words[$i];
            $words[$i] = intdiv($value, 62);
            $rest = $value % 62;
        }
        $text = $digits[$rest] . $text;
    }
    return $text;
}

function sign_in(array $apps): array
{
    $basic = 'WWW-Authenticate: Basic realm="memberchat", charset="UTF-8"';
    if (!isset($_SERVER['PHP_AUTH_USER'])) {
        refuse(401, 'EMPTY_APP_CREDENTIALS', 'Basic credentials are needed', [$basic]);
    }
    $app = $apps[$_SERVER['PHP_AUTH_USER']] ?? null;
    $digest = hash('sha256', $_SERVER['PHP_AUTH_PW'] ?? '');
    if (!hash_equals($app['secret_sha256'] ?? str_repeat('0', 64), $digest) || !$app) {
        refuse(401, 'INVALID_APP_CREDENTIALS', 'wrong API key or secret', [$basic]);
    }
    return $app;
}

function field(array $body, string $name, int $max): ?string
{
    $value = $body[$name] ?? null;
    if ($value === null) {
        return null;
    }
    if (!is_string($value) || strlen($value) > $max || preg_match('/[\x00-\x1f\x7f]/', $value)) {
        refuse(400, 'INVALID_HTTP_MESSAGE_BODY', "$name must be a short string or null");
    }
    return $value;
}

function guest(): array
{
    $text = file_get_contents('php://input', false, null, 0, 16385);
    if (strlen($text) > 16384) {
        refuse(413, 'REQUEST_TOO_LARGE', 'the body is too large');
    }
    try {
        $body = $text === '' ? [] : json_decode($text, true, 16, JSON_THROW_ON_ERROR);
    } catch (JsonException $error) {
        refuse(400, 'INVALID_HTTP_MESSAGE_BODY', $error->getMessage());
    }
    if (!is_array($body) || ($text !== '' && ltrim($text)[0] !== '{')) {
        refuse(400, 'INVALID_HTTP_MESSAGE_BODY', 'it is not an object');
    }
    $id = field($body, 'appUserId', 128);
    if ($id !== null && !preg_match('/^[A-Za-z0-9]+$/D', $id)) {
        refuse(400, 'INVALID_APP_USER_ID_FORMAT', 'appUserId must be alphanumeric');
    }
    $id ??= ksuid();
    return [$id, field($body, 'appUserName', 256) ?? "GUEST_$id",
        field($body, 'appUserProfileImgUrl', 2048), 'guest'];
}

// [id, name, avatar, role], or null
function find_member(string $path, string $id): ?array
{
    if (str_ends_with($path, '.php')) {
        return (require $path)[$id] ?? null;
    }
    if (str_starts_with($path, 'mysqli:')) {
        $database = new mysqli('p:localhost', 'chat', 'secret', 'site', 0, substr($path, 7));
        $query = $database->prepare('SELECT id, name, avatar, role FROM members WHERE id = ?');
        $query->execute([$id]);
        return $query->get_result()->fetch_row() ?: null;
    }
    $database = new PDO("sqlite:$path", null, null, [PDO::ATTR_PERSISTENT => true]);
    $query = $database->prepare('SELECT id, name, avatar, role FROM members WHERE id = ?');
    $query->execute([$id]);
    return $query->fetch(PDO::FETCH_NUM) ?: null;
}

function token(array $app, array $user, int $lifetime): string
{
    [$id, $name, $avatar, $role] = $user;
    $now = time();
    $claims = ['iss' => 'memberchat', 'aud' => $app['id'], 'sub' => $id, 'iat' => $now,
        'nbf' => $now - 30, 'exp' => $now + $lifetime, 'jti' => base64url(random_bytes(16)),
        'appId' => $app['id'], 'role' => $role, 'name' => $name];
    if ($avatar !== null) {
        $claims['picture'] = $avatar;
    }
    $text = $app['token_header'] . '.' .
        base64url(json_encode($claims, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE));
    return $text . '.' . base64url(hash_hmac('sha256', $text, $app['token_secret'], true));
}

$path = explode('?', $_SERVER['REQUEST_URI'], 2)[0];
$route = '~/v2/apps/me/members/(?:(guest-chat-tokens)|([^/]+)/chat-tokens)$~D';
if (!preg_match($route, $path, $match)) {
    refuse(404, 'RESOURCE_NOT_FOUND', 'there is nothing here');
}
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    refuse(405, 'UNSUPPORTED_HTTP_METHOD', 'use POST', ['Allow: POST']);
}
$config = require ($_SERVER['BENCH_PHP_CONFIG'] ?? __DIR__ . '/config.php');
$app = sign_in($config);
$user = $match[1] !== '' ? guest() : find_member($app['members'], rawurldecode($match[2]));
if ($user === null) {
    refuse(404, 'MEMBER_NOT_FOUND', 'there is no such member');
}
answer(200, [
    'chatServerWebSocketUrl' => $app['chat_server_url'],
    'chatToken' => token($app, $user, $match[1] !== '' ? 600 : 900),
    'appId' => $app['id'],
    'userId' => $user[0],
    'userName' => $user[1],
    'avatarProfileUrl' => $user[2],
]);
