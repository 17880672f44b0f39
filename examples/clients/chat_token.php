<?php
// SPDX-License-Identifier: MIT
//
// A chat token, in PHP (7.4 or newer, with the curl extension).  usage: php chat_token.php member ID | guest [NAME]
// From the environment: MEMBERCHAT_URL, MEMBERCHAT_API_KEY, MEMBERCHAT_API_SECRET.
// Prints the answer.  Exit 0: a token; 1: refused, with errorCode on stderr; 2: no answer; 64: wrong arguments.
// In a web application copy the classes, and call memberToken() with the id of the session's user.
declare(strict_types=1);

final class MemberchatError extends RuntimeException
{
    /** What is wrong, for programs: MEMBER_NOT_FOUND and so on, or "HTTP 502" if something else answered. */
    public string $errorCode;

    public function __construct(string $errorCode, string $message)
    {
        parent::__construct($message);
        $this->errorCode = $errorCode;
    }
}

final class Memberchat
{
    private const TRIES = 3;
    private const LONGEST_WAIT = 10; // seconds; longer is not worth waiting for
    private string $url;
    private string $credentials;

    public function __construct(string $url, string $key, string $secret)
    {
        $this->url = rtrim($url, '/') . '/v2/apps/me/members/';
        $this->credentials = "$key:$secret";
    }

    public function memberToken(string $id): array
    {
        return $this->ask(rawurlencode($id) . '/chat-tokens', '');
    }

    /** $guest may have appUserId, appUserName, appUserProfileImgUrl and accessToken. */
    public function guestToken(array $guest = []): array
    {
        return $this->ask('guest-chat-tokens', json_encode((object) $guest, JSON_THROW_ON_ERROR));
    }

    private function ask(string $path, string $body): array
    {
        for ($try = 1;; $try++) {
            [$status, $wait, $answer] = $this->post($path, $body);
            if ($status === 200) {
                return $answer;
            }
            if (!in_array($status, [429, 503], true) || $try === self::TRIES || $wait > self::LONGEST_WAIT) {
                throw new MemberchatError($answer['errorCode'] ?? "HTTP $status",
                    $answer['errorMessage'] ?? 'the answer is not from memberchat');
            }
            sleep($wait);
        }
    }

    /** Status, Retry-After and the JSON of the answer. */
    private function post(string $path, string $body): array
    {
        $wait = 1;
        $request = curl_init($this->url . $path);
        curl_setopt_array($request, [
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_USERPWD => $this->credentials,
            CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 10,
            CURLOPT_HEADERFUNCTION => function ($request, string $line) use (&$wait): int {
                if (preg_match('/^Retry-After: *(\d+)/i', $line, $found)) {
                    $wait = (int) $found[1];
                }
                return strlen($line);
            },
        ]);
        $answer = curl_exec($request);
        if ($answer === false) {
            throw new RuntimeException(curl_error($request));
        }
        return [curl_getinfo($request, CURLINFO_RESPONSE_CODE), $wait, json_decode($answer, true) ?? []];
    }
}

function main(array $words): int
{
    $memberchat = new Memberchat(getenv('MEMBERCHAT_URL'), getenv('MEMBERCHAT_API_KEY'),
        getenv('MEMBERCHAT_API_SECRET'));
    try {
        if (count($words) === 2 && $words[0] === 'member') {
            $token = $memberchat->memberToken($words[1]);
        } elseif (in_array(count($words), [1, 2], true) && $words[0] === 'guest') {
            $token = $memberchat->guestToken(isset($words[1]) ? ['appUserName' => $words[1]] : []);
        } else {
            fwrite(STDERR, "usage: php chat_token.php member ID | guest [NAME]\n");
            return 64;
        }
        echo json_encode($token, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), "\n";
        return 0;
    } catch (MemberchatError $error) {
        fwrite(STDERR, "$error->errorCode: {$error->getMessage()}\n");
        return 1;
    } catch (RuntimeException $error) {
        fwrite(STDERR, "{$error->getMessage()}\n");
        return 2;
    }
}

exit(main(array_slice($argv, 1)));
