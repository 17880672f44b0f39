// SPDX-License-Identifier: MIT
//
// A chat token, in Java (11 or newer).  usage: java ChatToken.java member ID | guest [NAME]
// From the environment: MEMBERCHAT_URL, MEMBERCHAT_API_KEY, MEMBERCHAT_API_SECRET.
// Prints the answer.  Exit 0: a token; 1: refused, with errorCode on stderr; 2: no answer; 64: wrong arguments.
// The JDK has no JSON: where your application has a library for it, use that in place of the two helpers.
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public final class ChatToken {
    private static final int TRIES = 3;
    private static final long LONGEST_WAIT = 10; // seconds; longer is not worth waiting for

    /** errorCode says what is wrong, for programs; "HTTP 502" and the like if something else answered. */
    public static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        public final String errorCode;

        Refused(String errorCode, String message) {
            super(message);
            this.errorCode = errorCode;
        }
    }

    private final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String url;
    private final String authorization;

    public ChatToken(String url, String key, String secret) {
        byte[] credentials = (key + ":" + secret).getBytes(StandardCharsets.UTF_8);
        this.url = url.replaceAll("/+$", "") + "/v2/apps/me/members/";
        this.authorization = "Basic " + Base64.getEncoder().encodeToString(credentials);
    }

    /** The JSON of the answer. */
    public String ofMember(String id) throws IOException, InterruptedException, Refused {
        return ask(URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20") + "/chat-tokens", "");
    }

    /** The JSON of the answer; name may be null. */
    public String ofGuest(String name) throws IOException, InterruptedException, Refused {
        return ask("guest-chat-tokens", name == null ? "{}" : "{\"appUserName\":" + quoted(name) + "}");
    }

    private String ask(String path, String body) throws IOException, InterruptedException, Refused {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path)).timeout(Duration.ofSeconds(10))
                .header("Authorization", authorization).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        for (int tries = 1;; tries++) {
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() == 200) {
                return answer.body();
            }
            boolean later = answer.statusCode() == 429 || answer.statusCode() == 503;
            long wait = answer.headers().firstValueAsLong("Retry-After").orElse(1);
            if (!later || tries == TRIES || wait > LONGEST_WAIT) {
                String code = member(answer.body(), "errorCode", "HTTP " + answer.statusCode());
                throw new Refused(code, member(answer.body(), "errorMessage", "the answer is not from memberchat"));
            }
            Thread.sleep(1000 * wait);
        }
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            json.append(c < ' ' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : c);
        }
        return json.append('"').toString();
    }

    private static String member(String json, String name, String otherwise) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(json);
        return found.find() ? found.group(1) : otherwise;
    }

    public static void main(String[] words) throws InterruptedException {
        boolean forMember = words.length == 2 && words[0].equals("member");
        if (!forMember && !(words.length >= 1 && words.length <= 2 && words[0].equals("guest"))) {
            System.err.println("usage: java ChatToken.java member ID | guest [NAME]");
            System.exit(64);
        }
        ChatToken tokens = new ChatToken(System.getenv("MEMBERCHAT_URL"), System.getenv("MEMBERCHAT_API_KEY"),
                System.getenv("MEMBERCHAT_API_SECRET"));
        try {
            String answer = forMember ? tokens.ofMember(words[1]) : tokens.ofGuest(words.length == 2 ? words[1] : null);
            System.out.write((answer + "\n").getBytes(StandardCharsets.UTF_8));
            System.out.flush();
        } catch (Refused refused) {
            System.err.println(refused.errorCode + ": " + refused.getMessage());
            System.exit(1);
        } catch (IOException error) {
            System.err.println(error);
            System.exit(2);
        }
    }
}
